-- owner: vital_definer
-- after: vital_open_erasure.sql
-- after: vital_require_erasable.sql
-- after: vital_require_no_hold.sql
--
-- Begins an erasure that was approved and whose time has come, or goes on with one that was broken off: who is erased with a tenant, the
-- members it alone has, is settled once, and the platform's audit log says that it began before the first row goes. For operators.
-- Definer, because erasures are written through functions alone.
create or replace function vital.begin_erasure(p_id uuid) returns vital.erasures
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure vital.erasures := vital.open_erasure(p_id, array['approved', 'running']);
  whose uuid[];
begin
  perform vital.require_no_hold(erasure.subject, erasure.subject_id);
  if erasure.state = 'running' then
    return erasure;
  end if;
  perform vital.require_erasable(erasure.subject, erasure.subject_id);
  if erasure.not_before > now() then
    raise exception using errcode = 'VT203', message = format('The waiting time of this erasure ends on %s.', to_char(erasure.not_before at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'),
      hint = 'Run it then. How long the next ones wait: `vital erasure wait`.';
  end if;
  if erasure.subject = 'user' then
    whose := array[erasure.subject_id];
  else
    whose := array(
      select u.id from public.users u
      where (u.organization_id = erasure.subject_id or exists (select from public.user_tenants m where m.tenant_id = erasure.subject_id and m.user_id = u.id))
        and not exists (select from public.user_tenants m where m.tenant_id <> erasure.subject_id and m.user_id = u.id)
        and not exists (select from public.profiles p where p.id = u.id and p.role = 'super_admin')
      order by u.id);
  end if;
  update vital.erasures e set state = 'running', started_at = now(), people = whose,
    addresses = array(
      select lower(u.email) from public.users u where u.id = any (whose) and btrim(u.email) <> ''
      union
      select lower(p.email) from public.profiles p where p.id = any (whose) and btrim(p.email) <> ''
      union
      select lower(i.email) from public.invitations i where erasure.subject = 'tenant' and i.tenant_id = erasure.subject_id
        and not exists (select from public.users u where lower(u.email) = lower(i.email) and u.id <> all (whose))
        and not exists (select from public.invitations o where o.tenant_id <> erasure.subject_id and lower(o.email) = lower(i.email))),
    chain_seq = (select h.seq from vital.audit_heads h where erasure.subject = 'tenant' and h.organization_id = erasure.subject_id),
    chain_hash = (select h.hash from vital.audit_heads h where erasure.subject = 'tenant' and h.organization_id = erasure.subject_id)
  where e.id = p_id
  returning e.* into erasure;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasing', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id, 'chain_seq', erasure.chain_seq, 'chain_hash', encode(erasure.chain_hash, 'hex'))));
  return erasure;
end
$$;
comment on function vital.begin_erasure(uuid) is 'Begins an erasure, or goes on with one that was broken off';
grant execute on function vital.begin_erasure(uuid) to service_role;
