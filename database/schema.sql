-- The schema of a fresh install, owners and grants included: what migrations and objects add up to.
-- Written by make schema, never by hand; a test compares it with a server of the same major version:
-- PostgreSQL 15

CREATE SCHEMA auth;

ALTER SCHEMA auth OWNER TO vital_owner;

COMMENT ON SCHEMA auth IS 'Accounts and the caller''s identity, compatible with Supabase';

CREATE SCHEMA public;

ALTER SCHEMA public OWNER TO pg_database_owner;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA vital;

ALTER SCHEMA vital OWNER TO vital_owner;

COMMENT ON SCHEMA vital IS 'VITAL internals: versions, seal keys, applied objects, migrations';

CREATE TYPE public.org_lifecycle_state AS ENUM (
    'pending',
    'active',
    'suspended',
    'archived'
);

ALTER TYPE public.org_lifecycle_state OWNER TO vital_owner;

COMMENT ON TYPE public.org_lifecycle_state IS 'pending: created, awaiting approval; active; suspended: temporarily disabled; archived: permanently disabled';

CREATE TYPE vital.caller AS (
	user_id uuid,
	tenant text,
	role text,
	session_id uuid
);

ALTER TYPE vital.caller OWNER TO vital_owner;

COMMENT ON TYPE vital.caller IS 'A verified identity: who, which tenant they name (id, slug or empty for their default), in which role';

CREATE TYPE vital.membership AS (
	tenant_id uuid,
	user_id uuid,
	role text,
	is_super_admin boolean,
	state public.org_lifecycle_state
);

ALTER TYPE vital.membership OWNER TO vital_owner;

COMMENT ON TYPE vital.membership IS 'The caller in their current tenant';

CREATE FUNCTION auth.role() RETURNS text
    LANGUAGE sql STABLE
    AS $$select (vital.identity()).role$$;

ALTER FUNCTION auth.role() OWNER TO vital_owner;

COMMENT ON FUNCTION auth.role() IS 'The caller''s role, from the sealed context';

CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
    AS $$select (vital.identity()).user_id$$;

ALTER FUNCTION auth.uid() OWNER TO vital_owner;

COMMENT ON FUNCTION auth.uid() IS 'The caller''s user id, from the sealed context';

CREATE FUNCTION public.get_user_tenant_context(p_user_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if row_security_active('public.users') then
    return (select c.body from vital.caller_context(p_user_id) c);
  end if;
  if p_user_id is null then
    raise exception using errcode = 'VT100', message = 'Name the user whose context is wanted.',
      hint = 'service_role stands for no user; pass p_user_id.';
  end if;
  return (select c.body from vital.build_context(p_user_id, '') c);
end
$$;

ALTER FUNCTION public.get_user_tenant_context(p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_context(p_user_id uuid) IS 'Context of the caller; service_role and super admins may name another user';

CREATE FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select public.get_user_tenant_context(p_user_id)
$$;

ALTER FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) IS 'get_user_tenant_context for a named user';

CREATE FUNCTION public.get_user_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('read')
$$;

ALTER FUNCTION public.get_user_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_id() IS 'The tenant the caller acts in, null when there is none they may read';

CREATE FUNCTION public.is_super_admin() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  return exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin');
end
$$;

ALTER FUNCTION public.is_super_admin() OWNER TO vital_definer;

COMMENT ON FUNCTION public.is_super_admin() IS 'Whether the caller is a super admin of the platform';

CREATE FUNCTION public.is_tenant_admin() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  return coalesce(standing.is_super_admin or (standing.state = 'active' and standing.role in ('owner', 'admin')), false);
end
$$;

ALTER FUNCTION public.is_tenant_admin() OWNER TO vital_definer;

COMMENT ON FUNCTION public.is_tenant_admin() IS 'Whether the caller is owner or admin of the tenant they act in, or a super admin';

CREATE FUNCTION vital.admin_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('administer')
$$;

ALTER FUNCTION vital.admin_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.admin_tenant_id() IS 'The tenant the caller may administer, else null';

CREATE FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  wanted uuid;
  who record;
  configured boolean;
begin
  if p_tenant <> '' and p_tenant !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    select o.id into wanted from public.organizations o where o.slug = p_tenant;
    wanted := coalesce(wanted, 'ffffffff-ffff-ffff-ffff-ffffffffffff'); -- no tenant: found by nobody
  else
    wanted := nullif(p_tenant, '');
  end if;

  select
    u.organization_id, p.id as profile_id, p.email, p.full_name, p.role = 'super_admin' as is_super_admin, p.role,
    o.id as tenant_id, o.name, o.slug, o.tenant_type, o.tenant_key, o.is_active, o.lifecycle_state,
    o.subscription_tier, o.parent_organization_id, m.role as member_role, m.joined_at
  into who
  from public.users u
  left join public.profiles p on p.id = u.id
  left join public.organizations o on o.id = coalesce(wanted, u.organization_id)
  left join public.user_tenants m on m.tenant_id = o.id and m.user_id = u.id and m.status = 'active'
  where u.id = p_user_id;

  if not found then
    raise exception using errcode = 'VT101', message = 'This account is not known here.',
      hint = 'The account exists with the sign-in service but has no row in users; an operator can add it (vital fix data).';
  elsif who.profile_id is null then
    raise exception using errcode = 'VT102', message = 'This account has no profile.',
      hint = 'An operator can add the missing row in profiles (vital fix data).';
  elsif wanted is null and who.organization_id is null then
    raise exception using errcode = 'VT103', message = 'This user has no default tenant.',
      hint = 'Name one with the Vital-Tenant header, or have an operator set users.organization_id.';
  elsif who.member_role is null and not who.is_super_admin then
    if wanted is null then
      raise exception using errcode = 'VT105', message = 'This user is not a member of their default tenant.',
        hint = 'Name a tenant with the Vital-Tenant header, or have an admin of the default tenant add the membership.';
    end if;
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.lifecycle_state <> 'active' and not who.is_super_admin then
    raise exception using
      errcode = case who.lifecycle_state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case who.lifecycle_state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case who.lifecycle_state
        when 'pending' then 'An operator has to approve it first.'
        when 'suspended' then 'Ask the operator of the platform why; they can activate it again.'
        else 'Its data is kept, but it no longer serves its members.' end;
  end if;
  tenant_id := who.tenant_id;

  select
    v.token,
    json_build_object(
      'user', json_build_object('id', p_user_id, 'email', who.email, 'full_name', who.full_name, 'role', who.role),
      'organization', json_build_object(
        'id', who.tenant_id, 'name', who.name, 'slug', who.slug, 'tenant_type', who.tenant_type,
        'tenant_key', who.tenant_key, 'is_active', who.is_active, 'lifecycle_state', who.lifecycle_state,
        'subscription_tier', who.subscription_tier, 'parent_organization_id', who.parent_organization_id),
      'membership', case when who.member_role is not null then
        json_build_object('role', who.member_role, 'joined_at', who.joined_at) end,
      'tenants', (
        select coalesce(json_agg(json_build_object(
          'id', o.id, 'name', o.name, 'slug', o.slug, 'tenant_type', o.tenant_type,
          'lifecycle_state', o.lifecycle_state, 'role', m.role) order by o.name, o.id), '[]')
        from public.user_tenants m
        join public.organizations o on o.id = m.tenant_id
        where m.user_id = p_user_id and m.status = 'active'),
      'config', json_build_object(
        'ui_config', c.ui_config, 'enabled_features', c.enabled_features, 'enabled_apps', c.enabled_apps,
        'enabled_agent_tiers', c.enabled_agent_tiers, 'limits', c.limits,
        'compliance_settings', c.compliance_settings, 'apps', c.apps, 'features', c.features),
      'version', v.token),
    c.configuration_id is not null
  into version, body, configured
  from vital.tenant_settings c
  cross join lateral (
    select concat_ws('.',
      coalesce((select g.version from vital.versions g where g.scope = 'global' and g.key = '00000000-0000-0000-0000-000000000000'), 0),
      coalesce((select t.version from vital.versions t where t.scope = 'tenant' and t.key = who.tenant_id), 0),
      coalesce((select m.version from vital.versions m where m.scope = 'membership' and m.key = p_user_id), 0),
      coalesce((select s.version from vital.versions s where s.scope = 'self' and s.key = p_user_id), 0)) as token
  ) v
  where c.tenant_id = who.tenant_id;

  if not configured then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
end
$_$;

ALTER FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) IS 'The context of a user in a tenant, or an error that names the step which failed';

CREATE FUNCTION vital.caller_context(p_user_id uuid DEFAULT NULL::uuid, OUT tenant_id uuid, OUT version text, OUT body json) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  if p_user_id is null or p_user_id = caller.user_id then
    select c.* into tenant_id, version, body from vital.build_context(caller.user_id, caller.tenant) c;
  elsif public.is_super_admin() then
    select c.* into tenant_id, version, body from vital.build_context(p_user_id, '') c;
  else
    raise exception using errcode = 'VT110', message = 'Only your own context can be read.',
      hint = 'Leave p_user_id out; naming another user takes a super admin or service_role.';
  end if;
end
$$;

ALTER FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) IS 'The caller''s context, or another user''s for a super admin';

CREATE FUNCTION vital.claimed_identity() RETURNS vital.caller
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  claims jsonb;
  caller vital.caller;
begin
  if session_user <> 'authenticator' or not (select accept_jwt_claims from vital.settings) then
    return null;
  end if;
  claims := nullif(current_setting('request.jwt.claims', true), '');
  caller.user_id := claims ->> 'sub';
  caller.tenant := coalesce(claims #>> '{app_metadata,tenant_id}', '');
  caller.role := claims ->> 'role';
  caller.session_id := claims ->> 'session_id';
  return caller;
end
$$;

ALTER FUNCTION vital.claimed_identity() OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.claimed_identity() IS 'The caller by PostgREST''s claims, where they are believed';

CREATE FUNCTION vital.colleague_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  current constant uuid := vital.tenant_for('read');
begin
  return query select m.user_id from public.user_tenants m where m.tenant_id = current;
end
$$;

ALTER FUNCTION vital.colleague_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.colleague_ids() IS 'Members of the tenant the caller acts in';

CREATE FUNCTION vital.current_membership() RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
  wanted uuid;
begin
  if caller.user_id is null then
    return null;
  end if;
  if caller.tenant = '' then
    select u.organization_id into wanted from public.users u where u.id = caller.user_id;
  elsif length(caller.tenant) = 36 and caller.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    wanted := caller.tenant;
  else
    select o.id into wanted from public.organizations o where o.slug = caller.tenant;
  end if;

  select m.tenant_id, m.user_id, m.role, false, o.lifecycle_state
  into standing
  from public.user_tenants m
  join public.organizations o on o.id = m.tenant_id
  where m.tenant_id = wanted and m.user_id = caller.user_id and m.status = 'active';
  if found and standing.state = 'active' and standing.role in ('owner', 'admin') then
    return standing; -- the common case of a writer needs no second look
  end if;

  if exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin') then
    select o.id, caller.user_id, coalesce(standing.role, 'admin'), true, o.lifecycle_state
    into standing
    from public.organizations o
    where o.id = wanted;
  end if;
  return standing;
end
$_$;

ALTER FUNCTION vital.current_membership() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.current_membership() IS 'The caller''s standing in the tenant they act in';

CREATE FUNCTION vital.follow_lifecycle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    if not new.is_active and new.lifecycle_state = 'active' then
      new.lifecycle_state := 'suspended';
    end if;
  elsif new.lifecycle_state = old.lifecycle_state and new.is_active is distinct from old.is_active then
    new.lifecycle_state := case when new.is_active then 'active' else 'suspended' end;
  end if;
  new.is_active := new.lifecycle_state = 'active';
  return new;
end
$$;

ALTER FUNCTION vital.follow_lifecycle() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.follow_lifecycle() IS 'Keeps organizations.is_active equal to lifecycle_state = active';

CREATE FUNCTION vital.identity() RETURNS vital.caller
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  seal constant text := nullif(current_setting('vital.context', true), '');
  verdict record;
begin
  if seal is null then
    return vital.claimed_identity();
  end if;
  select
    s.sealed,
    case when s.sealed then s.part[7]::bigint >= extract(epoch from transaction_timestamp()) end as fresh,
    case when s.sealed then s.part[8] in ('0', pg_backend_pid()::text) end as here,
    case when s.sealed then
      row(nullif(s.part[3], '')::uuid, s.part[4], s.part[5], nullif(s.part[6], '')::uuid)::vital.caller
    end as caller
  into verdict
  from (
    select
      p.part,
      p.part[1] = '1' and array_length(p.part, 1) = 9 and coalesce((
        select sha256(convert_to(encode(sha256(
            k.outer_pad || sha256(k.inner_pad || convert_to(left(seal, -65), 'UTF8'))), 'hex'), 'UTF8'))
          = sha256(convert_to(p.part[9], 'UTF8'))
        from vital.seal_keys k
        where k.id = p.part[2] and (k.retires_at is null or k.retires_at > transaction_timestamp())
      ), false) as sealed
    from (select string_to_array(seal, '.') as part offset 0) p
    offset 0
  ) s;
  if verdict.sealed and verdict.fresh and verdict.here then
    return verdict.caller;
  end if;

  if not verdict.sealed then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction was not sealed by this server.',
      hint = 'Its key may have been rotated away, or a statement in this transaction has changed it.';
  elsif not verdict.fresh then
    raise exception using errcode = 'VT002', message = 'The identity of this transaction has expired.',
      hint = 'Identities last seconds. Check that the clocks of server and database agree.';
  else
    raise exception using errcode = 'VT001', message = 'The identity of this transaction belongs to another connection.',
      hint = 'An identity is bound to the connection it was made for and cannot be carried over.';
  end if;
end
$$;

ALTER FUNCTION vital.identity() OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.identity() IS 'The caller of this transaction, verified; null without a context, an error with a wrong one';

CREATE FUNCTION vital.member_tenant_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 5 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  return query
    select m.tenant_id from public.user_tenants m where m.user_id = caller.user_id and m.status = 'active';
end
$$;

ALTER FUNCTION vital.member_tenant_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.member_tenant_ids() IS 'Tenants the caller is an active member of';

CREATE FUNCTION vital.overseen_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('oversee')
$$;

ALTER FUNCTION vital.overseen_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.overseen_tenant_id() IS 'The tenant whose administration the caller may look at, else null';

CREATE FUNCTION vital.provision_tenant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into public.tenant_configurations (tenant_id, compliance_settings)
  values (new.id, jsonb_build_object('hipaa_enabled', new.tenant_type = 'pharmaceuticals', 'gdpr_enabled', true))
  on conflict (tenant_id) do nothing;
  insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, display_order)
  values
    (new.id, 'dashboard', 'Dashboard', '/dashboard', 'home', 1),
    (new.id, 'chat', 'Chat', '/chat', 'message-circle', 2),
    (new.id, 'agents', 'Agents', '/agents', 'users', 3),
    (new.id, 'knowledge', 'Knowledge', '/knowledge', 'book', 4)
  on conflict (tenant_id, app_key) do nothing;
  return null;
end
$$;

ALTER FUNCTION vital.provision_tenant() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.provision_tenant() IS 'Gives a new tenant its configuration and core apps';

CREATE FUNCTION vital.raise_versions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  touched record;
  raised integer := 0;
begin
  for touched in
    with mine as (
      delete from vital.pending_versions p where p.xid = pg_current_xact_id() returning p.scope, p.key
    ), ordered as (
      select m.scope, m.key from mine m order by m.scope, m.key
    )
    insert into vital.versions as v (scope, key)
    select o.scope, o.key from ordered o
    on conflict (scope, key) do update set version = v.version + 1, changed_at = transaction_timestamp()
    returning v.scope, v.key, v.version
  loop
    raised := raised + 1;
    if raised <= 100 then
      perform pg_notify('vital_change', touched.scope || ':' || touched.key || ':' || touched.version);
    elsif raised = 101 then
      perform pg_notify('vital_change', '*');
    end if;
  end loop;
  return null;
end
$$;

ALTER FUNCTION vital.raise_versions() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.raise_versions() IS 'Raises the versions a transaction touched, at its commit';

CREATE FUNCTION vital.readable_tenant_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 2 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  current constant uuid := vital.tenant_for('read');
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
begin
  if current is not null then
    return next current;
    if current <> platform then
      return next platform;
    end if;
  end if;
end
$$;

ALTER FUNCTION vital.readable_tenant_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.readable_tenant_ids() IS 'The tenant the caller acts in, and the platform tenant';

CREATE FUNCTION vital.record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old_key uuid;
  new_key uuid;
begin
  if tg_argv[1] = 'tenant_id' then
    if tg_op <> 'INSERT' then old_key := old.tenant_id; end if;
    if tg_op <> 'DELETE' then new_key := new.tenant_id; end if;
  elsif tg_argv[1] = 'user_id' then
    if tg_op <> 'INSERT' then old_key := old.user_id; end if;
    if tg_op <> 'DELETE' then new_key := new.user_id; end if;
  elsif tg_argv[1] = 'id' then
    if tg_op <> 'INSERT' then old_key := old.id; end if;
    if tg_op <> 'DELETE' then new_key := new.id; end if;
  else
    new_key := '00000000-0000-0000-0000-000000000000';
  end if;
  insert into vital.pending_versions (xid, scope, key)
  select pg_current_xact_id(), tg_argv[0], k
  from unnest(array[old_key, new_key]) as k
  where k is not null
  on conflict do nothing;
  return null;
end
$$;

ALTER FUNCTION vital.record_change() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_change() IS 'Notes the scope a change touches; its version rises at commit';

CREATE FUNCTION vital.rotate_seal_key(p_grace interval DEFAULT '00:05:00'::interval) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  -- 366 bits of the server's strong random source, folded into 256.
  key constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    || decode(repeat('00', 32), 'hex');
  inner_pad bytea := key;
  outer_pad bytea := key;
  new_id constant text := substr(replace(gen_random_uuid()::text, '-', ''), 1, 12);
begin
  for i in 0 .. 63 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  update vital.seal_keys k
  set retires_at = least(coalesce(k.retires_at, 'infinity'), transaction_timestamp() + p_grace);
  delete from vital.seal_keys k where k.retires_at < transaction_timestamp() - interval '1 day';
  insert into vital.seal_keys (id, inner_pad, outer_pad) values (new_id, inner_pad, outer_pad);
  perform pg_notify('vital_change', 'seal_key');
  return new_id;
end
$$;

ALTER FUNCTION vital.rotate_seal_key(p_grace interval) OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.rotate_seal_key(p_grace interval) IS 'Makes a new seal key; the former ones stay good for the grace period';

CREATE FUNCTION vital.schema_version() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select max(m.version_id) from vital.migrations m where m.is_applied
$$;

ALTER FUNCTION vital.schema_version() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.schema_version() IS 'Number of the last applied migration';

CREATE FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select k.id, k.inner_pad, k.outer_pad
  from vital.seal_keys k
  where k.retires_at is null
  order by k.created_at desc
  limit 1
$$;

ALTER FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) IS 'The newest seal key, for the server';

CREATE FUNCTION vital.super_admin_floor() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select case when public.is_super_admin() then '00000000-0000-0000-0000-000000000000'::uuid end
$$;

ALTER FUNCTION vital.super_admin_floor() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.super_admin_floor() IS 'The smallest id for a super admin, null for others';

CREATE FUNCTION vital.tenant_for(p_right text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
    where o.id = standing.wanted and (p_right in ('read', 'oversee') or o.lifecycle_state <> 'archived')
  );
end
$_$;

ALTER FUNCTION vital.tenant_for(p_right text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.tenant_for(p_right text) IS 'The tenant the caller acts in, if they may read, write, oversee or administer it';

CREATE FUNCTION vital.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  new.updated_at := transaction_timestamp();
  return new;
end
$$;

ALTER FUNCTION vital.touch_updated_at() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.touch_updated_at() IS 'Sets updated_at on update';

CREATE FUNCTION vital.user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select (vital.identity()).user_id
$$;

ALTER FUNCTION vital.user_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.user_id() IS 'The caller, from the sealed context; null without one';

CREATE FUNCTION vital.writable_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('write')
$$;

ALTER FUNCTION vital.writable_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.writable_tenant_id() IS 'The tenant the caller may write rows of, else null';

CREATE TABLE auth.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    aud character varying(255) DEFAULT 'authenticated'::character varying,
    role character varying(255) DEFAULT 'authenticated'::character varying,
    email character varying(255),
    encrypted_password character varying(255),
    email_confirmed_at timestamp with time zone,
    invited_at timestamp with time zone,
    recovery_sent_at timestamp with time zone,
    last_sign_in_at timestamp with time zone,
    raw_app_meta_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw_user_meta_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    banned_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_raw_app_meta_data_check CHECK ((jsonb_typeof(raw_app_meta_data) = 'object'::text)),
    CONSTRAINT users_raw_user_meta_data_check CHECK ((jsonb_typeof(raw_user_meta_data) = 'object'::text))
);

ALTER TABLE auth.users OWNER TO vital_owner;

COMMENT ON TABLE auth.users IS 'Accounts: who can sign in. Not exposed to any application role.';

COMMENT ON COLUMN auth.users.encrypted_password IS 'Password hash: argon2id, or bcrypt of an import';

COMMENT ON COLUMN auth.users.raw_app_meta_data IS 'Claims set by operators; the tenant claim is read from here';

COMMENT ON COLUMN auth.users.raw_user_meta_data IS 'Claims set by the user; grants nothing';

CREATE TABLE public.agents (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    system_prompt text,
    model text,
    tier integer DEFAULT 1 NOT NULL,
    category text,
    capabilities text[] DEFAULT '{}'::text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT agents_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT agents_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT agents_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text)),
    CONSTRAINT agents_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT agents_tier_check CHECK (((tier >= 1) AND (tier <= 9))),
    CONSTRAINT agents_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.agents FORCE ROW LEVEL SECURITY;

ALTER TABLE public.agents OWNER TO vital_owner;

COMMENT ON TABLE public.agents IS 'Agents of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.agents.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.agents.id IS 'Identifier, random';

COMMENT ON COLUMN public.agents.name IS 'Name to show';

COMMENT ON COLUMN public.agents.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.agents.description IS 'What it is for';

COMMENT ON COLUMN public.agents.system_prompt IS 'Instruction the agent runs with';

COMMENT ON COLUMN public.agents.model IS 'Model the agent runs on';

COMMENT ON COLUMN public.agents.tier IS 'Tier; a tenant may assign those of its enabled_agent_tiers';

COMMENT ON COLUMN public.agents.category IS 'Group in lists';

COMMENT ON COLUMN public.agents.capabilities IS 'What it can do, as names of tools or skills';

COMMENT ON COLUMN public.agents.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.agents.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.agents.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.agents.tags IS 'Free labels';

COMMENT ON COLUMN public.agents.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.agents.created_at IS 'When the row was made';

COMMENT ON COLUMN public.agents.updated_at IS 'When the row was last changed';

CREATE TABLE public.chat_sessions (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    agent_tenant_id uuid,
    agent_id uuid,
    title text,
    status text DEFAULT 'open'::text NOT NULL,
    last_message_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT chat_sessions_agent_own_or_platform CHECK ((((agent_id IS NULL) = (agent_tenant_id IS NULL)) AND ((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT chat_sessions_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT chat_sessions_status_check CHECK ((status = ANY (ARRAY['open'::text, 'closed'::text])))
);

ALTER TABLE ONLY public.chat_sessions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.chat_sessions OWNER TO vital_owner;

COMMENT ON TABLE public.chat_sessions IS 'Conversations, private to their user within the tenant.';

COMMENT ON COLUMN public.chat_sessions.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.chat_sessions.id IS 'Identifier, random';

COMMENT ON COLUMN public.chat_sessions.user_id IS 'Whose conversation it is';

COMMENT ON COLUMN public.chat_sessions.agent_tenant_id IS 'Owner of the agent: this tenant or the platform tenant';

COMMENT ON COLUMN public.chat_sessions.agent_id IS 'With which agent';

COMMENT ON COLUMN public.chat_sessions.title IS 'Title to show';

COMMENT ON COLUMN public.chat_sessions.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.chat_sessions.last_message_at IS 'When something was last said';

COMMENT ON COLUMN public.chat_sessions.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.chat_sessions.created_at IS 'When the row was made';

COMMENT ON COLUMN public.chat_sessions.updated_at IS 'When the row was last changed';

CREATE TABLE public.feature_flag_versions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    version integer NOT NULL,
    config jsonb NOT NULL,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flag_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.feature_flag_versions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flag_versions OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flag_versions IS 'Every state a flag definition has had, for comparison and rollback.';

COMMENT ON COLUMN public.feature_flag_versions.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flag_versions.feature_flag_id IS 'The flag';

COMMENT ON COLUMN public.feature_flag_versions.version IS 'Counts from 1 for each flag';

COMMENT ON COLUMN public.feature_flag_versions.config IS 'The whole definition at that version';

COMMENT ON COLUMN public.feature_flag_versions.reason IS 'Why it was changed';

COMMENT ON COLUMN public.feature_flag_versions.created_by IS 'Who changed it; null for an operator''s own session';

COMMENT ON COLUMN public.feature_flag_versions.created_at IS 'When the row was made';

CREATE TABLE public.feature_flags (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    flag_key text NOT NULL,
    name text,
    description text,
    flag_type text DEFAULT 'boolean'::text NOT NULL,
    default_enabled boolean DEFAULT false NOT NULL,
    variants jsonb DEFAULT '{}'::jsonb NOT NULL,
    default_variant text,
    targeting jsonb DEFAULT '{}'::jsonb NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    category text,
    owner text,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    expires_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flags_default_variant_exists CHECK (((default_variant IS NULL) OR (variants ? default_variant))),
    CONSTRAINT feature_flags_flag_key_check CHECK ((btrim(flag_key) <> ''::text)),
    CONSTRAINT feature_flags_flag_type_check CHECK ((flag_type = ANY (ARRAY['boolean'::text, 'string'::text, 'number'::text, 'object'::text]))),
    CONSTRAINT feature_flags_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT feature_flags_targeting_check CHECK ((jsonb_typeof(targeting) = 'object'::text)),
    CONSTRAINT feature_flags_variants_check CHECK ((jsonb_typeof(variants) = 'object'::text))
);

ALTER TABLE ONLY public.feature_flags FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flags OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flags IS 'Feature flags of the whole platform, defined once; tenants override them in tenant_feature_flags.';

COMMENT ON COLUMN public.feature_flags.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flags.flag_key IS 'Name by which code asks for the flag';

COMMENT ON COLUMN public.feature_flags.name IS 'Name to show';

COMMENT ON COLUMN public.feature_flags.description IS 'What switching it changes';

COMMENT ON COLUMN public.feature_flags.flag_type IS 'Type of its value: boolean, string, number or object';

COMMENT ON COLUMN public.feature_flags.default_enabled IS 'Value of a boolean flag where nothing overrides it';

COMMENT ON COLUMN public.feature_flags.variants IS 'Named values, as in the flagd format';

COMMENT ON COLUMN public.feature_flags.default_variant IS 'Variant where no rule decides';

COMMENT ON COLUMN public.feature_flags.targeting IS 'Rules in flagd''s JSON logic';

COMMENT ON COLUMN public.feature_flags.is_active IS 'False takes the flag out of every evaluation';

COMMENT ON COLUMN public.feature_flags.category IS 'Group in the console';

COMMENT ON COLUMN public.feature_flags.owner IS 'Team that answers for it';

COMMENT ON COLUMN public.feature_flags.tags IS 'Free labels';

COMMENT ON COLUMN public.feature_flags.expires_at IS 'When it should be gone; past that it is reported as stale';

COMMENT ON COLUMN public.feature_flags.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.feature_flags.created_at IS 'When the row was made';

COMMENT ON COLUMN public.feature_flags.updated_at IS 'When the row was last changed';

CREATE TABLE public.invitations (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    role text DEFAULT 'member'::text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid,
    expires_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    accepted_at timestamp with time zone,
    accepted_by uuid,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT invitations_email_check CHECK ((email ~~ '%_@_%'::text)),
    CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
    CONSTRAINT invitations_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ONLY public.invitations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.invitations OWNER TO vital_owner;

COMMENT ON TABLE public.invitations IS 'Invitations to a tenant: bound to an address, single use, expiring.';

COMMENT ON COLUMN public.invitations.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.invitations.id IS 'Identifier, random';

COMMENT ON COLUMN public.invitations.email IS 'Who may accept';

COMMENT ON COLUMN public.invitations.role IS 'Role the accepted membership gets';

COMMENT ON COLUMN public.invitations.token_hash IS 'SHA-256 of the token that was sent; the token itself is kept nowhere';

COMMENT ON COLUMN public.invitations.invited_by IS 'User who invited';

COMMENT ON COLUMN public.invitations.expires_at IS 'Not acceptable from then on';

COMMENT ON COLUMN public.invitations.accepted_at IS 'When it was accepted; null while it was not';

COMMENT ON COLUMN public.invitations.accepted_by IS 'User who accepted';

COMMENT ON COLUMN public.invitations.revoked_at IS 'When it was taken back; null while it was not';

COMMENT ON COLUMN public.invitations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.invitations.updated_at IS 'When the row was last changed';

CREATE TABLE public.jobs_to_be_done (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    persona_tenant_id uuid,
    persona_id uuid,
    importance integer,
    satisfaction integer,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT jobs_to_be_done_importance_check CHECK (((importance >= 1) AND (importance <= 10))),
    CONSTRAINT jobs_to_be_done_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT jobs_to_be_done_persona_own_or_platform CHECK ((((persona_id IS NULL) = (persona_tenant_id IS NULL)) AND ((persona_tenant_id = tenant_id) OR (persona_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT jobs_to_be_done_satisfaction_check CHECK (((satisfaction >= 1) AND (satisfaction <= 10))),
    CONSTRAINT jobs_to_be_done_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT jobs_to_be_done_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT jobs_to_be_done_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.jobs_to_be_done FORCE ROW LEVEL SECURITY;

ALTER TABLE public.jobs_to_be_done OWNER TO vital_owner;

COMMENT ON TABLE public.jobs_to_be_done IS 'Jobs a tenant''s users want done; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.jobs_to_be_done.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.jobs_to_be_done.id IS 'Identifier, random';

COMMENT ON COLUMN public.jobs_to_be_done.title IS 'Title to show';

COMMENT ON COLUMN public.jobs_to_be_done.body IS 'When …, I want to …, so I can …';

COMMENT ON COLUMN public.jobs_to_be_done.persona_tenant_id IS 'Owner of the persona: this tenant or the platform tenant';

COMMENT ON COLUMN public.jobs_to_be_done.persona_id IS 'Whose job it is';

COMMENT ON COLUMN public.jobs_to_be_done.importance IS 'From 1 to 10';

COMMENT ON COLUMN public.jobs_to_be_done.satisfaction IS 'With today''s solution, from 1 to 10';

COMMENT ON COLUMN public.jobs_to_be_done.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.jobs_to_be_done.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.jobs_to_be_done.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.jobs_to_be_done.tags IS 'Free labels';

COMMENT ON COLUMN public.jobs_to_be_done.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.jobs_to_be_done.created_at IS 'When the row was made';

COMMENT ON COLUMN public.jobs_to_be_done.updated_at IS 'When the row was last changed';

CREATE TABLE public.knowledge (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    content_type text DEFAULT 'text/markdown'::text NOT NULL,
    source_url text,
    category text,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT knowledge_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT knowledge_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT knowledge_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT knowledge_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.knowledge FORCE ROW LEVEL SECURITY;

ALTER TABLE public.knowledge OWNER TO vital_owner;

COMMENT ON TABLE public.knowledge IS 'Documents of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.knowledge.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.knowledge.id IS 'Identifier, random';

COMMENT ON COLUMN public.knowledge.title IS 'Title to show';

COMMENT ON COLUMN public.knowledge.body IS 'The document itself';

COMMENT ON COLUMN public.knowledge.content_type IS 'Media type of the body';

COMMENT ON COLUMN public.knowledge.source_url IS 'Where it was taken from';

COMMENT ON COLUMN public.knowledge.category IS 'Group in lists';

COMMENT ON COLUMN public.knowledge.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.knowledge.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.knowledge.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.knowledge.tags IS 'Free labels';

COMMENT ON COLUMN public.knowledge.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.knowledge.created_at IS 'When the row was made';

COMMENT ON COLUMN public.knowledge.updated_at IS 'When the row was last changed';

CREATE TABLE public.organization_audit_log (
    organization_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    actor_role text,
    database_role name DEFAULT SESSION_USER NOT NULL,
    entity text,
    entity_id uuid,
    changes jsonb,
    reason text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.organization_audit_log FORCE ROW LEVEL SECURITY;

ALTER TABLE public.organization_audit_log OWNER TO vital_owner;

COMMENT ON TABLE public.organization_audit_log IS 'Who changed what of a tenant, when and why. Only ever appended to.';

COMMENT ON COLUMN public.organization_audit_log.organization_id IS 'The tenant';

COMMENT ON COLUMN public.organization_audit_log.id IS 'Identifier, random';

COMMENT ON COLUMN public.organization_audit_log.action IS 'created, updated, suspended, activated, archived …';

COMMENT ON COLUMN public.organization_audit_log.actor_id IS 'User who acted; null for an operator''s own session';

COMMENT ON COLUMN public.organization_audit_log.actor_role IS 'Role the actor acted in';

COMMENT ON COLUMN public.organization_audit_log.database_role IS 'Login the change came in through';

COMMENT ON COLUMN public.organization_audit_log.entity IS 'Table that was changed';

COMMENT ON COLUMN public.organization_audit_log.entity_id IS 'Row that was changed';

COMMENT ON COLUMN public.organization_audit_log.changes IS '{old, new} of the changed columns';

COMMENT ON COLUMN public.organization_audit_log.reason IS 'Why, in the actor''s words';

COMMENT ON COLUMN public.organization_audit_log.request_id IS 'Request that made the change';

COMMENT ON COLUMN public.organization_audit_log.created_at IS 'When the row was made';

CREATE TABLE public.organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying(255) NOT NULL,
    slug character varying(100) NOT NULL,
    tenant_type character varying(50) NOT NULL,
    tenant_key character varying(100) NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    lifecycle_state public.org_lifecycle_state DEFAULT 'active'::public.org_lifecycle_state NOT NULL,
    subscription_tier text DEFAULT 'standard'::text NOT NULL,
    parent_organization_id uuid,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT organizations_check CHECK ((parent_organization_id <> id)),
    CONSTRAINT organizations_is_active_follows_state CHECK ((is_active = (lifecycle_state = 'active'::public.org_lifecycle_state))),
    CONSTRAINT organizations_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT organizations_name_check CHECK ((btrim((name)::text) <> ''::text)),
    CONSTRAINT organizations_slug_check CHECK (((slug)::text ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text)),
    CONSTRAINT organizations_slug_is_no_uuid CHECK (((slug)::text !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)),
    CONSTRAINT organizations_subscription_tier_check CHECK ((subscription_tier = ANY (ARRAY['free'::text, 'standard'::text, 'professional'::text, 'enterprise'::text]))),
    CONSTRAINT organizations_tenant_key_check CHECK (((tenant_key)::text ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'::text)),
    CONSTRAINT organizations_tenant_type_check CHECK (((tenant_type)::text ~ '^[a-z][a-z0-9_]*$'::text))
);

ALTER TABLE ONLY public.organizations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.organizations OWNER TO vital_owner;

COMMENT ON TABLE public.organizations IS 'Tenants. Shared rows of every kind belong to the platform tenant 00000000-0000-0000-0000-000000000001.';

COMMENT ON COLUMN public.organizations.id IS 'Identifier, random';

COMMENT ON COLUMN public.organizations.name IS 'Name to show';

COMMENT ON COLUMN public.organizations.slug IS 'Short name for URLs and the Vital-Tenant header; never shaped like an id';

COMMENT ON COLUMN public.organizations.tenant_type IS 'Kind of tenant: system, digital_health, pharmaceuticals, or the operator''s own';

COMMENT ON COLUMN public.organizations.tenant_key IS 'The operator''s stable key of this tenant, for imports';

COMMENT ON COLUMN public.organizations.is_active IS 'True exactly when lifecycle_state is active; a trigger keeps both in step';

COMMENT ON COLUMN public.organizations.lifecycle_state IS 'Where the tenant stands in its life; only an active tenant serves its members';

COMMENT ON COLUMN public.organizations.subscription_tier IS 'What the tenant pays for: free, standard, professional or enterprise';

COMMENT ON COLUMN public.organizations.parent_organization_id IS 'The organization this one is part of, if any';

COMMENT ON COLUMN public.organizations.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.organizations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.organizations.updated_at IS 'When the row was last changed';

CREATE TABLE public.personas (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    title text,
    body text DEFAULT ''::text NOT NULL,
    goals text[] DEFAULT '{}'::text[] NOT NULL,
    pain_points text[] DEFAULT '{}'::text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT personas_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT personas_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT personas_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT personas_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.personas FORCE ROW LEVEL SECURITY;

ALTER TABLE public.personas OWNER TO vital_owner;

COMMENT ON TABLE public.personas IS 'Personas a tenant designs for; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.personas.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.personas.id IS 'Identifier, random';

COMMENT ON COLUMN public.personas.name IS 'Name to show';

COMMENT ON COLUMN public.personas.title IS 'Title to show';

COMMENT ON COLUMN public.personas.body IS 'Who this is, in prose';

COMMENT ON COLUMN public.personas.goals IS 'What the persona wants';

COMMENT ON COLUMN public.personas.pain_points IS 'What stands in the way';

COMMENT ON COLUMN public.personas.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.personas.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.personas.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.personas.tags IS 'Free labels';

COMMENT ON COLUMN public.personas.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.personas.created_at IS 'When the row was made';

COMMENT ON COLUMN public.personas.updated_at IS 'When the row was last changed';

CREATE TABLE public.profiles (
    id uuid NOT NULL,
    email text,
    full_name text,
    role text DEFAULT 'user'::text NOT NULL,
    tenant_id uuid,
    avatar_url text,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT profiles_preferences_check CHECK ((jsonb_typeof(preferences) = 'object'::text)),
    CONSTRAINT profiles_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text, 'super_admin'::text])))
);

ALTER TABLE ONLY public.profiles FORCE ROW LEVEL SECURITY;

ALTER TABLE public.profiles OWNER TO vital_owner;

COMMENT ON TABLE public.profiles IS 'What a user is called and whether they operate the platform.';

COMMENT ON COLUMN public.profiles.id IS 'The user';

COMMENT ON COLUMN public.profiles.email IS 'Address to show';

COMMENT ON COLUMN public.profiles.full_name IS 'Name to show';

COMMENT ON COLUMN public.profiles.role IS 'Platform-wide role. Only super_admin grants anything; the role within a tenant is user_tenants.role';

COMMENT ON COLUMN public.profiles.tenant_id IS 'Tenant in which the profile was made; grants nothing';

COMMENT ON COLUMN public.profiles.avatar_url IS 'Picture to show';

COMMENT ON COLUMN public.profiles.preferences IS 'The user''s own settings; free form';

COMMENT ON COLUMN public.profiles.created_at IS 'When the row was made';

COMMENT ON COLUMN public.profiles.updated_at IS 'When the row was last changed';

CREATE TABLE public.prompts (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    description text,
    category text,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT prompts_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT prompts_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT prompts_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT prompts_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.prompts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.prompts OWNER TO vital_owner;

COMMENT ON TABLE public.prompts IS 'Prompts of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.prompts.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.prompts.id IS 'Identifier, random';

COMMENT ON COLUMN public.prompts.title IS 'Title to show';

COMMENT ON COLUMN public.prompts.body IS 'The prompt itself';

COMMENT ON COLUMN public.prompts.description IS 'What it is for';

COMMENT ON COLUMN public.prompts.category IS 'Group in lists';

COMMENT ON COLUMN public.prompts.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.prompts.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.prompts.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.prompts.tags IS 'Free labels';

COMMENT ON COLUMN public.prompts.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.prompts.created_at IS 'When the row was made';

COMMENT ON COLUMN public.prompts.updated_at IS 'When the row was last changed';

CREATE TABLE public.query_performance (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    query_type text,
    query_name text DEFAULT 'data_load'::text NOT NULL,
    user_id uuid,
    execution_time_ms integer,
    rows_returned integer,
    cache_hit boolean DEFAULT false NOT NULL,
    success boolean DEFAULT true NOT NULL,
    error_code text,
    error_message text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT query_performance_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT query_performance_rows_returned_check CHECK ((rows_returned >= 0))
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY public.query_performance FORCE ROW LEVEL SECURITY;

ALTER TABLE public.query_performance OWNER TO vital_owner;

COMMENT ON TABLE public.query_performance IS 'One record for each data load; serves query_performance_log as well.';

COMMENT ON COLUMN public.query_performance.tenant_id IS 'The tenant; the platform tenant for a load that failed before its tenant was known. No foreign key: records outlive what they speak of';

COMMENT ON COLUMN public.query_performance.id IS 'Identifier, random';

COMMENT ON COLUMN public.query_performance.query_type IS 'Kind of load: tenant_context, agents, tools …';

COMMENT ON COLUMN public.query_performance.query_name IS 'Name of the query';

COMMENT ON COLUMN public.query_performance.user_id IS 'For whom it ran';

COMMENT ON COLUMN public.query_performance.execution_time_ms IS 'Milliseconds it took';

COMMENT ON COLUMN public.query_performance.rows_returned IS 'Rows it answered with';

COMMENT ON COLUMN public.query_performance.cache_hit IS 'True when no query was needed';

COMMENT ON COLUMN public.query_performance.success IS 'False when the load failed';

COMMENT ON COLUMN public.query_performance.error_code IS 'Code of the error, as in docs/reference/errors.md';

COMMENT ON COLUMN public.query_performance.error_message IS 'What the caller was told';

COMMENT ON COLUMN public.query_performance.request_id IS 'Request it belonged to';

COMMENT ON COLUMN public.query_performance.created_at IS 'When the row was made';

CREATE VIEW public.query_performance_log WITH (security_invoker='true') AS
 SELECT p.id,
    p.tenant_id,
    p.user_id,
    p.query_type,
    p.execution_time_ms AS duration_ms,
    p.success,
    p.error_message,
    p.created_at
   FROM public.query_performance p;

ALTER TABLE public.query_performance_log OWNER TO vital_owner;

COMMENT ON VIEW public.query_performance_log IS 'query_performance as the data-load dashboard names its columns';

CREATE TABLE public.schema_validation_rules (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    data_type text NOT NULL,
    is_nullable boolean DEFAULT false NOT NULL,
    has_default boolean DEFAULT false NOT NULL,
    is_primary_key boolean DEFAULT false NOT NULL,
    is_foreign_key boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.schema_validation_rules FORCE ROW LEVEL SECURITY;

ALTER TABLE public.schema_validation_rules OWNER TO vital_owner;

COMMENT ON TABLE public.schema_validation_rules IS 'Columns the product relies on and what they must be.';

COMMENT ON COLUMN public.schema_validation_rules.id IS 'Identifier, random';

COMMENT ON COLUMN public.schema_validation_rules.table_name IS 'Table in schema public';

COMMENT ON COLUMN public.schema_validation_rules.column_name IS 'Column that must exist';

COMMENT ON COLUMN public.schema_validation_rules.data_type IS 'Its type, as information_schema names it';

COMMENT ON COLUMN public.schema_validation_rules.is_nullable IS 'Whether it may be null';

COMMENT ON COLUMN public.schema_validation_rules.has_default IS 'Whether it must have a default';

COMMENT ON COLUMN public.schema_validation_rules.is_primary_key IS 'Whether it must be part of the primary key';

COMMENT ON COLUMN public.schema_validation_rules.is_foreign_key IS 'Whether it must be a foreign key';

COMMENT ON COLUMN public.schema_validation_rules.created_at IS 'When the row was made';

CREATE TABLE public.tenant_agents (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    agent_tenant_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    display_order integer DEFAULT 0 NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_agents_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
    CONSTRAINT tenant_agents_own_or_platform CHECK (((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))
);

ALTER TABLE ONLY public.tenant_agents FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_agents OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_agents IS 'Agents a tenant has assigned to itself.';

COMMENT ON COLUMN public.tenant_agents.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_agents.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_agents.agent_tenant_id IS 'Owner of the agent: this tenant or the platform tenant';

COMMENT ON COLUMN public.tenant_agents.agent_id IS 'The agent';

COMMENT ON COLUMN public.tenant_agents.is_enabled IS 'Usable; false keeps the assignment but hides it';

COMMENT ON COLUMN public.tenant_agents.display_order IS 'Position in lists, ascending';

COMMENT ON COLUMN public.tenant_agents.config IS 'What this tenant changes about the agent; free form';

COMMENT ON COLUMN public.tenant_agents.assigned_by IS 'Who assigned it';

COMMENT ON COLUMN public.tenant_agents.assigned_at IS 'When it was assigned';

COMMENT ON COLUMN public.tenant_agents.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_agents.updated_at IS 'When the row was last changed';

CREATE TABLE public.tenant_apps (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    app_key text NOT NULL,
    app_name text NOT NULL,
    app_route text NOT NULL,
    app_icon text,
    is_visible boolean DEFAULT true NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    display_order integer DEFAULT 0 NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_apps_app_key_check CHECK ((app_key ~ '^[a-z][a-z0-9_-]*$'::text)),
    CONSTRAINT tenant_apps_app_route_check CHECK ((app_route ~~ '/%'::text)),
    CONSTRAINT tenant_apps_config_check CHECK ((jsonb_typeof(config) = 'object'::text))
);

ALTER TABLE ONLY public.tenant_apps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_apps OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_apps IS 'Apps of a tenant and how they are shown; dashboard, chat, agents and knowledge from the start.';

COMMENT ON COLUMN public.tenant_apps.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_apps.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_apps.app_key IS 'Stable key of the app';

COMMENT ON COLUMN public.tenant_apps.app_name IS 'Name to show';

COMMENT ON COLUMN public.tenant_apps.app_route IS 'Path of the app in the front end';

COMMENT ON COLUMN public.tenant_apps.app_icon IS 'Icon name of the front end';

COMMENT ON COLUMN public.tenant_apps.is_visible IS 'Shown in the navigation and in the context';

COMMENT ON COLUMN public.tenant_apps.is_enabled IS 'Usable; a visible but disabled app is shown greyed';

COMMENT ON COLUMN public.tenant_apps.display_order IS 'Position in the navigation, ascending';

COMMENT ON COLUMN public.tenant_apps.config IS 'Settings of the app for this tenant; free form';

COMMENT ON COLUMN public.tenant_apps.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_apps.updated_at IS 'When the row was last changed';

CREATE TABLE public.tenant_configurations (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    ui_config jsonb DEFAULT '{"theme": "default", "logo_url": null, "primary_color": "#4F46E5"}'::jsonb NOT NULL,
    enabled_features text[] DEFAULT '{}'::text[] NOT NULL,
    enabled_apps text[] DEFAULT '{dashboard,chat,agents}'::text[] NOT NULL,
    enabled_agent_tiers integer[] DEFAULT '{1,2,3}'::integer[] NOT NULL,
    limits jsonb DEFAULT '{"max_agents": 100, "max_conversations": 1000}'::jsonb NOT NULL,
    compliance_settings jsonb DEFAULT '{"gdpr_enabled": true, "hipaa_enabled": false}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_configurations_compliance_settings_check CHECK ((jsonb_typeof(compliance_settings) = 'object'::text)),
    CONSTRAINT tenant_configurations_limits_check CHECK ((jsonb_typeof(limits) = 'object'::text)),
    CONSTRAINT tenant_configurations_ui_config_check CHECK ((jsonb_typeof(ui_config) = 'object'::text))
);

ALTER TABLE ONLY public.tenant_configurations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_configurations OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_configurations IS 'Settings of a tenant, one row each, made together with the organization.';

COMMENT ON COLUMN public.tenant_configurations.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_configurations.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_configurations.ui_config IS 'Look: theme, primary_color (#RRGGBB), logo_url';

COMMENT ON COLUMN public.tenant_configurations.enabled_features IS 'Names of features switched on for this tenant beside the flags';

COMMENT ON COLUMN public.tenant_configurations.enabled_apps IS 'Keys of the apps this tenant may use';

COMMENT ON COLUMN public.tenant_configurations.enabled_agent_tiers IS 'Tiers of agents this tenant may assign';

COMMENT ON COLUMN public.tenant_configurations.limits IS 'Upper bounds: max_agents, max_conversations; counts';

COMMENT ON COLUMN public.tenant_configurations.compliance_settings IS 'Regimes the tenant is under: hipaa_enabled, gdpr_enabled';

COMMENT ON COLUMN public.tenant_configurations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_configurations.updated_at IS 'When the row was last changed';

CREATE TABLE public.tenant_feature_flag_versions (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    version integer NOT NULL,
    config jsonb NOT NULL,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_feature_flag_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.tenant_feature_flag_versions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flag_versions OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flag_versions IS 'Every state a tenant''s override of a flag has had.';

COMMENT ON COLUMN public.tenant_feature_flag_versions.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flag_versions.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_feature_flag_versions.feature_flag_id IS 'The flag';

COMMENT ON COLUMN public.tenant_feature_flag_versions.version IS 'Counts from 1 for each tenant and flag';

COMMENT ON COLUMN public.tenant_feature_flag_versions.config IS 'The whole override at that version; JSON null when it was removed';

COMMENT ON COLUMN public.tenant_feature_flag_versions.reason IS 'Why it was changed';

COMMENT ON COLUMN public.tenant_feature_flag_versions.created_by IS 'Who changed it; null for an operator''s own session';

COMMENT ON COLUMN public.tenant_feature_flag_versions.created_at IS 'When the row was made';

CREATE TABLE public.tenant_feature_flags (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    enabled boolean,
    variant text,
    config jsonb,
    expires_at timestamp with time zone,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.tenant_feature_flags FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flags OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flags IS 'What one tenant has instead of a flag''s default.';

COMMENT ON COLUMN public.tenant_feature_flags.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flags.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_feature_flags.feature_flag_id IS 'The flag that is overridden';

COMMENT ON COLUMN public.tenant_feature_flags.enabled IS 'On or off for this tenant; null leaves the flag''s own default';

COMMENT ON COLUMN public.tenant_feature_flags.variant IS 'Variant for this tenant; null leaves it to the flag''s rules';

COMMENT ON COLUMN public.tenant_feature_flags.config IS 'Extra settings handed to the application with the flag';

COMMENT ON COLUMN public.tenant_feature_flags.expires_at IS 'From then on the override counts as absent';

COMMENT ON COLUMN public.tenant_feature_flags.reason IS 'Why the tenant differs';

COMMENT ON COLUMN public.tenant_feature_flags.created_by IS 'Who set it';

COMMENT ON COLUMN public.tenant_feature_flags.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_feature_flags.updated_at IS 'When the row was last changed';

CREATE VIEW vital.tenant_settings WITH (security_invoker='true') AS
 SELECT o.id AS tenant_id,
    o.name,
    o.slug,
    o.tenant_type,
    o.tenant_key,
    o.is_active,
    c.id AS configuration_id,
    c.ui_config,
    c.enabled_features,
    c.enabled_apps,
    c.enabled_agent_tiers,
    c.limits,
    c.compliance_settings,
    COALESCE(( SELECT json_agg(app.*) AS json_agg
           FROM ( SELECT a.app_key,
                    a.app_name,
                    a.app_route,
                    a.app_icon,
                    a.is_enabled,
                    a.display_order
                   FROM public.tenant_apps a
                  WHERE ((a.tenant_id = o.id) AND a.is_visible)
                  ORDER BY a.display_order, a.app_key) app), '[]'::json) AS apps,
    COALESCE(( SELECT json_agg(flag.*) AS json_agg
           FROM ( SELECT f.flag_key,
                    COALESCE(t.enabled, f.default_enabled) AS enabled,
                    COALESCE(t.config, '{}'::jsonb) AS config
                   FROM (public.feature_flags f
                     LEFT JOIN public.tenant_feature_flags t ON (((t.tenant_id = o.id) AND (t.feature_flag_id = f.id) AND ((t.expires_at IS NULL) OR (t.expires_at > transaction_timestamp())))))
                  WHERE f.is_active
                  ORDER BY f.flag_key) flag), '[]'::json) AS features
   FROM (public.organizations o
     LEFT JOIN public.tenant_configurations c ON ((c.tenant_id = o.id)));

ALTER TABLE vital.tenant_settings OWNER TO vital_owner;

COMMENT ON VIEW vital.tenant_settings IS 'A tenant with its configuration, apps and flags, whatever its state';

CREATE VIEW public.tenant_full_config WITH (security_invoker='true') AS
 SELECT s.tenant_id,
    s.name,
    s.slug,
    s.tenant_type,
    s.tenant_key,
    s.is_active,
    s.ui_config,
    s.enabled_features,
    s.enabled_apps,
    s.limits,
    s.compliance_settings,
    s.apps,
    s.features,
    s.enabled_agent_tiers
   FROM vital.tenant_settings s
  WHERE (s.is_active AND ((NOT ( SELECT row_security_active('public.tenant_configurations'::text) AS row_security_active)) OR (s.tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id))));

ALTER TABLE public.tenant_full_config OWNER TO vital_owner;

COMMENT ON VIEW public.tenant_full_config IS 'An active tenant with its configuration, apps and flags; one row a tenant';

CREATE TABLE public.tool_categories (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    display_order integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tool_categories_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT tool_categories_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text))
);

ALTER TABLE ONLY public.tool_categories FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tool_categories OWNER TO vital_owner;

COMMENT ON TABLE public.tool_categories IS 'Groups of tools; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.tool_categories.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tool_categories.id IS 'Identifier, random';

COMMENT ON COLUMN public.tool_categories.name IS 'Name to show';

COMMENT ON COLUMN public.tool_categories.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.tool_categories.description IS 'What it is for';

COMMENT ON COLUMN public.tool_categories.display_order IS 'Position in lists, ascending';

COMMENT ON COLUMN public.tool_categories.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tool_categories.updated_at IS 'When the row was last changed';

CREATE TABLE public.tool_usage_log (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    tool_tenant_id uuid NOT NULL,
    tool_id uuid NOT NULL,
    user_id uuid,
    agent_tenant_id uuid,
    agent_id uuid,
    success boolean NOT NULL,
    error_message text,
    execution_time_ms integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tool_usage_log_agent_own_or_platform CHECK ((((agent_id IS NULL) = (agent_tenant_id IS NULL)) AND ((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tool_usage_log_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT tool_usage_log_tool_own_or_platform CHECK (((tool_tenant_id = tenant_id) OR (tool_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))
);

ALTER TABLE ONLY public.tool_usage_log FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tool_usage_log OWNER TO vital_owner;

COMMENT ON TABLE public.tool_usage_log IS 'Each use of a tool, the ground for health figures and deprecation.';

COMMENT ON COLUMN public.tool_usage_log.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tool_usage_log.id IS 'Identifier, random';

COMMENT ON COLUMN public.tool_usage_log.tool_tenant_id IS 'Owner of the tool: this tenant or the platform tenant';

COMMENT ON COLUMN public.tool_usage_log.tool_id IS 'The tool';

COMMENT ON COLUMN public.tool_usage_log.user_id IS 'For whom it ran';

COMMENT ON COLUMN public.tool_usage_log.agent_tenant_id IS 'Owner of the agent';

COMMENT ON COLUMN public.tool_usage_log.agent_id IS 'Agent that used it; kept after the agent is gone, so not a foreign key';

COMMENT ON COLUMN public.tool_usage_log.success IS 'Whether it did what it should';

COMMENT ON COLUMN public.tool_usage_log.error_message IS 'What went wrong';

COMMENT ON COLUMN public.tool_usage_log.execution_time_ms IS 'Milliseconds it took';

COMMENT ON COLUMN public.tool_usage_log.created_at IS 'When the row was made';

CREATE TABLE public.tools (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    tool_type text DEFAULT 'function'::text NOT NULL,
    implementation_type text,
    function_signature text,
    category text,
    category_tenant_id uuid,
    category_id uuid,
    input_schema jsonb,
    output_schema jsonb,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    owner_id uuid,
    deprecated boolean DEFAULT false NOT NULL,
    deprecated_at timestamp with time zone,
    deprecated_reason text,
    replacement_tool_tenant_id uuid,
    replacement_tool_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tools_category_own_or_platform CHECK ((((category_id IS NULL) = (category_tenant_id IS NULL)) AND ((category_tenant_id = tenant_id) OR (category_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tools_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
    CONSTRAINT tools_deprecated_since CHECK ((deprecated = (deprecated_at IS NOT NULL))),
    CONSTRAINT tools_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT tools_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT tools_not_replaced_by_itself CHECK (((replacement_tool_tenant_id <> tenant_id) OR (replacement_tool_id <> id))),
    CONSTRAINT tools_replacement_own_or_platform CHECK ((((replacement_tool_id IS NULL) = (replacement_tool_tenant_id IS NULL)) AND ((replacement_tool_tenant_id = tenant_id) OR (replacement_tool_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tools_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text)),
    CONSTRAINT tools_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.tools FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tools OWNER TO vital_owner;

COMMENT ON TABLE public.tools IS 'Tool registry of a tenant; tools of the platform tenant are offered to all.';

COMMENT ON COLUMN public.tools.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tools.id IS 'Identifier, random';

COMMENT ON COLUMN public.tools.name IS 'Name to show';

COMMENT ON COLUMN public.tools.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.tools.description IS 'What it is for';

COMMENT ON COLUMN public.tools.tool_type IS 'What kind of thing it is: function, api, workflow …';

COMMENT ON COLUMN public.tools.implementation_type IS 'How it is run, as the front end expects it';

COMMENT ON COLUMN public.tools.function_signature IS 'Signature to call it by';

COMMENT ON COLUMN public.tools.category IS 'Group as a plain name, as the front end expects it';

COMMENT ON COLUMN public.tools.category_tenant_id IS 'Owner of the category: this tenant or the platform tenant';

COMMENT ON COLUMN public.tools.category_id IS 'Group as a row of tool_categories';

COMMENT ON COLUMN public.tools.input_schema IS 'JSON Schema of the arguments';

COMMENT ON COLUMN public.tools.output_schema IS 'JSON Schema of the result';

COMMENT ON COLUMN public.tools.config IS 'Settings it runs with; no secrets';

COMMENT ON COLUMN public.tools.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.tools.is_active IS 'False hides it everywhere';

COMMENT ON COLUMN public.tools.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.tools.deprecated IS 'True when it should no longer be used';

COMMENT ON COLUMN public.tools.deprecated_at IS 'Since when; set exactly when deprecated is';

COMMENT ON COLUMN public.tools.deprecated_reason IS 'Why';

COMMENT ON COLUMN public.tools.replacement_tool_tenant_id IS 'Owner of the replacement: this tenant or the platform tenant';

COMMENT ON COLUMN public.tools.replacement_tool_id IS 'What to use instead';

COMMENT ON COLUMN public.tools.tags IS 'Free labels';

COMMENT ON COLUMN public.tools.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.tools.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tools.updated_at IS 'When the row was last changed';

CREATE TABLE public.user_tenants (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    role text DEFAULT 'member'::text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    invited_by uuid,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_tenants_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
    CONSTRAINT user_tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

ALTER TABLE ONLY public.user_tenants FORCE ROW LEVEL SECURITY;

ALTER TABLE public.user_tenants OWNER TO vital_owner;

COMMENT ON TABLE public.user_tenants IS 'Membership: which user belongs to which tenant, and as what.';

COMMENT ON COLUMN public.user_tenants.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.user_tenants.id IS 'Identifier, random';

COMMENT ON COLUMN public.user_tenants.user_id IS 'The member';

COMMENT ON COLUMN public.user_tenants.role IS 'Role in this tenant: owner, admin, member (reads and writes) or viewer (reads)';

COMMENT ON COLUMN public.user_tenants.status IS 'active, or suspended: kept but without any access';

COMMENT ON COLUMN public.user_tenants.invited_by IS 'User who made the invitation, if there was one';

COMMENT ON COLUMN public.user_tenants.joined_at IS 'When the membership began';

COMMENT ON COLUMN public.user_tenants.created_at IS 'When the row was made';

COMMENT ON COLUMN public.user_tenants.updated_at IS 'When the row was last changed';

CREATE TABLE public.users (
    id uuid NOT NULL,
    organization_id uuid,
    email text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

ALTER TABLE public.users OWNER TO vital_owner;

COMMENT ON TABLE public.users IS 'Known users, one row for each account of auth.users that may use the product.';

COMMENT ON COLUMN public.users.id IS 'The account: auth.users.id, the subject of its tokens';

COMMENT ON COLUMN public.users.organization_id IS 'Default tenant, used when a request names none';

COMMENT ON COLUMN public.users.email IS 'Address at sign-up; auth.users is its source';

COMMENT ON COLUMN public.users.created_at IS 'When the row was made';

COMMENT ON COLUMN public.users.updated_at IS 'When the row was last changed';

CREATE TABLE vital.applied_files (
    path text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE vital.applied_files OWNER TO vital_owner;

COMMENT ON TABLE vital.applied_files IS 'Files of database/ as they were when they were last applied';

COMMENT ON COLUMN vital.applied_files.path IS 'roles.sql, migrations/name.sql or kind/name.sql';

COMMENT ON COLUMN vital.applied_files.sha256 IS 'SHA-256 of the text, hex';

COMMENT ON COLUMN vital.applied_files.applied_at IS 'When it was last applied';

CREATE TABLE vital.migrations (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);

ALTER TABLE vital.migrations OWNER TO vital_owner;

COMMENT ON TABLE vital.migrations IS 'Applied migrations, kept by goose';

COMMENT ON COLUMN vital.migrations.id IS 'Counts up';

COMMENT ON COLUMN vital.migrations.version_id IS 'Number of the migration; 0 is the row goose begins with';

COMMENT ON COLUMN vital.migrations.is_applied IS 'True: there is no way back';

COMMENT ON COLUMN vital.migrations.tstamp IS 'When it was applied';

ALTER TABLE vital.migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME vital.migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED TABLE vital.pending_versions (
    xid xid8 NOT NULL,
    scope text NOT NULL,
    key uuid NOT NULL
);

ALTER TABLE vital.pending_versions OWNER TO vital_owner;

COMMENT ON TABLE vital.pending_versions IS 'Scopes the running transactions have touched; emptied at each commit';

COMMENT ON COLUMN vital.pending_versions.xid IS 'The transaction';

COMMENT ON COLUMN vital.pending_versions.scope IS 'Scope to raise when it commits';

COMMENT ON COLUMN vital.pending_versions.key IS 'Key to raise when it commits';

CREATE TABLE vital.query_performance_default (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    query_type text,
    query_name text DEFAULT 'data_load'::text NOT NULL,
    user_id uuid,
    execution_time_ms integer,
    rows_returned integer,
    cache_hit boolean DEFAULT false NOT NULL,
    success boolean DEFAULT true NOT NULL,
    error_code text,
    error_message text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT query_performance_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT query_performance_rows_returned_check CHECK ((rows_returned >= 0))
);

ALTER TABLE vital.query_performance_default OWNER TO vital_owner;

COMMENT ON TABLE vital.query_performance_default IS 'Records outside every day partition';

CREATE TABLE vital.seal_keys (
    id text NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retires_at timestamp with time zone,
    CONSTRAINT seal_keys_id_check CHECK ((id ~ '^[a-z0-9]{1,16}$'::text)),
    CONSTRAINT seal_keys_inner_pad_check CHECK ((octet_length(inner_pad) = 64)),
    CONSTRAINT seal_keys_outer_pad_check CHECK ((octet_length(outer_pad) = 64))
);

ALTER TABLE vital.seal_keys OWNER TO vital_sealer;

COMMENT ON TABLE vital.seal_keys IS 'HMAC-SHA-256 keys that seal a caller''s identity, as their two padded halves.';

COMMENT ON COLUMN vital.seal_keys.id IS 'Name of the key, part of every seal';

COMMENT ON COLUMN vital.seal_keys.inner_pad IS 'Key xor 0x36, 64 bytes';

COMMENT ON COLUMN vital.seal_keys.outer_pad IS 'Key xor 0x5c, 64 bytes';

COMMENT ON COLUMN vital.seal_keys.created_at IS 'When it was made; the newest one seals';

COMMENT ON COLUMN vital.seal_keys.retires_at IS 'From then on its seals are refused; null for the newest';

CREATE TABLE vital.settings (
    only_row boolean DEFAULT true NOT NULL,
    accept_jwt_claims boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT settings_only_row_check CHECK (only_row)
);

ALTER TABLE vital.settings OWNER TO vital_owner;

COMMENT ON TABLE vital.settings IS 'Decisions fixed at install; no configuration parameter can change them.';

COMMENT ON COLUMN vital.settings.only_row IS 'There is one row';

COMMENT ON COLUMN vital.settings.accept_jwt_claims IS 'Whether request.jwt.claims is believed where the session is PostgREST''s authenticator. It is not sealed: injected SQL can then act as any user';

COMMENT ON COLUMN vital.settings.changed_at IS 'When the decision was made';

CREATE TABLE vital.versions (
    scope text NOT NULL,
    key uuid NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT versions_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'membership'::text, 'self'::text, 'global'::text])))
)
WITH (fillfactor='70');

ALTER TABLE vital.versions OWNER TO vital_owner;

COMMENT ON TABLE vital.versions IS 'How often what a context is made of has changed, counted per scope; raised in the writer''s transaction.';

COMMENT ON COLUMN vital.versions.scope IS 'tenant: its organization, configuration, apps, overrides; membership, self: of one user; global: flag definitions';

COMMENT ON COLUMN vital.versions.key IS 'Tenant or user; all zeros for global';

COMMENT ON COLUMN vital.versions.version IS 'Counts up by one with each transaction that changed something';

COMMENT ON COLUMN vital.versions.changed_at IS 'When it last changed';

ALTER TABLE ONLY public.query_performance ATTACH PARTITION vital.query_performance_default DEFAULT;

ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_feature_flag_id_version_key UNIQUE (feature_flag_id, version);

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feature_flags
    ADD CONSTRAINT feature_flags_flag_key_key UNIQUE (flag_key);

ALTER TABLE ONLY public.feature_flags
    ADD CONSTRAINT feature_flags_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.knowledge
    ADD CONSTRAINT knowledge_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.organization_audit_log
    ADD CONSTRAINT organization_audit_log_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_tenant_key_key UNIQUE (tenant_key);

ALTER TABLE ONLY public.personas
    ADD CONSTRAINT personas_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.query_performance
    ADD CONSTRAINT query_performance_pkey PRIMARY KEY (tenant_id, id, created_at);

ALTER TABLE ONLY public.schema_validation_rules
    ADD CONSTRAINT schema_validation_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_validation_rules
    ADD CONSTRAINT schema_validation_rules_table_name_column_name_key UNIQUE (table_name, column_name);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_tenant_id_agent_tenant_id_agent_id_key UNIQUE (tenant_id, agent_tenant_id, agent_id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_tenant_id_app_key_key UNIQUE (tenant_id, app_key);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_tenant_id_key UNIQUE (tenant_id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_tenant_id_feature_flag_id_vers_key UNIQUE (tenant_id, feature_flag_id, version);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_tenant_id_feature_flag_id_key UNIQUE (tenant_id, feature_flag_id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_tenant_id_user_id_key UNIQUE (tenant_id, user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.applied_files
    ADD CONSTRAINT applied_files_pkey PRIMARY KEY (path);

ALTER TABLE ONLY vital.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.pending_versions
    ADD CONSTRAINT pending_versions_pkey PRIMARY KEY (xid, scope, key);

ALTER TABLE ONLY vital.query_performance_default
    ADD CONSTRAINT query_performance_default_pkey PRIMARY KEY (tenant_id, id, created_at);

ALTER TABLE ONLY vital.seal_keys
    ADD CONSTRAINT seal_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY vital.versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (scope, key);

CREATE UNIQUE INDEX users_email_key ON auth.users USING btree (lower((email)::text));

CREATE INDEX idx_chat_sessions_agent ON public.chat_sessions USING btree (agent_tenant_id, agent_id);

CREATE INDEX idx_chat_sessions_user ON public.chat_sessions USING btree (tenant_id, user_id);

CREATE INDEX idx_chat_sessions_user_id ON public.chat_sessions USING btree (user_id);

CREATE INDEX idx_invitations_email ON public.invitations USING btree (tenant_id, lower(email));

CREATE INDEX idx_jobs_to_be_done_persona ON public.jobs_to_be_done USING btree (persona_tenant_id, persona_id);

CREATE INDEX idx_org_audit_created_at ON public.organization_audit_log USING btree (created_at DESC);

CREATE INDEX idx_org_audit_org_id ON public.organization_audit_log USING btree (organization_id, created_at DESC);

CREATE INDEX idx_organizations_parent ON public.organizations USING btree (parent_organization_id);

CREATE INDEX idx_profiles_tenant_id ON public.profiles USING btree (tenant_id);

CREATE INDEX idx_query_perf_created_at ON ONLY public.query_performance USING btree (created_at DESC);

CREATE INDEX idx_query_perf_query_name ON ONLY public.query_performance USING btree (query_name);

CREATE INDEX idx_query_perf_tenant ON ONLY public.query_performance USING btree (tenant_id, created_at);

CREATE INDEX idx_query_perf_user ON ONLY public.query_performance USING btree (user_id, created_at);

CREATE INDEX idx_tenant_agents_agent ON public.tenant_agents USING btree (agent_tenant_id, agent_id);

CREATE INDEX idx_tenant_feature_flag_versions_flag ON public.tenant_feature_flag_versions USING btree (feature_flag_id);

CREATE INDEX idx_tenant_feature_flags_flag ON public.tenant_feature_flags USING btree (feature_flag_id);

CREATE INDEX idx_tool_usage_created_at ON public.tool_usage_log USING btree (created_at DESC);

CREATE INDEX idx_tool_usage_tool_id ON public.tool_usage_log USING btree (tool_tenant_id, tool_id, created_at DESC);

CREATE INDEX idx_tools_category ON public.tools USING btree (category_tenant_id, category_id);

CREATE INDEX idx_tools_replacement ON public.tools USING btree (replacement_tool_tenant_id, replacement_tool_id);

CREATE INDEX idx_user_tenants_user_id ON public.user_tenants USING btree (user_id, tenant_id);

CREATE INDEX idx_users_email ON public.users USING btree (lower(email));

CREATE INDEX idx_users_organization_id ON public.users USING btree (organization_id);

CREATE INDEX query_performance_default_created_at_idx ON vital.query_performance_default USING btree (created_at DESC);

CREATE INDEX query_performance_default_query_name_idx ON vital.query_performance_default USING btree (query_name);

CREATE INDEX query_performance_default_tenant_id_created_at_idx ON vital.query_performance_default USING btree (tenant_id, created_at);

CREATE INDEX query_performance_default_user_id_created_at_idx ON vital.query_performance_default USING btree (user_id, created_at);

ALTER INDEX public.idx_query_perf_created_at ATTACH PARTITION vital.query_performance_default_created_at_idx;

ALTER INDEX public.query_performance_pkey ATTACH PARTITION vital.query_performance_default_pkey;

ALTER INDEX public.idx_query_perf_query_name ATTACH PARTITION vital.query_performance_default_query_name_idx;

ALTER INDEX public.idx_query_perf_tenant ATTACH PARTITION vital.query_performance_default_tenant_id_created_at_idx;

ALTER INDEX public.idx_query_perf_user ATTACH PARTITION vital.query_performance_default_user_id_created_at_idx;

CREATE TRIGGER agents_touch BEFORE UPDATE ON public.agents FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER chat_sessions_touch BEFORE UPDATE ON public.chat_sessions FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER feature_flags_record_change AFTER INSERT OR DELETE OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.record_change('global', '');

CREATE TRIGGER feature_flags_touch BEFORE UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER invitations_touch BEFORE UPDATE ON public.invitations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER jobs_to_be_done_touch BEFORE UPDATE ON public.jobs_to_be_done FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER knowledge_touch BEFORE UPDATE ON public.knowledge FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER organizations_follow_lifecycle BEFORE INSERT OR UPDATE OF is_active, lifecycle_state ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.follow_lifecycle();

CREATE TRIGGER organizations_provision AFTER INSERT ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.provision_tenant();

CREATE TRIGGER organizations_record_change AFTER INSERT OR DELETE OR UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'id');

CREATE TRIGGER organizations_touch BEFORE UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER personas_touch BEFORE UPDATE ON public.personas FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER profiles_record_change AFTER INSERT OR DELETE OR UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION vital.record_change('self', 'id');

CREATE TRIGGER profiles_touch BEFORE UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER prompts_touch BEFORE UPDATE ON public.prompts FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_agents_touch BEFORE UPDATE ON public.tenant_agents FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_apps_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_apps FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_apps_touch BEFORE UPDATE ON public.tenant_apps FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_configurations_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_configurations_touch BEFORE UPDATE ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_feature_flags_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_feature_flags_touch BEFORE UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tool_categories_touch BEFORE UPDATE ON public.tool_categories FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tools_touch BEFORE UPDATE ON public.tools FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER user_tenants_record_change AFTER INSERT OR DELETE OR UPDATE ON public.user_tenants FOR EACH ROW EXECUTE FUNCTION vital.record_change('membership', 'user_id');

CREATE TRIGGER user_tenants_touch BEFORE UPDATE ON public.user_tenants FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER users_record_change AFTER INSERT OR DELETE OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION vital.record_change('self', 'id');

CREATE TRIGGER users_touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE CONSTRAINT TRIGGER pending_versions_raise AFTER INSERT ON vital.pending_versions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION vital.raise_versions();

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_agent_tenant_id_agent_id_fkey FOREIGN KEY (agent_tenant_id, agent_id) REFERENCES public.agents(tenant_id, id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_persona_tenant_id_persona_id_fkey FOREIGN KEY (persona_tenant_id, persona_id) REFERENCES public.personas(tenant_id, id);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.knowledge
    ADD CONSTRAINT knowledge_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.organization_audit_log
    ADD CONSTRAINT organization_audit_log_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_parent_organization_id_fkey FOREIGN KEY (parent_organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.personas
    ADD CONSTRAINT personas_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_id_fkey FOREIGN KEY (id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_agent_tenant_id_agent_id_fkey FOREIGN KEY (agent_tenant_id, agent_id) REFERENCES public.agents(tenant_id, id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_tool_tenant_id_tool_id_fkey FOREIGN KEY (tool_tenant_id, tool_id) REFERENCES public.tools(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_category_tenant_id_category_id_fkey FOREIGN KEY (category_tenant_id, category_id) REFERENCES public.tool_categories(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_replacement_tool_tenant_id_replacement_tool_id_fkey FOREIGN KEY (replacement_tool_tenant_id, replacement_tool_id) REFERENCES public.tools(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE public.agents ENABLE ROW LEVEL SECURITY;

CREATE POLICY agents_delete_member ON public.agents FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY agents_insert_member ON public.agents FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY agents_select_member ON public.agents FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY agents_update_member ON public.agents FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.chat_sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY chat_sessions_delete_self ON public.chat_sessions FOR DELETE TO authenticated USING (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_insert_self ON public.chat_sessions FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_select_self ON public.chat_sessions FOR SELECT TO authenticated USING (((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_update_self ON public.chat_sessions FOR UPDATE TO authenticated USING (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id)))) WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

ALTER TABLE public.feature_flag_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flag_versions_select_super_admin ON public.feature_flag_versions FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.feature_flags ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flags_delete_super_admin ON public.feature_flags FOR DELETE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_insert_super_admin ON public.feature_flags FOR INSERT TO authenticated WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_select_member ON public.feature_flags FOR SELECT TO authenticated USING (is_active);

CREATE POLICY feature_flags_select_super_admin ON public.feature_flags FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_update_super_admin ON public.feature_flags FOR UPDATE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin)) WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

CREATE POLICY invitations_select_admin ON public.invitations FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.jobs_to_be_done ENABLE ROW LEVEL SECURITY;

CREATE POLICY jobs_to_be_done_delete_member ON public.jobs_to_be_done FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY jobs_to_be_done_insert_member ON public.jobs_to_be_done FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY jobs_to_be_done_select_member ON public.jobs_to_be_done FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY jobs_to_be_done_update_member ON public.jobs_to_be_done FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.knowledge ENABLE ROW LEVEL SECURITY;

CREATE POLICY knowledge_delete_member ON public.knowledge FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY knowledge_insert_member ON public.knowledge FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY knowledge_select_member ON public.knowledge FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY knowledge_update_member ON public.knowledge FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.organization_audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_audit_log_select_admin ON public.organization_audit_log FOR SELECT TO authenticated USING ((organization_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY organization_audit_log_select_super_admin ON public.organization_audit_log FOR SELECT TO authenticated USING (((organization_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (organization_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

CREATE POLICY organizations_insert_super_admin ON public.organizations FOR INSERT TO authenticated WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY organizations_select_member ON public.organizations FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT vital.member_tenant_ids() AS member_tenant_ids))));

CREATE POLICY organizations_select_super_admin ON public.organizations FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

CREATE POLICY organizations_update_super_admin ON public.organizations FOR UPDATE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin)) WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.personas ENABLE ROW LEVEL SECURITY;

CREATE POLICY personas_delete_member ON public.personas FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY personas_insert_member ON public.personas FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY personas_select_member ON public.personas FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY personas_update_member ON public.personas FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

CREATE POLICY profiles_select_self ON public.profiles FOR SELECT TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY profiles_select_super_admin ON public.profiles FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

CREATE POLICY profiles_update_self ON public.profiles FOR UPDATE TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id))) WITH CHECK ((id = ( SELECT vital.user_id() AS user_id)));

ALTER TABLE public.prompts ENABLE ROW LEVEL SECURITY;

CREATE POLICY prompts_delete_member ON public.prompts FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY prompts_insert_member ON public.prompts FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY prompts_select_member ON public.prompts FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY prompts_update_member ON public.prompts FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.query_performance ENABLE ROW LEVEL SECURITY;

CREATE POLICY query_performance_insert_member ON public.query_performance FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY query_performance_select_admin ON public.query_performance FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY query_performance_select_super_admin ON public.query_performance FOR SELECT TO authenticated USING (((tenant_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.schema_validation_rules ENABLE ROW LEVEL SECURITY;

CREATE POLICY schema_validation_rules_select_super_admin ON public.schema_validation_rules FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.tenant_agents ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_agents_delete_admin ON public.tenant_agents FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_agents_insert_admin ON public.tenant_agents FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_agents_select_member ON public.tenant_agents FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_agents_update_admin ON public.tenant_agents FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_apps ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_apps_delete_admin ON public.tenant_apps FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_apps_insert_admin ON public.tenant_apps FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_apps_select_member ON public.tenant_apps FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_apps_update_admin ON public.tenant_apps FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_configurations ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_configurations_select_member ON public.tenant_configurations FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_configurations_update_admin ON public.tenant_configurations FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_feature_flag_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flag_versions_select_admin ON public.tenant_feature_flag_versions FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.tenant_feature_flags ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flags_delete_admin ON public.tenant_feature_flags FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_feature_flags_insert_admin ON public.tenant_feature_flags FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_feature_flags_select_member ON public.tenant_feature_flags FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_feature_flags_update_admin ON public.tenant_feature_flags FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tool_categories ENABLE ROW LEVEL SECURITY;

CREATE POLICY tool_categories_delete_admin ON public.tool_categories FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tool_categories_insert_admin ON public.tool_categories FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tool_categories_select_member ON public.tool_categories FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY tool_categories_update_admin ON public.tool_categories FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tool_usage_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY tool_usage_log_insert_member ON public.tool_usage_log FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY tool_usage_log_select_admin ON public.tool_usage_log FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.tools ENABLE ROW LEVEL SECURITY;

CREATE POLICY tools_delete_member ON public.tools FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY tools_insert_member ON public.tools FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY tools_select_member ON public.tools FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY tools_update_member ON public.tools FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.user_tenants ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_tenants_select_member ON public.user_tenants FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY user_tenants_select_self ON public.user_tenants FOR SELECT TO authenticated USING ((user_id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY user_tenants_select_super_admin ON public.user_tenants FOR SELECT TO authenticated USING (((user_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (user_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_select_member ON public.users FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT vital.colleague_ids() AS colleague_ids))));

CREATE POLICY users_select_self ON public.users FOR SELECT TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY users_select_super_admin ON public.users FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

GRANT USAGE ON SCHEMA auth TO anon;
GRANT USAGE ON SCHEMA auth TO authenticated;
GRANT USAGE ON SCHEMA auth TO service_role;

GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;
GRANT ALL ON SCHEMA public TO vital_owner;
GRANT ALL ON SCHEMA public TO vital_definer;

GRANT USAGE ON SCHEMA vital TO anon;
GRANT USAGE ON SCHEMA vital TO authenticated;
GRANT USAGE ON SCHEMA vital TO service_role;
GRANT USAGE ON SCHEMA vital TO vital_service;
GRANT USAGE ON SCHEMA vital TO vital_api;
GRANT ALL ON SCHEMA vital TO vital_definer;
GRANT ALL ON SCHEMA vital TO vital_sealer;

REVOKE ALL ON FUNCTION auth.role() FROM PUBLIC;
GRANT ALL ON FUNCTION auth.role() TO anon;
GRANT ALL ON FUNCTION auth.role() TO authenticated;
GRANT ALL ON FUNCTION auth.role() TO service_role;

REVOKE ALL ON FUNCTION auth.uid() FROM PUBLIC;
GRANT ALL ON FUNCTION auth.uid() TO anon;
GRANT ALL ON FUNCTION auth.uid() TO authenticated;
GRANT ALL ON FUNCTION auth.uid() TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO service_role;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION public.is_super_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_super_admin() TO anon;
GRANT ALL ON FUNCTION public.is_super_admin() TO authenticated;
GRANT ALL ON FUNCTION public.is_super_admin() TO service_role;

REVOKE ALL ON FUNCTION public.is_tenant_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO anon;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO authenticated;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO service_role;

REVOKE ALL ON FUNCTION vital.admin_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) TO service_role;

REVOKE ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) TO anon;
GRANT ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) TO authenticated;

REVOKE ALL ON FUNCTION vital.claimed_identity() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.colleague_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.colleague_ids() TO anon;
GRANT ALL ON FUNCTION vital.colleague_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.colleague_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.current_membership() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.follow_lifecycle() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.identity() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.identity() TO anon;
GRANT ALL ON FUNCTION vital.identity() TO authenticated;
GRANT ALL ON FUNCTION vital.identity() TO service_role;
GRANT ALL ON FUNCTION vital.identity() TO vital_definer;

REVOKE ALL ON FUNCTION vital.member_tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO anon;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.overseen_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.provision_tenant() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.provision_tenant() TO vital_owner;

REVOKE ALL ON FUNCTION vital.raise_versions() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.raise_versions() TO vital_owner;

REVOKE ALL ON FUNCTION vital.readable_tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO anon;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.record_change() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_change() TO vital_owner;

REVOKE ALL ON FUNCTION vital.rotate_seal_key(p_grace interval) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.rotate_seal_key(p_grace interval) TO vital_service;

REVOKE ALL ON FUNCTION vital.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.schema_version() TO vital_service;
GRANT ALL ON FUNCTION vital.schema_version() TO service_role;

REVOKE ALL ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) TO vital_service;

REVOKE ALL ON FUNCTION vital.super_admin_floor() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO anon;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO authenticated;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO service_role;

REVOKE ALL ON FUNCTION vital.tenant_for(p_right text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO anon;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO authenticated;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO service_role;

REVOKE ALL ON FUNCTION vital.touch_updated_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.user_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.user_id() TO anon;
GRANT ALL ON FUNCTION vital.user_id() TO authenticated;
GRANT ALL ON FUNCTION vital.user_id() TO service_role;
GRANT ALL ON FUNCTION vital.user_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.writable_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.users TO service_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.users TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_versions TO vital_definer;
GRANT SELECT ON TABLE public.feature_flag_versions TO authenticated;
GRANT SELECT ON TABLE public.feature_flag_versions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invitations TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invitations TO service_role;

GRANT SELECT(tenant_id) ON TABLE public.invitations TO authenticated;

GRANT SELECT(id) ON TABLE public.invitations TO authenticated;

GRANT SELECT(email) ON TABLE public.invitations TO authenticated;

GRANT SELECT(role) ON TABLE public.invitations TO authenticated;

GRANT SELECT(invited_by) ON TABLE public.invitations TO authenticated;

GRANT SELECT(expires_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(accepted_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(accepted_by) ON TABLE public.invitations TO authenticated;

GRANT SELECT(revoked_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(created_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(updated_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organization_audit_log TO vital_definer;
GRANT SELECT ON TABLE public.organization_audit_log TO authenticated;
GRANT SELECT ON TABLE public.organization_audit_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organizations TO vital_definer;
GRANT SELECT,INSERT,UPDATE ON TABLE public.organizations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organizations TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO vital_definer;
GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO service_role;

GRANT UPDATE(full_name) ON TABLE public.profiles TO authenticated;

GRANT UPDATE(avatar_url) ON TABLE public.profiles TO authenticated;

GRANT UPDATE(preferences) ON TABLE public.profiles TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.query_performance TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.query_performance TO authenticated;
GRANT SELECT,INSERT ON TABLE public.query_performance TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.query_performance_log TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.query_performance_log TO authenticated;
GRANT SELECT,INSERT ON TABLE public.query_performance_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schema_validation_rules TO vital_definer;
GRANT SELECT ON TABLE public.schema_validation_rules TO authenticated;
GRANT SELECT ON TABLE public.schema_validation_rules TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_configurations TO vital_definer;
GRANT SELECT,UPDATE ON TABLE public.tenant_configurations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_configurations TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flag_versions TO vital_definer;
GRANT SELECT ON TABLE public.tenant_feature_flag_versions TO authenticated;
GRANT SELECT ON TABLE public.tenant_feature_flag_versions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO service_role;

GRANT SELECT ON TABLE vital.tenant_settings TO authenticated;
GRANT SELECT ON TABLE vital.tenant_settings TO service_role;
GRANT SELECT ON TABLE vital.tenant_settings TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_full_config TO vital_definer;
GRANT SELECT ON TABLE public.tenant_full_config TO authenticated;
GRANT SELECT ON TABLE public.tenant_full_config TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_usage_log TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.tool_usage_log TO authenticated;
GRANT SELECT,INSERT ON TABLE public.tool_usage_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_tenants TO vital_definer;
GRANT SELECT ON TABLE public.user_tenants TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_tenants TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO vital_definer;
GRANT SELECT ON TABLE public.users TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO service_role;

GRANT SELECT ON TABLE vital.migrations TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.pending_versions TO vital_definer;

GRANT SELECT ON TABLE vital.settings TO vital_sealer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.versions TO vital_definer;

ALTER DEFAULT PRIVILEGES FOR ROLE vital_owner IN SCHEMA public GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO vital_definer;
