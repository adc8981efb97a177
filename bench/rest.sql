The rows of the scenario rest, and a copy of them as an application without VITAL would have it: a plain
policy on the claims of the request, read once a statement.

-- name: Prompts
insert into public.prompts (tenant_id, title, body, description, category, tags)
select md5('tenant ' || n)::uuid, 'Prompt ' || lpad(p::text, 4, '0'), 'Summarise the report in ' || p || ' sentences, for readers who are in a hurry.',
  'What prompt ' || p || ' is for', 'general', '{reports}'
from generate_series(1, $1::int) n
cross join generate_series(1, $2::int) p
order by n, p

-- name: MorePrompts
insert into public.prompts (tenant_id, title, body, description, category, tags)
select md5('tenant ' || $1::int)::uuid, 'Prompt ' || lpad(p::text, 4, '0'), 'Summarise the report in ' || p || ' sentences, for readers who are in a hurry.',
  'What prompt ' || p || ' is for', 'general', '{reports}'
from generate_series($2::int, $3::int) p

-- name: Schema
create schema plain

-- name: Login
create role plain_api login noinherit in role anon, authenticated

-- name: Table
create table plain.prompts (like public.prompts including all)

-- name: Rows
insert into plain.prompts select * from public.prompts order by tenant_id, title

-- name: Enable
alter table plain.prompts enable row level security

-- name: Policy
create policy prompts_of_tenant on plain.prompts to authenticated
  using (tenant_id = (select (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'tenant')::uuid))

-- name: SchemaGrant
grant usage on schema plain to anon, authenticated

-- name: TableGrant
grant select, insert on plain.prompts to authenticated

-- name: Hold
update public.tenant_configurations
set limits = limits || jsonb_build_object('requests_per_second', $2::int, 'concurrent_requests', 1)
where tenant_id = md5('tenant ' || $1::int)::uuid

-- name: RowSize
select pg_total_relation_size('public.prompts')::float8 / count(*) from public.prompts
