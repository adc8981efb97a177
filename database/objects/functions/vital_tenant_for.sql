-- owner: vital_definer
-- after: vital_identity.sql
-- after: vital_may_enter.sql
--
-- The tenant the caller acts in, if they may do there what p_right says: read, write, oversee (read what
-- only admins read) or administer. Null otherwise, so that a policy denies. It is what every policy rests
-- on: to read takes an active membership of an active tenant, to write more than the role of a viewer, to
-- oversee or administer that of an owner or admin. A super admin may read and oversee whichever tenant
-- they name, and change any that is not archived, if they may enter it (vital.may_enter).
-- It decides the same as vital.current_membership, in one query where that is enough.
create or replace function vital.tenant_for(p_right text) returns uuid
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing record;
begin
  select w.id as wanted, c.user_id,
    m.role in ('owner', 'admin') or (p_right = 'read' and m.role is not null) or (p_right = 'write' and m.role = 'member') as allowed
  into standing
  from vital.identity() c
  cross join lateral (
    select case
      when c.tenant = '' then (select u.organization_id from public.users u where u.id = c.user_id)
      when c.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then c.tenant::uuid
      else (select o.id from public.organizations o where o.slug = c.tenant)
    end as id
    offset 0
  ) w
  left join (
    public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
  ) on m.tenant_id = w.id and m.user_id = c.user_id and m.status = 'active';
  if standing.allowed then
    return standing.wanted;
  end if;

  return (
    select o.id
    from public.organizations o
    join public.profiles p on p.id = standing.user_id and p.role = 'super_admin'
    where o.id = standing.wanted and vital.may_enter(o.id, p.id) and (p_right in ('read', 'oversee') or o.lifecycle_state <> 'archived')
  );
end
$$;
comment on function vital.tenant_for(text) is 'The tenant the caller acts in, if they may read, write, oversee or administer it';
grant execute on function vital.tenant_for(text) to anon, authenticated, service_role;
