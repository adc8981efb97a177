The platform of the scenario faults, and what is planted in it, as its operator: somebody who is logged in to the database.

-- name: Members
-- Users of each of $1 tenants besides its admin, $2 of each.
with person as (
  select md5('user ' || t * 1000 + n)::uuid as id, md5('tenant ' || t)::uuid as tenant_id, 'user-' || t * 1000 + n || '@example.test' as email
  from generate_series(1, $1::int) t cross join generate_series(1, $2::int) n
), users as (
  insert into public.users (id, organization_id, email) select p.id, p.tenant_id, p.email from person p
), accounts as (
  insert into auth.users (id, email) select p.id, p.email from person p
), profiles as (
  insert into public.profiles (id, email, full_name) select p.id, p.email, p.email from person p
), versions as (
  insert into vital.versions (scope, key) select v.scope, p.id from person p cross join (values ('membership'), ('self')) v (scope)
)
insert into public.user_tenants (tenant_id, user_id, role) select p.tenant_id, p.id, 'member' from person p

-- name: Function
create function public.prompt_summary() returns bigint language sql stable set search_path = pg_catalog, pg_temp
as $$ select count(*) from public.prompts $$

-- name: FunctionRevoke
revoke execute on function public.prompt_summary() from public

-- name: FunctionGrant
grant execute on function public.prompt_summary() to authenticated

-- name: Slow
create or replace function public.prompt_summary() returns bigint language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_sleep(1.2);
  return (select count(*) from public.prompts);
end
$$

-- name: Fast
create or replace function public.prompt_summary() returns bigint language sql stable set search_path = pg_catalog, pg_temp
as $$ select count(*) from public.prompts $$

-- name: Configuration
select to_jsonb(c)::text from public.tenant_configurations c where c.tenant_id = $1

-- name: Unconfigure
delete from public.tenant_configurations where tenant_id = $1

-- name: Configure
insert into public.tenant_configurations select c.* from jsonb_populate_record(null::public.tenant_configurations, $1::text::jsonb) c

-- name: Revoke
revoke select on public.agents from authenticated

-- name: Grant
grant select on public.agents to authenticated
