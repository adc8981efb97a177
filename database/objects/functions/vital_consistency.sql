-- owner: vital_definer
-- after: vital_forbidding_key.sql
-- after: vital_reads_accounts.sql
--
-- The checks of data, one row each: how many rows are wrong, counted over all tenants, and how bad that is (FAIL, or WARNING for what
-- harms nobody yet). kept is the key that forbids what is looked for; nothing is counted then. Each is one pass over what it
-- looks at, hashed: it takes the locks of a reader.
create or replace function vital.consistency()
returns table (place integer, check_name text, severity text, subject text, wrong bigint, kept text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  key text;
begin
  return query select 1, 'orgs_without_config', 'FAIL', 'Organizations missing tenant_configurations', count(*), null::text
    from public.organizations o
    where o.is_active and not exists (select from public.tenant_configurations c where c.tenant_id = o.id);

  return query select 2, 'orgs_without_apps', 'FAIL', 'Organizations missing tenant_apps', count(*), null::text
    from public.organizations o
    where o.is_active and not exists (select from public.tenant_apps a where a.tenant_id = o.id);

  return query select 3, 'users_without_org', 'FAIL', 'Users missing organization_id', count(*), null::text
    from public.users u where u.organization_id is null;

  return query select 4, 'users_without_profile', 'FAIL', 'Users missing profile', count(*), null::text
    from public.users u where not exists (select from public.profiles p where p.id = u.id);

  key := vital.forbidding_key('agents', 'tenant_id', 'n');
  return query select 5, 'agents_without_tenant', 'FAIL', 'Agents missing tenant_id', count(*), key
    from public.agents a where key is null and a.tenant_id is null;

  key := vital.forbidding_key('tools', 'tenant_id', 'n');
  return query select 6, 'tools_without_tenant', 'FAIL', 'Tools missing tenant_id', count(*), key
    from public.tools t where key is null and t.tenant_id is null;

  -- A managed platform may keep its accounts to itself.
  key := case when not vital.reads_accounts() then 'auth.users cannot be read here' end;
  if key is null then
    return query select 7, 'accounts_without_user', 'FAIL', 'Accounts missing from users', count(*), null::text
      from auth.users a where not exists (select from public.users u where u.id = a.id);
  else
    return query select 7, 'accounts_without_user', 'FAIL', 'Accounts missing from users', 0::bigint, key;
  end if;

  return query select 8, 'users_outside_org', 'WARNING', 'Users who are no active member of their organization', count(*), null::text
    from public.users u
    where u.organization_id is not null
      and not exists (select from public.user_tenants m where m.user_id = u.id and m.tenant_id = u.organization_id and m.status = 'active')
      and not exists (select from public.profiles p where p.id = u.id and p.role = 'super_admin');

  key := case when vital.forbidding_key('user_tenants', 'user_id', 'f') is not null and vital.forbidding_key('user_tenants', 'tenant_id', 'f') is not null
    then vital.forbidding_key('user_tenants', 'user_id', 'f') end;
  return query select 9, 'orphaned_memberships', 'FAIL', 'Memberships whose user or organization is gone', count(*), key
    from public.user_tenants m
    where key is null and (not exists (select from public.users u where u.id = m.user_id)
      or not exists (select from public.organizations o where o.id = m.tenant_id));

  return query select 10, 'profiles_outside_tenant', 'WARNING', 'Profiles of a tenant their user does not belong to', count(*), null::text
    from public.profiles p
    where p.tenant_id is not null and p.role <> 'super_admin'
      and not exists (select from public.user_tenants m where m.user_id = p.id and m.tenant_id = p.tenant_id);

  return query select 11, 'orgs_without_admin', 'FAIL', 'Organizations with members and no active owner or admin', count(*), null::text
    from public.organizations o
    where o.is_active
      and exists (select from public.user_tenants m where m.tenant_id = o.id)
      and not exists (select from public.user_tenants m where m.tenant_id = o.id and m.role in ('owner', 'admin') and m.status = 'active');

  key := vital.forbidding_key('tenant_feature_flags', 'feature_flag_id', 'f');
  return query select 12, 'overrides_of_unknown_flags', 'FAIL', 'Overrides of flags that do not exist', count(*), key
    from public.tenant_feature_flags t
    where key is null and not exists (select from public.feature_flags f where f.id = t.feature_flag_id);

  return query select 13, 'overrides_of_unknown_variants', 'FAIL', 'Overrides of variants that their flag does not have', count(*), null::text
    from public.tenant_feature_flags t
    join public.feature_flags f on f.id = t.feature_flag_id
    where t.variant is not null and f.variants <> '{}' and not f.variants ? t.variant;

  key := vital.forbidding_key('tenant_apps', 'app_route', 'c');
  return query select 14, 'apps_without_route', 'FAIL', 'Apps without a route', count(*), key
    from public.tenant_apps a where key is null and coalesce(a.app_route, '') !~ '^/';

  return query select 15, 'deprecated_tools_assigned', 'WARNING', 'Active agents that name a deprecated tool', count(*), null::text
    from public.agents a
    where a.status = 'active' and a.capabilities <> '{}' and exists (
      select from unnest(a.capabilities) c (name)
      cross join lateral (
        select t.deprecated from public.tools t
        where t.slug = c.name and t.tenant_id in (a.tenant_id, '00000000-0000-0000-0000-000000000001')
        order by t.tenant_id = a.tenant_id desc limit 1 -- its own before the platform's
      ) t
      where t.deprecated);

  return query select 16, 'orgs_over_limits', 'WARNING', 'Organizations with more agents or conversations than their limits', count(*), null::text
    from public.tenant_configurations c
    left join (select a.tenant_id, count(*) as n from public.tenant_agents a group by a.tenant_id) agents using (tenant_id)
    left join (select s.tenant_id, count(*) as n from public.chat_sessions s group by s.tenant_id) chats using (tenant_id)
    where jsonb_typeof(c.limits -> 'max_agents') = 'number' and agents.n > (c.limits ->> 'max_agents')::numeric
      or jsonb_typeof(c.limits -> 'max_conversations') = 'number' and chats.n > (c.limits ->> 'max_conversations')::numeric;

  return query select 17, 'audit_gaps', 'FAIL', 'Organizations whose audit chain has gaps', count(*), null::text
    from (select l.organization_id, count(*) as n, max(l.seq) as last from public.organization_audit_log l group by l.organization_id) l
    full join vital.audit_heads h using (organization_id)
    where l.n is distinct from l.last or l.last is distinct from h.seq;

  return query select 18, 'invitations_expired', 'WARNING', 'Invitations that expired and were not revoked', count(*), null::text
    from public.invitations i where i.accepted_at is null and i.revoked_at is null and i.expires_at <= now();
end
$$;
comment on function vital.consistency() is 'The checks of data: how many rows are wrong, and what forbids it';
grant execute on function vital.consistency() to service_role;
