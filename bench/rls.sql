Copies of public.agents with the same rows, columns and indexes, and the same list query on each.

-- name: Plain
create table bench.agents_plain (like public.agents including all)

-- name: PlainRows
insert into bench.agents_plain select * from public.agents

-- name: PlainGrant
grant select on bench.agents_plain to authenticated

-- name: Assessment
create table bench.agents_assessment (like public.agents including all)

-- name: AssessmentRows
insert into bench.agents_assessment select * from public.agents

-- name: AssessmentGrant
grant select on bench.agents_assessment to authenticated

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

-- name: AssessmentEnable
alter table bench.agents_assessment enable row level security

-- name: AssessmentPolicy
create policy agents_read on bench.agents_assessment for select to authenticated
  using (tenant_id in (select u.organization_id from bench.users u where u.id = bench.uid()))

-- name: ListOurs
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from public.agents a

-- name: ListPlain
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_plain a where a.tenant_id = $1

-- name: ListAssessment
select a.id, a.name, a.slug, a.tier, a.status, a.updated_at from bench.agents_assessment a
