-- owner: vital_definer
--
-- Deletes rows of the audit chain of a tenant that is being erased, at most p_limit, and returns how many went. Where the chain ended stays
-- in the platform's chain. For operators. Definer, because nobody else may touch an audit row.
create or replace function vital.erase_chain(p_id uuid, p_limit integer) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  gone bigint;
begin
  delete from public.organization_audit_log a
  where a.ctid = any (array(
    select d.ctid
    from vital.erasures e
    join public.organization_audit_log d on d.organization_id = e.subject_id
    where e.id = p_id and e.state = 'running' and e.subject = 'tenant'
    limit p_limit));
  get diagnostics gone = row_count;
  return gone;
end
$$;
comment on function vital.erase_chain(uuid, integer) is 'Deletes rows of the audit chain of a tenant that is being erased';
grant execute on function vital.erase_chain(uuid, integer) to service_role;
