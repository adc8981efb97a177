-- after: vital_retention_plan.sql
--
-- Drops the oldest partition of a rule's table that only has rows which may go, and tells how many each tenant had in it: nothing where there is
-- none. Only where all tenants agree, with no rule of their own and none held, and where the table is cut by ranges of the very column that the rule
-- goes by. A partition that is not ours to drop, or that others refer to, is left to be emptied row by row. Nobody is waited for longer than two
-- seconds. Definer, because only the table's owner may drop its partitions; for service_role.
create or replace function vital.drop_retained_partition(p_rule_id uuid)
returns table (tenant_id uuid, dropped_rows bigint, before timestamptz)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  step record;
  part record;
begin
  perform set_config('lock_timeout', '2s', true);
  select p.* into step from vital.retention_plan() p where p.rule_id = p_rule_id order by p.tenant_id nulls last limit 1;
  if step.rule_id is null or step.tenant_id is not null or step.problem is not null or cardinality(step.except_tenants) > 0
    or step.age_type <> 'timestamp with time zone' or (step.table_schema, step.table_name) = ('public', 'organization_audit_log') then
    return;
  end if;
  select n.nspname, c.relname into part
  from pg_class t
  join pg_namespace tn on tn.oid = t.relnamespace and tn.nspname = step.table_schema
  join pg_partitioned_table k on k.partrelid = t.oid and k.partstrat = 'r' and k.partnatts = 1
  join pg_attribute a on a.attrelid = t.oid and a.attnum = k.partattrs[0] and a.attname = step.age_column
  join pg_inherits i on i.inhparent = t.oid and not i.inhdetachpending
  join pg_class c on c.oid = i.inhrelid and c.relkind = 'r' and not c.relrowsecurity
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select (regexp_match(pg_get_expr(c.relpartbound, c.oid), ' TO \(''([^'']+)''\)$'))[1]::timestamptz as ends) b
  where t.relname = step.table_name and b.ends <= step.before
    and pg_has_role(current_user, c.relowner, 'usage') and pg_has_role(current_user, t.relowner, 'usage')
    and not exists (select from pg_constraint f where f.contype = 'f' and f.confrelid in (t.oid, c.oid))
  order by b.ends
  limit 1;
  if part.relname is null then
    return;
  end if;
  execute format('lock table %I.%I in access exclusive mode', part.nspname, part.relname);
  return query execute format('select x.%I, count(*), $1 from %I.%I x group by 1 order by 1', step.tenant_column, part.nspname, part.relname) using step.before;
  if not found then -- an empty one is told of, too
    tenant_id := null; dropped_rows := 0; before := step.before;
    return next;
  end if;
  execute format('drop table %I.%I', part.nspname, part.relname);
end
$$;
comment on function vital.drop_retained_partition(uuid) is 'Drops a partition whose rows may all go, and tells how many each tenant had';
grant execute on function vital.drop_retained_partition(uuid) to service_role;
