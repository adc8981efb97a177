What the run plays on. Every counter is written as chaos-<register>-<tenant>-<number>, so that a reader finds it by its
bytes and sees whose it is. A write that comes after a later one of the same counter, as it may when whoever sent it was
killed, is refused: so a counter never falls, whatever happens.

-- name: RefuseEarlier
create function public.refuse_earlier() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if substring(to_jsonb(new) ->> tg_argv[0] from 'chaos-[a-z]-\d+-(\d+)')::bigint
    < substring(to_jsonb(old) ->> tg_argv[0] from 'chaos-[a-z]-\d+-(\d+)')::bigint then
    raise exception 'a later write was there first';
  end if;
  return new;
end
$$;

-- name: Organizations
insert into public.organizations (id, name, slug, tenant_type, tenant_key)
select md5('tenant ' || n)::uuid, 'chaos-n-' || n || '-0', 'tenant-' || n, 'digital_health', 'key-' || n
from generate_series(0, $1::int - 1) n;

-- name: Users
insert into public.users (id, organization_id, email)
select md5('user ' || n || ' ' || w.who)::uuid, md5('tenant ' || n)::uuid, w.who || '-' || n || '@example.test'
from generate_series(0, $1::int - 1) n
cross join (values ('owner'), ('one'), ('two'), ('both'), ('role'), ('access'), ('session')) w (who);

-- name: Operator
insert into public.users (id, organization_id, email)
values (md5('operator')::uuid, '00000000-0000-0000-0000-000000000001', 'operator@example.test');

-- name: Accounts
insert into auth.users (id, email) select u.id, u.email from public.users u on conflict do nothing;

-- name: Profiles
insert into public.profiles (id, email, full_name, role)
select u.id, u.email, 'Someone', case when u.email like 'operator@%' then 'super_admin' else 'user' end
from public.users u on conflict do nothing;

-- name: Members
insert into public.user_tenants (tenant_id, user_id, role)
select u.organization_id, u.id, case when u.email like 'owner-%' then 'owner' when u.email like 'role-%' then 'viewer' else 'member' end
from public.users u where u.email not like 'operator@%'
on conflict do nothing;

-- name: Guests
insert into public.user_tenants (tenant_id, user_id, role)
select md5('tenant ' || (n + 1) % $1::int)::uuid, md5('user ' || n || ' both')::uuid, 'viewer'
from generate_series(0, $1::int - 1) n;

-- name: Flags
insert into public.feature_flags (flag_key, flag_type, variants, default_variant, default_enabled)
values ('counter', 'string', '{"on": "chaos-d-0-0"}', 'on', true), ('own', 'boolean', '{}', null, false);

-- name: Configurations
update public.tenant_configurations set ui_config = jsonb_build_object('custom', jsonb_build_object('counter', 'chaos-c-' || n || '-0'))
from generate_series(0, $1::int - 1) n where tenant_id = md5('tenant ' || n)::uuid;

-- name: Apps
insert into public.tenant_apps (tenant_id, app_key, app_name, app_route)
select md5('tenant ' || n)::uuid, 'counter', 'chaos-a-' || n || '-0', '/counter' from generate_series(0, $1::int - 1) n;

-- name: Overrides
insert into public.tenant_feature_flags (tenant_id, feature_flag_id, enabled, config)
select md5('tenant ' || n)::uuid, f.id, true, jsonb_build_object('counter', 'chaos-o-' || n || '-0')
from generate_series(0, $1::int - 1) n, public.feature_flags f where f.flag_key = 'own';

-- name: Agents
insert into public.agents (tenant_id, name, slug, description)
select md5('tenant ' || n)::uuid, 'Counter', 'counter', 'chaos-g-' || n || '-0' from generate_series(0, $1::int - 1) n;

-- name: Guards
do $$
declare
  t record;
begin
  for t in select * from (values
    ('organizations', 'name'), ('tenant_configurations', 'ui_config'), ('tenant_apps', 'app_name'),
    ('tenant_feature_flags', 'config'), ('agents', 'description'), ('feature_flags', 'variants')) as v (name, field)
  loop
    execute format('create trigger refuse_earlier before update on public.%I for each row execute function public.refuse_earlier(%L)', t.name, t.field);
  end loop;
end
$$;

-- name: WriteConfig
update public.tenant_configurations set ui_config = jsonb_build_object('custom', jsonb_build_object('counter', $2::text)) where tenant_id = $1;

-- name: WriteName
update public.organizations set name = $2 where id = $1;

-- name: WriteApp
update public.tenant_apps set app_name = $2 where tenant_id = $1 and app_key = 'counter';

-- name: WriteOverride
update public.tenant_feature_flags set config = jsonb_build_object('counter', $2::text)
where tenant_id = $1 and feature_flag_id = (select f.id from public.feature_flags f where f.flag_key = 'own');

-- name: WriteAgent
update public.agents set description = $2 where tenant_id = $1 and slug = 'counter';

-- name: WriteDefinition
update public.feature_flags set variants = jsonb_build_object('on', $2::text) where flag_key = 'counter' and $1::uuid is not null;

-- name: WriteRole
update public.user_tenants set role = $3 where tenant_id = $1 and user_id = $2;

-- name: AddMember
insert into public.user_tenants (tenant_id, user_id) values ($1, $2) on conflict do nothing;

-- name: RemoveMember
delete from public.user_tenants where tenant_id = $1 and user_id = $2;

-- name: MoveTenant
update public.organizations set lifecycle_state = $2::public.org_lifecycle_state where id = $1;

-- name: AddSession
insert into auth.sessions (id, user_id) values ($1, $2);

-- name: EndSession
insert into vital.revoked_sessions (session_id, expires_at) values ($1, pg_catalog.now() + interval '1 day') on conflict do nothing;

-- name: Role
select coalesce((select m.role from public.user_tenants m where m.tenant_id = $1 and m.user_id = $2), 'none');

-- name: Tenant
select o.lifecycle_state::text from public.organizations o where o.id = $1 and $2::uuid is not null;

-- name: Session
select case when exists (select from vital.revoked_sessions r where r.session_id = $2 and $1::uuid is not null) then 'ended' else 'alive' end;

-- name: Busy
select pg_catalog.count(*) from pg_catalog.pg_stat_activity a
where a.backend_type = 'client backend' and (a.backend_xid is not null or a.state <> 'idle' and a.xact_start < pg_catalog.clock_timestamp() - interval '0.2 seconds')
  and a.pid <> pg_catalog.pg_backend_pid() and a.datname = pg_catalog.current_database();

-- name: Position
select (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8;

-- name: Listeners
select coalesce(pg_catalog.array_agg(a.pid), '{}') from pg_catalog.pg_stat_activity a where a.query ilike 'listen%' and a.pid <> pg_catalog.pg_backend_pid();

-- name: TerminateListeners
select pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) from pg_catalog.pg_stat_activity a
where a.query ilike 'listen%' and a.pid <> pg_catalog.pg_backend_pid();

-- name: WalWriter
select a.pid from pg_catalog.pg_stat_activity a where a.backend_type = 'walwriter';

-- name: Notify
select pg_catalog.pg_notify('vital_change', $1);
