The same rows without any policy, and with the assessment's (4.2): views of a superuser, whom no policy binds, which the planner
takes apart, so that nothing but the condition differs.

-- name: Plain
create view bench.agents_plain as select * from public.agents

-- name: PlainGrant
grant select on bench.agents_plain to authenticated

-- name: UsersOf
create table bench.users (id uuid primary key, organization_id uuid)

-- name: UsersRows
insert into bench.users select id, organization_id from public.users

-- name: UsersGrant
grant select on bench.users to authenticated

-- name: Uid
create function bench.uid() returns uuid language sql stable
  as $$ select nullif(split_part(current_setting('vital.context', true), '.', 3), '')::uuid $$

-- name: UidGrant
grant execute on function bench.uid() to authenticated

-- name: Assessment
create view bench.agents_assessment as
select * from public.agents where tenant_id in (select u.organization_id from bench.users u where u.id = bench.uid())

-- name: AssessmentGrant
grant select on bench.agents_assessment to authenticated

-- name: ListOurs
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from public.agents a

-- name: ListVerified
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_plain a where a.tenant_id = any (array(select vital.readable_tenant_ids()))

-- name: ListPlain
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_plain a where a.tenant_id = $1

-- name: ListAssessment
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_assessment a
