-- owner: vital_definer
-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_lock_configuration.sql
--
-- Invites an address to a tenant, for public.invite_member and operators; who may is judged there. The
-- token is 256 bits of the server's strong random source, returned once and kept as a hash alone. An open
-- invitation of the same address is taken back. Definer, because invitations are written through
-- functions alone.
create or replace function vital.invite_member(p_tenant_id uuid, p_email text, p_role text default 'member', p_expires_in interval default interval '7 days')
returns table (id uuid, email text, role text, expires_at timestamptz, token text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  address constant text := lower(btrim(p_email));
  secret constant text := translate(encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_');
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(length(address) <= 320 and address ~ '^[^@\s]+@[^@\s]+$', 'p_email', 'an e-mail address');
  perform vital.require_value(p_role in ('owner', 'admin', 'member', 'viewer'), 'p_role', 'owner, admin, member or viewer');
  perform vital.require_value(p_expires_in between interval '1 minute' and interval '30 days', 'p_expires_in', 'between a minute and 30 days');
  perform vital.lock_configuration(p_tenant_id); -- one invitation of a tenant at a time
  if exists (
    select from public.user_tenants m join public.users u on u.id = m.user_id
    where m.tenant_id = p_tenant_id and lower(u.email) = address
  ) then
    raise exception using errcode = 'VT203', message = 'This address belongs to a member already.',
      hint = 'Change their role instead.';
  end if;
  update public.invitations i set revoked_at = now()
  where i.tenant_id = p_tenant_id and lower(i.email) = address and i.accepted_at is null and i.revoked_at is null;
  return query
    insert into public.invitations as i (tenant_id, email, role, token_hash, invited_by, expires_at)
    values (p_tenant_id, address, p_role, sha256(convert_to(secret, 'UTF8')), caller.user_id, now() + p_expires_in)
    returning i.id, i.email, i.role, i.expires_at, secret;
end
$$;
comment on function vital.invite_member(uuid, text, text, interval) is 'Invites an address to a tenant, for operators';
grant execute on function vital.invite_member(uuid, text, text, interval) to service_role;
