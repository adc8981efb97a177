-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_require_value.sql
--
-- What the tenant the caller acts in uses of its limits, and has of other things, for its members: used is null where the server measures
-- it and not the database, allowed where there is no limit. Counting ends at 10000, or at the limit where that is more, up to a million:
-- used is then a lower bound (is_lower_bound). Open invitations are told to admins alone, who may read them. Definer, because members
-- may not read what is counted: conversations are their users' own.
create or replace function public.get_tenant_usage()
returns table (limit_name text, used bigint, allowed numeric, is_lower_bound boolean)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_member();
  tenant constant uuid := standing.tenant_id;
  limits jsonb;
  bound record;
begin
  select c.limits into limits from public.tenant_configurations c where c.tenant_id = tenant;
  if not found then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
  for bound in select l.key, jsonb_typeof(l.value) as type from jsonb_each(limits) l
    where l.key in ('max_agents', 'max_conversations', 'requests_per_second', 'concurrent_requests') loop
    perform vital.require_value(bound.type in ('number', 'null'), 'limits.' || bound.key, 'a number');
  end loop;
  return query
    with allowance as (
      select k.name, (limits ->> k.name)::numeric as most, least(greatest(10000, (limits ->> k.name)::numeric), 1000000)::bigint as up_to
      from unnest(array['max_agents', 'max_conversations']) k (name)
    ), counted (place, name, n, most, up_to) as (
      select 1, a.name, (select count(*) from (select from public.tenant_agents x where x.tenant_id = tenant limit a.up_to + 1) c), a.most, a.up_to
      from allowance a where a.name = 'max_agents'
      union all
      select 2, a.name, (select count(*) from (select from public.chat_sessions x where x.tenant_id = tenant limit a.up_to + 1) c), a.most, a.up_to
      from allowance a where a.name = 'max_conversations'
      union all
      select 5, 'members', (select count(*) from (select from public.user_tenants x where x.tenant_id = tenant and x.status = 'active' limit 10001) c), null, 10000
      union all
      select 6, 'pending_invitations', (
        select count(*) from (
          select from public.invitations x
          where x.tenant_id = tenant and x.accepted_at is null and x.revoked_at is null and x.expires_at > now()
          limit 10001
        ) c), null, 10000
      where standing.is_super_admin or standing.role in ('owner', 'admin')
      union all
      select 7, 'agents', (select count(*) from (select from public.agents x where x.tenant_id = tenant limit 10001) c), null, 10000
      union all
      select 8, 'tools', (select count(*) from (select from public.tools x where x.tenant_id = tenant limit 10001) c), null, 10000
      union all
      select 9, 'prompts', (select count(*) from (select from public.prompts x where x.tenant_id = tenant limit 10001) c), null, 10000
      union all
      select 10, 'knowledge', (select count(*) from (select from public.knowledge x where x.tenant_id = tenant limit 10001) c), null, 10000
      union all
      select 11, 'personas', (select count(*) from (select from public.personas x where x.tenant_id = tenant limit 10001) c), null, 10000
      union all
      select 12, 'jobs_to_be_done', (select count(*) from (select from public.jobs_to_be_done x where x.tenant_id = tenant limit 10001) c), null, 10000
    ), listed as (
      select c.place, c.name, least(c.n, c.up_to) as n, c.most, c.n > c.up_to as more from counted c
      union all
      select 3, 'requests_per_second', null, (limits ->> 'requests_per_second')::numeric, false
      union all
      select 4, 'concurrent_requests', null, (limits ->> 'concurrent_requests')::numeric, false
    )
    select l.name, l.n, l.most, l.more from listed l order by l.place;
end
$$;
comment on function public.get_tenant_usage() is 'What the caller''s tenant uses of its limits, and has of other things';
grant execute on function public.get_tenant_usage() to authenticated, service_role;
