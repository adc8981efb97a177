What the scenario lifecycle has beside load.sql, what it does to a tenant by hand, and the sums that say whether rows are as they were.

-- name: Members
-- Users who are members of one tenant alone, the first its owner: they go with it.
insert into public.users (id, organization_id, email)
select md5('member ' || n || ' ' || m)::uuid, md5('tenant ' || n)::uuid, 'member-' || n || '-' || m || '@example.test'
from generate_series(1, $1::int) n cross join generate_series(1, $2::int) m

-- name: MemberAccounts
insert into auth.users (id, email)
select md5('member ' || n || ' ' || m)::uuid, 'member-' || n || '-' || m || '@example.test'
from generate_series(1, $1::int) n cross join generate_series(1, $2::int) m

-- name: MemberProfiles
insert into public.profiles (id, email, full_name)
select md5('member ' || n || ' ' || m)::uuid, 'member-' || n || '-' || m || '@example.test', 'Member ' || m
from generate_series(1, $1::int) n cross join generate_series(1, $2::int) m

-- name: MemberMemberships
insert into public.user_tenants (tenant_id, user_id, role)
select md5('tenant ' || n)::uuid, md5('member ' || n || ' ' || m)::uuid, case m when 1 then 'owner' else 'member' end
from generate_series(1, $1::int) n cross join generate_series(1, $2::int) m

-- name: Operator
create role bench_operator login in role service_role

-- name: ChangePrompts
update public.prompts set body = 'damaged', tags = '{damaged}' where tenant_id = $1 and title ~ '[37]$'

-- name: ChangeConfiguration
update public.tenant_configurations set ui_config = '{}', enabled_features = '{}' where tenant_id = $1

-- name: DeleteAgents
delete from public.agents where tenant_id = $1 and slug ~ '[05]$'

-- name: DeleteOverrides
delete from public.tenant_feature_flags where tenant_id = $1 and enabled

-- name: DeleteMembers
delete from public.user_tenants where tenant_id = $1 and role = 'member'

-- name: InsertPrompts
insert into public.prompts (tenant_id, title, body, category)
select $1, 'Made by hand ' || n, 'What nobody asked for', 'general' from generate_series(1, 40) n

-- name: InsertApps
insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, display_order)
select $1, 'made-' || n, 'Made ' || n, '/made-' || n, 'box', 100 + n from generate_series(1, 3) n

-- name: Sums
-- A sum over rows for each of whom they are, in whatever order they lie. $1 are columns that do not count.
select {owner}, count(*), sum(('x' || left(md5((to_jsonb(t) - $1::text[])::text), 16))::bit(64)::bigint)
from {table} t
group by 1

-- name: SumsOfOne
select {owner}, count(*), sum(('x' || left(md5((to_jsonb(t) - $1::text[])::text), 16))::bit(64)::bigint)
from {table} t
where {owner} = $2
group by 1

-- name: PeopleOf
select m.user_id::text from public.user_tenants m where m.tenant_id = any ($1::uuid[])

-- name: Compute
-- One connection that is busy and reads, writes and locks nothing.
select sum(sqrt(n)) from generate_series(1, 500000) n

-- name: Onboarded
-- Tenants of a file that can be used: with a configuration, apps, and an owner.
select o.id::text
from public.organizations o
where o.tenant_key like $1 and o.lifecycle_state = 'active'
  and exists (select from public.tenant_configurations c where c.tenant_id = o.id)
  and exists (select from public.tenant_apps a where a.tenant_id = o.id)
  and exists (select from public.user_tenants m where m.tenant_id = o.id and m.role = 'owner' and m.status = 'active')
