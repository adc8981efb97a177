-- owner: vital_definer
-- after: vital_erase_audit.sql
-- after: vital_held_tenant_ids.sql
-- after: vital_audit_kept_least.sql
--
-- Erases what audit rows older than p_before hold of anybody, at most p_limit of one tenant, the oldest first; returns how many. The rows stay, so
-- that their chain verifies, and each erasure has a row of its own. Those hold nothing, and are not erased in their turn. What a hold or the law
-- keeps is not touched, whoever asks. For service_role. Definer, because nobody else may touch an audit row.
create or replace function vital.retain_audit(p_organization_id uuid, p_before timestamptz, p_limit integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  entry uuid;
  erased integer := 0;
begin
  if p_before > now() - vital.audit_kept_least(p_organization_id) or p_organization_id in (select vital.held_tenant_ids()) then
    return 0;
  end if;
  perform set_config('vital.reason', '', true);
  for entry in
    select a.id from public.organization_audit_log a
    where a.organization_id = p_organization_id and a.created_at < p_before and a.erased_at is null and (a.changes is not null or a.reason is not null)
    order by a.created_at
    limit p_limit
    for update skip locked
  loop
    erased := erased + vital.erase_audit(p_organization_id, entry)::integer;
  end loop;
  return erased;
end
$$;
comment on function vital.retain_audit(uuid, timestamptz, integer) is 'Erases what old audit rows of a tenant hold, keeping their chain';
grant execute on function vital.retain_audit(uuid, timestamptz, integer) to service_role;
