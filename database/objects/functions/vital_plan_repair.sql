-- owner: vital_definer
-- after: vital_forbidding_key.sql
-- after: vital_reads_accounts.sql
-- after: vital_account_name.sql
-- after: vital_tenant_template.sql
--
-- What the repair of one check of data would write, row by row: new is what is inserted (old is null) or set on the row row_id of
-- tenant_id, old what those columns hold now. p_tenant is the tenant that accounts and users of no tenant are given to; without it
-- they are left alone. Nothing is written. orgs_without_config is M7-1 of the assessment, accounts_without_user M7-2,
-- users_without_profile M7-3, orgs_without_apps M7-4.
create or replace function vital.plan_repair(p_check text, p_tenant uuid default null)
returns table (table_name text, tenant_id uuid, row_id uuid, old jsonb, new jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_check
  when 'orgs_without_config' then
    return query
      select 'tenant_configurations', o.id, null::uuid, null::jsonb, jsonb_build_object('tenant_id', o.id)
        || (vital.tenant_template(o.tenant_type)).configuration
      from public.organizations o
      where o.is_active and not exists (select from public.tenant_configurations c where c.tenant_id = o.id)
      order by o.id;
  when 'orgs_without_apps' then
    return query
      select 'tenant_apps', o.id, null::uuid, null::jsonb, jsonb_build_object(
        'tenant_id', o.id, 'app_key', a.key, 'app_name', a.name, 'app_route', a.route, 'app_icon', a.icon,
        'is_visible', coalesce(a.visible, true), 'is_enabled', coalesce(a.enabled, true), 'display_order', coalesce(a."order", 0),
        'config', coalesce(a.config, '{}'))
      from public.organizations o
      cross join lateral jsonb_to_recordset((vital.tenant_template(o.tenant_type)).apps)
        a (key text, name text, route text, icon text, visible boolean, enabled boolean, "order" integer, config jsonb)
      where o.is_active and not exists (select from public.tenant_apps t where t.tenant_id = o.id)
      order by o.id, a."order", a.key;
  when 'users_without_org' then
    return query
      select w.* from public.users u
      left join lateral (
        select m.tenant_id from public.user_tenants m join public.organizations o on o.id = m.tenant_id
        where m.user_id = u.id and m.status = 'active' and o.is_active order by m.joined_at, m.tenant_id limit 1
      ) m on true
      cross join lateral (
        select 'user_tenants', p_tenant, null::uuid, null::jsonb, jsonb_build_object('tenant_id', p_tenant, 'user_id', u.id, 'role', 'member')
        where m.tenant_id is null
        union all
        select 'users', null::uuid, u.id, jsonb_build_object('organization_id', null), jsonb_build_object('organization_id', coalesce(m.tenant_id, p_tenant))
      ) w (table_name, tenant_id, row_id, old, new)
      where u.organization_id is null and coalesce(m.tenant_id, p_tenant) is not null
        -- a membership that was suspended is not a way in
        and (m.tenant_id is not null or not exists (select from public.user_tenants x where x.user_id = u.id and x.tenant_id = p_tenant))
      order by u.id;
  when 'users_without_profile' then
    return query
      select 'profiles', null::uuid, u.id, null::jsonb, jsonb_build_object(
        'id', u.id, 'email', u.email, 'full_name', coalesce(vital.account_name(u.id), split_part(u.email, '@', 1)), 'role', 'user', 'tenant_id', u.organization_id)
      from public.users u
      where not exists (select from public.profiles p where p.id = u.id)
      order by u.id;
  when 'accounts_without_user' then
    if p_tenant is null or not vital.reads_accounts() then
      return;
    end if;
    return query
      select w.* from auth.users a
      cross join lateral (values
        ('users', null::uuid, a.id, null::jsonb, jsonb_build_object('id', a.id, 'organization_id', p_tenant, 'email', coalesce(a.email, ''), 'created_at', a.created_at)),
        ('user_tenants', p_tenant, null::uuid, null::jsonb, jsonb_build_object('tenant_id', p_tenant, 'user_id', a.id, 'role', 'member'))
      ) w (table_name, tenant_id, row_id, old, new)
      where not exists (select from public.users u where u.id = a.id)
      order by a.id;
  when 'users_outside_org' then
    -- Whoever is a member of nothing else is left as they are: nobody is let in anywhere by a repair that does not say so.
    return query
      select 'users', null::uuid, u.id, jsonb_build_object('organization_id', u.organization_id), jsonb_build_object('organization_id', m.tenant_id)
      from public.users u
      cross join lateral (
        select m.tenant_id from public.user_tenants m join public.organizations o on o.id = m.tenant_id
        where m.user_id = u.id and m.status = 'active' and o.is_active order by m.joined_at, m.tenant_id limit 1
      ) m
      where u.organization_id is not null
        and not exists (select from public.user_tenants x where x.user_id = u.id and x.tenant_id = u.organization_id and x.status = 'active')
        and not exists (select from public.profiles p where p.id = u.id and p.role = 'super_admin')
      order by u.id;
  when 'profiles_outside_tenant' then
    return query
      select 'profiles', null::uuid, p.id, jsonb_build_object('tenant_id', p.tenant_id), jsonb_build_object('tenant_id', case when exists (
          select from public.user_tenants m where m.user_id = p.id and m.tenant_id = u.organization_id) then u.organization_id end)
      from public.profiles p join public.users u on u.id = p.id
      where p.tenant_id is not null and p.role <> 'super_admin'
        and not exists (select from public.user_tenants m where m.user_id = p.id and m.tenant_id = p.tenant_id)
      order by p.id;
  when 'overrides_of_unknown_variants' then
    return query
      select 'tenant_feature_flags', t.tenant_id, t.id, jsonb_build_object('variant', t.variant), jsonb_build_object('variant', null)
      from public.tenant_feature_flags t join public.feature_flags f on f.id = t.feature_flag_id
      where t.variant is not null and f.variants <> '{}' and not f.variants ? t.variant
      order by t.tenant_id, t.id;
  when 'apps_without_route' then
    return query
      select 'tenant_apps', a.tenant_id, a.id, jsonb_build_object('app_route', a.app_route), jsonb_build_object('app_route', '/' || a.app_key)
      from public.tenant_apps a
      where vital.forbidding_key('tenant_apps', 'app_route', 'c') is null and coalesce(a.app_route, '') !~ '^/'
      order by a.tenant_id, a.id;
  when 'deprecated_tools_assigned' then
    return query
      select 'agents', a.tenant_id, a.id, jsonb_build_object('capabilities', a.capabilities), jsonb_build_object('capabilities', n.capabilities)
      from public.agents a
      cross join lateral (
        select array_agg(x.name order by x.place) as capabilities
        from (
          select coalesce(r.slug, c.name) as name, min(c.place) as place
          from unnest(a.capabilities) with ordinality c (name, place)
          left join lateral (
            select t.deprecated, t.replacement_tool_tenant_id, t.replacement_tool_id from public.tools t
            where t.slug = c.name and t.tenant_id in (a.tenant_id, '00000000-0000-0000-0000-000000000001')
            order by t.tenant_id = a.tenant_id desc limit 1 -- its own before the platform's
          ) t on true
          left join public.tools r on t.deprecated and (r.tenant_id, r.id) = (t.replacement_tool_tenant_id, t.replacement_tool_id) and not r.deprecated
          group by 1
        ) x
      ) n
      where a.status = 'active' and a.capabilities <> '{}' and n.capabilities <> a.capabilities
      order by a.tenant_id, a.id;
  when 'invitations_expired' then
    return query
      select 'invitations', i.tenant_id, i.id, jsonb_build_object('revoked_at', null), jsonb_build_object('revoked_at', i.expires_at)
      from public.invitations i
      where i.accepted_at is null and i.revoked_at is null and i.expires_at <= now()
      order by i.tenant_id, i.id;
  else
    return; -- a check without a repair: somebody must decide
  end case;
end
$$;
comment on function vital.plan_repair(text, uuid) is 'What the repair of one check of data would write';
grant execute on function vital.plan_repair(text, uuid) to service_role;
