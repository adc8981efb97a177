-- Refuses a tenant that does not exist or is archived. It sees what the caller's policies show, so it
-- tells nobody of a tenant that is not theirs.
create or replace function vital.require_changeable(p_tenant_id uuid) returns void
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
declare
  state public.org_lifecycle_state;
begin
  select o.lifecycle_state into state from public.organizations o where o.id = p_tenant_id;
  if state is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  elsif state = 'archived' then
    raise exception using errcode = 'VT108', message = 'This tenant is archived.',
      hint = 'Its data is kept, but nothing of it changes any more.';
  end if;
end
$$;
comment on function vital.require_changeable(uuid) is 'Refuses a tenant that does not exist or is archived';
grant execute on function vital.require_changeable(uuid) to authenticated, service_role, vital_definer;
