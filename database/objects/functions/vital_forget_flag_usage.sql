-- owner: vital_definer
-- after: vital_held_tenant_ids.sql
--
-- Deletes counts of evaluations older than 90 days, the oldest first, at most p_limit: found by the index on
-- the day, so a run that finds nothing looks at one page. What another session deletes is left to it.
-- Returns how many were deleted; a run that meets its limit is to be repeated. Definer, because nobody else
-- writes counts; for service_role alone. Those of tenants on legal hold are kept.
create or replace function vital.forget_flag_usage(p_limit integer default 5000) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  forgotten integer;
begin
  delete from public.tenant_feature_flag_usage u
  where u.ctid = any (array( -- where they lie: no plan of this reads the whole table
    select o.ctid
    from public.tenant_feature_flag_usage o
    where o.day < (now() at time zone 'UTC')::date - 90 and o.tenant_id <> all (array(select vital.held_tenant_ids()))
    order by o.day
    limit p_limit
    for update skip locked
  ));
  get diagnostics forgotten = row_count;
  return forgotten;
end
$$;
comment on function vital.forget_flag_usage(integer) is 'Deletes counts of evaluations older than 90 days';
grant execute on function vital.forget_flag_usage(integer) to service_role;
