The same rows without any policy: a view of a superuser, whom no policy binds, which the planner takes apart, so that nothing but the
condition differs. And a copy of them under the assessment's policy (4.2): as a condition of a view it would be another plan.

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
create unlogged table bench.agents_assessment as select id, tenant_id, name, slug, tier, status, updated_at from public.agents

-- name: AssessmentIndex
create index on bench.agents_assessment (tenant_id)

-- name: AssessmentEnable
alter table bench.agents_assessment enable row level security

-- name: AssessmentPolicy
create policy agents_read on bench.agents_assessment for select to authenticated
  using (tenant_id in (select u.organization_id from bench.users u where u.id = bench.uid()))

-- name: AssessmentGrant
grant select on bench.agents_assessment to authenticated

-- name: AssessmentAnalyze
analyze bench.agents_assessment

-- name: ListOurs
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from public.agents a

-- name: ListVerified
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_plain a where a.tenant_id = any (array(select vital.readable_tenant_ids()))

-- name: ListPlain
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_plain a where a.tenant_id = $1

-- name: ListAssessment
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_assessment a
