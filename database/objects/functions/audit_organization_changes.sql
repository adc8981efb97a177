-- owner: vital_definer
-- after: vital_append_audit.sql
-- after: vital_is_restoring.sql
--
-- Trigger of organizations: one audit row for each change, named for the move when the tenant's state
-- changed (approved, suspended, activated, archived), else created or updated. Who approved and when are the
-- row's own actor and time. Putting a tenant back has one row for all that it writes (vital.begin_restoring).
create or replace function public.audit_organization_changes() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  before_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'updated_at' end;
  after_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'updated_at' end;
  old_values jsonb := before_row;
  new_values jsonb := after_row;
  action text := case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after_row -> b.key)
    into old_values, new_values
    from jsonb_each(before_row) b
    where b.value is distinct from after_row -> b.key;
    if old_values is null then
      return null; -- nothing changed
    end if;
    if new.lifecycle_state <> old.lifecycle_state then
      action := case new.lifecycle_state
        when 'suspended' then 'suspended'
        when 'archived' then 'archived'
        when 'active' then case old.lifecycle_state when 'pending' then 'approved' else 'activated' end
        else 'updated' end;
    end if;
    if action = 'approved' then
      old_values := old_values - '{approved_at,approved_by}'::text[];
      new_values := new_values - '{approved_at,approved_by}'::text[];
    end if;
  end if;
  perform vital.append_audit((coalesce(after_row, before_row) ->> 'id')::uuid, action, 'organizations',
    (coalesce(after_row, before_row) ->> 'id')::uuid, jsonb_build_object('old', old_values, 'new', new_values));
  return null;
end
$$;
comment on function public.audit_organization_changes() is 'Writes one audit row for each change of an organization';
grant execute on function public.audit_organization_changes() to vital_owner; -- to attach it to a table
