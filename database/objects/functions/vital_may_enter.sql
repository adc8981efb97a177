-- after: vital_entry_of.sql
--
-- Whether a super admin may act in a tenant they are no member of: at any time, or, where vital.settings.break_glass_required
-- is on, while they have entered it. The one place that decides it: vital.tenant_for, vital.current_membership and
-- vital.read_context ask here. That p_user_id is a super admin is theirs to know.
create or replace function vital.may_enter(p_tenant_id uuid, p_user_id uuid) returns boolean
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select not (select s.break_glass_required from vital.settings s) or exists (select from vital.entry_of(p_tenant_id, p_user_id))
$$;
comment on function vital.may_enter(uuid, uuid) is 'Whether a super admin may act in a tenant they are no member of';
grant execute on function vital.may_enter(uuid, uuid) to vital_definer;
