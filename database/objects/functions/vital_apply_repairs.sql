-- owner: vital_definer
-- after: vital_plan_repair.sql
-- after: vital_write_repair.sql
-- after: vital_give_reason.sql
--
-- Writes what vital.plan_repair plans for each of p_checks, in their order, and returns how many rows each came to. The audit rows of it
-- give `repair` and p_run as their reason, by which vital.undo_repairs finds them. It is one transaction with whatever calls it.
create or replace function vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid default null)
returns table (check_name text, written bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  planned record;
begin
  foreach check_name in array p_checks loop
    perform vital.give_reason(format('repair %s: %s', p_run, check_name));
    written := 0;
    for planned in select p.* from vital.plan_repair(check_name, p_tenant) p loop
      perform vital.write_repair(planned.table_name, planned.tenant_id, planned.row_id, planned.old, planned.new);
      written := written + 1;
    end loop;
    return next;
  end loop;
end
$$;
comment on function vital.apply_repairs(uuid, text[], uuid) is 'Writes the repairs of checks of data, audited under one run';
grant execute on function vital.apply_repairs(uuid, text[], uuid) to service_role;
