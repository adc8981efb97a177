-- owner: vital_definer
--
-- Refuses to erase a tenant that is not archived, is the platform's, is on legal hold or has others as its parts; and a user who operates
-- the platform, is the last owner of a tenant that lives, or a member of one on hold. Definer, because it looks at all tenants.
create or replace function vital.require_erasable(p_subject text, p_subject_id uuid) returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  state public.org_lifecycle_state;
  parts bigint;
begin
  if p_subject = 'tenant' then
    select o.lifecycle_state into state from public.organizations o where o.id = p_subject_id;
    if not found then
      raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
    end if;
    if p_subject_id = '00000000-0000-0000-0000-000000000001' then
      raise exception using errcode = 'VT203', message = 'The platform tenant is never erased.', hint = 'It owns what all tenants share.';
    end if;
    if state <> 'archived' then
      raise exception using errcode = 'VT203', message = format('This tenant is %s; only an archived one is erased.', state),
        hint = 'Suspend it, and archive it: `vital tenant archive`.';
    end if;
    select count(*) into parts from public.organizations o where o.parent_organization_id = p_subject_id;
    if parts > 0 then
      raise exception using errcode = 'VT203', message = format('%s other tenants are part of this one.', parts),
        hint = 'Make them part of another, or of none, first: set_parent_organization.';
    end if;
  else
    perform from public.users u where u.id = p_subject_id;
    if not found then
      raise exception using errcode = 'VT101', message = 'There is no such user.', hint = 'Name one by address or id.';
    end if;
    if exists (select from public.profiles p where p.id = p_subject_id and p.role = 'super_admin') then
      raise exception using errcode = 'VT203', message = 'This user operates the platform.', hint = 'Take the platform-wide role from them first.';
    end if;
    select count(*) into parts
    from public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state <> 'archived'
    where m.user_id = p_subject_id and m.role = 'owner' and m.status = 'active'
      and not exists (
        select from public.user_tenants w
        where w.tenant_id = m.tenant_id and w.role = 'owner' and w.status = 'active' and w.user_id <> m.user_id);
    if parts > 0 then
      raise exception using errcode = 'VT207', message = format('This user is the only owner of %s.', case parts when 1 then 'a tenant' else parts || ' tenants' end),
        hint = 'Make somebody else an owner first: `vital member role`.';
    end if;
  end if;
  perform vital.require_no_hold(p_subject, p_subject_id);
end
$$;
comment on function vital.require_erasable(text, uuid) is 'Refuses to erase a tenant or user that must stay for now';
