Generated tenants: which are there, the few rows that are not copied, and taking them away. Ids are those of population.go.

-- name: Standing
with tenants as (
  select o.id, o.slug, o.metadata, pg_catalog.md5('tenant ' || pg_catalog.substring(o.slug, '^tenant-([1-9][0-9]{0,8})$'))::uuid as generated
  from public.organizations o
)
select pg_catalog.count(*) filter (where t.id = t.generated),
  pg_catalog.count(*) filter (where t.id is distinct from t.generated and t.slug not in ('platform', 'digital-health', 'pharma')),
  (pg_catalog.array_agg(t.metadata -> 'vital_bench') filter (where t.id = t.generated and t.metadata ? 'vital_bench'))[1]
from tenants t;

-- name: Quiet
-- What triggers would write is copied; a commit that is lost is loaded again.
select pg_catalog.set_config('session_replication_role', 'replica', true), pg_catalog.set_config('synchronous_commit', 'off', true);

-- name: SessionUser
select session_user::text;

-- name: Flags
-- With their triggers: there are few of them, and servers that run hear of them.
insert into public.feature_flags (id, flag_key, name, description, default_enabled, category)
select pg_catalog.md5('flag ' || n)::uuid, 'flag_' || pg_catalog.lpad(n::text, greatest(pg_catalog.length(n::text), 3), '0'), 'Flag ' || n, 'What flag ' || n || ' changes',
  n % 2 = 0, 'general'
from pg_catalog.generate_series(1, $1::integer) n
on conflict (id) do nothing;

-- name: Versions
insert into public.tenant_feature_flag_versions (tenant_id, id, feature_flag_id, version, config, reason, created_at)
select t.tenant_id, pg_catalog.md5('version ' || t.id)::uuid, t.feature_flag_id, t.version, pg_catalog.to_jsonb(t), t.reason, t.created_at
from public.tenant_feature_flags t
where t.tenant_id = any ($1::uuid[])
order by t.tenant_id, t.feature_flag_id;

-- name: Tell
-- Servers that run look at every version anew.
select pg_catalog.pg_notify('vital_change', '*');

-- name: Statistics
vacuum (analyze) public.organizations, public.tenant_configurations, public.users, auth.users, public.profiles, public.user_tenants, public.tenant_apps,
  public.tenant_feature_flags, public.tenant_feature_flag_versions, public.agents, public.prompts, public.organization_audit_log, vital.versions, vital.audit_heads;

-- name: GoneTable
create temporary table gone (tenant uuid, member uuid) on commit drop;

-- name: Gone
-- A batch of the generated tenants, and their members.
insert into pg_temp.gone (tenant, member)
select t.id, null from pg_catalog.unnest($1::uuid[]) t (id)
union all
select null, u.id from pg_catalog.unnest($2::uuid[]) u (id);

-- name: GoneStatistics
analyze pg_temp.gone;

-- name: Owned
-- Every table whose rows are a tenant's or a user's, partitions one by one, with the column that says so. Those keyed by what they are about stand in Keyed.
select n.nspname::text, c.relname::text, a.attname::text,
  case when a.attname in ('tenant_id', 'organization_id', 'acts_for') then 'tenant' else 'member' end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname in ('public', 'auth', 'vital')
  and (a.attname in ('tenant_id', 'organization_id', 'user_id', 'caller', 'acts_for'))
  and (n.nspname, c.relname) not in (('public', 'users'), ('public', 'profiles'))
order by 1, 2, 3;

-- name: DeleteOwned
-- {table}, {column} and {owner} are names from the catalog, quoted.
delete from only {table} t using pg_temp.gone g where t.{column} = g.{owner};

-- name: DeleteTokens
delete from auth.refresh_tokens t using auth.sessions s, pg_temp.gone g where s.id = t.session_id and s.user_id = g.member;

-- name: DeleteVersions
delete from vital.versions v using pg_temp.gone g where v.scope = 'tenant' and v.key = g.tenant;

-- name: DeleteMemberVersions
delete from vital.versions v using pg_temp.gone g where v.scope in ('membership', 'self') and v.key = g.member;

-- name: Rehome
-- Whoever stays and had one of these as their default has none.
update public.users u set organization_id = null
from pg_temp.gone g
where u.organization_id = g.tenant and not exists (select from pg_temp.gone m where m.member = u.id);

-- name: Unprofile
update public.profiles p set tenant_id = null
from pg_temp.gone g
where p.tenant_id = g.tenant and not exists (select from pg_temp.gone m where m.member = p.id);

-- name: DeleteProfiles
delete from public.profiles p using pg_temp.gone g where p.id = g.member;

-- name: DeleteUsers
delete from public.users u using pg_temp.gone g where u.id = g.member;

-- name: DeleteAccounts
delete from auth.users u using pg_temp.gone g where u.id = g.member;

-- name: DeleteOrganizations
delete from public.organizations o using pg_temp.gone g where o.id = g.tenant;

-- name: DeleteFlagHistory
delete from public.feature_flag_versions v using pg_catalog.generate_series(1, $1::integer) n where v.feature_flag_id = pg_catalog.md5('flag ' || n)::uuid;

-- name: DeleteFlags
delete from public.feature_flags f using pg_catalog.generate_series(1, $1::integer) n where f.id = pg_catalog.md5('flag ' || n)::uuid;
