-- owner: vital_definer
-- after: vital_identity.sql
--
-- The tenant the caller acts in, if they may do there what p_right says: read, write, oversee (read what
-- only admins read) or administer. Null otherwise, so that a policy denies. It is what every policy rests
-- on: to read takes an active membership of an active tenant, to write more than the role of a viewer, to
-- oversee or administer that of an owner or admin. A super admin may read and oversee whichever tenant
-- they name, and change any that is not archived.
-- It decides the same as vital.current_membership, in one look where that is enough.
create or replace function vital.tenant_for(p_right text) returns uuid
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  wanted uuid;
  member_role text;
begin
  if caller.user_id is null then
    return null;
  end if;
  if length(caller.tenant) = 36 and caller.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    wanted := caller.tenant;
  elsif caller.tenant = '' then
    select u.organization_id into wanted from public.users u where u.id = caller.user_id;
  else
    select o.id into wanted from public.organizations o where o.slug = caller.tenant;
  end if;

  select m.role into member_role
  from public.user_tenants m
  join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
  where m.tenant_id = wanted and m.user_id = caller.user_id and m.status = 'active';
  if member_role in ('owner', 'admin')
    or (p_right = 'read' and member_role is not null)
    or (p_right = 'write' and member_role = 'member') then
    return wanted;
  end if;

  select o.id into wanted
  from public.organizations o
  join public.profiles p on p.id = caller.user_id and p.role = 'super_admin'
  where o.id = wanted and (p_right in ('read', 'oversee') or o.lifecycle_state <> 'archived');
  return wanted;
end
$$;
comment on function vital.tenant_for(text) is 'The tenant the caller acts in, if they may read, write, oversee or administer it';
grant execute on function vital.tenant_for(text) to anon, authenticated, service_role;
