-- owner: vital_definer
-- after: vital_is_restoring.sql
--
-- Trigger of user_tenants: the last active owner of a tenant is not demoted, suspended or removed, by
-- nobody. Changes of a tenant's owners wait for each other on its organization, so that two owners
-- cannot demote each other at once. An archived tenant needs none any more. Definer, because it counts
-- what the writer may not see. Whoever puts a tenant back looks once all owners are back.
create or replace function vital.keep_owner() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  state public.org_lifecycle_state;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_op = 'UPDATE' and new.tenant_id = old.tenant_id and new.role = 'owner' and new.status = 'active' then
    return null;
  end if;
  select o.lifecycle_state into state from public.organizations o where o.id = old.tenant_id for no key update;
  if state <> 'archived'
    and not exists (select from public.user_tenants m where m.tenant_id = old.tenant_id and m.role = 'owner' and m.status = 'active') then
    raise exception using errcode = 'VT207', message = 'A tenant keeps at least one owner.',
      hint = 'Make somebody else an owner first.';
  end if;
  return null;
end
$$;
comment on function vital.keep_owner() is 'Refuses to take a tenant its last owner';
grant execute on function vital.keep_owner() to vital_owner; -- to attach it to a table
