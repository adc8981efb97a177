-- owner: vital_definer
-- after: vital_lock_configuration.sql
-- after: vital_require_value.sql
-- after: vital_is_restoring.sql
--
-- Trigger of the tables whose rows a tenant may have only so many of, after each inserting statement. The
-- argument names the limit in tenant_configurations.limits; one that is missing or null means unlimited.
-- Inserts that a limit binds are counted one after the other within their tenant. Definer, because it counts what the writer may
-- not see. Rows that are put back were counted once.
create or replace function vital.enforce_limit() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  made record;
  allowed jsonb;
  present bigint;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  for made in select n.tenant_id, count(*) as count from inserted n group by n.tenant_id order by n.tenant_id loop
    select c.limits -> tg_argv[0] into allowed from public.tenant_configurations c where c.tenant_id = made.tenant_id;
    continue when found and coalesce(allowed, 'null') = 'null';
    allowed := (vital.lock_configuration(made.tenant_id)).limits -> tg_argv[0];
    continue when coalesce(allowed, 'null') = 'null';
    perform vital.require_value(jsonb_typeof(allowed) = 'number', 'limits.' || tg_argv[0], 'a number');
    if tg_table_name = 'tenant_agents' then
      select count(*) into present from public.tenant_agents a where a.tenant_id = made.tenant_id;
    else
      select count(*) into present from public.chat_sessions s where s.tenant_id = made.tenant_id;
    end if;
    if present > allowed::numeric then
      raise exception using errcode = 'VT204',
        message = format('The limit %s of this tenant is %s, and it has %s.', tg_argv[0], allowed, present - made.count),
        hint = 'Remove something, or have an admin raise the limit in the tenant''s configuration.';
    end if;
  end loop;
  return null;
end
$$;
comment on function vital.enforce_limit() is 'Refuses rows beyond a limit of the tenant''s configuration';
grant execute on function vital.enforce_limit() to vital_owner; -- to attach it to a table
