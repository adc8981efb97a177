-- The schema of a fresh install, owners and grants included: what migrations and objects add up to.
-- Written by make schema, never by hand; a test compares it with a server of the same major version:
-- PostgreSQL 15

CREATE SCHEMA auth;

ALTER SCHEMA auth OWNER TO vital_owner;

COMMENT ON SCHEMA auth IS 'Accounts and the caller''s identity, compatible with Supabase';

CREATE SCHEMA public;

ALTER SCHEMA public OWNER TO pg_database_owner;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA vital;

ALTER SCHEMA vital OWNER TO vital_owner;

COMMENT ON SCHEMA vital IS 'VITAL internals: versions, seal keys, applied objects, migrations';

CREATE TYPE public.org_lifecycle_state AS ENUM (
    'pending',
    'active',
    'suspended',
    'archived'
);

ALTER TYPE public.org_lifecycle_state OWNER TO vital_owner;

COMMENT ON TYPE public.org_lifecycle_state IS 'pending: created, awaiting approval; active; suspended: temporarily disabled; archived: permanently disabled';

CREATE TYPE vital.caller AS (
	user_id uuid,
	tenant text,
	role text,
	session_id uuid
);

ALTER TYPE vital.caller OWNER TO vital_owner;

COMMENT ON TYPE vital.caller IS 'A verified identity: who, which tenant they name (id, slug or empty for their default), in which role';

CREATE TYPE vital.membership AS (
	tenant_id uuid,
	user_id uuid,
	role text,
	is_super_admin boolean,
	state public.org_lifecycle_state
);

ALTER TYPE vital.membership OWNER TO vital_owner;

COMMENT ON TYPE vital.membership IS 'The caller in their current tenant';

CREATE TYPE vital.river_job_state AS ENUM (
    'available',
    'cancelled',
    'completed',
    'discarded',
    'pending',
    'retryable',
    'running',
    'scheduled'
);

ALTER TYPE vital.river_job_state OWNER TO vital_owner;

COMMENT ON TYPE vital.river_job_state IS 'Where a background job stands';

CREATE FUNCTION auth.role() RETURNS text
    LANGUAGE sql STABLE
    AS $$select (vital.identity()).role$$;

ALTER FUNCTION auth.role() OWNER TO vital_owner;

COMMENT ON FUNCTION auth.role() IS 'The caller''s role, from the sealed context';

CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
    AS $$select (vital.identity()).user_id$$;

ALTER FUNCTION auth.uid() OWNER TO vital_owner;

COMMENT ON FUNCTION auth.uid() IS 'The caller''s user id, from the sealed context';

CREATE TABLE public.user_tenants (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    role text DEFAULT 'member'::text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    invited_by uuid,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_tenants_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
    CONSTRAINT user_tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

ALTER TABLE ONLY public.user_tenants FORCE ROW LEVEL SECURITY;

ALTER TABLE public.user_tenants OWNER TO vital_owner;

COMMENT ON TABLE public.user_tenants IS 'Membership: which user belongs to which tenant, and as what.';

COMMENT ON COLUMN public.user_tenants.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.user_tenants.id IS 'Identifier, random';

COMMENT ON COLUMN public.user_tenants.user_id IS 'The member';

COMMENT ON COLUMN public.user_tenants.role IS 'Role in this tenant: owner, admin, member (reads and writes) or viewer (reads)';

COMMENT ON COLUMN public.user_tenants.status IS 'active, or suspended: kept but without any access';

COMMENT ON COLUMN public.user_tenants.invited_by IS 'User who made the invitation, if there was one';

COMMENT ON COLUMN public.user_tenants.joined_at IS 'When the membership began';

COMMENT ON COLUMN public.user_tenants.created_at IS 'When the row was made';

COMMENT ON COLUMN public.user_tenants.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.accept_invitation(p_token text) RETURNS public.user_tenants
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Sign in with the address the invitation was sent to.';
  end if;
  return vital.accept_invitation(caller.user_id, p_token);
end
$$;

ALTER FUNCTION public.accept_invitation(p_token text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.accept_invitation(p_token text) IS 'Makes the caller a member by an invitation';

CREATE FUNCTION public.approve_erasure(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  erasure vital.erasures;
begin
  perform vital.require_operator();
  erasure := vital.open_erasure(p_id, array['requested']);
  if erasure.requested_by = vital.operator_name() then
    raise exception using errcode = 'VT110', message = 'You asked for this erasure yourself.',
      hint = 'It takes two: another operator approves it, with a login or an account of their own.';
  end if;
  perform vital.require_erasable(erasure.subject, erasure.subject_id);
  update vital.erasures e set state = 'approved', approved_by = vital.operator_name(), approved_at = now() where e.id = p_id;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_approved', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id)));
end
$$;

ALTER FUNCTION public.approve_erasure(p_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION public.approve_erasure(p_id uuid) IS 'Approves an erasure that another operator asked for';

CREATE TABLE public.tenant_agents (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    agent_tenant_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    display_order integer DEFAULT 0 NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_agents_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
    CONSTRAINT tenant_agents_own_or_platform CHECK (((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))
);

ALTER TABLE ONLY public.tenant_agents FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_agents OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_agents IS 'Agents a tenant has assigned to itself.';

COMMENT ON COLUMN public.tenant_agents.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_agents.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_agents.agent_tenant_id IS 'Owner of the agent: this tenant or the platform tenant';

COMMENT ON COLUMN public.tenant_agents.agent_id IS 'The agent';

COMMENT ON COLUMN public.tenant_agents.is_enabled IS 'Usable; false keeps the assignment but hides it';

COMMENT ON COLUMN public.tenant_agents.display_order IS 'Position in lists, ascending';

COMMENT ON COLUMN public.tenant_agents.config IS 'What this tenant changes about the agent; free form';

COMMENT ON COLUMN public.tenant_agents.assigned_by IS 'Who assigned it';

COMMENT ON COLUMN public.tenant_agents.assigned_at IS 'When it was assigned';

COMMENT ON COLUMN public.tenant_agents.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_agents.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid DEFAULT NULL::uuid, p_config jsonb DEFAULT '{}'::jsonb) RETURNS public.tenant_agents
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.assign_agent(standing.tenant_id, p_agent_id, p_agent_tenant_id, p_config);
end
$$;

ALTER FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) IS 'Assigns an agent to the caller''s tenant';

CREATE FUNCTION public.audit_chain_head() RETURNS TABLE(seq bigint, hash bytea, changed_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select h.seq, h.hash, h.changed_at
  from vital.audit_heads h
  where h.organization_id = (select vital.overseen_tenant_id())
$$;

ALTER FUNCTION public.audit_chain_head() OWNER TO vital_definer;

COMMENT ON FUNCTION public.audit_chain_head() IS 'Where the audit chain of the caller''s tenant ends';

CREATE FUNCTION public.audit_organization_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  before_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'updated_at' end;
  after_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'updated_at' end;
  old_values jsonb := before_row;
  new_values jsonb := after_row;
  action text := case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after_row -> b.key)
    into old_values, new_values
    from jsonb_each(before_row) b
    where b.value is distinct from after_row -> b.key;
    if old_values is null then
      return null; -- nothing changed
    end if;
    if new.lifecycle_state <> old.lifecycle_state then
      action := case new.lifecycle_state
        when 'suspended' then 'suspended'
        when 'archived' then 'archived'
        when 'active' then case old.lifecycle_state when 'pending' then 'approved' else 'activated' end
        else 'updated' end;
    end if;
    if action = 'approved' then
      old_values := old_values - '{approved_at,approved_by}'::text[];
      new_values := new_values - '{approved_at,approved_by}'::text[];
    end if;
  end if;
  perform vital.append_audit((coalesce(after_row, before_row) ->> 'id')::uuid, action, 'organizations',
    (coalesce(after_row, before_row) ->> 'id')::uuid, jsonb_build_object('old', old_values, 'new', new_values));
  return null;
end
$$;

ALTER FUNCTION public.audit_organization_changes() OWNER TO vital_definer;

COMMENT ON FUNCTION public.audit_organization_changes() IS 'Writes one audit row for each change of an organization';

CREATE FUNCTION public.cancel_erasure(p_id uuid, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  erasure vital.erasures;
begin
  perform vital.require_operator();
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why it is called off');
  erasure := vital.open_erasure(p_id, array['requested', 'approved']);
  update vital.erasures e set state = 'cancelled', cancelled_by = vital.operator_name(), cancelled_at = now() where e.id = p_id;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_cancelled', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id)));
end
$$;

ALTER FUNCTION public.cancel_erasure(p_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.cancel_erasure(p_id uuid, p_reason text) IS 'Calls off an erasure that has not begun; for operators';

CREATE TABLE public.feature_flag_changes (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    changes jsonb NOT NULL,
    run_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    reason text,
    created_by uuid,
    applied_at timestamp with time zone,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flag_changes_changes_check CHECK ((jsonb_typeof(changes) = 'object'::text)),
    CONSTRAINT feature_flag_changes_check CHECK (((status = 'applied'::text) = (applied_at IS NOT NULL))),
    CONSTRAINT feature_flag_changes_check1 CHECK (((status = 'failed'::text) = (error IS NOT NULL))),
    CONSTRAINT feature_flag_changes_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'applied'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public.feature_flag_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flag_changes OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flag_changes IS 'Changes of flag definitions that are made at a time of their own.';

COMMENT ON COLUMN public.feature_flag_changes.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flag_changes.feature_flag_id IS 'The flag to change';

COMMENT ON COLUMN public.feature_flag_changes.changes IS 'What it is changed to, as set_feature_flag takes it';

COMMENT ON COLUMN public.feature_flag_changes.run_at IS 'When it is to be made';

COMMENT ON COLUMN public.feature_flag_changes.status IS 'pending, applied, failed or cancelled';

COMMENT ON COLUMN public.feature_flag_changes.reason IS 'Why';

COMMENT ON COLUMN public.feature_flag_changes.created_by IS 'Who scheduled it, and is the author of the version; null for an operator''s own session';

COMMENT ON COLUMN public.feature_flag_changes.applied_at IS 'When it was made; null while it was not';

COMMENT ON COLUMN public.feature_flag_changes.error IS 'Why it could not be made';

COMMENT ON COLUMN public.feature_flag_changes.created_at IS 'When the row was made';

COMMENT ON COLUMN public.feature_flag_changes.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.feature_flag_changes
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  change public.feature_flag_changes;
begin
  perform vital.require_operator();
  perform vital.give_reason(p_reason);
  update public.feature_flag_changes c set status = 'cancelled' where c.id = p_id and c.status = 'pending' returning c.* into change;
  if not found then
    perform vital.refuse_cancel((select c.status from public.feature_flag_changes c where c.id = p_id));
  end if;
  return change;
end
$$;

ALTER FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text) IS 'Cancels a scheduled change of a flag definition';

CREATE TABLE public.tenant_feature_flag_changes (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    changes jsonb NOT NULL,
    run_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    reason text,
    created_by uuid,
    applied_at timestamp with time zone,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_feature_flag_changes_changes_check CHECK ((jsonb_typeof(changes) = ANY (ARRAY['object'::text, 'null'::text]))),
    CONSTRAINT tenant_feature_flag_changes_check CHECK (((status = 'applied'::text) = (applied_at IS NOT NULL))),
    CONSTRAINT tenant_feature_flag_changes_check1 CHECK (((status = 'failed'::text) = (error IS NOT NULL))),
    CONSTRAINT tenant_feature_flag_changes_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'applied'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public.tenant_feature_flag_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flag_changes OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flag_changes IS 'Changes of a tenant''s overrides that are made at a time of their own.';

COMMENT ON COLUMN public.tenant_feature_flag_changes.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flag_changes.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_feature_flag_changes.feature_flag_id IS 'The flag whose override is changed';

COMMENT ON COLUMN public.tenant_feature_flag_changes.changes IS 'What it is changed to, as set_tenant_feature takes it; JSON null takes it away';

COMMENT ON COLUMN public.tenant_feature_flag_changes.run_at IS 'When it is to be made';

COMMENT ON COLUMN public.tenant_feature_flag_changes.status IS 'pending, applied, failed or cancelled';

COMMENT ON COLUMN public.tenant_feature_flag_changes.reason IS 'Why';

COMMENT ON COLUMN public.tenant_feature_flag_changes.created_by IS 'Who scheduled it, and is the author of the version; null for an operator''s own session';

COMMENT ON COLUMN public.tenant_feature_flag_changes.applied_at IS 'When it was made; null while it was not';

COMMENT ON COLUMN public.tenant_feature_flag_changes.error IS 'Why it could not be made';

COMMENT ON COLUMN public.tenant_feature_flag_changes.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_feature_flag_changes.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flag_changes
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.cancel_tenant_feature_change(standing.tenant_id, p_id, p_reason);
end
$$;

ALTER FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text) IS 'Cancels a scheduled change of an override in the caller''s tenant';

CREATE FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text DEFAULT NULL::text) RETURNS public.user_tenants
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  ranks constant text[] := array['viewer', 'member', 'admin', 'owner'];
  standing constant vital.membership := vital.require_over_member(p_user_id);
begin
  if p_role = 'owner' and standing.role <> 'owner' and not standing.is_super_admin then
    raise exception using errcode = 'VT110', message = 'Only owners make owners.', hint = 'Ask an owner of the tenant.';
  elsif p_user_id = standing.user_id and array_position(ranks, p_role) > (
    select array_position(ranks, m.role) from public.user_tenants m where m.tenant_id = standing.tenant_id and m.user_id = p_user_id) then
    raise exception using errcode = 'VT110', message = 'Nobody raises their own role.', hint = 'Ask another admin of the tenant.';
  end if;
  return vital.change_member_role(standing.tenant_id, p_user_id, p_role, p_reason);
end
$$;

ALTER FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text) IS 'Gives a member of the tenant the caller administers another role';

CREATE TABLE public.organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying(255) NOT NULL,
    slug character varying(100) NOT NULL,
    tenant_type character varying(50) NOT NULL,
    tenant_key character varying(100) NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    lifecycle_state public.org_lifecycle_state DEFAULT 'active'::public.org_lifecycle_state NOT NULL,
    subscription_tier text DEFAULT 'standard'::text NOT NULL,
    parent_organization_id uuid,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    approved_at timestamp with time zone,
    approved_by uuid,
    CONSTRAINT organizations_check CHECK ((parent_organization_id <> id)),
    CONSTRAINT organizations_is_active_follows_state CHECK ((is_active = (lifecycle_state = 'active'::public.org_lifecycle_state))),
    CONSTRAINT organizations_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT organizations_name_check CHECK ((btrim((name)::text) <> ''::text)),
    CONSTRAINT organizations_slug_check CHECK (((slug)::text ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text)),
    CONSTRAINT organizations_slug_is_no_uuid CHECK (((slug)::text !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)),
    CONSTRAINT organizations_subscription_tier_check CHECK ((subscription_tier = ANY (ARRAY['free'::text, 'standard'::text, 'professional'::text, 'enterprise'::text]))),
    CONSTRAINT organizations_tenant_key_check CHECK (((tenant_key)::text ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'::text)),
    CONSTRAINT organizations_tenant_type_check CHECK (((tenant_type)::text ~ '^[a-z][a-z0-9_]*$'::text))
);

ALTER TABLE ONLY public.organizations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.organizations OWNER TO vital_owner;

COMMENT ON TABLE public.organizations IS 'Tenants. Shared rows of every kind belong to the platform tenant 00000000-0000-0000-0000-000000000001.';

COMMENT ON COLUMN public.organizations.id IS 'Identifier, random';

COMMENT ON COLUMN public.organizations.name IS 'Name to show';

COMMENT ON COLUMN public.organizations.slug IS 'Short name for URLs and the Vital-Tenant header; never shaped like an id';

COMMENT ON COLUMN public.organizations.tenant_type IS 'Kind of tenant: system, digital_health, pharmaceuticals, or the operator''s own';

COMMENT ON COLUMN public.organizations.tenant_key IS 'The operator''s stable key of this tenant, for imports';

COMMENT ON COLUMN public.organizations.is_active IS 'True exactly when lifecycle_state is active; a trigger keeps both in step';

COMMENT ON COLUMN public.organizations.lifecycle_state IS 'Where the tenant stands in its life; only an active tenant serves its members';

COMMENT ON COLUMN public.organizations.subscription_tier IS 'What the tenant pays for: free, standard, professional or enterprise';

COMMENT ON COLUMN public.organizations.parent_organization_id IS 'The organization this one is part of, if any';

COMMENT ON COLUMN public.organizations.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.organizations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.organizations.updated_at IS 'When the row was last changed';

COMMENT ON COLUMN public.organizations.approved_at IS 'When it was approved; null for one that never awaited approval';

COMMENT ON COLUMN public.organizations.approved_by IS 'User who approved it; null for an operator''s own session, which the audit log names';

CREATE FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) RETURNS public.organizations
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  tenant public.organizations;
  target public.org_lifecycle_state;
begin
  perform vital.require_operator();
  perform vital.require_value(exists (select from vital.lifecycle_moves() m where m.action = p_action),
    'p_action', 'approve, activate, suspend or archive');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tenant''s state changes');
  perform vital.give_reason(p_reason);

  select o.* into tenant from public.organizations o where o.id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  end if;
  select m.to_state into target from vital.lifecycle_moves() m where m.action = p_action and m.from_state = tenant.lifecycle_state;
  if not found then
    perform vital.refuse_move(tenant.lifecycle_state);
  end if;
  update public.organizations o set lifecycle_state = target where o.id = p_tenant_id returning o.* into tenant;
  return tenant;
end
$$;

ALTER FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) IS 'Approves, activates, suspends or archives a tenant';

CREATE FUNCTION public.check_data_consistency() RETURNS TABLE(check_name text, status text, count integer, message text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    select c.check_name, case when c.wrong = 0 then 'OK' else c.severity end, least(c.wrong, 2147483647)::integer,
      c.subject || ': ' || c.wrong || coalesce(' (' || c.kept || ')', '')
    from vital.consistency() c
    order by c.place;
end
$$;

ALTER FUNCTION public.check_data_consistency() OWNER TO vital_definer;

COMMENT ON FUNCTION public.check_data_consistency() IS 'Whether the data of all tenants fits together, check by check; for operators';

CREATE FUNCTION public.cleanup_query_logs() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select from vital.roll_query_performance(30)
$$;

ALTER FUNCTION public.cleanup_query_logs() OWNER TO vital_owner;

COMMENT ON FUNCTION public.cleanup_query_logs() IS 'Drops what query_performance holds from before the last thirty days';

CREATE TABLE public.tenant_configurations (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    ui_config jsonb DEFAULT '{"theme": "default", "logo_url": null, "primary_color": "#4F46E5"}'::jsonb NOT NULL,
    enabled_features text[] DEFAULT '{}'::text[] NOT NULL,
    enabled_apps text[] DEFAULT '{dashboard,chat,agents}'::text[] NOT NULL,
    enabled_agent_tiers integer[] DEFAULT '{1,2,3}'::integer[] NOT NULL,
    limits jsonb DEFAULT '{"max_agents": 100, "max_conversations": 1000}'::jsonb NOT NULL,
    compliance_settings jsonb DEFAULT '{"gdpr_enabled": true, "hipaa_enabled": false}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_configurations_compliance_settings_check CHECK ((jsonb_typeof(compliance_settings) = 'object'::text)),
    CONSTRAINT tenant_configurations_limits_check CHECK ((jsonb_typeof(limits) = 'object'::text)),
    CONSTRAINT tenant_configurations_ui_config_check CHECK ((jsonb_typeof(ui_config) = 'object'::text))
);

ALTER TABLE ONLY public.tenant_configurations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_configurations OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_configurations IS 'Settings of a tenant, one row each, made together with the organization.';

COMMENT ON COLUMN public.tenant_configurations.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_configurations.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_configurations.ui_config IS 'Look: theme, primary_color (#RRGGBB), logo_url';

COMMENT ON COLUMN public.tenant_configurations.enabled_features IS 'Names of features switched on for this tenant beside the flags';

COMMENT ON COLUMN public.tenant_configurations.enabled_apps IS 'Keys of the apps this tenant may use';

COMMENT ON COLUMN public.tenant_configurations.enabled_agent_tiers IS 'Tiers of agents this tenant may assign';

COMMENT ON COLUMN public.tenant_configurations.limits IS 'Upper bounds: max_agents, max_conversations; counts';

COMMENT ON COLUMN public.tenant_configurations.compliance_settings IS 'Regimes the tenant is under: hipaa_enabled, gdpr_enabled';

COMMENT ON COLUMN public.tenant_configurations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_configurations.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text DEFAULT NULL::text) RETURNS public.tenant_configurations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
  model public.tenant_configurations;
  configuration public.tenant_configurations;
begin
  if not vital.is_operator() then
    perform vital.require_admin(p_from);
    perform vital.require_admin(p_to);
  end if;
  perform vital.require_value(p_from <> p_to, 'p_to', 'another tenant than p_from');
  perform vital.require_changeable(p_from);
  perform vital.require_changeable(p_to);
  perform vital.give_reason(p_reason);
  configuration := vital.lock_configuration(p_to);
  select c.* into model from public.tenant_configurations c where c.tenant_id = p_from;
  if not found then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
  model.limits := model.limits - array(select jsonb_object_keys(vital.throttles(model.limits))) || vital.throttles(configuration.limits);

  update public.tenant_configurations c
  set ui_config = model.ui_config, enabled_features = model.enabled_features, enabled_apps = model.enabled_apps,
    enabled_agent_tiers = model.enabled_agent_tiers, limits = model.limits, compliance_settings = model.compliance_settings
  where c.tenant_id = p_to
    and (c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings)
      is distinct from (model.ui_config, model.enabled_features, model.enabled_apps, model.enabled_agent_tiers, model.limits, model.compliance_settings)
  returning c.* into configuration;
  if not found then
    select c.* into configuration from public.tenant_configurations c where c.tenant_id = p_to;
  end if;

  delete from public.tenant_apps a
  where a.tenant_id = p_to
    and not exists (select from public.tenant_apps f where f.tenant_id = p_from and f.app_key = a.app_key);
  insert into public.tenant_apps as a (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order, config)
  select p_to, f.app_key, f.app_name, f.app_route, f.app_icon, f.is_visible, f.is_enabled, f.display_order, f.config
  from public.tenant_apps f
  where f.tenant_id = p_from
  on conflict (tenant_id, app_key) do update
  set app_name = excluded.app_name, app_route = excluded.app_route, app_icon = excluded.app_icon, is_visible = excluded.is_visible,
    is_enabled = excluded.is_enabled, display_order = excluded.display_order, config = excluded.config
  where (a.app_name, a.app_route, a.app_icon, a.is_visible, a.is_enabled, a.display_order, a.config)
    is distinct from (excluded.app_name, excluded.app_route, excluded.app_icon, excluded.is_visible, excluded.is_enabled, excluded.display_order, excluded.config);

  delete from public.tenant_feature_flags t
  where t.tenant_id = p_to
    and not exists (select from public.tenant_feature_flags f where f.tenant_id = p_from and f.feature_flag_id = t.feature_flag_id);
  insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, variant, config, expires_at, reason, created_by)
  select p_to, f.feature_flag_id, f.enabled, f.variant, f.config, f.expires_at, p_reason, caller.user_id
  from public.tenant_feature_flags f
  where f.tenant_id = p_from
  on conflict (tenant_id, feature_flag_id) do update
  set enabled = excluded.enabled, variant = excluded.variant, config = excluded.config, expires_at = excluded.expires_at,
    reason = excluded.reason, created_by = excluded.created_by
  where (t.enabled, t.variant, t.config, t.expires_at) is distinct from (excluded.enabled, excluded.variant, excluded.config, excluded.expires_at);
  return configuration;
end
$$;

ALTER FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text) IS 'Sets one tenant up like another: configuration, apps and flag overrides';

CREATE FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text DEFAULT NULL::text, p_owner_id uuid DEFAULT NULL::uuid, p_subscription_tier text DEFAULT 'standard'::text, p_parent_organization_id uuid DEFAULT NULL::uuid, p_lifecycle_state public.org_lifecycle_state DEFAULT 'active'::public.org_lifecycle_state, p_reason text DEFAULT NULL::text) RETURNS public.organizations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  caller constant vital.caller := vital.identity();
  owner_id constant uuid := coalesce(p_owner_id, caller.user_id);
  tenant public.organizations;
begin
  perform vital.require_operator();
  perform vital.require_value(length(btrim(p_name)) between 1 and 255, 'p_name', 'a name of 1 to 255 characters');
  perform vital.require_value(length(p_slug) <= 100 and p_slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and p_slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    'p_slug', 'lower-case letters, digits and single hyphens, at most 100, and no id');
  perform vital.require_value(length(p_tenant_type) <= 50 and p_tenant_type ~ '^[a-z][a-z0-9_]*$',
    'p_tenant_type', 'lower-case letters, digits and underscores, at most 50');
  perform vital.require_value(p_tenant_key is null or (length(p_tenant_key) <= 100 and p_tenant_key ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'),
    'p_tenant_key', 'letters, digits, dots, hyphens and underscores, at most 100');
  perform vital.require_value(p_subscription_tier in ('free', 'standard', 'professional', 'enterprise'),
    'p_subscription_tier', 'free, standard, professional or enterprise');
  perform vital.require_value(p_lifecycle_state in ('pending', 'active'), 'p_lifecycle_state', 'pending or active');
  perform vital.require_value(owner_id is not null, 'p_owner_id', 'given: service_role stands for no user');
  if not exists (select from public.users u where u.id = owner_id) then
    raise exception using errcode = 'VT205', message = 'There is no such user.', hint = 'p_owner_id is an id of the table users.';
  end if;
  if p_parent_organization_id is not null then
    perform vital.require_changeable(p_parent_organization_id);
  end if;
  perform vital.give_reason(p_reason);

  insert into public.organizations as o (name, slug, tenant_type, tenant_key, subscription_tier, parent_organization_id, lifecycle_state)
  values (btrim(p_name), p_slug, p_tenant_type, coalesce(p_tenant_key, p_slug), p_subscription_tier, p_parent_organization_id, p_lifecycle_state)
  on conflict do nothing
  returning o.* into tenant;
  if not found then
    raise exception using errcode = 'VT203', message = 'There is a tenant with this slug or key already.',
      hint = 'Choose another slug or tenant_key.';
  end if;
  insert into public.user_tenants (tenant_id, user_id, role) values (tenant.id, owner_id, 'owner');
  update public.users u set organization_id = tenant.id where u.id = owner_id and u.organization_id is null;
  return tenant;
end
$_$;

ALTER FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text, p_owner_id uuid, p_subscription_tier text, p_parent_organization_id uuid, p_lifecycle_state public.org_lifecycle_state, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text, p_owner_id uuid, p_subscription_tier text, p_parent_organization_id uuid, p_lifecycle_state public.org_lifecycle_state, p_reason text) IS 'Makes a tenant with configuration, core apps and owner';

CREATE TABLE public.tools (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    tool_type text DEFAULT 'function'::text NOT NULL,
    implementation_type text,
    function_signature text,
    category text,
    category_tenant_id uuid,
    category_id uuid,
    input_schema jsonb,
    output_schema jsonb,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    owner_id uuid,
    deprecated boolean DEFAULT false NOT NULL,
    deprecated_at timestamp with time zone,
    deprecated_reason text,
    replacement_tool_tenant_id uuid,
    replacement_tool_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tools_category_own_or_platform CHECK ((((category_id IS NULL) = (category_tenant_id IS NULL)) AND ((category_tenant_id = tenant_id) OR (category_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tools_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
    CONSTRAINT tools_deprecated_since CHECK ((deprecated = (deprecated_at IS NOT NULL))),
    CONSTRAINT tools_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT tools_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT tools_not_replaced_by_itself CHECK (((replacement_tool_tenant_id <> tenant_id) OR (replacement_tool_id <> id))),
    CONSTRAINT tools_replacement_own_or_platform CHECK ((((replacement_tool_id IS NULL) = (replacement_tool_tenant_id IS NULL)) AND ((replacement_tool_tenant_id = tenant_id) OR (replacement_tool_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tools_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text)),
    CONSTRAINT tools_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.tools FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tools OWNER TO vital_owner;

COMMENT ON TABLE public.tools IS 'Tool registry of a tenant; tools of the platform tenant are offered to all.';

COMMENT ON COLUMN public.tools.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tools.id IS 'Identifier, random';

COMMENT ON COLUMN public.tools.name IS 'Name to show';

COMMENT ON COLUMN public.tools.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.tools.description IS 'What it is for';

COMMENT ON COLUMN public.tools.tool_type IS 'What kind of thing it is: function, api, workflow …';

COMMENT ON COLUMN public.tools.implementation_type IS 'How it is run, as the front end expects it';

COMMENT ON COLUMN public.tools.function_signature IS 'Signature to call it by';

COMMENT ON COLUMN public.tools.category IS 'Group as a plain name, as the front end expects it';

COMMENT ON COLUMN public.tools.category_tenant_id IS 'Owner of the category: this tenant or the platform tenant';

COMMENT ON COLUMN public.tools.category_id IS 'Group as a row of tool_categories';

COMMENT ON COLUMN public.tools.input_schema IS 'JSON Schema of the arguments';

COMMENT ON COLUMN public.tools.output_schema IS 'JSON Schema of the result';

COMMENT ON COLUMN public.tools.config IS 'Settings it runs with; no secrets';

COMMENT ON COLUMN public.tools.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.tools.is_active IS 'False hides it everywhere';

COMMENT ON COLUMN public.tools.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.tools.deprecated IS 'True when it should no longer be used';

COMMENT ON COLUMN public.tools.deprecated_at IS 'Since when; set exactly when deprecated is';

COMMENT ON COLUMN public.tools.deprecated_reason IS 'Why';

COMMENT ON COLUMN public.tools.replacement_tool_tenant_id IS 'Owner of the replacement: this tenant or the platform tenant';

COMMENT ON COLUMN public.tools.replacement_tool_id IS 'What to use instead';

COMMENT ON COLUMN public.tools.tags IS 'Free labels';

COMMENT ON COLUMN public.tools.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.tools.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tools.updated_at IS 'When the row was last changed';

CREATE FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid DEFAULT NULL::uuid) RETURNS public.tools
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_writer();
begin
  return vital.deprecate_tool(standing.tenant_id, p_tool_id, p_reason, p_replacement_tool_id);
end
$$;

ALTER FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) IS 'Marks a tool of the caller''s tenant as one to use no longer';

CREATE FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) RETURNS TABLE(data_type text, status text, record_count integer, issue text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  if not exists (select from public.organizations o where o.id = p_tenant_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = '`vital tenant list` names them.';
  end if;
  return query
    select d.data_type, case when d.n > 0 or d.data_type = 'users' and d.members > 0 then 'OK' else 'MISSING' end, d.n::integer,
      case when d.n = 0 and not (d.data_type = 'users' and d.members > 0) then d.issue end
    from (select v.*, max(v.n) filter (where v.data_type = 'memberships') over () as members from (values
      (1, 'tenant_configuration', (select count(*) from public.tenant_configurations c where c.tenant_id = p_tenant_id), 'No configuration record found'),
      (2, 'tenant_apps', (select count(*) from public.tenant_apps a where a.tenant_id = p_tenant_id), 'No apps assigned'),
      (3, 'users', (select count(*) from public.users u where u.organization_id = p_tenant_id), 'No users assigned to this tenant'),
      (4, 'memberships', (select count(*) from public.user_tenants m where m.tenant_id = p_tenant_id and m.status = 'active'), 'No active members'),
      (5, 'admins', (select count(*) from public.user_tenants m where m.tenant_id = p_tenant_id and m.status = 'active' and m.role in ('owner', 'admin')), 'No active owner or admin'),
      (6, 'visible_apps', (select count(*) from public.tenant_apps a where a.tenant_id = p_tenant_id and a.is_visible and a.is_enabled), 'No app is both visible and enabled')
    ) v (place, data_type, n, issue)) d
    order by d.place;
end
$$;

ALTER FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) IS 'What one tenant lacks of what it needs to load; for operators';

CREATE FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer DEFAULT NULL::integer, p_to integer DEFAULT NULL::integer) RETURNS TABLE(path text, before jsonb, after jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  configs jsonb[];
  wanted integer;
begin
  perform vital.require_operator();
  flag := vital.find_feature_flag(p_flag_key);
  p_to := coalesce(p_to, flag.version);
  foreach wanted in array array[coalesce(p_from, p_to - 1), p_to] loop
    configs := array_append(configs, (
      select jsonb_object_agg(c.key, c.value)
      from public.feature_flag_versions v
      cross join jsonb_each(v.config) c
      where v.feature_flag_id = flag.id and v.version = wanted and c.key = any (array['flag_key'] || vital.definition_fields())));
    if configs[array_upper(configs, 1)] is null and (wanted <> 0 or p_from is not null) then -- before the first there is nothing
      raise exception using errcode = 'VT205', message = format('The flag %s has no version %s.', p_flag_key, wanted),
        hint = format('Its newest is %s.', flag.version);
    end if;
  end loop;
  return query select d.path, d.before, d.after from vital.diff_json(configs[1], configs[2]) d;
end
$$;

ALTER FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer, p_to integer) OWNER TO vital_owner;

COMMENT ON FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer, p_to integer) IS 'Where two versions of a flag''s definition differ';

CREATE TABLE public.break_glass (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    reason text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by uuid,
    CONSTRAINT break_glass_check CHECK ((until > entered_at)),
    CONSTRAINT break_glass_check1 CHECK (((ended_by IS NULL) OR (ended_at IS NOT NULL))),
    CONSTRAINT break_glass_reason_check CHECK (((btrim(reason) <> ''::text) AND (length(reason) <= 500)))
);

ALTER TABLE ONLY public.break_glass FORCE ROW LEVEL SECURITY;

ALTER TABLE public.break_glass OWNER TO vital_owner;

COMMENT ON TABLE public.break_glass IS 'Entries of super admins into tenants they are no member of: why, and until when. One ends by itself; nothing has to be done for that.';

COMMENT ON COLUMN public.break_glass.tenant_id IS 'The tenant';

COMMENT ON COLUMN public.break_glass.id IS 'The entry';

COMMENT ON COLUMN public.break_glass.user_id IS 'The super admin. No foreign key: an entry outlives the account';

COMMENT ON COLUMN public.break_glass.reason IS 'Why, for the tenant to read';

COMMENT ON COLUMN public.break_glass.entered_at IS 'From then on';

COMMENT ON COLUMN public.break_glass.until IS 'It counts for nothing from then on';

COMMENT ON COLUMN public.break_glass.ended_at IS 'When it was ended before its time; null where it was not';

COMMENT ON COLUMN public.break_glass.ended_by IS 'By whom: the super admin, an admin of the tenant, null for an operator without a session';

CREATE FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval DEFAULT '01:00:00'::interval) RETURNS public.break_glass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a super admin. An operator without one runs `vital tenant enter`.';
  elsif not public.is_super_admin() then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform enter tenants.',
      hint = 'Members are in their tenants as they are; others are invited.';
  end if;
  return vital.enter_tenant(p_tenant_id, caller.user_id, p_reason, p_duration);
end
$$;

ALTER FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval) OWNER TO vital_definer;

COMMENT ON FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval) IS 'Lets the caller, a super admin, into a tenant they are no member of, for a time';

CREATE FUNCTION public.feature_flag_history(p_flag_key text) RETURNS TABLE(version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
begin
  perform vital.require_operator();
  flag := vital.find_feature_flag(p_flag_key);
  return query
    select v.version, v.config, lag(v.config) over (order by v.version), v.reason, v.created_by, v.created_at
    from public.feature_flag_versions v
    where v.feature_flag_id = flag.id
    order by v.version desc;
end
$$;

ALTER FUNCTION public.feature_flag_history(p_flag_key text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.feature_flag_history(p_flag_key text) IS 'Every version of a flag''s definition, with the one before it';

CREATE FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer DEFAULT 30) RETURNS TABLE(overriding bigint, evaluating bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.require_value(p_days between 1 and 90, 'p_days', 'between 1 and 90: counts are kept for 90 days');
  flag := vital.find_feature_flag(p_flag_key);
  return query select
    (select count(*) from public.tenant_feature_flags t where t.feature_flag_id = flag.id and (t.expires_at is null or t.expires_at > now())),
    (select count(distinct u.tenant_id) from public.tenant_feature_flag_usage u
      where u.feature_flag_id = flag.id and u.day > (now() at time zone 'UTC')::date - p_days);
end
$$;

ALTER FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer) OWNER TO vital_definer;

COMMENT ON FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer) IS 'In how many tenants a flag is overridden, and evaluated';

CREATE FUNCTION public.get_load_stats(p_hours integer DEFAULT 24, p_by text DEFAULT 'query'::text, p_tenant_id uuid DEFAULT NULL::uuid) RETURNS TABLE(label text, loads bigint, total_time_ms numeric, avg_time_ms numeric, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, max_time_ms numeric, cache_hit_rate numeric, error_rate numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  perform vital.require_value(p_by in ('query', 'type', 'code', 'all'), 'p_by', 'query, type, code or all');
  return query
    select coalesce(s.label, 'unknown'), s.loads, round(s.loads * s.avg_ms, 1), round(s.avg_ms, 2), s.p50_ms, s.p95_ms, s.p99_ms, s.max_ms, s.cache_hit_rate, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', p_by, p_tenant_id) s
    order by s.loads * s.avg_ms desc, s.label;
end
$$;

ALTER FUNCTION public.get_load_stats(p_hours integer, p_by text, p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_load_stats(p_hours integer, p_by text, p_tenant_id uuid) IS 'How the loads of the last hours fared, by query, type, code of what failed, or altogether';

CREATE FUNCTION public.get_load_timeline(p_hours integer DEFAULT 24, p_buckets integer DEFAULT 96, p_tenant_id uuid DEFAULT NULL::uuid) RETURNS TABLE(bucket_start timestamp with time zone, loads bigint, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, cache_hit_rate numeric, error_rate numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  span interval;
  first_start timestamptz;
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  perform vital.require_value(p_buckets between 1 and 500, 'p_buckets', 'between 1 and 500');
  span := make_interval(secs => p_hours * 3600.0 / p_buckets);
  first_start := date_bin(span, now(), 'epoch') - (p_buckets - 1) * span;
  return query
    with record as (
      select date_bin(span, q.created_at, first_start) as start, coalesce(q.duration_us / 1000.0, q.execution_time_ms) as ms, q.weight, q.cache_hit, q.success
      from public.query_performance q
      where q.created_at >= first_start and q.created_at < first_start + p_buckets * span
        and (p_tenant_id is null or q.tenant_id = p_tenant_id) and vital.is_load(q.query_type)
    ), rounded as (
      select r.start, case when r.ms > 0 then round(r.ms, 2 - floor(log(r.ms))::integer) else r.ms end as ms,
        sum(r.weight) as n, sum(r.weight) filter (where r.cache_hit) as hits, sum(r.weight) filter (where not r.success) as failed
      from record r where r.ms is not null group by 1, 2
    ), running as (
      select r.*, sum(r.n) over (partition by r.start order by r.ms) as up_to, sum(r.n) over (partition by r.start) as of_all
      from rounded r
    ), figures as (
      select r.start, sum(r.n)::bigint as loads,
        min(r.ms) filter (where r.up_to >= 0.5 * r.of_all) as p50, min(r.ms) filter (where r.up_to >= 0.95 * r.of_all) as p95,
        min(r.ms) filter (where r.up_to >= 0.99 * r.of_all) as p99,
        round(100.0 * coalesce(sum(r.hits), 0) / sum(r.n), 2) as hit_rate, round(100.0 * coalesce(sum(r.failed), 0) / sum(r.n), 2) as error_rate
      from running r group by r.start
    )
    select first_start + i * span, coalesce(f.loads, 0), f.p50, f.p95, f.p99, f.hit_rate, f.error_rate
    from generate_series(0, p_buckets - 1) i
    left join figures f on f.start = first_start + i * span
    order by i;
end
$$;

ALTER FUNCTION public.get_load_timeline(p_hours integer, p_buckets integer, p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_load_timeline(p_hours integer, p_buckets integer, p_tenant_id uuid) IS 'How the loads of the last hours fared, over time';

CREATE FUNCTION public.get_query_performance_stats(p_hours integer DEFAULT 24) RETURNS TABLE(query_name text, avg_time_ms numeric, max_time_ms integer, min_time_ms integer, total_executions bigint, cache_hit_rate numeric, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, error_rate numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  return query
    select s.label, round(s.avg_ms, 2), round(s.max_ms)::integer, round(s.min_ms)::integer, s.loads, s.cache_hit_rate, s.p50_ms, s.p95_ms, s.p99_ms, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', 'query') s
    order by s.avg_ms desc, s.label;
end
$$;

ALTER FUNCTION public.get_query_performance_stats(p_hours integer) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_query_performance_stats(p_hours integer) IS 'How the loads of the last hours fared, query by query';

CREATE FUNCTION public.get_tenant_load_stats(p_hours integer DEFAULT 24) RETURNS TABLE(tenant_id uuid, slug text, name text, loads bigint, total_time_ms numeric, avg_time_ms numeric, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, max_time_ms numeric, cache_hit_rate numeric, error_rate numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  return query
    select s.label::uuid, o.slug::text, o.name::text, s.loads, round(s.loads * s.avg_ms, 1), round(s.avg_ms, 2), s.p50_ms, s.p95_ms, s.p99_ms, s.max_ms, s.cache_hit_rate, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', 'tenant') s
    left join public.organizations o on o.id = s.label::uuid
    order by s.loads desc, s.label;
end
$$;

ALTER FUNCTION public.get_tenant_load_stats(p_hours integer) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_tenant_load_stats(p_hours integer) IS 'How the loads of the last hours fared, tenant by tenant';

CREATE FUNCTION public.get_tenant_usage() RETURNS TABLE(limit_name text, used bigint, allowed numeric, is_lower_bound boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION public.get_tenant_usage() OWNER TO vital_definer;

COMMENT ON FUNCTION public.get_tenant_usage() IS 'What the caller''s tenant uses of its limits, and has of other things';

CREATE FUNCTION public.get_tool_health_metrics(p_days integer DEFAULT 30) RETURNS TABLE(tool_id uuid, tool_name text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, unique_tenants bigint, health_status text, deprecated boolean, replacement_tool_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  own_tenant_id uuid;
begin
  perform vital.require_value(p_days between 1 and 3650, 'p_days', 'between 1 and 3650');
  if not vital.is_operator() and not public.is_super_admin() then
    own_tenant_id := (vital.require_member()).tenant_id;
  end if;
  return query
    select h.tool_id, h.tool_name, h.total_uses, h.success_rate, h.avg_execution_time_ms, h.unique_tenants, h.health_status, h.deprecated, h.replacement_tool_id
    from vital.tool_health(own_tenant_id, p_days) h;
end
$$;

ALTER FUNCTION public.get_tool_health_metrics(p_days integer) OWNER TO vital_definer;

COMMENT ON FUNCTION public.get_tool_health_metrics(p_days integer) IS 'How tools fared in the last days, as far as the caller may know';

CREATE FUNCTION public.get_user_tenant_context(p_user_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if row_security_active('public.users') then
    return (select c.body from vital.caller_context(p_user_id) c);
  end if;
  if p_user_id is null then
    raise exception using errcode = 'VT100', message = 'Name the user whose context is wanted.',
      hint = 'service_role stands for no user; pass p_user_id.';
  end if;
  return (select c.body from vital.build_context(p_user_id, '') c);
end
$$;

ALTER FUNCTION public.get_user_tenant_context(p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_context(p_user_id uuid) IS 'Context of the caller; service_role and super admins may name another user';

CREATE FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select public.get_user_tenant_context(p_user_id)
$$;

ALTER FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) IS 'get_user_tenant_context for a named user';

CREATE FUNCTION public.get_user_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('read')
$$;

ALTER FUNCTION public.get_user_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION public.get_user_tenant_id() IS 'The tenant the caller acts in, null when there is none they may read';

CREATE FUNCTION public.invalidate_cache(p_tenant_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  if not exists (select from public.organizations o where o.id = p_tenant_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id.';
  end if;
  insert into vital.pending_versions (xid, scope, key) values (pg_current_xact_id(), 'tenant', p_tenant_id)
  on conflict do nothing;
  perform vital.append_audit(p_tenant_id, 'cache_invalidated', 'organizations', p_tenant_id, null);
end
$$;

ALTER FUNCTION public.invalidate_cache(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION public.invalidate_cache(p_tenant_id uuid) IS 'Makes everything that keeps a tenant''s context read it anew';

CREATE FUNCTION public.invite_member(p_email text, p_role text DEFAULT 'member'::text, p_expires_in interval DEFAULT '7 days'::interval) RETURNS TABLE(id uuid, email text, role text, expires_at timestamp with time zone, token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  if p_role = 'owner' and standing.role <> 'owner' and not standing.is_super_admin then
    raise exception using errcode = 'VT110', message = 'Only owners invite owners.', hint = 'Ask an owner of the tenant.';
  end if;
  return query select i.* from vital.invite_member(standing.tenant_id, p_email, p_role, p_expires_in) i;
end
$$;

ALTER FUNCTION public.invite_member(p_email text, p_role text, p_expires_in interval) OWNER TO vital_definer;

COMMENT ON FUNCTION public.invite_member(p_email text, p_role text, p_expires_in interval) IS 'Invites an address to the tenant the caller administers';

CREATE FUNCTION public.is_super_admin() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  return exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin');
end
$$;

ALTER FUNCTION public.is_super_admin() OWNER TO vital_definer;

COMMENT ON FUNCTION public.is_super_admin() IS 'Whether the caller is a super admin of the platform';

CREATE FUNCTION public.is_tenant_admin() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  return coalesce(standing.is_super_admin or (standing.state = 'active' and standing.role in ('owner', 'admin')), false);
end
$$;

ALTER FUNCTION public.is_tenant_admin() OWNER TO vital_definer;

COMMENT ON FUNCTION public.is_tenant_admin() IS 'Whether the caller is owner or admin of the tenant they act in, or a super admin';

CREATE FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid DEFAULT NULL::uuid, p_reason text DEFAULT NULL::text) RETURNS public.break_glass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user. An operator without one runs `vital tenant leave`.';
  end if;
  if p_user_id is not null and p_user_id <> caller.user_id then
    perform vital.require_acting_admin(p_tenant_id);
  end if;
  return vital.leave_tenant(p_tenant_id, coalesce(p_user_id, caller.user_id), p_reason);
end
$$;

ALTER FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) IS 'Ends an entry into a tenant: one''s own, or another''s by an admin of the tenant';

CREATE FUNCTION public.list_check_runs() RETURNS TABLE(id uuid, check_name text, status text, findings integer, duration_ms integer, ran_at timestamp with time zone, details jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    select r.id, r.check_name, r.status, r.findings, r.duration_ms, r.ran_at, r.details
    from vital.check_runs r
    order by r.ran_at desc, r.id;
end
$$;

ALTER FUNCTION public.list_check_runs() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_check_runs() IS 'What the checks and proofs of the last year found; for operators';

CREATE FUNCTION public.list_erasures() RETURNS TABLE(id uuid, subject text, subject_id uuid, reason text, state text, requested_by text, requested_at timestamp with time zone, not_before timestamp with time zone, approved_by text, approved_at timestamp with time zone, started_at timestamp with time zone, finished_at timestamp with time zone, cancelled_by text, cancelled_at timestamp with time zone, on_hold boolean, clean boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    select e.id, e.subject, e.subject_id, e.reason, e.state, e.requested_by, e.requested_at, e.not_before,
      e.approved_by, e.approved_at, e.started_at, e.finished_at, e.cancelled_by, e.cancelled_at,
      e.state in ('requested', 'approved', 'running') and exists (
        select from vital.legal_holds h
        where h.released_at is null and h.tenant_id in (
          select e.subject_id union all select m.tenant_id from public.user_tenants m where m.user_id = e.subject_id)),
      (e.certificate::jsonb -> 'clean')::boolean
    from vital.erasures e
    order by e.requested_at desc, e.id;
end
$$;

ALTER FUNCTION public.list_erasures() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_erasures() IS 'All erasures and where they stand; for operators';

CREATE FUNCTION public.list_gates() RETURNS TABLE(gate text, phase integer, title text, source text, measured boolean, status text, value numeric, at_least numeric, at_most numeric, unit text, evidence text, next text, approved_by text, approved_at timestamp with time zone, week text, is_over boolean, measured_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    with latest as (
      select r.week, r.is_over, r.made_at, r.report from vital.weekly_reports r order by r.week desc limit 1
    ), signed as (
      select distinct on (a.gate) a.gate, a.approved, a.approved_by, a.approved_at, a.note
      from vital.gate_approvals a
      order by a.gate, a.approved_at desc, a.id
    )
    select g.gate, g.phase, g.title, g.source, g.measure is not null,
      case when g.measure is not null then g.status when s.approved then 'pass' else 'pending' end,
      g.current, g.at_least, g.at_most, g.unit, case when g.measure is not null then g.evidence when s.approved then s.note end, g.next,
      case when g.measure is null and s.approved then s.approved_by end, case when g.measure is null and s.approved then s.approved_at end,
      l.week, l.is_over, l.made_at
    from latest l
    cross join lateral rows from (
      jsonb_to_recordset(l.report -> 'gates') as (
        gate text, phase integer, title text, source text, measure text, status text, current numeric, at_least numeric, at_most numeric, unit text,
        evidence text, next text)
    ) with ordinality as g
    left join signed s on s.gate = g.gate
    order by g.ordinality;
end
$$;

ALTER FUNCTION public.list_gates() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_gates() IS 'How every gate stands, by the latest weekly report and signatures; for operators';

CREATE FUNCTION public.list_jobs() RETURNS TABLE(id bigint, kind text, queue text, state text, attempt smallint, max_attempts smallint, created_at timestamp with time zone, scheduled_at timestamp with time zone, attempted_at timestamp with time zone, finalized_at timestamp with time zone, last_error text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    select j.id, j.kind, j.queue, j.state::text, j.attempt, j.max_attempts, j.created_at, j.scheduled_at, j.attempted_at, j.finalized_at,
      j.errors[array_upper(j.errors, 1)] ->> 'error'
    from vital.river_job j
    order by j.id desc;
end
$$;

ALTER FUNCTION public.list_jobs() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_jobs() IS 'Background jobs that wait, run, and have run lately; for operators';

CREATE FUNCTION public.list_legal_holds() RETURNS TABLE(tenant_id uuid, reason text, placed_by text, placed_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query
    select h.tenant_id, h.reason, h.placed_by, h.placed_at
    from vital.legal_holds h
    where h.released_at is null
    order by h.placed_at desc, h.tenant_id;
end
$$;

ALTER FUNCTION public.list_legal_holds() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_legal_holds() IS 'Tenants on legal hold, and why; for operators';

CREATE FUNCTION public.list_retention() RETURNS TABLE(table_schema text, table_name text, age_column text, keep interval, reason text, is_own boolean, set_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query
    select distinct on (r.table_schema, r.table_name) r.table_schema, r.table_name, r.age_column, r.keep, r.reason, r.organization_id <> '00000000-0000-0000-0000-000000000001', r.set_at
    from vital.retention_rules r
    where r.organization_id in ('00000000-0000-0000-0000-000000000001', standing.tenant_id)
    order by r.table_schema, r.table_name, r.organization_id = '00000000-0000-0000-0000-000000000001';
end
$$;

ALTER FUNCTION public.list_retention() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_retention() IS 'How long rows of the caller''s tenant are kept';

CREATE FUNCTION public.list_tools(p_days integer DEFAULT 30) RETURNS TABLE(tenant_id uuid, id uuid, name text, slug text, description text, tool_type text, category text, deprecated boolean, deprecated_at timestamp with time zone, deprecated_reason text, replacement_tool_id uuid, replacement_name text, health_status text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, last_used_at timestamp with time zone, updated_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_member();
begin
  perform vital.require_value(p_days between 1 and 3650, 'p_days', 'between 1 and 3650');
  return query
    select t.tenant_id, t.id, t.name, t.slug, t.description, t.tool_type, coalesce(c.name, t.category), t.deprecated, t.deprecated_at, t.deprecated_reason,
      t.replacement_tool_id, r.name, coalesce(h.health_status, 'INACTIVE'), coalesce(h.total_uses, 0), h.success_rate, h.avg_execution_time_ms, u.created_at, t.updated_at
    from public.tools t
    left join public.tool_categories c on c.tenant_id = t.category_tenant_id and c.id = t.category_id
    left join public.tools r on r.tenant_id = t.replacement_tool_tenant_id and r.id = t.replacement_tool_id
    left join vital.tool_health(standing.tenant_id, p_days) h on h.tool_tenant_id = t.tenant_id and h.tool_id = t.id
    left join lateral (
      select l.created_at
      from public.tool_usage_log l
      where h.total_uses > 0 and l.tool_tenant_id = t.tenant_id and l.tool_id = t.id and l.tenant_id = standing.tenant_id
      order by l.created_at desc
      limit 1
    ) u on true
    where t.tenant_id in (standing.tenant_id, '00000000-0000-0000-0000-000000000001')
    order by t.name, t.id;
end
$$;

ALTER FUNCTION public.list_tools(p_days integer) OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_tools(p_days integer) IS 'The tools a tenant has and how they fared there in the last days';

CREATE FUNCTION public.list_weekly_reports() RETURNS TABLE(week text, status text, is_over boolean, made_at timestamp with time zone, report jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query select r.week, r.status, r.is_over, r.made_at, r.report from vital.weekly_reports r order by r.week desc;
end
$$;

ALTER FUNCTION public.list_weekly_reports() OWNER TO vital_definer;

COMMENT ON FUNCTION public.list_weekly_reports() IS 'The reports of the weeks that are over, and of the present one so far; for operators';

CREATE FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean DEFAULT false) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into public.query_performance (query_name, tenant_id, user_id, execution_time_ms, rows_returned, cache_hit)
  values (p_query_name, coalesce(p_tenant_id, '00000000-0000-0000-0000-000000000001'), p_user_id, p_execution_time_ms, p_rows_returned, coalesce(p_cache_hit, false))
$$;

ALTER FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean) OWNER TO vital_owner;

COMMENT ON FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean) IS 'Adds a record of a load to query_performance';

CREATE FUNCTION public.make_weekly_report(p_present boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  begun constant timestamp := date_trunc('week', now() at time zone 'UTC'); -- this week, on Monday
  last_week constant text := to_char(begun - interval '7 days', 'IYYY"-W"IW');
begin
  perform vital.require_operator();
  perform vital.require_value(p_present is not null, 'p_present', 'true or false');
  if p_present then
    return vital.enqueue_job('week_report', jsonb_build_object('present', true));
  end if;
  if exists (select from vital.weekly_reports r where r.week = last_week and r.is_over) then
    raise exception using errcode = 'VT203', message = format('The report of %s is made.', last_week), hint = 'list_weekly_reports() has it.';
  end if;
  if not exists (
    select from vital.migrations m
    where m.version_id > 0 and m.is_applied and m.tstamp at time zone current_setting('timezone') < begun at time zone 'UTC'
  ) then
    raise exception using errcode = 'VT203', message = format('Nothing was here in %s to report on.', last_week),
      hint = 'The first report is that of the week in which VITAL was installed, once it is over; with p_present it is made of that week so far.';
  end if;
  return vital.enqueue_job('week_report');
end
$$;

ALTER FUNCTION public.make_weekly_report(p_present boolean) OWNER TO vital_definer;

COMMENT ON FUNCTION public.make_weekly_report(p_present boolean) IS 'Has the report of last week made as soon as a server is free, and of this week so far; for operators';

CREATE FUNCTION public.post_migration_check() RETURNS TABLE(check_type text, status text, message text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  return query select 'tenant_id_columns', case when count(*) >= 7 then 'OK' else 'FAIL' end, 'Tables with tenant_id: ' || count(*) || ' (expected 7+)'
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id' and not a.attisdropped
      and c.relname in ('tools', 'agents', 'prompts', 'knowledge', 'chat_sessions', 'personas', 'jobs_to_be_done');

  return query select 'rls_policies', case when count(*) >= 20 then 'OK' else 'FAIL' end, 'RLS policies: ' || count(*) || ' (expected 20+)'
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'public'::regnamespace;

  return query select 'schema_validation', case when count(*) = 0 then 'OK' else 'FAIL' end,
      'Schema issues: ' || count(*) || coalesce(' (' || string_agg(format('%s.%s: %s', v.table_name, v.column_name, v.issue), ', ') || ')', '')
    from public.validate_schema() v where v.status <> 'OK';

  return query select 'invalid_indexes', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Invalid indexes: ' || coalesce(string_agg(i.indexrelid::regclass::text, ', '), 'none')
    from pg_index i where not i.indisvalid;
end
$$;

ALTER FUNCTION public.post_migration_check() OWNER TO vital_definer;

COMMENT ON FUNCTION public.post_migration_check() IS 'Whether a migration has left the schema as it must be; for operators';

CREATE FUNCTION public.pre_migration_check() RETURNS TABLE(check_type text, status text, message text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  sees constant boolean := has_function_privilege('pg_catalog.pg_stat_get_activity(integer)', 'execute') and pg_has_role('pg_read_all_stats', 'usage');
begin
  perform vital.require_operator();
  if sees then
    return query select 'active_sessions', case when count(*) > 100 then 'WARNING' else 'OK' end, 'Active sessions: ' || count(*)
      from pg_stat_activity a where a.state = 'active' and a.backend_type = 'client backend';
    return query select 'long_transactions', case when count(*) > 0 then 'WARNING' else 'OK' end,
        'Transactions older than 5 minutes: ' || count(*) || coalesce(' (processes ' || string_agg(a.pid::text, ', ' order by a.xact_start) || ')', '')
      from pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < now() - interval '5 minutes';
  else
    return query values ('active_sessions', 'WARNING', 'Active sessions: not visible to this login'), ('long_transactions', 'WARNING', 'Long transactions: not visible to this login');
  end if;

  return query select 'data_volume', 'INFO', string_agg(format('%s: %s', initcap(replace(c.relname, '_', ' ')), greatest(c.reltuples, 0)::bigint), ', ' order by c.relname) || ' (estimated rows)'
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname in ('agents', 'organizations', 'users', 'chat_sessions', 'organization_audit_log');

  return query select 'table_locks', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Locked tables: ' || coalesce(string_agg(distinct c.relname, ', '), 'none')
    from pg_locks l join pg_class c on c.oid = l.relation
    where l.mode like '%ExclusiveLock' and l.mode <> 'RowExclusiveLock' and l.pid <> pg_backend_pid() and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and c.relnamespace in (select n.oid from pg_namespace n where n.nspname in ('public', 'vital', 'auth'));

  return query select 'prepared_transactions', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Prepared transactions: ' || count(*)
    from pg_prepared_xacts x where x.database = current_database();

  if pg_is_in_recovery() then
    return query values ('replication_lag', 'FAIL', 'This server is a standby: it cannot be migrated');
  elsif pg_has_role('pg_read_all_stats', 'usage') and has_function_privilege('pg_catalog.pg_stat_get_wal_senders()', 'execute') then
    return query select 'replication_lag', case when max(s.behind) > 64 * 1024 * 1024 then 'WARNING' else 'OK' end,
        'Replicas: ' || count(*) || coalesce(', the last one ' || pg_size_pretty(max(s.behind)) || ' behind', '')
      from (select pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) as behind from pg_stat_replication r) s;
  else
    return query values ('replication_lag', 'WARNING', 'Replicas: not visible to this login');
  end if;

  return query select 'disk', 'INFO', 'Size of the database: ' || case when has_database_privilege(current_database(), 'connect') then pg_size_pretty(pg_database_size(current_database())) end;

  return query select 'transaction_ids', case when age(d.datfrozenxid) > 1900000000 then 'FAIL' when age(d.datfrozenxid) > 1000000000 then 'WARNING' else 'OK' end,
      'Transactions since the oldest that is not frozen: ' || age(d.datfrozenxid)
    from pg_database d where d.datname = current_database();

  return query select 'unvalidated_constraints', case when count(*) > 0 then 'WARNING' else 'OK' end,
      'Constraints not validated: ' || coalesce(string_agg(format('%s on %s', n.conname, n.conrelid::regclass), ', ' order by n.conname), 'none')
    from pg_constraint n where not n.convalidated and n.connamespace in (select s.oid from pg_namespace s where s.nspname in ('public', 'vital', 'auth'));

  return query select 'invalid_indexes', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Invalid indexes: ' || coalesce(string_agg(i.indexrelid::regclass::text, ', '), 'none')
    from pg_index i where not i.indisvalid;
end
$$;

ALTER FUNCTION public.pre_migration_check() OWNER TO vital_owner;

COMMENT ON FUNCTION public.pre_migration_check() IS 'What stands in the way of a migration, before it; for operators';

CREATE FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer DEFAULT NULL::integer, p_error_message text DEFAULT NULL::text, p_agent_id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_writer();
  record_id constant uuid := gen_random_uuid(); -- a member may add records, not read them
  tool_tenant_id uuid;
  agent public.agents;
begin
  perform vital.require_value(p_success is not null, 'p_success', 'true or false');
  perform vital.require_value(coalesce(p_execution_time_ms, 0) >= 0, 'p_execution_time_ms', 'not negative');
  select t.tenant_id into tool_tenant_id
  from public.tools t
  where t.tenant_id in (standing.tenant_id, '00000000-0000-0000-0000-000000000001') and t.id = p_tool_id
  order by t.tenant_id = standing.tenant_id desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such tool.',
      hint = 'A tenant has its own tools and those of the platform.';
  end if;
  if p_agent_id is not null then
    agent := vital.find_agent(standing.tenant_id, p_agent_id, null);
  end if;
  insert into public.tool_usage_log (
    tenant_id, id, tool_tenant_id, tool_id, user_id, agent_tenant_id, agent_id, success, error_message, execution_time_ms)
  values (
    standing.tenant_id, record_id, tool_tenant_id, p_tool_id, vital.user_id(), agent.tenant_id, agent.id, p_success,
    p_error_message, p_execution_time_ms);
  return record_id;
end
$$;

ALTER FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer, p_error_message text, p_agent_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer, p_error_message text, p_agent_id uuid) IS 'Records one use of a tool in the caller''s tenant';

CREATE FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text DEFAULT 'function'::text, p_implementation_type text DEFAULT NULL::text, p_function_signature text DEFAULT NULL::text, p_category text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_input_schema jsonb DEFAULT NULL::jsonb, p_output_schema jsonb DEFAULT NULL::jsonb, p_config jsonb DEFAULT '{}'::jsonb) RETURNS public.tools
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  standing constant vital.membership := vital.require_writer();
  tool public.tools;
begin
  perform vital.require_value(btrim(p_name) <> '', 'p_name', 'a name');
  perform vital.require_value(p_slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$', 'p_slug', 'lower-case letters, digits and single hyphens or underscores');
  perform vital.require_value(btrim(p_tool_type) <> '', 'p_tool_type', 'a kind of tool: function, api, workflow …');
  perform vital.require_value(coalesce(jsonb_typeof(p_input_schema), 'object') in ('object', 'boolean'), 'p_input_schema', 'a JSON Schema');
  perform vital.require_value(coalesce(jsonb_typeof(p_output_schema), 'object') in ('object', 'boolean'), 'p_output_schema', 'a JSON Schema');
  perform vital.require_value(jsonb_typeof(coalesce(p_config, '{}')) = 'object', 'p_config', 'a JSON object');
  insert into public.tools as t (
    tenant_id, name, slug, tool_type, implementation_type, function_signature, category, description,
    input_schema, output_schema, config, owner_id)
  values (
    standing.tenant_id, btrim(p_name), p_slug, p_tool_type, p_implementation_type, p_function_signature, p_category, p_description,
    p_input_schema, p_output_schema, coalesce(p_config, '{}'), vital.user_id())
  on conflict (tenant_id, slug) do nothing
  returning t.* into tool;
  if not found then
    raise exception using errcode = 'VT203', message = 'This tenant has a tool with this slug already.', hint = 'Choose another slug.';
  end if;
  return tool;
end
$_$;

ALTER FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text, p_implementation_type text, p_function_signature text, p_category text, p_description text, p_input_schema jsonb, p_output_schema jsonb, p_config jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text, p_implementation_type text, p_function_signature text, p_category text, p_description text, p_input_schema jsonb, p_output_schema jsonb, p_config jsonb) IS 'Registers a tool of the caller''s tenant';

CREATE FUNCTION public.remove_member(p_user_id uuid, p_reason text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing vital.membership := vital.require_member();
begin
  if p_user_id is distinct from standing.user_id then
    standing := vital.require_over_member(p_user_id);
  end if;
  perform vital.remove_member(standing.tenant_id, p_user_id, p_reason);
end
$$;

ALTER FUNCTION public.remove_member(p_user_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.remove_member(p_user_id uuid, p_reason text) IS 'Removes a member from the caller''s tenant, or lets the caller leave it';

CREATE FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  filed uuid;
  earliest timestamptz;
begin
  perform vital.require_operator();
  perform vital.require_value(p_subject in ('tenant', 'user'), 'p_subject', 'tenant or user');
  perform vital.require_value(length(btrim(coalesce(p_reason, ''))) between 1 and 1000, 'p_reason', 'given, in up to 1000 characters: why it is erased');
  perform vital.require_erasable(p_subject, p_subject_id);
  perform vital.require_value(p_reason !~* p_subject_id::text and not exists (
    select from public.users u where p_subject = 'user' and u.id = p_subject_id and position(lower(u.email) in lower(p_reason)) > 0),
    'p_reason', 'without the id and address of whom it is about: it outlives them');
  if p_subject = 'tenant' then
    select coalesce(
      (select max(a.created_at) from public.organization_audit_log a where a.organization_id = o.id and a.action = 'archived' and a.entity = 'organizations'),
      o.updated_at) + s.erasure_wait
    into earliest
    from public.organizations o, vital.settings s where o.id = p_subject_id;
  else
    select now() + s.user_erasure_wait into earliest from vital.settings s;
  end if;
  insert into vital.erasures (subject, subject_id, reason, requested_by, not_before)
  values (p_subject, p_subject_id, btrim(p_reason), vital.operator_name(), earliest)
  on conflict do nothing
  returning id into filed;
  if filed is null then
    raise exception using errcode = 'VT203', message = format('The erasure of this %s has been asked for already.', p_subject),
      hint = 'See `vital erasure list`; cancel it, or go on with it.';
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_requested', case p_subject when 'tenant' then 'organizations' else 'users' end,
    p_subject_id, jsonb_build_object('new', jsonb_build_object('erasure', filed, 'not_before', earliest)));
  return filed;
end
$$;

ALTER FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) IS 'Asks for the erasure of a tenant or user; for operators';

CREATE FUNCTION public.revoke_invitation(p_invitation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  update public.invitations i set revoked_at = now()
  where i.tenant_id = standing.tenant_id and i.id = p_invitation_id and i.accepted_at is null and i.revoked_at is null;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such open invitation.',
      hint = 'One that was accepted is undone by removing the member.';
  end if;
end
$$;

ALTER FUNCTION public.revoke_invitation(p_invitation_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION public.revoke_invitation(p_invitation_id uuid) IS 'Takes an open invitation back';

CREATE FUNCTION public.rls_matrix(p_schemas text[] DEFAULT NULL::text[], p_roles text[] DEFAULT NULL::text[]) RETURNS TABLE(kind text, object text, role text, command text, access text, reason text, columns text[], policies jsonb, row_security text, runs_as text, owner text, volatility text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  perform vital.require_value(not exists (
    select from unnest(p_schemas) s where not exists (select from pg_namespace n where n.nspname = s)), 'p_schemas', 'names of schemas there are');
  perform vital.require_value(not exists (
    select from unnest(p_roles) r where r <> 'PUBLIC' and not exists (select from pg_roles n where n.rolname = r)), 'p_roles', 'names of roles there are, or PUBLIC');
  return query select m.* from vital.rls_matrix(p_schemas, p_roles) m;
end
$$;

ALTER FUNCTION public.rls_matrix(p_schemas text[], p_roles text[]) OWNER TO vital_definer;

COMMENT ON FUNCTION public.rls_matrix(p_schemas text[], p_roles text[]) IS 'Who can do what, by relation, function, sequence, role and command; for operators';

CREATE TABLE public.feature_flags (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    flag_key text NOT NULL,
    name text,
    description text,
    flag_type text DEFAULT 'boolean'::text NOT NULL,
    default_enabled boolean DEFAULT false NOT NULL,
    variants jsonb DEFAULT '{}'::jsonb NOT NULL,
    default_variant text,
    targeting jsonb DEFAULT '{}'::jsonb NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    category text,
    owner text,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    expires_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    prerequisites jsonb DEFAULT '[]'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT feature_flags_default_variant_exists CHECK (((default_variant IS NULL) OR (variants ? default_variant))),
    CONSTRAINT feature_flags_flag_key_check CHECK ((btrim(flag_key) <> ''::text)),
    CONSTRAINT feature_flags_flag_type_check CHECK ((flag_type = ANY (ARRAY['boolean'::text, 'string'::text, 'number'::text, 'object'::text]))),
    CONSTRAINT feature_flags_key_safe CHECK ((flag_key <> '__proto__'::text)),
    CONSTRAINT feature_flags_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT feature_flags_prerequisites_check CHECK ((jsonb_typeof(prerequisites) = 'array'::text)),
    CONSTRAINT feature_flags_targeting_check CHECK ((jsonb_typeof(targeting) = 'object'::text)),
    CONSTRAINT feature_flags_variants_check CHECK ((jsonb_typeof(variants) = 'object'::text)),
    CONSTRAINT feature_flags_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.feature_flags FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flags OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flags IS 'Feature flags of the whole platform, defined once; tenants override them in tenant_feature_flags.';

COMMENT ON COLUMN public.feature_flags.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flags.flag_key IS 'Name by which code asks for the flag';

COMMENT ON COLUMN public.feature_flags.name IS 'Name to show';

COMMENT ON COLUMN public.feature_flags.description IS 'What switching it changes';

COMMENT ON COLUMN public.feature_flags.flag_type IS 'Type of its value: boolean, string, number or object';

COMMENT ON COLUMN public.feature_flags.default_enabled IS 'Value of a boolean flag where nothing overrides it';

COMMENT ON COLUMN public.feature_flags.variants IS 'Named values, as in the flagd format';

COMMENT ON COLUMN public.feature_flags.default_variant IS 'Variant where no rule decides';

COMMENT ON COLUMN public.feature_flags.targeting IS 'Rules in flagd''s JSON logic';

COMMENT ON COLUMN public.feature_flags.is_active IS 'False takes the flag out of every evaluation';

COMMENT ON COLUMN public.feature_flags.category IS 'Group in the console';

COMMENT ON COLUMN public.feature_flags.owner IS 'Team that answers for it';

COMMENT ON COLUMN public.feature_flags.tags IS 'Free labels';

COMMENT ON COLUMN public.feature_flags.expires_at IS 'When it should be gone; past that it is reported as stale';

COMMENT ON COLUMN public.feature_flags.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.feature_flags.created_at IS 'When the row was made';

COMMENT ON COLUMN public.feature_flags.updated_at IS 'When the row was last changed';

COMMENT ON COLUMN public.feature_flags.prerequisites IS 'Flags this one needs, in the same tenant and context: [{"flag_key": …, "variants": [names]}], each evaluated to one of the variants';

COMMENT ON COLUMN public.feature_flags.version IS 'Counts the changes, kept by a trigger; the newest of feature_flag_versions';

CREATE FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text DEFAULT NULL::text) RETURNS public.feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  former jsonb;
  rolled public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.lock_definitions();
  flag := vital.find_feature_flag(p_flag_key);
  select jsonb_object_agg(c.key, c.value) into former
  from public.feature_flag_versions v
  cross join jsonb_each(v.config) c
  where v.feature_flag_id = flag.id and v.version = p_version and c.key = any (vital.definition_fields());
  if former is null then
    raise exception using errcode = 'VT205', message = format('The flag %s has no version %s.', p_flag_key, coalesce(p_version::text, 'null')),
      hint = format('Its newest is %s.', flag.version);
  end if;
  rolled := public.set_feature_flag(p_flag_key, former, null, coalesce(nullif(btrim(p_reason), ''), format('Back to version %s', p_version)));
  if rolled.version = flag.version then
    raise exception using errcode = 'VT203', message = format('The flag %s is as it was at version %s.', p_flag_key, p_version),
      hint = 'Nothing is left to do.';
  end if;
  return rolled;
end
$$;

ALTER FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text) IS 'Makes a flag what it was at an earlier version, as a new version';

CREATE TABLE public.tenant_feature_flags (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    enabled boolean,
    variant text,
    config jsonb,
    expires_at timestamp with time zone,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT tenant_feature_flags_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.tenant_feature_flags FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flags OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flags IS 'What one tenant has instead of a flag''s default.';

COMMENT ON COLUMN public.tenant_feature_flags.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flags.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_feature_flags.feature_flag_id IS 'The flag that is overridden';

COMMENT ON COLUMN public.tenant_feature_flags.enabled IS 'On or off for this tenant; null leaves the flag''s own default';

COMMENT ON COLUMN public.tenant_feature_flags.variant IS 'Variant for this tenant; null leaves it to the flag''s rules';

COMMENT ON COLUMN public.tenant_feature_flags.config IS 'Extra settings handed to the application with the flag';

COMMENT ON COLUMN public.tenant_feature_flags.expires_at IS 'From then on the override counts as absent';

COMMENT ON COLUMN public.tenant_feature_flags.reason IS 'Why the tenant differs';

COMMENT ON COLUMN public.tenant_feature_flags.created_by IS 'Who set it';

COMMENT ON COLUMN public.tenant_feature_flags.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_feature_flags.updated_at IS 'When the row was last changed';

COMMENT ON COLUMN public.tenant_feature_flags.version IS 'Counts the changes, kept by a trigger; the newest of tenant_feature_flag_versions';

CREATE FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.rollback_tenant_feature(standing.tenant_id, p_flag_key, p_version, p_reason);
end
$$;

ALTER FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text) IS 'Makes the override in the caller''s tenant what it was at an earlier version';

CREATE FUNCTION public.row_history(p_table text, p_id uuid) RETURNS TABLE(seq bigint, created_at timestamp with time zone, action text, actor_id uuid, actor_email text, actor_role text, changes jsonb, reason text, request_id text, erased_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query
    select a.seq, a.created_at, a.action, a.actor_id, u.email, a.actor_role, a.changes, a.reason, a.request_id, a.erased_at
    from public.organization_audit_log a
    left join public.users u on u.id = a.actor_id
    where a.organization_id = standing.tenant_id and a.entity = p_table and a.entity_id = p_id
    order by a.seq desc;
end
$$;

ALTER FUNCTION public.row_history(p_table text, p_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.row_history(p_table text, p_id uuid) IS 'Who changed what of a row of the caller''s tenant, and why';

CREATE FUNCTION public.run_check(p_check text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_check in ('schema', 'rls', 'data', 'drift'), 'p_check', 'schema, rls, data or drift');
  return vital.enqueue_job('check_run', jsonb_build_object('check', p_check));
end
$$;

ALTER FUNCTION public.run_check(p_check text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.run_check(p_check text) IS 'Has a check run as soon as a server is free; for operators';

CREATE FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text DEFAULT NULL::text) RETURNS public.feature_flag_changes
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  change public.feature_flag_changes;
begin
  perform vital.require_operator();
  perform vital.require_fields(p_changes, vital.definition_fields());
  perform vital.require_value(p_changes <> '{}', 'p_changes', 'an object of the fields to change');
  perform vital.require_value(p_run_at > now() and isfinite(p_run_at), 'p_run_at', 'ahead');
  flag := vital.find_feature_flag(p_flag_key);
  perform vital.give_reason(p_reason);
  insert into public.feature_flag_changes as c (feature_flag_id, changes, run_at, reason, created_by)
  values (flag.id, p_changes, p_run_at, nullif(btrim(p_reason), ''), vital.user_id())
  returning c.* into change;
  return change;
end
$$;

ALTER FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) IS 'Has a flag definition changed at a time';

CREATE FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flag_changes
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.schedule_tenant_feature(standing.tenant_id, p_flag_key, p_changes, p_run_at, p_reason);
end
$$;

ALTER FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) IS 'Has the override of a flag in the caller''s tenant changed at a time';

CREATE FUNCTION public.set_default_tenant(p_tenant_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if not exists (
    select from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = caller.user_id and m.status = 'active') then
    if caller.user_id is null then
      raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
        hint = 'Send the access token of a user; an API key alone stands for nobody.';
    end if;
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Choose one of the tenants of your context.';
  end if;
  perform vital.require_standing(array['owner', 'admin', 'member', 'viewer'], p_tenant_id);
  update public.users u set organization_id = p_tenant_id
  where u.id = caller.user_id and u.organization_id is distinct from p_tenant_id;
  return p_tenant_id;
end
$$;

ALTER FUNCTION public.set_default_tenant(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION public.set_default_tenant(p_tenant_id uuid) IS 'Makes a tenant the one the caller acts in when none is named';

CREATE FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer DEFAULT NULL::integer, p_reason text DEFAULT NULL::text) RETURNS public.feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  wanted public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.require_value(btrim(coalesce(p_flag_key, '')) <> '', 'p_flag_key', 'the key of a flag');
  perform vital.require_fields(p_changes, vital.definition_fields());
  perform vital.give_reason(p_reason);
  perform vital.lock_definitions();
  if p_expected_version = 0 then
    select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key;
  else
    flag := vital.find_feature_flag(p_flag_key);
  end if;
  perform vital.require_version(p_expected_version, coalesce(flag.version, 0));

  wanted := vital.changed_definition(flag, p_changes);
  perform vital.require_value(wanted.flag_type in ('boolean', 'string', 'number', 'object'), 'flag_type', 'boolean, string, number or object');
  perform vital.require_value(jsonb_typeof(wanted.variants) = 'object', 'variants', 'an object of names and values');
  perform vital.require_value(jsonb_typeof(wanted.targeting) = 'object', 'targeting', 'an object, as JSON logic is');
  perform vital.require_value(jsonb_typeof(wanted.metadata) = 'object', 'metadata', 'an object');
  perform vital.require_value(jsonb_typeof(wanted.prerequisites) = 'array', 'prerequisites', 'an array');
  perform vital.require_value(wanted.default_variant is null or wanted.variants ? wanted.default_variant, 'default_variant', 'one of the variants');
  if to_jsonb(wanted) = to_jsonb(flag) then
    return flag;
  elsif flag.id is null then
    insert into public.feature_flags as f (
      flag_key, name, description, flag_type, default_enabled, variants, default_variant, targeting, is_active, category, owner,
      tags, expires_at, metadata, prerequisites)
    values (
      p_flag_key, wanted.name, wanted.description, wanted.flag_type, wanted.default_enabled, wanted.variants, wanted.default_variant,
      wanted.targeting, wanted.is_active, wanted.category, wanted.owner, wanted.tags, wanted.expires_at, wanted.metadata, wanted.prerequisites)
    returning f.* into flag;
  else
    update public.feature_flags f
    set name = wanted.name, description = wanted.description, flag_type = wanted.flag_type, default_enabled = wanted.default_enabled,
      variants = wanted.variants, default_variant = wanted.default_variant, targeting = wanted.targeting, is_active = wanted.is_active,
      category = wanted.category, owner = wanted.owner, tags = wanted.tags, expires_at = wanted.expires_at, metadata = wanted.metadata,
      prerequisites = wanted.prerequisites
    where f.id = flag.id
    returning f.* into flag;
  end if;
  return flag;
end
$$;

ALTER FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) IS 'Changes or makes a flag definition';

CREATE FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_held is not null, 'p_held', 'true or false');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tenant''s data must be kept, or need not be any more');
  perform from public.organizations o where o.id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  if p_held then
    insert into vital.legal_holds (tenant_id, reason, placed_by) values (p_tenant_id, btrim(p_reason), vital.operator_name()) on conflict do nothing;
  else
    update vital.legal_holds h set released_by = vital.operator_name(), released_at = now() where h.tenant_id = p_tenant_id and h.released_at is null;
  end if;
  if not found then
    raise exception using errcode = 'VT203', message = case when p_held then 'This tenant is on legal hold already.' else 'This tenant is not on legal hold.' end,
      hint = 'See its audit log for who placed or lifted it.';
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit(p_tenant_id, case when p_held then 'held' else 'released' end, 'organizations', p_tenant_id, null);
end
$$;

ALTER FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) IS 'Puts a tenant on legal hold, or lifts that; for operators';

CREATE FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.organizations
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  tenant public.organizations;
begin
  perform vital.require_operator();
  perform vital.require_changeable(p_tenant_id);
  if p_parent_organization_id is not null then
    perform vital.require_changeable(p_parent_organization_id);
  end if;
  perform vital.give_reason(p_reason);
  update public.organizations o set parent_organization_id = p_parent_organization_id
  where o.id = p_tenant_id
  returning o.* into tenant;
  return tenant;
end
$$;

ALTER FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text) IS 'Makes a tenant part of another organization, or of none';

CREATE FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer DEFAULT NULL::integer, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.set_tenant_feature(standing.tenant_id, p_flag_key, p_changes, p_expected_version, p_reason);
end
$$;

ALTER FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) IS 'Changes, makes or takes away the override of a flag in the caller''s tenant';

CREATE FUNCTION public.stale_feature_flags(p_days integer DEFAULT 30) RETURNS TABLE(flag_key text, reasons text[], owner text, expires_at timestamp with time zone, last_evaluated_on date, variant text, updated_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  since date;
begin
  perform vital.require_operator();
  perform vital.require_value(p_days between 1 and 90, 'p_days', 'between 1 and 90: counts are kept for 90 days');
  since := (now() at time zone 'UTC')::date - p_days;
  return query
    with seen as (
      select f.id, f.created_at < now() - make_interval(days => p_days) as old,
        count(u.day) filter (where u.day >= since) as variants, max(u.day) as last, min(n.name) filter (where u.day >= since) as one
      from public.feature_flags f
      cross join lateral (
        select k.name from jsonb_object_keys(f.variants) k (name) union select unnest(array['', 'on', 'off'])
      ) n
      left join lateral (
        select x.day from public.tenant_feature_flag_usage x
        where x.feature_flag_id = f.id and x.variant = n.name
        order by x.day desc
        limit 1
      ) u on true
      group by f.id
    ), judged as (
      select f.flag_key, f.owner, f.expires_at, s.last, case when s.variants = 1 then s.one end as one, f.updated_at,
        array_remove(array[
          case when s.old and f.is_active and s.variants = 0 then 'never_evaluated' end,
          case when s.old and f.is_active and s.variants = 1 then 'one_value' end,
          case when not f.is_active and f.updated_at < now() - make_interval(days => p_days) then 'inactive' end,
          case when f.expires_at <= now() then 'expired' end,
          case when btrim(coalesce(f.owner, '')) = '' then 'no_owner' end
        ], null) as reasons
      from public.feature_flags f join seen s on s.id = f.id
    )
    select j.flag_key, j.reasons, j.owner, j.expires_at, j.last, j.one, j.updated_at
    from judged j
    where j.reasons <> '{}'
    order by j.flag_key;
end
$$;

ALTER FUNCTION public.stale_feature_flags(p_days integer) OWNER TO vital_definer;

COMMENT ON FUNCTION public.stale_feature_flags(p_days integer) IS 'Flags to look at in the monthly review, with why';

CREATE FUNCTION public.tenant_feature_history(p_flag_key text) RETURNS TABLE(version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query select h.* from vital.tenant_feature_history(standing.tenant_id, p_flag_key) h;
end
$$;

ALTER FUNCTION public.tenant_feature_history(p_flag_key text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.tenant_feature_history(p_flag_key text) IS 'Every version of the override of a flag in the caller''s tenant';

CREATE FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb DEFAULT NULL::jsonb, p_reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.toggle_tenant_feature(standing.tenant_id, p_flag_key, p_enabled, p_config, p_reason);
end
$$;

ALTER FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) IS 'Switches a flag for the caller''s tenant, or back to its default';

CREATE FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  perform vital.unassign_agent(standing.tenant_id, p_agent_id, p_agent_tenant_id);
end
$$;

ALTER FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid) IS 'Takes an agent from those assigned to the caller''s tenant';

CREATE FUNCTION public.validate_multitenancy_schema() RETURNS TABLE(table_name text, column_name text, issue text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select v.table_name, v.column_name, v.status
  from public.validate_schema() v
  where v.status <> 'OK' and (v.column_name in ('tenant_id', 'organization_id') or v.table_name = 'tools')
$$;

ALTER FUNCTION public.validate_multitenancy_schema() OWNER TO vital_definer;

COMMENT ON FUNCTION public.validate_multitenancy_schema() IS 'Columns of multitenancy that are not as they must be; for operators';

CREATE FUNCTION public.validate_schema() RETURNS TABLE(table_name text, column_name text, expected_type text, actual_type text, status text, issue text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  if not exists (select from public.schema_validation_rules) then
    raise exception using errcode = 'VT205', message = 'There are no rules to validate the schema by.',
      hint = 'schema_validation_rules is filled by `vital migrate up`; restore its rows.';
  end if;
  return query
    select r.table_name, r.column_name, r.data_type, c.data_type, coalesce(w.statuses[1], 'OK'), nullif(array_to_string(w.issues, '; '), '')
    from public.schema_validation_rules r
    left join lateral (
      select
        case
          when b.typelem <> 0 and b.typlen = -1 then 'ARRAY'
          when b.typnamespace = 'pg_catalog'::regnamespace then format_type(b.oid, null)
          else 'USER-DEFINED'
        end as data_type,
        not (a.attnotnull or t.typtype = 'd' and t.typnotnull) as is_nullable,
        a.atthasdef or a.attidentity <> '' as has_default,
        exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'p' and a.attnum = any (n.conkey)) as is_primary_key,
        exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'f' and a.attnum = any (n.conkey)) as is_foreign_key,
        exists (select from pg_index i where i.indrelid = s.oid and i.indkey[0] = a.attnum and i.indisvalid and i.indpred is null) as is_indexed,
        s.relrowsecurity and s.relforcerowsecurity as row_security
      from pg_class s
      join pg_attribute a on a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      join pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
      where s.relnamespace = 'public'::regnamespace and s.relkind in ('r', 'p') and s.relname = r.table_name and a.attname = r.column_name
    ) c on true
    cross join lateral (
      select array_agg(x.status order by x.n) as statuses, array_agg(x.issue order by x.n) as issues
      from (values
        (1, 'MISSING', c.data_type is null, 'Column does not exist'),
        (2, 'TYPE_MISMATCH', c.data_type <> r.data_type, 'Expected ' || r.data_type || ', got ' || c.data_type),
        (3, 'NULLABLE_MISMATCH', c.is_nullable <> r.is_nullable, case when r.is_nullable then 'Nullable mismatch: must allow null' else 'Nullable mismatch: must not allow null' end),
        (4, 'DEFAULT_MISMATCH', r.has_default and not c.has_default, 'Has no default'),
        (5, 'KEY_MISMATCH', r.is_primary_key and not c.is_primary_key, 'Is not part of the primary key'),
        (6, 'KEY_MISMATCH', r.is_foreign_key and not c.is_foreign_key, 'Has no foreign key'),
        (7, 'INDEX_MISMATCH', r.is_indexed and not c.is_indexed, 'No valid index begins with it'),
        (8, 'RLS_MISMATCH', r.row_security and not c.row_security, 'Row-level security of its table is not both enabled and forced')
      ) x (n, status, applies, issue)
      where x.applies
    ) w
    order by r.table_name, r.column_name;
end
$$;

ALTER FUNCTION public.validate_schema() OWNER TO vital_definer;

COMMENT ON FUNCTION public.validate_schema() IS 'The columns the product relies on, and whether each is as it must be; for operators';

CREATE FUNCTION public.version_feature_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'UPDATE' and new.version = old.version then
    return null; -- nothing changed
  end if;
  insert into public.feature_flag_versions (feature_flag_id, version, config, reason, created_by)
  values (new.id, new.version, to_jsonb(new), nullif(current_setting('vital.reason', true), ''), vital.author_id());
  return null;
end
$$;

ALTER FUNCTION public.version_feature_flag() OWNER TO vital_definer;

COMMENT ON FUNCTION public.version_feature_flag() IS 'Keeps every state of a flag definition';

CREATE FUNCTION vital.accept_invitation(p_user_id uuid, p_token text) RETURNS public.user_tenants
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  invitation public.invitations;
  member public.user_tenants;
  state public.org_lifecycle_state;
begin
  update public.invitations i set accepted_at = now(), accepted_by = p_user_id
  where i.token_hash = sha256(convert_to(p_token, 'UTF8'))
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
    and lower(i.email) = (select lower(btrim(u.email)) from public.users u where u.id = p_user_id)
  returning i.* into invitation;
  if not found then
    raise exception using errcode = 'VT206', message = 'There is no such invitation for this account.',
      hint = 'It may have been used, taken back or expired, or it was sent to another address. Ask for a new one.';
  end if;

  select o.lifecycle_state into state from public.organizations o where o.id = invitation.tenant_id;
  if state <> 'active' then
    raise exception using
      errcode = case state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case state when 'archived' then 'It no longer takes members.' else 'The invitation is kept; try again later.' end;
  end if;
  insert into public.user_tenants as m (tenant_id, user_id, role, invited_by)
  values (invitation.tenant_id, p_user_id, invitation.role, invitation.invited_by)
  on conflict (tenant_id, user_id) do nothing
  returning m.* into member;
  if not found then
    raise exception using errcode = 'VT203', message = 'You are a member of this tenant already.',
      hint = 'An admin of the tenant can change your role.';
  end if;
  update public.users u set organization_id = invitation.tenant_id where u.id = p_user_id and u.organization_id is null;
  return member;
end
$$;

ALTER FUNCTION vital.accept_invitation(p_user_id uuid, p_token text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.accept_invitation(p_user_id uuid, p_token text) IS 'Makes a user a member by an invitation';

CREATE FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  refused boolean; -- null where the query does not settle it
begin
  select m.tenant_id, r.recorded, case when m.tenant_id is not null then r.recorded and current_setting('transaction_read_only')::boolean end
  into tenant_id, recorded, refused
  from vital.identity() c
  cross join lateral (
    select case
      when c.tenant = '' then (select u.organization_id from public.users u where u.id = c.user_id)
      when c.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then c.tenant::uuid
      else (select o.id from public.organizations o where o.slug = c.tenant)
    end as id
    offset 0
  ) w
  left join (
    public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
  ) on m.tenant_id = w.id and m.user_id = c.user_id and m.status = 'active'
  cross join lateral (
    select exists (
      select from public.tenant_configurations s where s.tenant_id = m.tenant_id and s.compliance_settings ->> 'hipaa_enabled' = 'true') as recorded
    offset 0
  ) r;
  if not refused then
    return;
  end if;

  if refused is null then
    tenant_id := case when p_member then (vital.require_member()).tenant_id else vital.tenant_for('read') end;
    recorded := exists (
      select from public.tenant_configurations s
      where s.tenant_id = accessed_tenant.tenant_id and s.compliance_settings ->> 'hipaa_enabled' = 'true');
  end if;
  if recorded and current_setting('transaction_read_only')::boolean then
    raise exception using errcode = 'VT301', message = 'Reads in this tenant are recorded; this transaction cannot write a record.',
      hint = 'Read in a transaction that may write.';
  end if;
end
$_$;

ALTER FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) IS 'The tenant the caller is about to read in, and whether that is to be recorded';

CREATE FUNCTION vital.account_name(p_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not vital.reads_accounts() then
    return null;
  end if;
  return (select nullif(btrim(a.raw_user_meta_data ->> 'full_name'), '') from auth.users a where a.id = p_id);
end
$$;

ALTER FUNCTION vital.account_name(p_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.account_name(p_id uuid) IS 'The full name that an account was made with';

CREATE FUNCTION vital.add_audit_checkpoint(p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamp with time zone, p_public_key bytea, p_signature bytea) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into vital.audit_checkpoints (organization_id, seq, hash, signed_at, public_key, signature)
  values (p_organization_id, p_seq, p_hash, p_signed_at, p_public_key, p_signature)
  on conflict do nothing;
  return found;
end
$$;

ALTER FUNCTION vital.add_audit_checkpoint(p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamp with time zone, p_public_key bytea, p_signature bytea) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.add_audit_checkpoint(p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamp with time zone, p_public_key bytea, p_signature bytea) IS 'Keeps a signed end of an audit chain';

CREATE FUNCTION vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  added boolean;
begin
  perform vital.require_operator();
  perform from public.organizations o where o.id = p_tenant_id for key share;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  insert into vital.tenant_keys (tenant_id, key_id, kek_id, wrapped)
  values (p_tenant_id, p_key_id, p_kek_id, p_wrapped)
  on conflict (tenant_id) where destroyed_at is null do nothing;
  added := found;
  perform vital.require_kek(p_kek_id);
  return added;
end
$$;

ALTER FUNCTION vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) IS 'Keeps a wrapped key as a tenant''s, unless it has one';

CREATE FUNCTION vital.admin_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('administer')
$$;

ALTER FUNCTION vital.admin_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.admin_tenant_id() IS 'The tenant the caller may administer, else null';

CREATE FUNCTION vital.append_audit(p_organization_id uuid, p_action text, p_entity text, p_entity_id uuid, p_changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
  acting_role text := nullif(current_setting('role'), 'none');
  erasing constant text := nullif(current_setting('vital.erasing', true), '');
  erased vital.erasures;
begin
  if erasing is not null and vital.is_operator() then
    select e.* into erased from vital.erasures e where e.id::text = erasing and e.state = 'running';
    if erased.subject = 'tenant' and erased.subject_id = p_organization_id then
      return;
    end if;
    p_changes := case when erased.id is null then p_changes end;
  end if;
  if caller.user_id is not null then
    standing := vital.current_membership();
    acting_role := case
      when standing.is_super_admin then 'super_admin'
      when standing.tenant_id = p_organization_id then standing.role
      when public.is_super_admin() then 'super_admin' -- an admin of the tenant they act in, acting on another
      else caller.role end;
  end if;
  insert into vital.pending_audit (
    xid, organization_id, action, actor_id, actor_role, database_role, entity, entity_id, changes, reason, request_id, created_at)
  values (
    pg_current_xact_id(), p_organization_id, p_action, coalesce(caller.user_id, vital.author_id()), coalesce(acting_role, session_user), session_user,
    p_entity, p_entity_id, p_changes,
    nullif(current_setting('vital.reason', true), ''), nullif(current_setting('vital.request_id', true), ''),
    clock_timestamp());
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'settle', '00000000-0000-0000-0000-000000000000') -- fires vital.settle, once
  on conflict do nothing;
end
$$;

ALTER FUNCTION vital.append_audit(p_organization_id uuid, p_action text, p_entity text, p_entity_id uuid, p_changes jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.append_audit(p_organization_id uuid, p_action text, p_entity text, p_entity_id uuid, p_changes jsonb) IS 'Notes one audit row of this transaction';

CREATE FUNCTION vital.apply_due_flag_changes(p_limit integer DEFAULT 100, OUT applied integer, OUT failed integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  patience constant text := current_setting('lock_timeout');
  due record;
  problem text;
  held boolean;
begin
  applied := 0;
  failed := 0;
  perform set_config('lock_timeout', '200ms', true);
  for due in
    (select c.run_at, null::uuid as tenant_id, c.id from public.feature_flag_changes c
      where c.status = 'pending' and c.run_at <= now() order by c.run_at, c.id limit p_limit)
    union all
    (select c.run_at, c.tenant_id, c.id from public.tenant_feature_flag_changes c
      where c.status = 'pending' and c.run_at <= now() order by c.run_at, c.tenant_id, c.id limit p_limit)
    order by 1, 2 nulls first, 3
    limit p_limit
  loop
    problem := null;
    held := false;
    perform set_config('vital.author', '', true), set_config('vital.reason', '', true); -- of the one before
    begin
      continue when not vital.apply_flag_change(due.tenant_id, due.id);
      set constraints all immediate;
      set constraints all deferred;
      applied := applied + 1;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        held := true;
      when others then
        problem := sqlerrm;
    end;
    if problem is not null then
      begin
        perform vital.fail_flag_change(due.tenant_id, due.id, problem);
        set constraints all immediate;
        set constraints all deferred;
        failed := failed + 1;
      exception
        when serialization_failure or deadlock_detected or lock_not_available then
          held := true;
      end;
    end if;
    if held then
      perform vital.postpone_flag_changes(due.tenant_id);
    end if;
  end loop;
  perform set_config('vital.author', '', true), set_config('vital.reason', '', true), set_config('lock_timeout', patience, true);
end
$$;

ALTER FUNCTION vital.apply_due_flag_changes(p_limit integer, OUT applied integer, OUT failed integer) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.apply_due_flag_changes(p_limit integer, OUT applied integer, OUT failed integer) IS 'Makes the changes of flags whose time has come';

CREATE FUNCTION vital.apply_flag_change(p_tenant_id uuid, p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  change record;
begin
  if p_tenant_id is null then
    select c.changes, c.reason, c.created_by, f.flag_key into change
    from public.feature_flag_changes c join public.feature_flags f on f.id = c.feature_flag_id
    where c.id = p_id and c.status = 'pending' and c.run_at <= now()
    for update of c skip locked;
  else
    select c.changes, c.reason, c.created_by, f.flag_key into change
    from public.tenant_feature_flag_changes c join public.feature_flags f on f.id = c.feature_flag_id
    where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending' and c.run_at <= now()
    for update of c skip locked;
  end if;
  if not found then
    return false;
  end if;
  perform set_config('vital.author', coalesce(change.created_by::text, ''), true);
  perform vital.check_author(change.created_by, p_tenant_id);
  if p_tenant_id is null then
    perform public.set_feature_flag(change.flag_key, change.changes, null, change.reason);
    update public.feature_flag_changes c set status = 'applied', applied_at = clock_timestamp() where c.id = p_id;
  else
    perform vital.set_tenant_feature(p_tenant_id, change.flag_key, change.changes, null, change.reason);
    update public.tenant_feature_flag_changes c set status = 'applied', applied_at = clock_timestamp()
    where c.tenant_id = p_tenant_id and c.id = p_id;
  end if;
  return true;
end
$$;

ALTER FUNCTION vital.apply_flag_change(p_tenant_id uuid, p_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.apply_flag_change(p_tenant_id uuid, p_id uuid) IS 'Makes one scheduled change of a flag';

CREATE FUNCTION vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid DEFAULT NULL::uuid) RETURNS TABLE(check_name text, written bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  planned record;
begin
  foreach check_name in array p_checks loop
    perform vital.give_reason(format('repair %s: %s', p_run, check_name));
    written := 0;
    for planned in select p.* from vital.plan_repair(check_name, p_tenant) p loop
      perform vital.write_repair(planned.table_name, planned.tenant_id, planned.row_id, planned.old, planned.new);
      written := written + 1;
    end loop;
    return next;
  end loop;
end
$$;

ALTER FUNCTION vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid) IS 'Writes the repairs of checks of data, audited under one run';

CREATE FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid DEFAULT NULL::uuid, p_config jsonb DEFAULT '{}'::jsonb) RETURNS public.tenant_agents
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  agent public.agents;
  assigned public.tenant_agents;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(jsonb_typeof(coalesce(p_config, '{}')) = 'object', 'p_config', 'a JSON object');
  agent := vital.find_agent(p_tenant_id, p_agent_id, p_agent_tenant_id);
  if agent.status <> 'active' then
    raise exception using errcode = 'VT203', message = format('This agent is %s; only active ones are assigned.', agent.status),
      hint = 'Its owner can make it active.';
  end if;
  insert into public.tenant_agents as t (tenant_id, agent_tenant_id, agent_id, config, assigned_by)
  values (p_tenant_id, agent.tenant_id, agent.id, coalesce(p_config, '{}'), vital.user_id())
  on conflict (tenant_id, agent_tenant_id, agent_id) do update
  set is_enabled = true, config = case when excluded.config = '{}' then t.config else excluded.config end
  returning t.* into assigned;
  return assigned;
end
$$;

ALTER FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) IS 'Assigns an agent to a tenant';

CREATE FUNCTION vital.audit_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  silent constant text[] := array['updated_at', 'created_at', 'token_hash'];
  before_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - silent end;
  after_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - silent end;
  tenant uuid := '00000000-0000-0000-0000-000000000001';
  old_values jsonb;
  new_values jsonb;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_argv[0] <> '' then
    tenant := coalesce(after_row, before_row) ->> tg_argv[0];
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after_row -> b.key)
    into old_values, new_values
    from jsonb_each(before_row) b
    where b.value is distinct from after_row -> b.key;
    if old_values is null then
      return null; -- nothing changed
    end if;
  else
    old_values := before_row;
    new_values := after_row;
  end if;
  perform vital.append_audit(
    tenant,
    case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
    tg_table_name::text,
    (coalesce(after_row, before_row) ->> 'id')::uuid,
    jsonb_build_object('old', old_values, 'new', new_values));
  return null;
end
$$;

ALTER FUNCTION vital.audit_change() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.audit_change() IS 'Writes one audit row for each row changed';

CREATE FUNCTION vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(p_salt || convert_to(
    coalesce(octet_length(convert_to(p_changes::text, 'UTF8')) || ':' || p_changes::text, '-') || ','
    || coalesce(octet_length(convert_to(p_reason, 'UTF8')) || ':' || p_reason, '-') || ',', 'UTF8'))
$$;

ALTER FUNCTION vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) IS 'Commitment of an audit chain to what may be erased';

CREATE FUNCTION vital.audit_hash(p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text, p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamp with time zone, p_commitment bytea) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(p_previous_hash || convert_to(string_agg(coalesce(octet_length(convert_to(v.value, 'UTF8')) || ':' || v.value, '-') || ',', '' order by v.place), 'UTF8'))
  from (values
    (1, p_organization_id::text), (2, p_seq::text), (3, p_id::text), (4, p_action), (5, p_actor_id::text), (6, p_actor_role),
    (7, p_database_role::text), (8, p_entity), (9, p_entity_id::text), (10, p_request_id),
    (11, (extract(epoch from p_created_at) * 1000000)::bigint::text), (12, encode(p_commitment, 'hex'))
  ) as v (place, value)
$$;

ALTER FUNCTION vital.audit_hash(p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text, p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamp with time zone, p_commitment bytea) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.audit_hash(p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text, p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamp with time zone, p_commitment bytea) IS 'Hash of one row of an audit chain';

CREATE FUNCTION vital.audit_kept_least(p_organization_id uuid) RETURNS interval
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case when exists (
    select from public.tenant_configurations c where c.tenant_id = p_organization_id and c.compliance_settings ->> 'hipaa_enabled' = 'true'
  ) then interval '6 years' else interval '1 day' end
$$;

ALTER FUNCTION vital.audit_kept_least(p_organization_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.audit_kept_least(p_organization_id uuid) IS 'For how long the audit log of a tenant is kept at least';

CREATE FUNCTION vital.author_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(vital.user_id(), case when vital.is_operator() then nullif(current_setting('vital.author', true), '')::uuid end)
$$;

ALTER FUNCTION vital.author_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.author_id() IS 'Whose change this is: the caller, or whom an operator''s session acts for';

CREATE TABLE vital.erasures (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    subject text NOT NULL,
    subject_id uuid NOT NULL,
    reason text NOT NULL,
    state text DEFAULT 'requested'::text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    cancelled_by text,
    cancelled_at timestamp with time zone,
    people uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    addresses text[],
    chain_seq bigint,
    chain_hash bytea,
    erased jsonb DEFAULT '{}'::jsonb NOT NULL,
    key_destroyed_at timestamp with time zone,
    certificate text,
    signature bytea,
    CONSTRAINT erasures_check CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT erasures_check1 CHECK (((state <> ALL (ARRAY['approved'::text, 'running'::text, 'finished'::text])) OR (approved_at IS NOT NULL))),
    CONSTRAINT erasures_check2 CHECK (((state <> ALL (ARRAY['running'::text, 'finished'::text])) OR (started_at IS NOT NULL))),
    CONSTRAINT erasures_check3 CHECK (((state = 'finished'::text) = (finished_at IS NOT NULL))),
    CONSTRAINT erasures_check4 CHECK (((state = 'finished'::text) = (certificate IS NOT NULL))),
    CONSTRAINT erasures_check5 CHECK (((state = 'cancelled'::text) = (cancelled_at IS NOT NULL))),
    CONSTRAINT erasures_erased_check CHECK ((jsonb_typeof(erased) = 'object'::text)),
    CONSTRAINT erasures_forget_addresses CHECK (((state = 'running'::text) OR (addresses IS NULL))),
    CONSTRAINT erasures_reason_check CHECK (((btrim(reason) <> ''::text) AND (length(reason) <= 1000))),
    CONSTRAINT erasures_signature_check CHECK ((octet_length(signature) = 64)),
    CONSTRAINT erasures_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'approved'::text, 'running'::text, 'finished'::text, 'cancelled'::text]))),
    CONSTRAINT erasures_subject_check CHECK ((subject = ANY (ARRAY['tenant'::text, 'user'::text]))),
    CONSTRAINT erasures_take_two CHECK ((approved_by <> requested_by))
);
ALTER TABLE ONLY vital.erasures ALTER COLUMN addresses SET STATISTICS 0;

ALTER TABLE vital.erasures OWNER TO vital_owner;

COMMENT ON TABLE vital.erasures IS 'Erasures of tenants and users: asked for by one operator, approved by another, and what came of them. Operators alone.';

COMMENT ON COLUMN vital.erasures.id IS 'The erasure';

COMMENT ON COLUMN vital.erasures.subject IS 'tenant or user';

COMMENT ON COLUMN vital.erasures.subject_id IS 'The tenant or user; kept when everything else of it is gone, as proof';

COMMENT ON COLUMN vital.erasures.reason IS 'Why, without the address of whoever it is about';

COMMENT ON COLUMN vital.erasures.state IS 'requested, approved, running (also after it was broken off), finished or cancelled';

COMMENT ON COLUMN vital.erasures.requested_by IS 'Who asked for it: user:ID, or login:NAME of an operator''s own session';

COMMENT ON COLUMN vital.erasures.requested_at IS 'When it was asked for';

COMMENT ON COLUMN vital.erasures.not_before IS 'It may not begin before then';

COMMENT ON COLUMN vital.erasures.approved_by IS 'Who agreed, never the one who asked for it; named likewise';

COMMENT ON COLUMN vital.erasures.approved_at IS 'When they agreed';

COMMENT ON COLUMN vital.erasures.started_at IS 'When it began: there is no way back from then on';

COMMENT ON COLUMN vital.erasures.finished_at IS 'When everything was gone and looked for';

COMMENT ON COLUMN vital.erasures.cancelled_by IS 'Who called it off';

COMMENT ON COLUMN vital.erasures.cancelled_at IS 'When it was called off';

COMMENT ON COLUMN vital.erasures.people IS 'Users who are erased: the user, or those who were members of the tenant and of no other. Ids of nobody once it is finished';

COMMENT ON COLUMN vital.erasures.addresses IS 'Addresses that are looked for, while it runs and no longer';

COMMENT ON COLUMN vital.erasures.chain_seq IS 'Where the tenant''s audit chain ended when it began';

COMMENT ON COLUMN vital.erasures.chain_hash IS 'Hash of that row';

COMMENT ON COLUMN vital.erasures.erased IS 'Rows that were erased so far, by table';

COMMENT ON COLUMN vital.erasures.key_destroyed_at IS 'When the tenant''s key was destroyed, where it had one';

COMMENT ON COLUMN vital.erasures.certificate IS 'What was erased, looked for and found: the text that is signed';

COMMENT ON COLUMN vital.erasures.signature IS 'Ed25519 over the certificate; null where there was no key';

CREATE FUNCTION vital.begin_erasure(p_id uuid) RETURNS vital.erasures
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  erasure vital.erasures := vital.open_erasure(p_id, array['approved', 'running']);
  whose uuid[];
begin
  perform vital.require_no_hold(erasure.subject, erasure.subject_id);
  if erasure.state = 'running' then
    return erasure;
  end if;
  perform vital.require_erasable(erasure.subject, erasure.subject_id);
  if erasure.not_before > now() then
    raise exception using errcode = 'VT203', message = format('The waiting time of this erasure ends on %s.', to_char(erasure.not_before at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'),
      hint = 'Run it then. How long the next ones wait: `vital erasure wait`.';
  end if;
  if erasure.subject = 'user' then
    whose := array[erasure.subject_id];
  else
    whose := array(
      select u.id from public.users u
      where (u.organization_id = erasure.subject_id or exists (select from public.user_tenants m where m.tenant_id = erasure.subject_id and m.user_id = u.id))
        and not exists (select from public.user_tenants m where m.tenant_id <> erasure.subject_id and m.user_id = u.id)
        and not exists (select from public.profiles p where p.id = u.id and p.role = 'super_admin')
      order by u.id);
  end if;
  update vital.erasures e set state = 'running', started_at = now(), people = whose,
    addresses = array(
      select lower(u.email) from public.users u where u.id = any (whose) and btrim(u.email) <> ''
      union
      select lower(p.email) from public.profiles p where p.id = any (whose) and btrim(p.email) <> ''
      union
      select lower(i.email) from public.invitations i where erasure.subject = 'tenant' and i.tenant_id = erasure.subject_id
        and not exists (select from public.users u where lower(u.email) = lower(i.email) and u.id <> all (whose))
        and not exists (select from public.invitations o where o.tenant_id <> erasure.subject_id and lower(o.email) = lower(i.email))),
    chain_seq = (select h.seq from vital.audit_heads h where erasure.subject = 'tenant' and h.organization_id = erasure.subject_id),
    chain_hash = (select h.hash from vital.audit_heads h where erasure.subject = 'tenant' and h.organization_id = erasure.subject_id)
  where e.id = p_id
  returning e.* into erasure;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasing', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id, 'chain_seq', erasure.chain_seq, 'chain_hash', encode(erasure.chain_hash, 'hex'))));
  return erasure;
end
$$;

ALTER FUNCTION vital.begin_erasure(p_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.begin_erasure(p_id uuid) IS 'Begins an erasure, or goes on with one that was broken off';

CREATE FUNCTION vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not vital.is_operator() then
    raise exception using errcode = 'VT110', message = 'Only operators may do this.', hint = 'Ask the operator of the platform.';
  end if;
  if p_action not in ('restored', 'cloned') then
    raise exception using errcode = 'VT202', message = 'A tenant is restored or cloned.', hint = 'Name one of both.';
  end if;
  insert into vital.restorations (xid, organization_id) values (pg_current_xact_id(), p_organization_id);
  perform set_config('vital.restoring', 'on', true);
  perform vital.append_audit(p_organization_id, p_action, 'organizations', p_organization_id, p_changes);
  insert into vital.pending_versions (xid, scope, key) values (pg_current_xact_id(), 'tenant', p_organization_id) on conflict do nothing;
end
$$;

ALTER FUNCTION vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) IS 'Makes the rest of the transaction one that puts a tenant''s rows back, and audits that';

CREATE FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  select c.tenant_id, c.version, (left(c.document::text, -1) || ',' || substr(c.caller::text, 2))::json
  into tenant_id, version, body
  from vital.read_context(p_user_id, p_tenant) c;
end
$$;

ALTER FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) IS 'The context of a user in a tenant, or an error that names the step which failed';

CREATE FUNCTION vital.caller_context(p_user_id uuid DEFAULT NULL::uuid, OUT tenant_id uuid, OUT version text, OUT body json) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  if p_user_id is null or p_user_id = caller.user_id then
    select c.* into tenant_id, version, body from vital.build_context(caller.user_id, caller.tenant) c;
  elsif public.is_super_admin() then
    select c.* into tenant_id, version, body from vital.build_context(p_user_id, '') c;
  else
    raise exception using errcode = 'VT110', message = 'Only your own context can be read.',
      hint = 'Leave p_user_id out; naming another user takes a super admin or service_role.';
  end if;
end
$$;

ALTER FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) IS 'The caller''s context, or another user''s for a super admin';

CREATE FUNCTION vital.caller_standing() RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return vital.current_membership();
end
$$;

ALTER FUNCTION vital.caller_standing() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.caller_standing() IS 'What the caller is in the tenant they act in';

CREATE FUNCTION vital.caller_version() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if standing.tenant_id is null then
    return null;
  end if;
  return vital.context_version(standing.tenant_id, standing.user_id);
end
$$;

ALTER FUNCTION vital.caller_version() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.caller_version() IS 'The version of the caller''s context in the tenant they act in';

CREATE FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flag_changes
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  change public.tenant_feature_flag_changes;
begin
  perform vital.require_acting_admin(p_tenant_id);
  perform vital.give_reason(p_reason);
  update public.tenant_feature_flag_changes c set status = 'cancelled'
  where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending'
  returning c.* into change;
  if not found then
    perform vital.refuse_cancel((select c.status from public.tenant_feature_flag_changes c where c.tenant_id = p_tenant_id and c.id = p_id));
  end if;
  return change;
end
$$;

ALTER FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text) IS 'Cancels a scheduled change of a tenant''s override';

CREATE FUNCTION vital.carry_retired_keks(p_keks jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  insert into vital.retired_keks select r.* from jsonb_populate_recordset(null::vital.retired_keks, p_keks) r on conflict do nothing;
end
$$;

ALTER FUNCTION vital.carry_retired_keks(p_keks jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.carry_retired_keks(p_keks jsonb) IS 'Takes over which key-encryption keys were thrown away';

CREATE FUNCTION vital.carry_tenant_keys(p_keys jsonb, OUT destroyed bigint, OUT rewrapped bigint, OUT added bigint, OUT left_out bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  carried vital.tenant_keys;
  here vital.tenant_keys;
begin
  perform vital.require_operator();
  destroyed := 0; rewrapped := 0; added := 0; left_out := 0;
  for carried in
    select c.* from jsonb_populate_recordset(null::vital.tenant_keys, p_keys) c order by c.destroyed_at nulls last, c.tenant_id, c.key_id
  loop
    select k.* into here from vital.tenant_keys k where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id for update;
    if here.key_id is null then
      insert into vital.tenant_keys select carried.* on conflict (tenant_id) where destroyed_at is null do nothing;
      if found then
        added := added + 1;
      else
        left_out := left_out + 1;
      end if;
    elsif here.destroyed_at is null and carried.destroyed_at is not null then
      update vital.tenant_keys k set wrapped = null, kek_id = carried.kek_id, destroyed_at = carried.destroyed_at
      where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id;
      perform vital.append_audit(carried.tenant_id, 'destroyed', 'tenant_keys', carried.key_id, null);
      destroyed := destroyed + 1;
    elsif here.destroyed_at is null and carried.wrapped_at > here.wrapped_at then
      update vital.tenant_keys k set wrapped = carried.wrapped, kek_id = carried.kek_id, wrapped_at = carried.wrapped_at
      where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id;
      rewrapped := rewrapped + 1;
    end if;
  end loop;
end
$$;

ALTER FUNCTION vital.carry_tenant_keys(p_keys jsonb, OUT destroyed bigint, OUT rewrapped bigint, OUT added bigint, OUT left_out bigint) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.carry_tenant_keys(p_keys jsonb, OUT destroyed bigint, OUT rewrapped bigint, OUT added bigint, OUT left_out bigint) IS 'Takes over keys as another copy of the database has them';

CREATE FUNCTION vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text DEFAULT NULL::text) RETURNS public.user_tenants
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  member public.user_tenants;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(p_role in ('owner', 'admin', 'member', 'viewer'), 'p_role', 'owner, admin, member or viewer');
  perform vital.give_reason(p_reason);
  update public.user_tenants m set role = p_role
  where m.tenant_id = p_tenant_id and m.user_id = p_user_id
  returning m.* into member;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such member of this tenant.',
      hint = 'Members are those of the table user_tenants; invite others first.';
  end if;
  return member;
end
$$;

ALTER FUNCTION vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text) IS 'Gives a member of a tenant another role, for operators';

CREATE FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) RETURNS public.feature_flags
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags := jsonb_populate_record(p_flag, p_changes);
begin
  flag.flag_type := coalesce(flag.flag_type, 'boolean');
  flag.default_enabled := coalesce(flag.default_enabled, false);
  flag.variants := coalesce(flag.variants, '{}');
  flag.targeting := coalesce(flag.targeting, '{}');
  flag.is_active := coalesce(flag.is_active, true);
  flag.tags := coalesce(flag.tags, '{}');
  flag.metadata := coalesce(flag.metadata, '{}');
  flag.prerequisites := coalesce(flag.prerequisites, '[]');
  return flag;
end
$$;

ALTER FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) IS 'A flag definition with some of its fields changed';

CREATE FUNCTION vital.check_author(p_user_id uuid, p_tenant_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_user_id is null
    or exists (select from public.profiles p where p.id = p_user_id and p.role = 'super_admin')
    or exists (
      select from public.user_tenants m
      join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
      where m.tenant_id = p_tenant_id and m.user_id = p_user_id and m.status = 'active' and m.role in ('owner', 'admin'))
  then
    return;
  end if;
  raise exception using errcode = 'VT110', message = 'Whoever scheduled this change may no longer make it.',
    hint = 'Somebody who may has to schedule it anew.';
end
$$;

ALTER FUNCTION vital.check_author(p_user_id uuid, p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.check_author(p_user_id uuid, p_tenant_id uuid) IS 'Refuses a scheduled change whose author may no longer make it';

CREATE FUNCTION vital.check_feature_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  fresh constant boolean := tg_op = 'INSERT';
  wrong text;
begin
  if fresh or (new.variants, new.flag_type) is distinct from (old.variants, old.flag_type) then
    select v.key into wrong from jsonb_each(new.variants) v where jsonb_typeof(v.value) <> new.flag_type order by v.key limit 1;
    perform vital.require_value(wrong is null, 'variants.' || wrong, 'of the flag''s type, ' || new.flag_type);
  end if;
  if fresh or new.prerequisites is distinct from old.prerequisites then
    perform vital.check_prerequisites(new);
  end if;
  if not fresh and new.flag_key <> old.flag_key then
    select f.flag_key into wrong from public.feature_flags f
    where f.prerequisites @> jsonb_build_array(jsonb_build_object('flag_key', old.flag_key)) order by f.flag_key limit 1;
    if found then
      raise exception using errcode = 'VT203', message = format('The flag %s needs this one under its name.', wrong),
        hint = 'Take it from the other flag''s prerequisites first.';
    end if;
  end if;
  return null;
end
$$;

ALTER FUNCTION vital.check_feature_flag() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.check_feature_flag() IS 'Holds a flag definition to what it says of itself and of others';

CREATE FUNCTION vital.check_needing_flags() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  needing public.feature_flags;
begin
  for needing in
    select f.* from public.feature_flags f
    where f.prerequisites @> jsonb_build_array(jsonb_build_object('flag_key', new.flag_key))
    order by f.flag_key
  loop
    perform vital.check_prerequisites(needing);
  end loop;
  return null;
end
$$;

ALTER FUNCTION vital.check_needing_flags() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.check_needing_flags() IS 'Keeps the variants that other flags need';

CREATE FUNCTION vital.check_prerequisites(p_flag public.feature_flags) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  hint constant text := 'A prerequisite is {"flag_key": …, "variants": [names]}.';
  needed record;
  problem text;
  circle text[];
begin
  for needed in
    select p.value as entry, p.place - 1 as place, f.id, f.flag_type, f.variants
    from jsonb_array_elements(p_flag.prerequisites) with ordinality p (value, place)
    left join public.feature_flags f on f.flag_key = p.value ->> 'flag_key'
    order by p.place
  loop
    problem := case
      when jsonb_typeof(needed.entry) <> 'object' then 'is not an object'
      when exists (select from jsonb_object_keys(needed.entry) k where k not in ('flag_key', 'variants')) then 'has a field that is not known'
      when jsonb_typeof(needed.entry -> 'flag_key') is distinct from 'string' then 'has no flag_key'
      when jsonb_typeof(needed.entry -> 'variants') is distinct from 'array' or needed.entry -> 'variants' = '[]' then 'has no variants'
      when needed.id is null then format('names a flag there is not: %s', needed.entry ->> 'flag_key')
      else (
        select format('names a variant that %s does not have: %s', needed.entry ->> 'flag_key', v #>> '{}')
        from jsonb_array_elements(needed.entry -> 'variants') v
        where jsonb_typeof(v) <> 'string' or not (
          needed.variants ? (v #>> '{}')
          or needed.flag_type = 'boolean' and needed.variants = '{}' and v #>> '{}' in ('on', 'off'))
        limit 1)
    end;
    if problem is not null then
      raise exception using errcode = 'VT209', message = format('prerequisites[%s] of %s %s.', needed.place, p_flag.flag_key, problem), hint = hint;
    end if;
  end loop;

  with recursive chain (flag_key, path) as (
    select p ->> 'flag_key', array[p_flag.flag_key, p ->> 'flag_key'] from jsonb_array_elements(p_flag.prerequisites) p
    union all
    select p ->> 'flag_key', c.path || (p ->> 'flag_key')
    from chain c
    join public.feature_flags f on f.flag_key = c.flag_key
    cross join jsonb_array_elements(f.prerequisites) p
    where c.flag_key <> p_flag.flag_key
  ) cycle flag_key set is_cycle using visited
  select c.path into circle from chain c where c.flag_key = p_flag.flag_key limit 1;
  if circle is not null then
    raise exception using errcode = 'VT209', message = format('The prerequisites lead back to the flag: %s.', array_to_string(circle, ' needs ')),
      hint = 'Take one of them away.';
  end if;
end
$$;

ALTER FUNCTION vital.check_prerequisites(p_flag public.feature_flags) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.check_prerequisites(p_flag public.feature_flags) IS 'Refuses prerequisites that are malformed, unknown or lead in a circle';

CREATE FUNCTION vital.claim_idempotency_key(p_key text, p_fingerprint bytea, OUT claimed boolean, OUT same boolean, OUT status integer, OUT headers jsonb, OUT body bytea) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller_id constant uuid := (vital.identity()).user_id;
  oldest constant timestamptz := transaction_timestamp() - interval '1 day';
begin
  if caller_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  delete from vital.idempotency_keys k where k.caller = caller_id and k.key = p_key and k.created_at < oldest;
  delete from vital.idempotency_keys k using (
    select o.caller, o.key from vital.idempotency_keys o where o.created_at < oldest
    order by o.created_at limit 10 for update skip locked
  ) o where k.caller = o.caller and k.key = o.key;
  loop
    insert into vital.idempotency_keys (caller, key, fingerprint) values (caller_id, p_key, p_fingerprint)
    on conflict do nothing;
    claimed := found;
    exit when claimed;
    select k.fingerprint = p_fingerprint, k.status, k.headers, k.body
    into same, status, headers, body
    from vital.idempotency_keys k
    where k.caller = caller_id and k.key = p_key;
    exit when found;
  end loop;
end
$$;

ALTER FUNCTION vital.claim_idempotency_key(p_key text, p_fingerprint bytea, OUT claimed boolean, OUT same boolean, OUT status integer, OUT headers jsonb, OUT body bytea) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.claim_idempotency_key(p_key text, p_fingerprint bytea, OUT claimed boolean, OUT same boolean, OUT status integer, OUT headers jsonb, OUT body bytea) IS 'Claims an Idempotency-Key, or finds the answer given under it';

CREATE FUNCTION vital.claimed_identity() RETURNS vital.caller
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  claims jsonb;
  caller vital.caller;
begin
  if session_user <> 'authenticator' or not (select accept_jwt_claims from vital.settings) then
    return null;
  end if;
  claims := nullif(current_setting('request.jwt.claims', true), '');
  caller.user_id := claims ->> 'sub';
  caller.tenant := coalesce(claims #>> '{app_metadata,tenant_id}', '');
  caller.role := claims ->> 'role';
  caller.session_id := claims ->> 'session_id';
  return caller;
end
$$;

ALTER FUNCTION vital.claimed_identity() OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.claimed_identity() IS 'The caller by PostgREST''s claims, where they are believed';

CREATE FUNCTION vital.colleague_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  current constant uuid := vital.tenant_for('read');
begin
  return query select m.user_id from public.user_tenants m where m.tenant_id = current;
end
$$;

ALTER FUNCTION vital.colleague_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.colleague_ids() IS 'Members of the tenant the caller acts in';

CREATE FUNCTION vital.consistency() RETURNS TABLE(place integer, check_name text, severity text, subject text, wrong bigint, kept text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION vital.consistency() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.consistency() IS 'The checks of data: how many rows are wrong, and what forbids it';

CREATE FUNCTION vital.context_document(p_tenant_id uuid) RETURNS json
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select json_build_object(
      'organization', json_build_object(
        'id', o.id, 'name', o.name, 'slug', o.slug, 'tenant_type', o.tenant_type,
        'tenant_key', o.tenant_key, 'is_active', o.is_active, 'lifecycle_state', o.lifecycle_state,
        'subscription_tier', o.subscription_tier, 'parent_organization_id', o.parent_organization_id),
      'config', json_build_object(
        'ui_config', c.ui_config, 'enabled_features', c.enabled_features, 'enabled_apps', c.enabled_apps,
        'enabled_agent_tiers', c.enabled_agent_tiers, 'limits', c.limits,
        'compliance_settings', c.compliance_settings, 'apps', c.apps, 'features', c.features))
    from vital.tenant_settings c
    join public.organizations o on o.id = c.tenant_id
    where c.tenant_id = p_tenant_id and c.configuration_id is not null);
end
$$;

ALTER FUNCTION vital.context_document(p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.context_document(p_tenant_id uuid) IS 'What all members of a tenant see of it in their contexts';

CREATE FUNCTION vital.context_stamp(p_tenant_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(g.version, 0) || '.' || coalesce(t.version, 0) || '.' ||
      md5(concat_ws('.', extract(epoch from g.changed_at), extract(epoch from t.changed_at), extract(epoch from f.ended)))
    from (
      select max(o.expires_at) as ended
      from public.tenant_feature_flags o
      where o.tenant_id = p_tenant_id and o.expires_at <= transaction_timestamp()
    ) f
    left join vital.versions g on g.scope = 'global' and g.key = '00000000-0000-0000-0000-000000000000'
    left join vital.versions t on t.scope = 'tenant' and t.key = p_tenant_id);
end
$$;

ALTER FUNCTION vital.context_stamp(p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.context_stamp(p_tenant_id uuid) IS 'What tells one state of a tenant''s document from all others';

CREATE FUNCTION vital.context_version(p_tenant_id uuid, p_user_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return concat_ws('.',
    coalesce((select g.version from vital.versions g where g.scope = 'global' and g.key = '00000000-0000-0000-0000-000000000000'), 0),
    coalesce((select t.version from vital.versions t where t.scope = 'tenant' and t.key = p_tenant_id), 0),
    coalesce((select m.version from vital.versions m where m.scope = 'membership' and m.key = p_user_id), 0),
    coalesce((select s.version from vital.versions s where s.scope = 'self' and s.key = p_user_id), 0));
end
$$;

ALTER FUNCTION vital.context_version(p_tenant_id uuid, p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.context_version(p_tenant_id uuid, p_user_id uuid) IS 'The version of a user''s context in a tenant';

CREATE FUNCTION vital.count_flag_evaluations(p_evaluations jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  counted integer;
begin
  perform vital.require_value(jsonb_typeof(p_evaluations) = 'array', 'p_evaluations', 'an array');
  insert into public.tenant_feature_flag_usage as u (tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at)
  select e.tenant_id, f.id, coalesce(e.variant, ''), (e.last_evaluated_at at time zone 'UTC')::date, sum(e.evaluations), max(e.last_evaluated_at)
  from jsonb_to_recordset(p_evaluations) as e (tenant_id uuid, flag_key text, variant text, evaluations bigint, last_evaluated_at timestamptz)
  join public.feature_flags f on f.flag_key = e.flag_key
  join public.organizations o on o.id = e.tenant_id
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4
  on conflict (tenant_id, feature_flag_id, variant, day) do update
  set evaluations = u.evaluations + excluded.evaluations, last_evaluated_at = greatest(u.last_evaluated_at, excluded.last_evaluated_at);
  get diagnostics counted = row_count;
  return counted;
end
$$;

ALTER FUNCTION vital.count_flag_evaluations(p_evaluations jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.count_flag_evaluations(p_evaluations jsonb) IS 'Adds evaluations of flags to their counts';

CREATE FUNCTION vital.current_membership() RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
  wanted uuid;
begin
  if caller.user_id is null then
    return null;
  end if;
  if caller.tenant = '' then
    select u.organization_id into wanted from public.users u where u.id = caller.user_id;
  elsif length(caller.tenant) = 36 and caller.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    wanted := caller.tenant;
  else
    select o.id into wanted from public.organizations o where o.slug = caller.tenant;
  end if;

  select m.tenant_id, m.user_id, m.role, false, o.lifecycle_state
  into standing
  from public.user_tenants m
  join public.organizations o on o.id = m.tenant_id
  where m.tenant_id = wanted and m.user_id = caller.user_id and m.status = 'active';
  if found and standing.state = 'active' and standing.role in ('owner', 'admin') then
    return standing; -- the common case of a writer needs no second look
  end if;

  if exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin') and vital.may_enter(wanted, caller.user_id) then
    select o.id, caller.user_id, coalesce(standing.role, 'admin'), true, o.lifecycle_state
    into standing
    from public.organizations o
    where o.id = wanted;
  end if;
  return standing;
end
$_$;

ALTER FUNCTION vital.current_membership() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.current_membership() IS 'The caller''s standing in the tenant they act in';

CREATE FUNCTION vital.definition_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select '{name,description,flag_type,default_enabled,variants,default_variant,targeting,is_active,category,owner,tags,expires_at,metadata,prerequisites}'::text[]
$$;

ALTER FUNCTION vital.definition_fields() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.definition_fields() IS 'The fields of a flag definition that change';

CREATE FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid DEFAULT NULL::uuid) RETURNS public.tools
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  tool public.tools;
  replacement public.tools;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tool should no longer be used');
  perform vital.require_value(p_replacement_tool_id is distinct from p_tool_id, 'p_replacement_tool_id', 'another tool');
  perform from public.tools t
  where t.tenant_id = p_tenant_id and t.id in (p_tool_id, p_replacement_tool_id)
  order by t.id
  for update;
  select t.* into tool from public.tools t where t.tenant_id = p_tenant_id and t.id = p_tool_id;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such tool.', hint = 'A tenant deprecates its own tools.';
  elsif tool.deprecated then
    raise exception using errcode = 'VT203', message = 'This tool is deprecated already.', hint = 'Nothing is left to do.';
  end if;

  if p_replacement_tool_id is not null then
    select t.* into replacement from public.tools t
    where t.tenant_id in (p_tenant_id, platform) and t.id = p_replacement_tool_id
    order by t.tenant_id = p_tenant_id desc
    limit 1;
    if not found then
      raise exception using errcode = 'VT205', message = 'There is no such tool to replace it.',
        hint = 'A replacement is one of the tenant''s own tools or of the platform''s.';
    elsif replacement.deprecated or not replacement.is_active then
      raise exception using errcode = 'VT203', message = 'The replacement is deprecated or inactive itself.', hint = 'Name one that is in use.';
    elsif exists (
      with recursive chain (tenant_id, id, next_tenant_id, next_id, steps) as (
        select replacement.tenant_id, replacement.id, replacement.replacement_tool_tenant_id, replacement.replacement_tool_id, 1
        union all
        select t.tenant_id, t.id, t.replacement_tool_tenant_id, t.replacement_tool_id, c.steps + 1
        from chain c join public.tools t on t.tenant_id = c.next_tenant_id and t.id = c.next_id
        where c.steps < 100
      )
      select from chain c where c.tenant_id = p_tenant_id and c.id = p_tool_id
    ) then
      raise exception using errcode = 'VT203', message = 'The replacement leads back to this tool.', hint = 'Name one that does not.';
    end if;
  end if;
  perform vital.give_reason(p_reason);
  update public.tools t
  set deprecated = true, deprecated_at = now(), deprecated_reason = btrim(p_reason),
    replacement_tool_tenant_id = replacement.tenant_id, replacement_tool_id = replacement.id
  where t.tenant_id = p_tenant_id and t.id = p_tool_id
  returning t.* into tool;
  return tool;
end
$$;

ALTER FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) IS 'Marks a tool of a tenant as one to use no longer';

CREATE FUNCTION vital.destroy_tenant_key(p_tenant_id uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  destroyed uuid;
begin
  perform vital.require_operator();
  for destroyed in
    update vital.tenant_keys k set wrapped = null, destroyed_at = clock_timestamp()
    where k.tenant_id = p_tenant_id and k.destroyed_at is null
    returning k.key_id
  loop
    perform vital.append_audit(p_tenant_id, 'destroyed', 'tenant_keys', destroyed, null);
  end loop;
  return (select max(k.destroyed_at) from vital.tenant_keys k where k.tenant_id = p_tenant_id);
end
$$;

ALTER FUNCTION vital.destroy_tenant_key(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.destroy_tenant_key(p_tenant_id uuid) IS 'Destroys every key of a tenant, and records that';

CREATE FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) RETURNS TABLE(path text, before jsonb, after jsonb)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with recursive node (side, path, value) as (
    select s.side, '', s.value from (values ('before', p_before), ('after', p_after)) s (side, value) where s.value is not null
    union all
    select n.side, n.path || '/' || c.step, c.value
    from node n
    cross join lateral (
      select replace(replace(e.key, '~', '~0'), '/', '~1') as step, e.value from jsonb_each(case jsonb_typeof(n.value) when 'object' then n.value end) e
      union all
      select (e.place - 1)::text, e.value from jsonb_array_elements(case jsonb_typeof(n.value) when 'array' then n.value end) with ordinality e (value, place)
    ) c
  ), leaf as (
    select n.* from node n where jsonb_typeof(n.value) not in ('object', 'array') or n.value in ('{}', '[]')
  )
  select coalesce(b.path, a.path), b.value, a.value
  from (select l.path, l.value from leaf l where l.side = 'before') b
  full join (select l.path, l.value from leaf l where l.side = 'after') a on a.path = b.path
  where b.value is distinct from a.value
  order by 1
$$;

ALTER FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) IS 'Where two JSON values differ, leaf by leaf';

CREATE FUNCTION vital.drop_retained_partition(p_rule_id uuid) RETURNS TABLE(tenant_id uuid, dropped_rows bigint, before timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  step record;
  part record;
begin
  perform set_config('lock_timeout', '2s', true);
  select p.* into step from vital.retention_plan() p where p.rule_id = p_rule_id order by p.tenant_id nulls last limit 1;
  if step.rule_id is null or step.tenant_id is not null or step.problem is not null or cardinality(step.except_tenants) > 0
    or step.age_type <> 'timestamp with time zone' or (step.table_schema, step.table_name) = ('public', 'organization_audit_log') then
    return;
  end if;
  select n.nspname, c.relname into part
  from pg_class t
  join pg_namespace tn on tn.oid = t.relnamespace and tn.nspname = step.table_schema
  join pg_partitioned_table k on k.partrelid = t.oid and k.partstrat = 'r' and k.partnatts = 1
  join pg_attribute a on a.attrelid = t.oid and a.attnum = k.partattrs[0] and a.attname = step.age_column
  join pg_inherits i on i.inhparent = t.oid and not i.inhdetachpending
  join pg_class c on c.oid = i.inhrelid and c.relkind = 'r' and not c.relrowsecurity
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select (regexp_match(pg_get_expr(c.relpartbound, c.oid), ' TO \(''([^'']+)''\)$'))[1]::timestamptz as ends) b
  where t.relname = step.table_name and b.ends <= step.before
    and pg_has_role(current_user, c.relowner, 'usage') and pg_has_role(current_user, t.relowner, 'usage')
    and not exists (select from pg_constraint f where f.contype = 'f' and f.confrelid in (t.oid, c.oid))
  order by b.ends
  limit 1;
  if part.relname is null then
    return;
  end if;
  execute format('lock table %I.%I in access exclusive mode', part.nspname, part.relname);
  return query execute format('select x.%I, count(*), $1 from %I.%I x group by 1 order by 1', step.tenant_column, part.nspname, part.relname) using step.before;
  if not found then -- an empty one is told of, too
    tenant_id := null; dropped_rows := 0; before := step.before;
    return next;
  end if;
  execute format('drop table %I.%I', part.nspname, part.relname);
end
$_$;

ALTER FUNCTION vital.drop_retained_partition(p_rule_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.drop_retained_partition(p_rule_id uuid) IS 'Drops a partition whose rows may all go, and tells how many each tenant had';

CREATE FUNCTION vital.enforce_agent_tier() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  enabled integer[];
  wanted constant integer := (select a.tier from public.agents a where a.tenant_id = new.agent_tenant_id and a.id = new.agent_id);
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  enabled := (vital.lock_configuration(new.tenant_id)).enabled_agent_tiers;
  if wanted <> all (enabled) then
    raise exception using errcode = 'VT204', message = format('Agents of tier %s are not enabled for this tenant.', wanted),
      hint = format('Enabled are: %s. An admin can change enabled_agent_tiers.', coalesce(nullif(array_to_string(enabled, ', '), ''), 'none'));
  end if;
  return null;
end
$$;

ALTER FUNCTION vital.enforce_agent_tier() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.enforce_agent_tier() IS 'Refuses agents of a tier the tenant has not enabled';

CREATE FUNCTION vital.enforce_limit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  made record;
  allowed jsonb;
  present bigint;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  for made in select n.tenant_id, count(*) as count from inserted n group by n.tenant_id order by n.tenant_id loop
    select c.limits -> tg_argv[0] into allowed from public.tenant_configurations c where c.tenant_id = made.tenant_id;
    continue when found and coalesce(allowed, 'null') = 'null';
    allowed := (vital.lock_configuration(made.tenant_id)).limits -> tg_argv[0];
    continue when coalesce(allowed, 'null') = 'null';
    perform vital.require_value(jsonb_typeof(allowed) = 'number', 'limits.' || tg_argv[0], 'a number');
    if tg_table_name = 'tenant_agents' then
      select count(*) into present from public.tenant_agents a where a.tenant_id = made.tenant_id;
    else
      select count(*) into present from public.chat_sessions s where s.tenant_id = made.tenant_id;
    end if;
    if present > allowed::numeric then
      raise exception using errcode = 'VT204',
        message = format('The limit %s of this tenant is %s, and it has %s.', tg_argv[0], allowed, present - made.count),
        hint = 'Remove something, or have an admin raise the limit in the tenant''s configuration.';
    end if;
  end loop;
  return null;
end
$$;

ALTER FUNCTION vital.enforce_limit() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.enforce_limit() IS 'Refuses rows beyond a limit of the tenant''s configuration';

CREATE FUNCTION vital.enqueue_job(p_kind text, p_args jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into vital.river_job as j (kind, args, max_attempts, unique_key, unique_states)
  values (p_kind, p_args, 1, sha256(convert_to('&kind=' || p_kind || '&args=' || p_args::text, 'UTF8')), b'11110001') -- all but what has ended
  on conflict (unique_key) where unique_key is not null and unique_states is not null and vital.river_job_state_in_bitmask(unique_states, state)
  do update set kind = excluded.kind
  returning j.id
$$;

ALTER FUNCTION vital.enqueue_job(p_kind text, p_args jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.enqueue_job(p_kind text, p_args jsonb) IS 'Has a background job done as soon as a server is free';

CREATE FUNCTION vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) RETURNS public.break_glass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  longest constant interval := (select s.break_glass_longest from vital.settings s);
  entry public.break_glass;
begin
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '' and length(p_reason) <= 500, 'p_reason', 'given, in up to 500 characters: the tenant reads why');
  perform vital.require_value(p_duration >= interval '1 minute' and p_duration <= longest, 'p_duration', format('between a minute and %s', longest));
  perform from public.organizations o where o.id = p_tenant_id;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  end if;
  perform from public.profiles p where p.id = p_user_id and p.role = 'super_admin' for no key update; -- one entry at a time
  if not found then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform enter tenants.',
      hint = 'Members are in their tenants as they are; others are invited.';
  end if;
  if exists (select from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = p_user_id and m.status = 'active' and m.role in ('owner', 'admin')) then
    raise exception using errcode = 'VT203', message = 'An admin of a tenant is in it already.', hint = 'Act in it, by the Vital-Tenant header.';
  end if;
  perform vital.give_reason(p_reason);
  update public.break_glass b set ended_at = now(), ended_by = p_user_id
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > now();
  insert into public.break_glass (tenant_id, user_id, reason, until)
  values (p_tenant_id, p_user_id, btrim(p_reason), now() + p_duration)
  returning * into entry;
  perform vital.append_audit(p_tenant_id, 'entered', 'break_glass', entry.id,
    jsonb_build_object('old', null, 'new', jsonb_build_object('user_id', entry.user_id, 'until', entry.until)));
  return entry;
end
$$;

ALTER FUNCTION vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) IS 'Lets a super admin into a tenant they are no member of, for operators';

CREATE FUNCTION vital.entry_of(p_tenant_id uuid, p_user_id uuid) RETURNS TABLE(id uuid, until timestamp with time zone)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select b.id, b.until
  from public.break_glass b
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > transaction_timestamp()
  order by b.until desc
  limit 1
$$;

ALTER FUNCTION vital.entry_of(p_tenant_id uuid, p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.entry_of(p_tenant_id uuid, p_user_id uuid) IS 'The entry by which a super admin is in a tenant, and until when';

CREATE FUNCTION vital.erase_audit(p_organization_id uuid, p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update public.organization_audit_log a
  set changes = null, reason = null, salt = null, sealed = null, sealed_key = null, erased_at = transaction_timestamp()
  where a.organization_id = p_organization_id and a.id = p_id and a.erased_at is null;
  if not found then
    return false;
  end if;
  perform vital.append_audit(p_organization_id, 'erased', 'organization_audit_log', p_id, null);
  return true;
end
$$;

ALTER FUNCTION vital.erase_audit(p_organization_id uuid, p_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.erase_audit(p_organization_id uuid, p_id uuid) IS 'Erases changes and reason of one audit row, and records that';

CREATE FUNCTION vital.erase_chain(p_id uuid, p_limit integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  gone bigint;
begin
  delete from public.organization_audit_log a
  where a.ctid = any (array(
    select d.ctid
    from vital.erasures e
    join public.organization_audit_log d on d.organization_id = e.subject_id
    where e.id = p_id and e.state = 'running' and e.subject = 'tenant'
    limit p_limit));
  get diagnostics gone = row_count;
  return gone;
end
$$;

ALTER FUNCTION vital.erase_chain(p_id uuid, p_limit integer) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.erase_chain(p_id uuid, p_limit integer) IS 'Deletes rows of the audit chain of a tenant that is being erased';

CREATE FUNCTION vital.fail_flag_change(p_tenant_id uuid, p_id uuid, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_tenant_id is null then
    update public.feature_flag_changes c set status = 'failed', error = p_error where c.id = p_id and c.status = 'pending';
  else
    update public.tenant_feature_flag_changes c set status = 'failed', error = p_error
    where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending';
  end if;
end
$$;

ALTER FUNCTION vital.fail_flag_change(p_tenant_id uuid, p_id uuid, p_error text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.fail_flag_change(p_tenant_id uuid, p_id uuid, p_error text) IS 'Marks a scheduled change as one that could not be made';

CREATE FUNCTION vital.find_active_flag(p_flag_key text) RETURNS public.feature_flags
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
begin
  select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key and f.is_active;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such active flag.',
      hint = 'Flags are those of the table feature_flags.';
  end if;
  return flag;
end
$$;

ALTER FUNCTION vital.find_active_flag(p_flag_key text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.find_active_flag(p_flag_key text) IS 'The active flag of that key, else an error';

CREATE TABLE public.agents (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    system_prompt text,
    model text,
    tier integer DEFAULT 1 NOT NULL,
    category text,
    capabilities text[] DEFAULT '{}'::text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT agents_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT agents_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT agents_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text)),
    CONSTRAINT agents_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT agents_tier_check CHECK (((tier >= 1) AND (tier <= 9))),
    CONSTRAINT agents_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.agents FORCE ROW LEVEL SECURITY;

ALTER TABLE public.agents OWNER TO vital_owner;

COMMENT ON TABLE public.agents IS 'Agents of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.agents.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.agents.id IS 'Identifier, random';

COMMENT ON COLUMN public.agents.name IS 'Name to show';

COMMENT ON COLUMN public.agents.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.agents.description IS 'What it is for';

COMMENT ON COLUMN public.agents.system_prompt IS 'Instruction the agent runs with';

COMMENT ON COLUMN public.agents.model IS 'Model the agent runs on';

COMMENT ON COLUMN public.agents.tier IS 'Tier; a tenant may assign those of its enabled_agent_tiers';

COMMENT ON COLUMN public.agents.category IS 'Group in lists';

COMMENT ON COLUMN public.agents.capabilities IS 'What it can do, as names of tools or skills';

COMMENT ON COLUMN public.agents.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.agents.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.agents.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.agents.tags IS 'Free labels';

COMMENT ON COLUMN public.agents.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.agents.created_at IS 'When the row was made';

COMMENT ON COLUMN public.agents.updated_at IS 'When the row was last changed';

CREATE FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) RETURNS public.agents
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  agent public.agents;
begin
  select a.* into agent
  from public.agents a
  where a.id = p_agent_id and a.tenant_id in (p_tenant_id, '00000000-0000-0000-0000-000000000001')
    and (p_agent_tenant_id is null or a.tenant_id = p_agent_tenant_id)
  order by a.tenant_id = p_tenant_id desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such agent.',
      hint = 'A tenant has its own agents and those of the platform.';
  end if;
  return agent;
end
$$;

ALTER FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) IS 'The agent a tenant means: its own, else the platform''s';

CREATE FUNCTION vital.find_feature_flag(p_flag_key text) RETURNS public.feature_flags
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
begin
  select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no flag %s.', p_flag_key),
      hint = 'Flags are those of the table feature_flags. One is made by setting it with the expected version 0.';
  end if;
  return flag;
end
$$;

ALTER FUNCTION vital.find_feature_flag(p_flag_key text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.find_feature_flag(p_flag_key text) IS 'The flag of that key, else an error';

CREATE FUNCTION vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  erasure constant vital.erasures := vital.open_erasure(p_id, array['running']);
begin
  if exists (select from public.organizations o where erasure.subject = 'tenant' and o.id = erasure.subject_id)
    or exists (select from public.users u where u.id = any (erasure.people))
    or exists (select from public.organization_audit_log a where erasure.subject = 'tenant' and a.organization_id = erasure.subject_id) then
    raise exception using errcode = 'VT203', message = 'Not everything is erased yet.', hint = 'Run it again, and it goes on.';
  end if;
  update vital.erasures e set state = 'finished', finished_at = now(), certificate = p_certificate, signature = p_signature, addresses = null where e.id = p_id;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erased', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object(
      'erasure', p_id, 'certificate_sha256', encode(sha256(convert_to(p_certificate, 'UTF8')), 'hex'), 'clean', p_certificate::jsonb -> 'clean')));
end
$$;

ALTER FUNCTION vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) IS 'Ends an erasure with its certificate';

CREATE FUNCTION vital.finish_restoring(p_changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  tenant uuid;
begin
  if not vital.is_operator() then
    raise exception using errcode = 'VT110', message = 'Only operators may do this.', hint = 'Ask the operator of the platform.';
  end if;
  delete from vital.restorations r where r.xid = pg_current_xact_id() returning r.organization_id into tenant;
  update vital.pending_audit p set changes = p.changes || p_changes
  where p.xid = pg_current_xact_id() and p.organization_id = tenant and p.action in ('restored', 'cloned');
  perform set_config('vital.restoring', '', true);
end
$$;

ALTER FUNCTION vital.finish_restoring(p_changes jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.finish_restoring(p_changes jsonb) IS 'Ends a transaction''s putting back of a tenant''s rows';

CREATE FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  asking constant vital.caller := vital.identity();
  standing vital.membership;
  wanted uuid;
  state public.org_lifecycle_state;
begin
  if asking.user_id is not null then
    standing := vital.require_member();
    wanted := standing.tenant_id;
  else
    select o.id, o.lifecycle_state into wanted, state
    from vital.api_keys k
    join public.organizations o on o.id = k.acts_for
    where k.id = asking.session_id and 'flags' = any (k.rights)
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > transaction_timestamp());
    if wanted is null then
      raise exception using errcode = 'VT100', message = 'A signed-in user, or a key of a tenant with the right to flags, is required here.',
        hint = 'Send the access token of a user, or a key made with `vital key create --tenant SLUG`.';
    elsif asking.tenant not in ('', wanted::text, (select o.slug from public.organizations o where o.id = wanted)) then
      raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
        hint = 'This key acts for one tenant: leave the Vital-Tenant header out.';
    elsif state <> 'active' then
      raise exception using
        errcode = case state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
        message = case state
          when 'pending' then 'This tenant awaits approval.'
          when 'suspended' then 'This tenant is suspended.'
          else 'This tenant is archived.' end,
        hint = 'Ask the operator of the platform.';
    end if;
  end if;

  select f.tenant, f.overrides into tenant, overrides from vital.tenant_flag_overrides(wanted) f;
  if asking.user_id is not null then
    member := json_build_object('user_id', asking.user_id, 'role', standing.role);
    select e.until into until from vital.entry_of(wanted, asking.user_id) e;
  end if;
  select json_agg(json_build_object('kind', s.scope, 'key', s.key, 'version', coalesce(v.version, 0)) order by s.o)
  into versions
  from (values
    (1, 'tenant', wanted), (2, 'membership', asking.user_id), (3, 'self', asking.user_id), (4, 'session', asking.session_id)
  ) s(o, scope, key)
  left join vital.versions v on v.scope = s.scope and v.key = s.key
  where s.key is not null;
end
$$;

ALTER FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) IS 'The tenant, the caller and the overrides that flags are evaluated with, and their versions';

CREATE FUNCTION vital.flag_definitions(OUT version bigint, OUT flags jsonb, OUT evaluators jsonb) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select
    coalesce((select v.version from vital.versions v where v.scope = 'global' and v.key = '00000000-0000-0000-0000-000000000000'), 0),
    coalesce((select jsonb_agg(to_jsonb(f) - '{id,created_at,updated_at}'::text[] order by f.flag_key) from public.feature_flags f), '[]'),
    coalesce((select jsonb_object_agg(e.name, e.rule) from public.feature_flag_evaluators e), '{}')
$$;

ALTER FUNCTION vital.flag_definitions(OUT version bigint, OUT flags jsonb, OUT evaluators jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.flag_definitions(OUT version bigint, OUT flags jsonb, OUT evaluators jsonb) IS 'Flag definitions and evaluators, with the global version they belong to';

CREATE FUNCTION vital.follow_lifecycle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  by_flag constant boolean := tg_op = 'UPDATE' and new.lifecycle_state = old.lifecycle_state and new.is_active is distinct from old.is_active;
begin
  if tg_op = 'INSERT' then
    if not new.is_active and new.lifecycle_state = 'active' then
      new.lifecycle_state := 'suspended';
    end if;
  elsif by_flag then
    if old.lifecycle_state in ('pending', 'archived') then
      perform vital.refuse_move(old.lifecycle_state);
    end if;
    new.lifecycle_state := case when new.is_active then 'active' else 'suspended' end;
  elsif new.lifecycle_state <> old.lifecycle_state
    and not exists (select from vital.lifecycle_moves() m where m.from_state = old.lifecycle_state and m.to_state = new.lifecycle_state)
    and not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
    perform vital.refuse_move(old.lifecycle_state);
  end if;
  if new.id = '00000000-0000-0000-0000-000000000001' and new.lifecycle_state <> 'active' then
    raise exception using errcode = 'VT203', message = 'The platform tenant stays active; allowed now: nothing.',
      hint = 'It owns what all tenants share.';
  end if;
  new.is_active := new.lifecycle_state = 'active';
  if tg_op = 'UPDATE' and old.lifecycle_state = 'pending' and new.lifecycle_state = 'active' then
    new.approved_at := transaction_timestamp();
    new.approved_by := vital.author_id();
  elsif not vital.is_operator() then
    new.approved_at := case tg_op when 'UPDATE' then old.approved_at end;
    new.approved_by := case tg_op when 'UPDATE' then old.approved_by end;
  end if;
  return new;
end
$$;

ALTER FUNCTION vital.follow_lifecycle() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.follow_lifecycle() IS 'Keeps organizations.is_active equal to lifecycle_state = active, and moves to those allowed';

CREATE FUNCTION vital.forbidding_key(p_table text, p_column text, p_kind "char") RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case p_kind
    when 'n' then case when a.attnotnull then format('%s may not be null', p_column) end
    else (
      select format('%s keeps it so', n.conname)
      from pg_constraint n
      where n.conrelid = a.attrelid and n.contype = p_kind and a.attnum = any (n.conkey) and n.convalidated
      order by n.conname
      limit 1)
    end
  from pg_attribute a
  where a.attrelid = to_regclass('public.' || quote_ident(p_table)) and a.attname = p_column and not a.attisdropped
$$;

ALTER FUNCTION vital.forbidding_key(p_table text, p_column text, p_kind "char") OWNER TO vital_owner;

COMMENT ON FUNCTION vital.forbidding_key(p_table text, p_column text, p_kind "char") IS 'What keeps a column from holding what a check of data looks for, or null';

CREATE FUNCTION vital.forget_flag_usage(p_limit integer DEFAULT 5000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  forgotten integer;
begin
  delete from public.tenant_feature_flag_usage u
  where u.ctid = any (array( -- where they lie: no plan of this reads the whole table
    select o.ctid
    from public.tenant_feature_flag_usage o
    where o.day < (now() at time zone 'UTC')::date - 90 and o.tenant_id <> all (array(select vital.held_tenant_ids()))
    order by o.day
    limit p_limit
    for update skip locked
  ));
  get diagnostics forgotten = row_count;
  return forgotten;
end
$$;

ALTER FUNCTION vital.forget_flag_usage(p_limit integer) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.forget_flag_usage(p_limit integer) IS 'Deletes counts of evaluations older than 90 days';

CREATE FUNCTION vital.give_reason(p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('vital.reason', coalesce(btrim(p_reason), ''), true);
end
$$;

ALTER FUNCTION vital.give_reason(p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.give_reason(p_reason text) IS 'Says why the rest of the transaction changes what it changes';

CREATE FUNCTION vital.guard_parent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  most constant integer := 5;
  above integer;
  below integer := 1;
  is_circle boolean;
begin
  if new.parent_organization_id is null or (tg_op = 'UPDATE' and new.parent_organization_id is not distinct from old.parent_organization_id) then
    return new;
  end if;
  if new.id = platform then
    raise exception using errcode = 'VT203', message = 'The platform tenant has no parent.', hint = 'It owns what all tenants share.';
  end if;
  perform from public.organizations o where o.id = platform for no key update;

  with recursive ancestors (id, parent_id, depth) as (
    select o.id, o.parent_organization_id, 1 from public.organizations o where o.id = new.parent_organization_id
    union all
    select o.id, o.parent_organization_id, a.depth + 1
    from ancestors a join public.organizations o on o.id = a.parent_id
    where a.depth <= most
  )
  select max(a.depth), bool_or(a.id = new.id) into above, is_circle from ancestors a;
  if is_circle or new.parent_organization_id = new.id then
    raise exception using errcode = 'VT203', message = 'An organization cannot be part of itself.',
      hint = 'The parent chosen is this organization or one of its descendants.';
  end if;
  if tg_op = 'UPDATE' then
    with recursive descendants (id, depth) as (
      select new.id, 1
      union all
      select o.id, d.depth + 1
      from descendants d join public.organizations o on o.parent_organization_id = d.id
      where d.depth <= most
    )
    select max(d.depth) into below from descendants d;
  end if;
  if above + below > most then
    raise exception using errcode = 'VT203', message = format('Organizations nest at most %s levels deep; this would make %s.', most, above + below),
      hint = 'Choose a parent higher up, or none.';
  end if;
  return new;
end
$$;

ALTER FUNCTION vital.guard_parent() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.guard_parent() IS 'Refuses circles and too deep families of organizations';

CREATE FUNCTION vital.guard_throttles() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  throttles constant jsonb := vital.throttles(new.limits);
  name text;
begin
  if tg_op = 'UPDATE' and throttles = vital.throttles(old.limits) then
    return new;
  end if;
  if tg_op = 'UPDATE' and not (vital.is_operator() or public.is_super_admin()) then
    raise exception using errcode = 'VT110',
      message = 'Only operators change limits.requests_per_second and limits.concurrent_requests.',
      hint = 'Leave both as they are, and ask the operator of the platform.';
  end if;
  for name in select jsonb_object_keys(throttles) loop
    perform vital.require_value(
      case jsonb_typeof(throttles -> name) when 'number' then (throttles ->> name)::numeric between 1 and 1000000 and (throttles ->> name)::numeric % 1 = 0 end,
      'limits.' || name, 'a whole number from 1 to 1000000');
  end loop;
  return new;
end
$$;

ALTER FUNCTION vital.guard_throttles() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.guard_throttles() IS 'Lets only operators change what a tenant may take of the server';

CREATE FUNCTION vital.held_tenant_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select h.tenant_id from vital.legal_holds h where h.released_at is null
$$;

ALTER FUNCTION vital.held_tenant_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.held_tenant_ids() IS 'Tenants on legal hold';

CREATE FUNCTION vital.identity() RETURNS vital.caller
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  seal constant text := nullif(current_setting('vital.context', true), '');
  verdict record;
begin
  if seal is null then
    return vital.claimed_identity();
  end if;
  select
    s.sealed,
    case when s.sealed then s.part[7]::bigint >= extract(epoch from transaction_timestamp()) end as fresh,
    case when s.sealed then s.part[8] in ('0', pg_backend_pid()::text) end as here,
    case when s.sealed and s.part[6] <> '' then
      exists (select from vital.revoked_sessions r where r.session_id = s.part[6]::uuid)
    else false end as revoked,
    case when s.sealed then
      row(nullif(s.part[3], '')::uuid, s.part[4], s.part[5], nullif(s.part[6], '')::uuid)::vital.caller
    end as caller
  into verdict
  from (
    select
      p.part,
      p.part[1] = '1' and array_length(p.part, 1) = 9 and coalesce((
        select sha256(convert_to(encode(sha256(
            k.outer_pad || sha256(k.inner_pad || convert_to(left(seal, -65), 'UTF8'))), 'hex'), 'UTF8'))
          = sha256(convert_to(p.part[9], 'UTF8'))
        from vital.seal_keys k
        where k.id = p.part[2] and (k.retires_at is null or k.retires_at > transaction_timestamp())
      ), false) as sealed
    from (select string_to_array(seal, '.') as part offset 0) p
    offset 0
  ) s;
  if verdict.sealed and verdict.fresh and verdict.here and not verdict.revoked then
    return verdict.caller;
  end if;

  if not verdict.sealed then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction was not sealed by this server.',
      hint = 'Its key may have been rotated away, or a statement in this transaction has changed it.';
  elsif not verdict.fresh then
    raise exception using errcode = 'VT002', message = 'The identity of this transaction has expired.',
      hint = 'Identities last seconds. Check that the clocks of server and database agree.';
  elsif not verdict.here then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction belongs to another connection.',
      hint = 'An identity is bound to the connection it was made for and cannot be carried over.';
  else
    raise exception using errcode = 'VT003', message = 'This session has ended.',
      hint = 'Sign in again. An API key that was revoked is replaced by a new one.';
  end if;
end
$$;

ALTER FUNCTION vital.identity() OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.identity() IS 'The caller of this transaction, verified; null without a context, an error with a wrong one';

CREATE FUNCTION vital.invalidate_caches() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'global', '00000000-0000-0000-0000-000000000000')
  on conflict do nothing;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'caches_invalidated', 'organizations', null, null);
end
$$;

ALTER FUNCTION vital.invalidate_caches() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.invalidate_caches() IS 'Makes everything that keeps anything of any tenant read it anew';

CREATE FUNCTION vital.invite_member(p_tenant_id uuid, p_email text, p_role text DEFAULT 'member'::text, p_expires_in interval DEFAULT '7 days'::interval) RETURNS TABLE(id uuid, email text, role text, expires_at timestamp with time zone, token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  caller constant vital.caller := vital.identity();
  address constant text := lower(btrim(p_email));
  secret constant text := translate(encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_');
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(length(address) <= 320 and address ~ '^[^@\s]+@[^@\s]+$', 'p_email', 'an e-mail address');
  perform vital.require_value(p_role in ('owner', 'admin', 'member', 'viewer'), 'p_role', 'owner, admin, member or viewer');
  perform vital.require_value(p_expires_in between interval '1 minute' and interval '30 days', 'p_expires_in', 'between a minute and 30 days');
  perform vital.lock_configuration(p_tenant_id); -- one invitation of a tenant at a time
  if exists (
    select from public.user_tenants m join public.users u on u.id = m.user_id
    where m.tenant_id = p_tenant_id and lower(u.email) = address
  ) then
    raise exception using errcode = 'VT203', message = 'This address belongs to a member already.',
      hint = 'Change their role instead.';
  end if;
  update public.invitations i set revoked_at = now()
  where i.tenant_id = p_tenant_id and lower(i.email) = address and i.accepted_at is null and i.revoked_at is null;
  return query
    insert into public.invitations as i (tenant_id, email, role, token_hash, invited_by, expires_at)
    values (p_tenant_id, address, p_role, sha256(convert_to(secret, 'UTF8')), caller.user_id, now() + p_expires_in)
    returning i.id, i.email, i.role, i.expires_at, secret;
end
$_$;

ALTER FUNCTION vital.invite_member(p_tenant_id uuid, p_email text, p_role text, p_expires_in interval) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.invite_member(p_tenant_id uuid, p_email text, p_role text, p_expires_in interval) IS 'Invites an address to a tenant, for operators';

CREATE FUNCTION vital.is_load(p_query_type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select p_query_type is distinct from 'job'
$$;

ALTER FUNCTION vital.is_load(p_query_type text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.is_load(p_query_type text) IS 'Whether a record of this query_type is of a load, and not of a background job';

CREATE FUNCTION vital.is_load_fault(p_code text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select p_code in (
      'internal', 'database_unavailable', 'pool_exhausted', 'statement_timeout', 'request_timeout', 'signing_keys_unavailable', 'seal_rejected',
      'seal_expired', 'seal_key_unavailable', 'schema_behind',
      'user_unknown', 'user_without_profile', 'user_without_organization', 'tenant_unconfigured',
      '42P17', '42P01', '42883', '40001', '40P01')
    or p_code ~ '^(53|57|58|XX)...$' or p_code ~ '^PGRST00'
$_$;

ALTER FUNCTION vital.is_load_fault(p_code text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.is_load_fault(p_code text) IS 'Whether a load that ended with this code failed for a reason that is ours to mend';

CREATE FUNCTION vital.is_operator() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select pg_has_role(acts.as, 'service_role', 'usage') or pg_has_role(acts.as, 'vital_owner', 'member')
  from (select case current_setting('role') when 'none' then session_user else current_setting('role')::name end) acts ("as")
$$;

ALTER FUNCTION vital.is_operator() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.is_operator() IS 'Whether the session acts with the privileges of an operator';

CREATE FUNCTION vital.is_restoring() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (select from vital.restorations r where r.xid = pg_current_xact_id_if_assigned())
$$;

ALTER FUNCTION vital.is_restoring() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.is_restoring() IS 'Whether this transaction puts a tenant''s rows back as they were';

CREATE FUNCTION vital.keep_evaluator() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  user_of_it text;
begin
  if tg_op = 'DELETE' or new.name <> old.name then
    select r.name into user_of_it
    from (
      select 'flag ' || f.flag_key as name, f.targeting as rule from public.feature_flags f
      union all
      select 'evaluator ' || e.name, e.rule from public.feature_flag_evaluators e where e.id <> old.id
    ) r
    where jsonb_path_exists(r.rule, '$.**."$ref" ? (@ == $name)', jsonb_build_object('name', old.name))
    order by r.name
    limit 1;
    if found then
      raise exception using errcode = 'VT203', message = format('The %s refers to this evaluator.', user_of_it),
        hint = 'Change its rules first.';
    end if;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$_$;

ALTER FUNCTION vital.keep_evaluator() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.keep_evaluator() IS 'Keeps evaluators that rules refer to';

CREATE FUNCTION vital.keep_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  state public.org_lifecycle_state;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_op = 'UPDATE' and new.tenant_id = old.tenant_id and new.role = 'owner' and new.status = 'active' then
    return null;
  end if;
  select o.lifecycle_state into state from public.organizations o where o.id = old.tenant_id for no key update;
  if state <> 'archived'
    and not exists (select from public.user_tenants m where m.tenant_id = old.tenant_id and m.role = 'owner' and m.status = 'active') then
    raise exception using errcode = 'VT207', message = 'A tenant keeps at least one owner.',
      hint = 'Make somebody else an owner first.';
  end if;
  return null;
end
$$;

ALTER FUNCTION vital.keep_owner() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.keep_owner() IS 'Refuses to take a tenant its last owner';

CREATE FUNCTION vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.break_glass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entry public.break_glass;
begin
  perform vital.give_reason(p_reason);
  update public.break_glass b set ended_at = now(), ended_by = vital.user_id()
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > now()
  returning * into entry;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such entry, or it has ended.',
      hint = 'Entries are those of the table break_glass.';
  end if;
  perform vital.append_audit(p_tenant_id, 'left', 'break_glass', entry.id,
    jsonb_build_object('old', jsonb_build_object('user_id', entry.user_id, 'until', entry.until), 'new', null));
  return entry;
end
$$;

ALTER FUNCTION vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) IS 'Ends a super admin''s entry into a tenant, for operators';

CREATE FUNCTION vital.lifecycle_moves() RETURNS TABLE(action text, from_state public.org_lifecycle_state, to_state public.org_lifecycle_state)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select m.action, m.from_state::public.org_lifecycle_state, m.to_state::public.org_lifecycle_state
  from (values
    ('approve', 'pending', 'active'),
    ('suspend', 'active', 'suspended'),
    ('activate', 'suspended', 'active'),
    ('archive', 'suspended', 'archived')
  ) as m (action, from_state, to_state)
$$;

ALTER FUNCTION vital.lifecycle_moves() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.lifecycle_moves() IS 'The moves of a tenant''s life, by action';

CREATE FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid DEFAULT NULL::uuid) RETURNS TABLE(label text, loads bigint, avg_ms numeric, min_ms numeric, max_ms numeric, p50_ms numeric, p95_ms numeric, p99_ms numeric, cache_hit_rate numeric, error_rate numeric, slowest_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with record as (
    select case p_by
        when 'query' then q.query_name when 'type' then coalesce(q.query_type, q.query_name) when 'tenant' then q.tenant_id::text
        when 'code' then q.error_code else 'all'
      end as label,
      coalesce(q.duration_us / 1000.0, q.execution_time_ms) as ms, q.weight, q.cache_hit, q.success, q.created_at
    from public.query_performance q
    where q.created_at >= p_from and q.created_at < p_until and (p_by <> 'code' or not q.success) and (p_tenant_id is null or q.tenant_id = p_tenant_id)
      and (p_by in ('query', 'type') or vital.is_load(q.query_type))
  ), rounded as (
    select r.label, case when r.ms > 0 then round(r.ms, 2 - floor(log(r.ms))::integer) else r.ms end as ms,
      sum(r.weight) as n, sum(r.weight * r.ms) as total, min(r.ms) as least, max(r.ms) as most,
      sum(r.weight) filter (where r.cache_hit) as hits, sum(r.weight) filter (where not r.success) as failed, max(r.created_at) as latest
    from record r group by 1, 2
  ), running as (
    select r.*, sum(r.n) over (partition by r.label order by r.ms) as up_to, sum(r.n) over (partition by r.label) as of_all
    from rounded r where r.ms is not null
  )
  select r.label, sum(r.n)::bigint, round(sum(r.total) / sum(r.n), 3), round(min(r.least), 3), round(max(r.most), 3),
    min(r.ms) filter (where r.up_to >= 0.5 * r.of_all), min(r.ms) filter (where r.up_to >= 0.95 * r.of_all), min(r.ms) filter (where r.up_to >= 0.99 * r.of_all),
    round(100.0 * coalesce(sum(r.hits), 0) / sum(r.n), 2), round(100.0 * coalesce(sum(r.failed), 0) / sum(r.n), 2),
    (array_agg(r.latest order by r.ms desc))[1]
  from running r group by r.label
$$;

ALTER FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid) IS 'How loads fared, by query, type, tenant, code or altogether';

CREATE FUNCTION vital.lock_configuration(p_tenant_id uuid) RETURNS public.tenant_configurations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  configuration public.tenant_configurations;
begin
  select c.* into configuration from public.tenant_configurations c where c.tenant_id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
  return configuration;
end
$$;

ALTER FUNCTION vital.lock_configuration(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.lock_configuration(p_tenant_id uuid) IS 'The configuration of a tenant, locked to the end of the transaction';

CREATE FUNCTION vital.lock_definitions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if vital.is_operator() or public.is_super_admin() then
    update vital.definition_lock l set changed_at = clock_timestamp();
  end if;
end
$$;

ALTER FUNCTION vital.lock_definitions() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.lock_definitions() IS 'Keeps other writers of flag definitions out to the end of the transaction';

CREATE FUNCTION vital.mask_value(p_rule text, p_value jsonb, p_salt text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  kind constant text := jsonb_typeof(p_value);
  said constant text := p_value #>> '{}';
  hash constant text := encode(sha256(convert_to(p_salt || coalesce(said, ''), 'UTF8')), 'hex');
begin
  if p_rule = 'keep' or p_value is null or kind = 'null' then
    return coalesce(p_value, 'null');
  elsif p_rule = 'null' then
    return 'null';
  elsif p_rule = 'empty' then
    return case kind when 'object' then '{}'::jsonb when 'array' then '[]' when 'string' then '""' else 'null' end;
  elsif kind = 'array' then
    return (select coalesce(jsonb_agg(vital.mask_value(p_rule, e.value, p_salt || e.n) order by e.n), '[]') from jsonb_array_elements(p_value) with ordinality e (value, n));
  elsif kind = 'object' then
    return '{}';
  elsif kind <> 'string' then
    return 'null';
  end if;
  return to_jsonb(case p_rule
    when 'hash' then left(hash, 32)
    when 'name' then 'Person ' || left(hash, 10)
    when 'email' then 'person-' || left(hash, 16) || '@masked.invalid'
    when 'text' then format('[%s characters, masked]', length(said))
  end);
end
$$;

ALTER FUNCTION vital.mask_value(p_rule text, p_value jsonb, p_salt text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.mask_value(p_rule text, p_value jsonb, p_salt text) IS 'What becomes of a value in a clone';

CREATE FUNCTION vital.may_enter(p_tenant_id uuid, p_user_id uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select not (select s.break_glass_required from vital.settings s) or exists (select from vital.entry_of(p_tenant_id, p_user_id))
$$;

ALTER FUNCTION vital.may_enter(p_tenant_id uuid, p_user_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.may_enter(p_tenant_id uuid, p_user_id uuid) IS 'Whether a super admin may act in a tenant they are no member of';

CREATE FUNCTION vital.member_tenant_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 5 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
begin
  return query
    select m.tenant_id from public.user_tenants m where m.user_id = caller.user_id and m.status = 'active';
end
$$;

ALTER FUNCTION vital.member_tenant_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.member_tenant_ids() IS 'Tenants the caller is an active member of';

CREATE FUNCTION vital.moved_audit_heads(p_since timestamp with time zone, p_limit integer) RETURNS TABLE(organization_id uuid, seq bigint, hash bytea, changed_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return query
  select h.organization_id, h.seq, h.hash, h.changed_at
  from vital.audit_heads h
  where h.changed_at >= p_since and h.seq > 0
    and not exists (
      select from vital.audit_checkpoints c where c.organization_id = h.organization_id and c.seq = h.seq)
  order by h.changed_at
  limit p_limit;
end
$$;

ALTER FUNCTION vital.moved_audit_heads(p_since timestamp with time zone, p_limit integer) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.moved_audit_heads(p_since timestamp with time zone, p_limit integer) IS 'Ends of audit chains that moved and have no checkpoint yet';

CREATE FUNCTION vital.notify_catalog() RETURNS event_trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform pg_notify('pgrst', 'reload schema');
end
$$;

ALTER FUNCTION vital.notify_catalog() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.notify_catalog() IS 'Tells that the schema has changed, so that catalogs are read anew';

CREATE FUNCTION vital.number_feature_flag() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    new.version := 1;
  else
    new.version := old.version;
    new.updated_at := old.updated_at;
    if new is distinct from old then
      new.version := old.version + 1;
      new.updated_at := transaction_timestamp();
    end if;
  end if;
  return new;
end
$$;

ALTER FUNCTION vital.number_feature_flag() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.number_feature_flag() IS 'Counts the version of a flag definition';

CREATE FUNCTION vital.number_tenant_feature_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    perform from public.tenant_feature_flag_versions v
    where v.tenant_id = new.tenant_id and v.feature_flag_id = new.feature_flag_id
    order by v.version desc
    limit 1
    for update;
    select coalesce(max(v.version), 0) + 1 into new.version
    from public.tenant_feature_flag_versions v
    where v.tenant_id = new.tenant_id and v.feature_flag_id = new.feature_flag_id;
    return new;
  end if;
  if (new.tenant_id, new.feature_flag_id) is distinct from (old.tenant_id, old.feature_flag_id) then
    raise exception using errcode = 'VT203', message = 'An override stays with its tenant and its flag.',
      hint = 'Delete it and make another.';
  end if;
  new.version := old.version;
  new.updated_at := old.updated_at;
  if new is distinct from old then
    new.version := old.version + 1;
    new.updated_at := transaction_timestamp();
  end if;
  return new;
end
$$;

ALTER FUNCTION vital.number_tenant_feature_flag() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.number_tenant_feature_flag() IS 'Counts the version of a tenant''s override';

CREATE FUNCTION vital.open_erasure(p_id uuid, p_states text[]) RETURNS vital.erasures
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  erasure vital.erasures;
begin
  select e.* into erasure from vital.erasures e where e.id = p_id for update;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such erasure.', hint = 'See `vital erasure list`.';
  end if;
  if erasure.state <> all (p_states) then
    raise exception using errcode = 'VT203', message = format('This erasure is %s.', erasure.state),
      hint = case erasure.state
        when 'requested' then 'Another operator approves it first.'
        when 'approved' then 'It waits to be run.'
        when 'running' then 'There is no way back: run it again, and it goes on to the end.'
        else 'File another one.' end;
  end if;
  return erasure;
end
$$;

ALTER FUNCTION vital.open_erasure(p_id uuid, p_states text[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.open_erasure(p_id uuid, p_states text[]) IS 'An erasure, locked, where it is in one of these states';

CREATE FUNCTION vital.operator_name() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce('user:' || (vital.identity()).user_id, 'login:' || session_user)
$$;

ALTER FUNCTION vital.operator_name() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.operator_name() IS 'Who the acting operator is, by user or login';

CREATE FUNCTION vital.override_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select '{enabled,variant,config,expires_at}'::text[]
$$;

ALTER FUNCTION vital.override_fields() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.override_fields() IS 'The fields of a tenant''s override that change';

CREATE FUNCTION vital.overseen_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('oversee')
$$;

ALTER FUNCTION vital.overseen_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.overseen_tenant_id() IS 'The tenant whose administration the caller may look at, else null';

CREATE FUNCTION vital.plan_repair(p_check text, p_tenant uuid DEFAULT NULL::uuid) RETURNS TABLE(table_name text, tenant_id uuid, row_id uuid, old jsonb, new jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION vital.plan_repair(p_check text, p_tenant uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.plan_repair(p_check text, p_tenant uuid) IS 'What the repair of one check of data would write';

CREATE FUNCTION vital.postpone_flag_changes(p_tenant_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_tenant_id is null then
    update public.feature_flag_changes c set run_at = now() + interval '1 minute'
    where c.id in (
      select d.id from public.feature_flag_changes d where d.status = 'pending' and d.run_at <= now() for update skip locked);
  else
    update public.tenant_feature_flag_changes c set run_at = now() + interval '1 minute'
    where c.tenant_id = p_tenant_id and c.id in (
      select d.id from public.tenant_feature_flag_changes d
      where d.tenant_id = p_tenant_id and d.status = 'pending' and d.run_at <= now() for update skip locked);
  end if;
end
$$;

ALTER FUNCTION vital.postpone_flag_changes(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.postpone_flag_changes(p_tenant_id uuid) IS 'Puts off by a minute what is due of a tenant';

CREATE FUNCTION vital.provision_tenant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  template constant vital.tenant_templates := vital.tenant_template(new.tenant_type);
  stranger text;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  insert into public.tenant_configurations (tenant_id, ui_config, enabled_features, enabled_apps, enabled_agent_tiers, limits, compliance_settings)
  select new.id, c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings
  from jsonb_to_record(template.configuration)
    c (ui_config jsonb, enabled_features text[], enabled_apps text[], enabled_agent_tiers integer[], limits jsonb, compliance_settings jsonb)
  on conflict (tenant_id) do nothing;

  insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order, config)
  select new.id, a.key, a.name, a.route, a.icon, coalesce(a.visible, true), coalesce(a.enabled, true), coalesce(a."order", 0), coalesce(a.config, '{}')
  from jsonb_to_recordset(template.apps) a (key text, name text, route text, icon text, visible boolean, enabled boolean, "order" integer, config jsonb)
  on conflict (tenant_id, app_key) do nothing;

  if template.flags = '{}' then
    return null;
  end if;
  select k into stranger from jsonb_object_keys(template.flags) k
  where not exists (select from public.feature_flags f where f.flag_key = k) order by k limit 1;
  if stranger is not null then
    raise exception using errcode = 'VT205', message = format('The template %s names a flag there is not: %s.', template.name, stranger),
      hint = '`vital tenant template set` changes it.';
  end if;
  insert into public.tenant_feature_flags (tenant_id, feature_flag_id, enabled, variant, config, reason, created_by)
  select new.id, f.id, o.enabled, o.variant, o.config, 'template ' || template.name, vital.author_id()
  from jsonb_each(template.flags) t
  join public.feature_flags f on f.flag_key = t.key
  cross join lateral jsonb_to_record(t.value) o (enabled boolean, variant text, config jsonb)
  order by f.flag_key
  on conflict (tenant_id, feature_flag_id) do nothing;
  return null;
end
$$;

ALTER FUNCTION vital.provision_tenant() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.provision_tenant() IS 'Gives a new tenant what its template says';

CREATE FUNCTION vital.read_context(p_user_id uuid, p_tenant text, p_known_tenant uuid DEFAULT NULL::uuid, p_known_stamp text DEFAULT NULL::text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  wanted uuid;
  who record;
  oversees boolean;
begin
  if p_tenant <> '' and p_tenant !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    select o.id into wanted from public.organizations o where o.slug = p_tenant;
    wanted := coalesce(wanted, 'ffffffff-ffff-ffff-ffff-ffffffffffff'); -- no tenant: found by nobody
  else
    wanted := nullif(p_tenant, '');
  end if;

  select
    u.id as user_id, u.organization_id, p.id as profile_id, p.email, p.full_name, p.role = 'super_admin' as is_super_admin, p.role,
    o.id as tenant_id, o.lifecycle_state, m.role as member_role, m.joined_at
  into who
  from public.users u
  left join public.profiles p on p.id = u.id
  left join public.organizations o on o.id = coalesce(wanted, u.organization_id)
  left join public.user_tenants m on m.tenant_id = o.id and m.user_id = u.id and m.status = 'active'
  where u.id = p_user_id;
  oversees := who.is_super_admin and (who.tenant_id is null or vital.may_enter(who.tenant_id, p_user_id));

  if who.user_id is null then
    raise exception using errcode = 'VT101', message = 'This account is not known here.',
      hint = 'The account exists with the sign-in service but has no row in users; an operator can add it (vital fix data).';
  elsif who.profile_id is null then
    raise exception using errcode = 'VT102', message = 'This account has no profile.',
      hint = 'An operator can add the missing row in profiles (vital fix data).';
  elsif wanted is null and who.organization_id is null then
    raise exception using errcode = 'VT103', message = 'This user has no default tenant.',
      hint = 'Name one with the Vital-Tenant header, or have an operator set users.organization_id.';
  elsif who.member_role is null and not oversees then
    if who.is_super_admin then
      raise exception using errcode = 'VT302', message = 'Acting in this tenant takes an entry, with a reason and an end.',
        hint = 'Enter it with `vital tenant enter`, or the function enter_tenant. If you are in already, your time may be over.';
    elsif wanted is null then
      raise exception using errcode = 'VT105', message = 'This user is not a member of their default tenant.',
        hint = 'Name a tenant with the Vital-Tenant header, or have an admin of the default tenant add the membership.';
    end if;
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.lifecycle_state <> 'active' and not oversees then
    raise exception using
      errcode = case who.lifecycle_state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case who.lifecycle_state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case who.lifecycle_state
        when 'pending' then 'An operator has to approve it first.'
        when 'suspended' then 'Ask the operator of the platform why; they can activate it again.'
        else 'Its data is kept, but it no longer serves its members.' end;
  end if;
  tenant_id := who.tenant_id;
  version := vital.context_version(tenant_id, p_user_id);
  stamp := vital.context_stamp(tenant_id);
  if p_known_tenant is distinct from tenant_id or p_known_stamp is distinct from stamp then
    document := vital.context_document(tenant_id);
    if document is null then
      raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
        hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
    end if;
  end if;
  caller := json_build_object(
    'user', json_build_object('id', p_user_id, 'email', who.email, 'full_name', who.full_name, 'role', who.role),
    'membership', case when who.member_role is not null then
      json_build_object('role', who.member_role, 'joined_at', who.joined_at) end,
    'tenants', (
      select coalesce(json_agg(json_build_object(
        'id', o.id, 'name', o.name, 'slug', o.slug, 'tenant_type', o.tenant_type,
        'lifecycle_state', o.lifecycle_state, 'role', m.role) order by o.name, o.id), '[]')
      from public.user_tenants m
      join public.organizations o on o.id = m.tenant_id
      where m.user_id = p_user_id and m.status = 'active'),
    'version', version);
end
$_$;

ALTER FUNCTION vital.read_context(p_user_id uuid, p_tenant text, p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.read_context(p_user_id uuid, p_tenant text, p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json) IS 'The context of a user in a tenant, in two parts, or an error that names the step which failed';

CREATE FUNCTION vital.readable_tenant_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 2 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  current constant uuid := vital.tenant_for('read');
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
begin
  if current is not null then
    return next current;
    if current <> platform then
      return next platform;
    end if;
  end if;
end
$$;

ALTER FUNCTION vital.readable_tenant_ids() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.readable_tenant_ids() IS 'The tenant the caller acts in, and the platform tenant';

CREATE FUNCTION vital.reads_accounts() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'auth' and c.relname = 'users' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))
$$;

ALTER FUNCTION vital.reads_accounts() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.reads_accounts() IS 'Whether definer functions may read auth.users';

CREATE FUNCTION vital.record_access(p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if standing.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  end if;
  insert into public.access_records (
    tenant_id, user_id, session_id, acting_role, database_login, break_glass_id, action, table_name, embedded, filter, row_count, error_code, request_id)
  values (
    standing.tenant_id, standing.user_id, (vital.identity()).session_id,
    case when standing.is_super_admin then 'super_admin' else standing.role end, session_user,
    case when standing.is_super_admin then (select e.id from vital.entry_of(standing.tenant_id, standing.user_id) e) end,
    p_action, p_table, p_embedded, p_filter, p_rows, p_error, nullif(current_setting('vital.request_id', true), ''));
end
$$;

ALTER FUNCTION vital.record_access(p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_access(p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) IS 'Records that the caller has read in the tenant they act in';

CREATE FUNCTION vital.record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old_key uuid;
  new_key uuid;
begin
  if tg_argv[1] = 'tenant_id' then
    if tg_op <> 'INSERT' then old_key := old.tenant_id; end if;
    if tg_op <> 'DELETE' then new_key := new.tenant_id; end if;
  elsif tg_argv[1] = 'user_id' then
    if tg_op <> 'INSERT' then old_key := old.user_id; end if;
    if tg_op <> 'DELETE' then new_key := new.user_id; end if;
  elsif tg_argv[1] = 'session_id' then
    new_key := new.session_id;
  elsif tg_argv[1] = 'id' then
    if tg_op <> 'INSERT' then old_key := old.id; end if;
    if tg_op <> 'DELETE' then new_key := new.id; end if;
  else
    new_key := '00000000-0000-0000-0000-000000000000';
  end if;
  insert into vital.pending_versions (xid, scope, key)
  select pg_current_xact_id(), tg_argv[0], k
  from unnest(array[old_key, new_key]) as k
  where k is not null
  on conflict do nothing;
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'settle', '00000000-0000-0000-0000-000000000000') -- fires vital.settle, once
  on conflict do nothing;
  return null;
end
$$;

ALTER FUNCTION vital.record_change() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_change() IS 'Notes the scope a change touches; its version rises at commit';

CREATE FUNCTION vital.record_export(p_organization_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform from public.organizations o where o.id = p_organization_id;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  perform vital.append_audit(p_organization_id, 'exported', 'organizations', p_organization_id, null);
end
$$;

ALTER FUNCTION vital.record_export(p_organization_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_export(p_organization_id uuid) IS 'Notes that a tenant''s data is being taken out';

CREATE FUNCTION vital.record_own_export(p_reason text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  if not standing.is_super_admin and standing.role <> 'owner' then
    raise exception using errcode = 'VT110', message = format('Your role in this tenant is %s; this takes an owner.', standing.role), hint = 'Ask an owner of the tenant.';
  end if;
  if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 1000 then
    raise exception using errcode = 'VT202', message = 'This takes a reason; the audit log keeps it.', hint = 'Give one in the Vital-Reason header, of 1000 bytes at most.';
  end if;
  perform from public.organizations o where o.id = standing.tenant_id for no key update; -- one after the other, so that each is counted
  if (
    select count(*) >= 6 from public.organization_audit_log a
    where a.organization_id = standing.tenant_id and a.action = 'exported' and a.actor_id is not null and a.created_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using errcode = 'VT204', message = 'This tenant was taken out six times within the hour.', hint = 'Try again later, or ask the operator.';
  end if;
  perform set_config('vital.reason', btrim(p_reason), true);
  perform vital.append_audit(standing.tenant_id, 'exported', 'organizations', standing.tenant_id, null);
  return standing.tenant_id;
end
$$;

ALTER FUNCTION vital.record_own_export(p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_own_export(p_reason text) IS 'Notes that an owner takes their tenant''s data out';

CREATE FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null and not vital.is_operator() then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.', hint = 'Send the access token of a user.';
  elsif caller.user_id <> p_user_id then
    raise exception using errcode = 'VT110', message = 'Everybody takes out their own data.', hint = 'Ask the operator of the platform.';
  end if;
  perform from public.users u where u.id = p_user_id for no key update; -- one after the other, so that each is counted
  if not found then
    raise exception using errcode = 'VT101', message = 'There is no such user.', hint = 'Sign in with an account that is known here.';
  elsif caller.user_id is not null and (
    select count(*) >= 3 from public.organization_audit_log a
    where a.organization_id = platform and a.entity_id = p_user_id and a.action = 'person_exported' and a.actor_id = p_user_id
      and a.created_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using errcode = 'VT204', message = 'You have taken out your data three times within the hour.', hint = 'Try again later.';
  end if;
  perform set_config('vital.reason', coalesce(btrim(p_reason), ''), true);
  perform vital.append_audit(m.tenant_id, 'person_exported', 'users', p_user_id, null)
  from (select t.tenant_id from public.user_tenants t where t.user_id = p_user_id union select platform) m;
end
$$;

ALTER FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) IS 'Notes that one person''s data is taken out';

CREATE FUNCTION vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamp with time zone, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('vital.reason', p_reason, true);
  perform vital.append_audit(p_organization_id, 'retained', 'retention_rules', p_rule_id,
    jsonb_build_object('old', jsonb_build_object('table', p_table, 'rows', p_rows, 'older_than', p_before), 'new', null));
end
$$;

ALTER FUNCTION vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamp with time zone, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamp with time zone, p_reason text) IS 'Notes how many rows a retention rule let go';

CREATE FUNCTION vital.record_service_access(p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into public.access_records (
    tenant_id, acting_role, database_login, action, table_name, embedded, filter, row_count, error_code, request_id)
  select t.id, 'service_role', session_user, p_action, p_table, p_embedded, p_filter, p_rows, p_error,
    nullif(current_setting('vital.request_id', true), '')
  from (
    select '00000000-0000-0000-0000-000000000001'::uuid as id where p_tenants is null
    union all
    select c.tenant_id from public.tenant_configurations c
    where c.tenant_id = any (p_tenants) and c.compliance_settings ->> 'hipaa_enabled' = 'true'
  ) t;
end
$$;

ALTER FUNCTION vital.record_service_access(p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.record_service_access(p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) IS 'Records a read with a service key';

CREATE FUNCTION vital.refuse_access_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception using errcode = 'VT201', message = 'Records of access are only ever added to.',
    hint = 'They go by themselves, a month at a time, once they are older than access_record_retention.';
end
$$;

ALTER FUNCTION vital.refuse_access_change() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.refuse_access_change() IS 'Refuses every change of a record of access';

CREATE FUNCTION vital.refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  content constant text[] := array['changes', 'reason', 'salt', 'sealed', 'sealed_key', 'erased_at'];
begin
  if tg_op = 'UPDATE' and current_user = 'vital_definer' and new.changes is null and new.reason is null and new.salt is null
    and to_jsonb(new) - content = to_jsonb(old) - content
    and (new.erased_at is not null and new.sealed is null and new.sealed_key is null -- erased
      or new.erased_at is null and old.erased_at is null and old.sealed_key is null and new.sealed is not null and new.sealed_key is not null) then
    return new;
  end if;
  if tg_op = 'DELETE' and current_user = 'vital_definer'
    and exists (select from vital.erasures e where e.subject = 'tenant' and e.subject_id = old.organization_id and e.state = 'running') then
    return old;
  end if;
  raise exception using errcode = 'VT201', message = 'The audit log is only ever appended to.',
    hint = 'A mistake is mended by a new change with its reason, which gets a row of its own.';
end
$$;

ALTER FUNCTION vital.refuse_audit_change() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.refuse_audit_change() IS 'Refuses every change of an audit row but sealing and erasing';

CREATE FUNCTION vital.refuse_cancel(p_status text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_status is null then
    raise exception using errcode = 'VT205', message = 'There is no such scheduled change.', hint = 'Name it by its id.';
  end if;
  raise exception using errcode = 'VT203', message = format('This change is %s; only a pending one can be cancelled.', p_status),
    hint = 'Roll the flag back instead, if it was made.';
end
$$;

ALTER FUNCTION vital.refuse_cancel(p_status text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.refuse_cancel(p_status text) IS 'Raises the error of a scheduled change that cannot be cancelled';

CREATE FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  allowed constant text := (select string_agg(m.action, ', ' order by m.action) from vital.lifecycle_moves() m where m.from_state = p_state);
begin
  raise exception using errcode = 'VT203',
    message = format('This tenant is %s; allowed now: %s.', p_state, coalesce(allowed, 'nothing')),
    hint = 'A tenant goes from pending to active, between active and suspended, and from suspended to archived.';
end
$$;

ALTER FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) IS 'Raises the error of a move that a tenant''s state does not allow';

CREATE FUNCTION vital.refuse_report_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception using errcode = 'VT201', message = format('The report of %s is made, and not made again.', old.week),
    hint = 'Only that of a week that is not over is made anew.';
end
$$;

ALTER FUNCTION vital.refuse_report_change() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.refuse_report_change() IS 'Refuses every change of the report of a week that is over';

CREATE FUNCTION vital.remembered_context(p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json, OUT versions json, OUT until timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  who constant vital.caller := vital.identity();
begin
  if who.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  select c.* into tenant_id, version, stamp, caller, document
  from vital.read_context(who.user_id, who.tenant, p_known_tenant, p_known_stamp) c;
  select json_agg(json_build_object('kind', s.scope, 'key', s.key, 'version', coalesce(v.version, 0)))
  into versions
  from (
    select 'tenant' as scope, m.tenant_id as key from public.user_tenants m where m.user_id = who.user_id and m.status = 'active'
    union
    select w.scope, w.key
    from (values
      ('tenant', remembered_context.tenant_id), ('membership', who.user_id), ('self', who.user_id), ('session', who.session_id),
      ('global', '00000000-0000-0000-0000-000000000000'::uuid)
    ) w(scope, key)
    where w.key is not null
  ) s
  left join vital.versions v on v.scope = s.scope and v.key = s.key;
  select least(min(t.expires_at), (select e.until from vital.entry_of(remembered_context.tenant_id, who.user_id) e)) into until
  from public.tenant_feature_flags t
  where t.tenant_id = remembered_context.tenant_id and t.expires_at > transaction_timestamp();
end
$$;

ALTER FUNCTION vital.remembered_context(p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json, OUT versions json, OUT until timestamp with time zone) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.remembered_context(p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json, OUT versions json, OUT until timestamp with time zone) IS 'The caller''s context, with the versions of all that it shows';

CREATE FUNCTION vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.give_reason(p_reason);
  delete from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = p_user_id;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such member of this tenant.',
      hint = 'Members are those of the table user_tenants.';
  end if;
  update public.users u set organization_id = o.tenant_id
  from (
    select m.tenant_id from public.user_tenants m
    where m.user_id = p_user_id and m.status = 'active'
    order by m.joined_at, m.tenant_id limit 1
  ) o
  where u.id = p_user_id and u.organization_id = p_tenant_id;
end
$$;

ALTER FUNCTION vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text) IS 'Ends a membership, for operators';

CREATE FUNCTION vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  rule vital.retention_rules;
begin
  perform set_config('vital.reason', btrim(p_reason), true);
  delete from vital.retention_rules r
  where (r.table_schema, r.table_name) = (p_schema, p_table) and r.organization_id = coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001')
  returning r.* into rule;
  if rule.id is null then
    return false;
  end if;
  perform vital.append_audit(coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), 'retention_removed', 'retention_rules', rule.id,
    jsonb_build_object('old', to_jsonb(rule), 'new', null));
  return true;
end
$$;

ALTER FUNCTION vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) IS 'Takes back how long rows of a table are kept';

CREATE FUNCTION vital.require_acting_admin(p_tenant_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not vital.is_operator() and (vital.require_admin()).tenant_id is distinct from p_tenant_id then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name the tenant with the Vital-Tenant header or the token''s tenant claim.';
  end if;
end
$$;

ALTER FUNCTION vital.require_acting_admin(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_acting_admin(p_tenant_id uuid) IS 'Refuses everybody but operators and the admins of the tenant they act in';

CREATE FUNCTION vital.require_admin(p_tenant_id uuid DEFAULT NULL::uuid) RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return vital.require_standing(array['owner', 'admin'], p_tenant_id);
end
$$;

ALTER FUNCTION vital.require_admin(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_admin(p_tenant_id uuid) IS 'The standing of a caller who administers a tenant, else an error';

CREATE FUNCTION vital.require_changeable(p_tenant_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  state public.org_lifecycle_state;
begin
  select o.lifecycle_state into state from public.organizations o where o.id = p_tenant_id;
  if state is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  elsif state = 'archived' then
    raise exception using errcode = 'VT108', message = 'This tenant is archived.',
      hint = 'Its data is kept, but nothing of it changes any more.';
  end if;
end
$$;

ALTER FUNCTION vital.require_changeable(p_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_changeable(p_tenant_id uuid) IS 'Refuses a tenant that does not exist or is archived';

CREATE FUNCTION vital.require_erasable(p_subject text, p_subject_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  state public.org_lifecycle_state;
  parts bigint;
begin
  if p_subject = 'tenant' then
    select o.lifecycle_state into state from public.organizations o where o.id = p_subject_id;
    if not found then
      raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
    end if;
    if p_subject_id = '00000000-0000-0000-0000-000000000001' then
      raise exception using errcode = 'VT203', message = 'The platform tenant is never erased.', hint = 'It owns what all tenants share.';
    end if;
    if state <> 'archived' then
      raise exception using errcode = 'VT203', message = format('This tenant is %s; only an archived one is erased.', state),
        hint = 'Suspend it, and archive it: `vital tenant archive`.';
    end if;
    select count(*) into parts from public.organizations o where o.parent_organization_id = p_subject_id;
    if parts > 0 then
      raise exception using errcode = 'VT203', message = format('%s other tenants are part of this one.', parts),
        hint = 'Make them part of another, or of none, first: set_parent_organization.';
    end if;
  else
    perform from public.users u where u.id = p_subject_id;
    if not found then
      raise exception using errcode = 'VT101', message = 'There is no such user.', hint = 'Name one by address or id.';
    end if;
    if exists (select from public.profiles p where p.id = p_subject_id and p.role = 'super_admin') then
      raise exception using errcode = 'VT203', message = 'This user operates the platform.', hint = 'Take the platform-wide role from them first.';
    end if;
    select count(*) into parts
    from public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state <> 'archived'
    where m.user_id = p_subject_id and m.role = 'owner' and m.status = 'active'
      and not exists (
        select from public.user_tenants w
        where w.tenant_id = m.tenant_id and w.role = 'owner' and w.status = 'active' and w.user_id <> m.user_id);
    if parts > 0 then
      raise exception using errcode = 'VT207', message = format('This user is the only owner of %s.', case parts when 1 then 'a tenant' else parts || ' tenants' end),
        hint = 'Make somebody else an owner first: `vital member role`.';
    end if;
  end if;
  perform vital.require_no_hold(p_subject, p_subject_id);
end
$$;

ALTER FUNCTION vital.require_erasable(p_subject text, p_subject_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_erasable(p_subject text, p_subject_id uuid) IS 'Refuses to erase a tenant or user that must stay for now';

CREATE FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  stranger text;
begin
  perform vital.require_value(jsonb_typeof(p_changes) = 'object', 'p_changes', 'an object of the fields to change');
  select k into stranger from jsonb_object_keys(p_changes) k where not k = any (p_known) order by k limit 1;
  perform vital.require_value(stranger is null, 'p_changes.' || stranger, 'left out: there is no such field. There are ' || array_to_string(p_known, ', '));
end
$$;

ALTER FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) IS 'Refuses changes that name a field that is not known';

CREATE FUNCTION vital.require_kek(p_kek_id text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform from vital.retired_keks r where r.kek_id = p_kek_id;
  if found then
    raise exception using errcode = 'VT203', message = format('The key-encryption key %s was retired.', p_kek_id),
      hint = 'Give this server the keyring as it is now; `vital keys status` shows which key is current.';
  end if;
end
$$;

ALTER FUNCTION vital.require_kek(p_kek_id text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_kek(p_kek_id text) IS 'Refuses a key-encryption key that was retired';

CREATE FUNCTION vital.require_member() RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return vital.require_standing(array['owner', 'admin', 'member', 'viewer']);
end
$$;

ALTER FUNCTION vital.require_member() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_member() IS 'The standing of a caller who is a member of their tenant, else an error';

CREATE FUNCTION vital.require_no_hold(p_subject text, p_subject_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if exists (
    select from vital.legal_holds h
    where h.released_at is null and h.tenant_id in (
      select p_subject_id where p_subject = 'tenant'
      union all
      select m.tenant_id from public.user_tenants m where p_subject = 'user' and m.user_id = p_subject_id)
  ) then
    raise exception using errcode = 'VT203',
      message = case p_subject when 'tenant' then 'This tenant is on legal hold.' else 'This user is a member of a tenant on legal hold.' end,
      hint = 'Once the reason is gone: `vital tenant hold TENANT --release --reason WHY`.';
  end if;
end
$$;

ALTER FUNCTION vital.require_no_hold(p_subject text, p_subject_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_no_hold(p_subject text, p_subject_id uuid) IS 'Refuses to erase anything of a tenant on legal hold';

CREATE FUNCTION vital.require_operator() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not vital.is_operator() and not public.is_super_admin() then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform may do this.',
      hint = 'Ask the operator of the platform.';
  end if;
end
$$;

ALTER FUNCTION vital.require_operator() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_operator() IS 'Refuses everybody but super admins and service_role';

CREATE FUNCTION vital.require_over_member(p_user_id uuid) RETURNS vital.membership
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standing vital.membership := vital.require_admin();
begin
  perform from public.user_tenants m
  where m.tenant_id = standing.tenant_id and m.user_id in (standing.user_id, p_user_id)
  order by m.user_id
  for update;
  standing := vital.require_admin();
  if standing.role <> 'owner' and not standing.is_super_admin
    and exists (select from public.user_tenants m where m.tenant_id = standing.tenant_id and m.user_id = p_user_id and m.role = 'owner') then
    raise exception using errcode = 'VT110', message = 'Only owners change the membership of an owner.',
      hint = 'Ask an owner of the tenant.';
  end if;
  return standing;
end
$$;

ALTER FUNCTION vital.require_over_member(p_user_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_over_member(p_user_id uuid) IS 'The standing of a caller who may change a membership of their tenant, else an error';

CREATE FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  standby constant boolean := pg_is_in_recovery();
  present constant pg_lsn := case when standby then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end;
  seen constant pg_snapshot := pg_current_snapshot();
  running xid8[];
begin
  if present < p_least or p_standby and not standby then
    raise exception using errcode = 'VT210', message = 'The database has not come to the version that was asked for.',
      hint = 'Send a version that this server gave out. After a restore or a failover, read again without one.';
  end if;
  if p_settle then
    -- A snapshot lists those below its end; what lies above is running, up to the newest, which is known by its age.
    running := array(select pg_snapshot_xip(seen)) || array(
      select n::text::xid8
      from (select pg_snapshot_xmax(seen)::text::bigint as above) s,
        generate_series(s.above, s.above - 1 + age((s.above - 1)::text::xid8::xid)) n);
    for i in 1..100 loop
      exit when not exists (select from unnest(running) x where not pg_visible_in_snapshot(x, pg_current_snapshot()));
      perform pg_sleep(0.0005);
    end loop;
  end if;
end
$$;

ALTER FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) IS 'Refuses where the write-ahead log has not come far enough';

CREATE FUNCTION vital.require_standing(p_roles text[], p_tenant_id uuid DEFAULT NULL::uuid) RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user. service_role acts in no tenant: it calls the function of schema vital that names one.';
  end if;
  standing := vital.current_membership();
  if standing.tenant_id is not null then
    standing.is_super_admin := public.is_super_admin() and vital.may_enter(standing.tenant_id, caller.user_id); -- a super admin stays one where they are a member too
  end if;
  if p_tenant_id is not null and (p_tenant_id is distinct from standing.tenant_id or not standing.is_super_admin) then
    standing := null;
    select o.id, caller.user_id, coalesce(m.role, 'admin'), p.id is not null, o.lifecycle_state
    into standing
    from public.organizations o
    left join public.user_tenants m on m.tenant_id = o.id and m.user_id = caller.user_id and m.status = 'active'
    left join public.profiles p on p.id = caller.user_id and p.role = 'super_admin'
    where o.id = p_tenant_id and (m.id is not null or p.id is not null);
  end if;

  if standing.tenant_id is null and public.is_super_admin() and p_tenant_id is null and (select s.break_glass_required from vital.settings s) then
    raise exception using errcode = 'VT302', message = 'Acting in this tenant takes an entry, with a reason and an end.',
      hint = 'Enter it with `vital tenant enter`, or the function enter_tenant. If you are in already, your time may be over.';
  elsif standing.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif (standing.state <> 'active' and not standing.is_super_admin)
    or (standing.state = 'archived' and not 'viewer' = any (p_roles)) then
    raise exception using
      errcode = case standing.state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case standing.state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case standing.state
        when 'pending' then 'An operator has to approve it first.'
        when 'suspended' then 'Ask the operator of the platform why; they can activate it again.'
        else 'Its data is kept, but it no longer serves its members.' end;
  elsif not standing.is_super_admin and not standing.role = any (p_roles) then
    raise exception using errcode = 'VT110', message = format('Your role in this tenant is %s; this takes %s.', standing.role,
        case when 'viewer' = any (p_roles) then 'a member' when 'member' = any (p_roles) then 'one that may write'
          else 'an owner or admin' end),
      hint = 'Ask an admin of the tenant.';
  end if;
  return standing;
end
$$;

ALTER FUNCTION vital.require_standing(p_roles text[], p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_standing(p_roles text[], p_tenant_id uuid) IS 'The caller''s standing in a tenant if it is of one of the roles, else an error';

CREATE FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_holds is not true then
    raise exception using errcode = 'VT202', message = format('%s must be %s.', p_name, p_must),
      hint = 'Send another value.', column = p_name;
  end if;
end
$$;

ALTER FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) IS 'Refuses a parameter that does not hold what it must';

CREATE FUNCTION vital.require_version(p_expected integer, p_present integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_expected <> p_present then
    raise exception using errcode = 'VT208',
      message = case when p_present = 0 then format('This is no longer there; version %s was expected.', p_expected)
        when p_expected = 0 then format('This is there already, at version %s.', p_present)
        else format('This is at version %s; version %s was expected.', p_present, p_expected) end,
      hint = 'Somebody else changed it. Read it again, merge, try again.';
  end if;
end
$$;

ALTER FUNCTION vital.require_version(p_expected integer, p_present integer) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.require_version(p_expected integer, p_present integer) IS 'Refuses a writer who has seen another version than the present one';

CREATE FUNCTION vital.require_writer() RETURNS vital.membership
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return vital.require_standing(array['owner', 'admin', 'member']);
end
$$;

ALTER FUNCTION vital.require_writer() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.require_writer() IS 'The standing of a caller who may write in their tenant, else an error';

CREATE FUNCTION vital.retain_audit(p_organization_id uuid, p_before timestamp with time zone, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entry uuid;
  erased integer := 0;
begin
  if p_before > now() - vital.audit_kept_least(p_organization_id) or p_organization_id in (select vital.held_tenant_ids()) then
    return 0;
  end if;
  perform set_config('vital.reason', '', true);
  for entry in
    select a.id from public.organization_audit_log a
    where a.organization_id = p_organization_id and a.created_at < p_before and a.erased_at is null and (a.changes is not null or a.reason is not null)
    order by a.created_at
    limit p_limit
    for update skip locked
  loop
    erased := erased + vital.erase_audit(p_organization_id, entry)::integer;
  end loop;
  return erased;
end
$$;

ALTER FUNCTION vital.retain_audit(p_organization_id uuid, p_before timestamp with time zone, p_limit integer) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.retain_audit(p_organization_id uuid, p_before timestamp with time zone, p_limit integer) IS 'Erases what old audit rows of a tenant hold, keeping their chain';

CREATE FUNCTION vital.retainable(p_schema text, p_table text, p_age_column text, OUT tenant_column text, OUT key_columns text[], OUT key_types text[], OUT age_type text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  relation oid;
begin
  select c.oid into relation
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = p_schema and c.relname = p_table and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'vital', 'auth');
  if relation is null then
    raise exception using errcode = 'VT205', message = format('There is no table %s.%s with rows of tenants.', p_schema, p_table), hint = 'Name it as schema.table.';
  end if;
  select a.attname into tenant_column
  from pg_attribute a
  left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attnotnull and a.atttypid = 'uuid'::regtype and (
    a.attname = 'tenant_id' or exists (
      select from pg_constraint f
      where f.contype = 'f' and f.conrelid = relation and f.confrelid = 'public.organizations'::regclass and f.conkey = array[a.attnum]))
  order by a.attname = 'tenant_id' desc, array_position(i.indkey::int2[], a.attnum) nulls last, a.attnum
  limit 1;
  select array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum)), array_agg(format_type(a.atttypid, a.atttypmod) order by array_position(i.indkey::int2[], a.attnum))
  into key_columns, key_types
  from pg_index i
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = relation and i.indisprimary;
  select format_type(a.atttypid, null) into age_type
  from pg_attribute a
  where a.attrelid = relation and a.attname = p_age_column and a.attnum > 0 and not a.attisdropped;
  if tenant_column is null or key_columns is null or (p_schema, p_table) in (
    ('public', 'organizations'), ('public', 'user_tenants'), ('public', 'tenant_configurations'), ('public', 'tenant_apps'), ('public', 'tenant_feature_flags'), ('public', 'access_records'), ('public', 'query_performance')) then
    raise exception using errcode = 'VT202', message = format('Rows of %s.%s do not go by age.', p_schema, p_table),
      hint = 'A table has rules if a column of it, never null, names the tenant (tenant_id, or a reference to organizations), and if it has a primary key; tenants, memberships, what a tenant is set up with, and records of loads and of access end otherwise.';
  elsif age_type is null or age_type not in ('timestamp with time zone', 'timestamp without time zone', 'date') then
    raise exception using errcode = 'VT202', message = format('%s of %s.%s does not say how old a row is.', coalesce(p_age_column, 'The age column'), p_schema, p_table),
      hint = 'Name a column that is a time or a day, as created_at.';
  elsif relation = 'public.organization_audit_log'::regclass and p_age_column <> 'created_at' then
    raise exception using errcode = 'VT202', message = 'The audit log goes by created_at.', hint = 'Name created_at.';
  end if;
end
$$;

ALTER FUNCTION vital.retainable(p_schema text, p_table text, p_age_column text, OUT tenant_column text, OUT key_columns text[], OUT key_types text[], OUT age_type text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.retainable(p_schema text, p_table text, p_age_column text, OUT tenant_column text, OUT key_columns text[], OUT key_types text[], OUT age_type text) IS 'What retention needs to know of a table, else an error';

CREATE FUNCTION vital.retention_plan(p_now timestamp with time zone DEFAULT now()) RETURNS TABLE(rule_id uuid, table_schema text, table_name text, tenant_column text, key_columns text[], key_types text[], age_column text, age_type text, tenant_id uuid, except_tenants uuid[], before timestamp with time zone, reason text, problem text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  rule vital.retention_rules;
  held constant uuid[] := array(select h from vital.held_tenant_ids() h);
  apart uuid[];
  tenant uuid;
begin
  for rule in select r.* from vital.retention_rules r order by r.table_schema, r.table_name, r.organization_id = '00000000-0000-0000-0000-000000000001', r.organization_id loop
    rule_id := rule.id; table_schema := rule.table_schema; table_name := rule.table_name; age_column := rule.age_column; reason := rule.reason;
    tenant_id := nullif(rule.organization_id, '00000000-0000-0000-0000-000000000001'); except_tenants := '{}'; before := p_now - rule.keep; problem := null;
    begin
      select t.* into tenant_column, key_columns, key_types, age_type from vital.retainable(rule.table_schema, rule.table_name, rule.age_column) t;
    exception when sqlstate 'VT202' or sqlstate 'VT205' then
      problem := sqlerrm; -- which is ours
      tenant_column := null; key_columns := null; key_types := null; age_type := null;
    end;
    continue when tenant_id = any (held);
    if (table_schema, table_name) = ('public', 'organization_audit_log') and problem is null then
      if tenant_id is not null then
        before := p_now - greatest(rule.keep, vital.audit_kept_least(tenant_id));
      elsif rule.keep < interval '6 years' then
        apart := array(select c.tenant_id from public.tenant_configurations c where c.compliance_settings ->> 'hipaa_enabled' = 'true');
        before := p_now - interval '6 years';
        foreach tenant in array apart loop
          continue when tenant = any (held)
            or exists (select from vital.retention_rules o where (o.table_schema, o.table_name) = (rule.table_schema, rule.table_name) and o.organization_id = tenant);
          tenant_id := tenant;
          return next;
        end loop;
        tenant_id := null;
        except_tenants := apart;
        before := p_now - rule.keep;
      end if;
    end if;
    if tenant_id is null then
      except_tenants := except_tenants || held || array(
        select o.organization_id from vital.retention_rules o
        where (o.table_schema, o.table_name) = (rule.table_schema, rule.table_name) and o.organization_id <> '00000000-0000-0000-0000-000000000001');
    end if;
    return next;
  end loop;
end
$$;

ALTER FUNCTION vital.retention_plan(p_now timestamp with time zone) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.retention_plan(p_now timestamp with time zone) IS 'Which rows may go now, and whose they are';

CREATE FUNCTION vital.retire_kek(p_kek_id text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  live bigint;
begin
  perform vital.require_operator();
  lock table vital.tenant_keys in share row exclusive mode;
  select count(*) into live from vital.tenant_keys k where k.kek_id = p_kek_id and k.destroyed_at is null;
  if live = 0 then
    insert into vital.retired_keks (kek_id) values (p_kek_id) on conflict do nothing;
  end if;
  return live;
end
$$;

ALTER FUNCTION vital.retire_kek(p_kek_id text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.retire_kek(p_kek_id text) IS 'Says that a key-encryption key is to be thrown away, once nothing is wrapped with it';

CREATE FUNCTION vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  written bigint;
begin
  perform vital.require_operator();
  update vital.tenant_keys k set kek_id = p_to, wrapped = n.wrapped, wrapped_at = clock_timestamp()
  from rows from (unnest(p_tenant_ids), unnest(p_key_ids), unnest(p_from), unnest(p_wrapped)) as n (tenant_id, key_id, kek_id, wrapped)
  where k.tenant_id = n.tenant_id and k.key_id = n.key_id and k.kek_id = n.kek_id and k.destroyed_at is null;
  get diagnostics written = row_count;
  perform vital.require_kek(p_to);
  return written;
end
$$;

ALTER FUNCTION vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) IS 'Keeps keys that were wrapped anew';

CREATE FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
  select case state
    when 'available' then get_bit(bitmask, 7)
    when 'cancelled' then get_bit(bitmask, 6)
    when 'completed' then get_bit(bitmask, 5)
    when 'discarded' then get_bit(bitmask, 4)
    when 'pending' then get_bit(bitmask, 3)
    when 'retryable' then get_bit(bitmask, 2)
    when 'running' then get_bit(bitmask, 1)
    when 'scheduled' then get_bit(bitmask, 0)
    else 0
  end = 1
$$;

ALTER FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) IS 'Whether a state is among those in which a job is one of a kind';

CREATE FUNCTION vital.rls_matrix(p_schemas text[] DEFAULT NULL::text[], p_roles text[] DEFAULT NULL::text[]) RETURNS TABLE(kind text, object text, role text, command text, access text, reason text, columns text[], policies jsonb, row_security text, runs_as text, owner text, volatility text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
  with recursive
  schemas as materialized (
    select n.oid, n.nspname, n.nspowner, n.nspacl
    from pg_catalog.pg_namespace n
    where case
      when $1::text[] is not null then n.nspname = any ($1)
      else n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and exists (
        select
        from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
        left join pg_catalog.pg_roles r on r.oid = a.grantee
        where a.privilege_type = 'USAGE' and r.rolsuper is not true)
      end
  ),
  functions as materialized (
    select p.*
    from pg_catalog.pg_proc p
    where p.pronamespace in (select s.oid from schemas s)
      and not exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
  ),
  relations as materialized (
    select c.oid, c.relkind, c.relowner, c.relnamespace, c.relacl, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
      c.relrowsecurity, c.relforcerowsecurity, c.relnamespace in (select s.oid from schemas s) as listed,
      c.relkind = 'v' and coalesce((
        select o.option_value::boolean from pg_catalog.pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'), false) as invoker
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^pg_(toast|temp)'
  ),
  -- Whoever a privilege is granted to by name, and who owns something.
  holders as materialized (
    select s.nspowner as oid from schemas s
    union select a.grantee from schemas s, pg_catalog.aclexplode(s.nspacl) a
    union select r.relowner from relations r where r.listed
    union select a.grantee from relations r, pg_catalog.aclexplode(r.relacl) a where r.listed
    union select a.grantee
      from relations r
      join pg_catalog.pg_attribute k on k.attrelid = r.oid and k.attacl is not null, pg_catalog.aclexplode(k.attacl) a
      where r.listed
    union select f.proowner from functions f
    union select a.grantee from functions f, pg_catalog.aclexplode(f.proacl) a
    union select r.oid from pg_catalog.pg_roles r where r.rolname in ('pg_read_all_data', 'pg_write_all_data')
  ),
  roles as materialized (
    select r.oid, r.rolname::text as name, r.rolsuper as super, r.rolsuper or r.rolbypassrls as bypasses
    from pg_catalog.pg_roles r
    where case
      when $2::text[] is not null then r.rolname = any ($2)
      else not r.rolsuper and r.rolname !~ '^pg_' and exists (
        select from holders h where h.oid <> 0 and pg_catalog.pg_has_role(r.oid, h.oid, 'USAGE'))
      end
    union all
    select 0, 'PUBLIC', false, false where $2 is null or 'PUBLIC' = any ($2)
  ),
  -- What may be asked of which kind of relation; letter is that of pg_policy, bit that of a view that takes it.
  commands as (
    select *
    from (values
      (1, 'select', 'rpvmf', 'r', true, null::integer),
      (2, 'insert', 'rpvf', 'a', true, 8),
      (3, 'update', 'rpvf', 'w', true, 4),
      (4, 'delete', 'rpvf', 'd', false, 16),
      (5, 'truncate', 'rpf', null, false, null),
      (6, 'references', 'rp', null, true, null),
      (7, 'trigger', 'rpvf', null, false, null),
      (8, 'maintain', 'rpm', null, false, null)
    ) as c (place, name, kinds, letter, by_column, bit)
    where c.name <> 'maintain' or pg_catalog.current_setting('server_version_num')::integer >= 170000
  ),
  -- What the query of a view names, and the columns it reads of it.
  reads as materialized (
    select w.ev_class as view, d.refobjid as relation, pg_catalog.array_agg(distinct d.refobjsubid) as columns,
      pg_catalog.count(*) over (partition by w.ev_class) as beside
    from pg_catalog.pg_rewrite w
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> w.ev_class
    join relations v on v.oid = w.ev_class and v.relkind = 'v'
    join relations b on b.oid = d.refobjid and b.relkind <> 'S'
    where w.rulename = '_RETURN'
    group by w.ev_class, d.refobjid
  ),
  -- Every relation a view reaches, and as whom: a security_invoker view asks as the role of the session
  -- even within a view that asks as its owner.
  reached as (
    select v.oid as view, r.oid as role, e.relation, e.columns, e.beside = 1 as alone,
      case when v.invoker then r.oid else v.relowner end as as_role
    from relations v
    cross join roles r
    join reads e on e.view = v.oid
    where v.listed and v.relkind = 'v'
    union
    select x.view, x.role, e.relation, e.columns, x.alone and e.beside = 1, case when v.invoker then x.role else v.relowner end
    from reached x
    join relations v on v.oid = x.relation and v.relkind = 'v'
    join reads e on e.view = v.oid
  ),
  -- What a command touches: the relation itself, for a view's reading all it reaches, for a view's writing
  -- the one relation it is made of. Which of several a view writes to the catalog does not say: then all
  -- count for the rows, and none for the privilege. A view with INSTEAD OF triggers writes what they do.
  touched as (
    select t.oid as relation, r.oid as role, c.name as command, c.letter, t.oid as base, r.oid as as_role, true as alone, true as permitted
    from relations t cross join roles r join commands c on pg_catalog.strpos(c.kinds, t.relkind::text) > 0
    where t.listed and t.relkind in ('r', 'p') and c.letter is not null
    union all
    select x.view, x.role, c.name, c.letter, x.relation, x.as_role, x.alone,
      case
        when c.name <> 'select' then not x.alone or pg_catalog.has_table_privilege(x.as_role, x.relation, c.name)
          or (c.by_column and pg_catalog.has_any_column_privilege(x.as_role, x.relation, c.name))
        when x.columns = '{0}' then pg_catalog.has_any_column_privilege(x.as_role, x.relation, 'select')
        else (
          select pg_catalog.bool_and(k.n <= 0 or pg_catalog.has_column_privilege(x.as_role, x.relation, k.n::smallint, 'select'))
          from pg_catalog.unnest(x.columns) k (n))
      end
    from reached x
    join commands c on c.kinds like '%v%' and c.letter is not null
    where c.name = 'select' or pg_catalog.pg_relation_is_updatable(x.view, false) & c.bit > 0
  ),
  -- Row-level security of each, for whoever the command acts as there.
  filtered as (
    select t.relation, t.role, t.command, t.alone, t.permitted, b.name as base, coalesce(a.rolname::text, 'PUBLIC') as as_role,
      b.relrowsecurity and not coalesce(a.rolsuper or a.rolbypassrls, false)
        and (b.relforcerowsecurity or not pg_catalog.pg_has_role(t.as_role, b.relowner, 'USAGE')) as applies,
      coalesce(p.permissive, false) as open, p.policies
    from touched t
    join relations b on b.oid = t.base
    left join pg_catalog.pg_roles a on a.oid = t.as_role
    left join lateral (
      select pg_catalog.bool_or(p.polpermissive) as permissive,
        pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
          'table', b.name, 'name', p.polname, 'permissive', p.polpermissive,
          'using', case when t.command <> 'insert' then pg_catalog.pg_get_expr(p.polqual, p.polrelid) end,
          'check', case when t.command in ('insert', 'update')
            then pg_catalog.pg_get_expr(coalesce(p.polwithcheck, p.polqual), p.polrelid) end
        )) order by not p.polpermissive, p.polname) as policies
      from pg_catalog.pg_policy p
      where p.polrelid = b.oid and p.polcmd::text in ('*', t.letter) and exists (
        select from pg_catalog.unnest(p.polroles) g (oid) where g.oid = 0 or pg_catalog.pg_has_role(t.as_role, g.oid, 'USAGE'))
    ) p on true
  ),
  behind as materialized (
    select f.relation, f.role, f.command,
      pg_catalog.min(pg_catalog.format('%s needs %s on %s', f.as_role, f.command, f.base)) filter (where not f.permitted) as refused,
      pg_catalog.bool_or(f.applies) as applies,
      pg_catalog.bool_and(f.alone and f.applies and not f.open) as closed,
      pg_catalog.jsonb_agg(f.policies order by f.base) filter (where f.applies and f.policies is not null) as policies
    from filtered f
    group by f.relation, f.role, f.command
  ),
  relation_cells as (
    select
      case t.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
        else 'foreign table' end as kind,
      t.name as object, r.name as role, c.name as command,
      case
        when not h.usage then 'no USAGE on the schema'
        when not h.whole and not h.part then 'no privilege'
        when t.relkind = 'v' and c.bit is not null and pg_catalog.pg_relation_is_updatable(t.oid, true) & c.bit = 0 then 'the view does not take it'
        when b.refused is not null then b.refused
        when b.closed then 'no policy for this role and command'
      end as denied,
      case
        when b.applies and t.relkind <> 'v' then 'row-level security'
        when b.applies then 'row-level security of what the view reads'
        when c.letter is null then 'privilege'
        when t.relkind in ('f', 'm') then 'row-level security does not reach a ' || case t.relkind when 'f' then 'foreign table' else 'materialized view' end
        when t.relkind = 'v' and t.invoker then 'no row-level security applies to the role in what the view reads'
        when t.relkind = 'v' then 'the view reads with the rights of its owner'
        when not t.relrowsecurity then 'row-level security is off'
        when r.super then 'superuser'
        when r.bypasses then 'BYPASSRLS'
        else 'owner, and row-level security is not forced'
      end as granted,
      coalesce(b.applies, false) as applies,
      case when h.part and not h.whole then (
        select pg_catalog.array_agg(k.attname::text order by k.attnum)
        from pg_catalog.pg_attribute k
        where k.attrelid = t.oid and k.attnum > 0 and not k.attisdropped
          and pg_catalog.has_column_privilege(r.oid, t.oid, k.attnum, c.name)
      ) end as columns,
      b.policies,
      case when t.relkind in ('r', 'p') then
        case when not t.relrowsecurity then 'off' when t.relforcerowsecurity then 'forced' else 'enabled' end
      end as row_security,
      case when t.relkind = 'v' then case when t.invoker then 'invoker' else 'definer' end end as runs_as,
      t.relowner as owner, null::text as volatility, c.place
    from relations t
    cross join roles r
    join commands c on pg_catalog.strpos(c.kinds, t.relkind::text) > 0
    cross join lateral (
      select pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE') as usage,
        pg_catalog.has_table_privilege(r.oid, t.oid, c.name) as whole,
        c.by_column and pg_catalog.has_any_column_privilege(r.oid, t.oid, case when c.by_column then c.name else 'select' end) as part
    ) h
    left join behind b on b.relation = t.oid and b.role = r.oid and b.command = c.name
    where t.listed and t.relkind <> 'S'
  ),
  -- What has no rows to filter: a privilege is all there is.
  other_cells as (
    select 'schema' as kind, pg_catalog.quote_ident(s.nspname) as object, r.name as role, c.name as command,
      case when not pg_catalog.has_schema_privilege(r.oid, s.oid, c.name) then 'no privilege' end as denied,
      null::text as runs_as, s.nspowner as owner, null::text as volatility, c.place
    from schemas s cross join roles r cross join (values (1, 'usage'), (2, 'create')) c (place, name)
    union all
    select 'sequence', t.name, r.name, c.name,
      case
        when not pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE') then 'no USAGE on the schema'
        when not pg_catalog.has_sequence_privilege(r.oid, t.oid, c.name) then 'no privilege'
      end,
      null, t.relowner, null, c.place
    from relations t cross join roles r cross join (values (1, 'usage'), (2, 'select'), (3, 'update')) c (place, name)
    where t.listed and t.relkind = 'S'
    union all
    select case f.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
      pg_catalog.format('%I.%I(%s)', s.nspname, f.proname, pg_catalog.oidvectortypes(f.proargtypes)), r.name, 'execute',
      case
        when not pg_catalog.has_schema_privilege(r.oid, s.oid, 'USAGE') then 'no USAGE on the schema'
        when not pg_catalog.has_function_privilege(r.oid, f.oid, 'EXECUTE') then 'no privilege'
      end,
      case when f.prosecdef then 'definer' else 'invoker' end, f.proowner,
      case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end, 1
    from functions f join schemas s on s.oid = f.pronamespace cross join roles r
  ),
  cells as (
    select * from relation_cells
    union all
    select o.kind, o.object, o.role, o.command, o.denied, 'privilege', false, null, null, null, o.runs_as, o.owner, o.volatility, o.place
    from other_cells o
  )
  select c.kind, c.object, c.role, c.command,
    case when c.denied is not null then 'denied' when c.applies then 'row-filtered' else 'allowed' end as access,
    coalesce(c.denied, c.granted) as reason,
    case when c.denied is null then c.columns end as columns,
    coalesce((
      select pg_catalog.jsonb_agg(p.value order by g.ordinality, p.ordinality)
      from pg_catalog.jsonb_array_elements(c.policies) with ordinality g,
        pg_catalog.jsonb_array_elements(g.value) with ordinality p
      where c.denied is null or c.denied = 'no policy for this role and command'
    ), '[]') as policies,
    c.row_security, c.runs_as, pg_catalog.pg_get_userbyid(c.owner)::text as owner, c.volatility
  from cells c
  order by
    pg_catalog.array_position(array['schema', 'table', 'view', 'materialized view', 'foreign table', 'sequence'], pg_catalog.replace(c.kind, 'partitioned ', '')),
    c.object <> 'public' and not pg_catalog.starts_with(c.object, 'public.'), c.object,
    pg_catalog.array_position(array['anon', 'authenticated', 'service_role', 'vital_api', 'vital_service', 'vital_owner', 'vital_definer', 'vital_sealer'], c.role),
    c.role = 'PUBLIC', c.role, c.place
$_$;

ALTER FUNCTION vital.rls_matrix(p_schemas text[], p_roles text[]) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.rls_matrix(p_schemas text[], p_roles text[]) IS 'Who can do what, by relation, function, sequence, role and command';

CREATE FUNCTION vital.roll_access_records(p_ahead integer DEFAULT 3, p_now timestamp with time zone DEFAULT now()) RETURNS TABLE(partition_name text, done text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  this_month constant date := date_trunc('month', p_now at time zone 'UTC');
  first_kept constant timestamptz := p_now - (select s.access_record_retention from vital.settings s);
  misplaced boolean;
  month date;
  begins timestamptz;
  ends timestamptz;
begin
  if p_ahead is null or p_ahead not between 0 and 24 then
    raise exception 'partitions are made for up to 24 months ahead' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('lock_timeout', '2s', true);
  perform set_config('timezone', 'UTC', true);
  perform pg_advisory_xact_lock(hashtext('vital.roll_access_records'));
  misplaced := exists (select from vital.access_records_default);
  if misplaced then
    alter table public.access_records detach partition vital.access_records_default;
  end if;
  for month in
    select m::date from generate_series(this_month, this_month + make_interval(months => p_ahead), interval '1 month') m
    union
    select distinct date_trunc('month', r.at at time zone 'UTC')::date from vital.access_records_default r
    order by 1
  loop
    partition_name := 'access_records_' || to_char(month, 'YYYYMM');
    begins := month::timestamp at time zone 'UTC';
    ends := (month + interval '1 month') at time zone 'UTC';
    if to_regclass('vital.' || partition_name) is null then
      execute format('create table vital.%I (like public.access_records including all excluding comments)', partition_name);
      execute format('alter table public.access_records attach partition vital.%I for values from (%L) to (%L)', partition_name, begins, ends);
      execute format('comment on table vital.%I is %L', partition_name, 'Records of ' || to_char(month, 'YYYY-MM'));
      done := 'made';
      return next;
    end if;
    if misplaced then
      execute format('with moved as (delete from vital.access_records_default where at >= %L and at < %L returning *) insert into vital.%I select * from moved',
        begins, ends, partition_name);
    end if;
  end loop;
  if misplaced then
    alter table public.access_records attach partition vital.access_records_default default;
  end if;
  for partition_name in
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.access_records'::regclass and c.relname ~ '^access_records_\d{6}$'
      and (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') at time zone 'UTC' <= first_kept
    order by 1
  loop
    execute format('drop table vital.%I', partition_name);
    done := 'dropped';
    return next;
  end loop;
end
$_$;

ALTER FUNCTION vital.roll_access_records(p_ahead integer, p_now timestamp with time zone) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.roll_access_records(p_ahead integer, p_now timestamp with time zone) IS 'Makes and drops the month partitions of access_records';

CREATE FUNCTION vital.roll_query_performance(p_keep_days integer, p_ahead integer DEFAULT 3, p_now timestamp with time zone DEFAULT now()) RETURNS TABLE(partition_name text, done text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  today constant date := (p_now at time zone 'UTC')::date;
  last_kept constant date := today - p_keep_days;
  first_day constant timestamptz := last_kept::timestamp at time zone 'UTC';
  after_last constant timestamptz := (today + p_ahead + 1)::timestamp at time zone 'UTC';
  day date;
  begins timestamptz;
  ends timestamptz;
  held uuid[];
  kept boolean;
begin
  if p_keep_days is null or p_keep_days < 1 or p_ahead is null or p_ahead not between 0 and 31 then
    raise exception 'records are kept for one day or more, and partitions made for up to 31 days ahead' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('lock_timeout', '2s', true);
  perform pg_advisory_xact_lock(hashtext('vital.roll_query_performance'));
  for day in
    select d::date from generate_series(today, today + p_ahead, interval '1 day') d
    union
    select distinct (r.created_at at time zone 'UTC')::date from vital.query_performance_default r where r.created_at >= first_day and r.created_at < after_last
    order by 1
  loop
    partition_name := 'query_performance_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass('vital.' || partition_name) is not null;
    begins := day::timestamp at time zone 'UTC';
    ends := (day + 1)::timestamp at time zone 'UTC';
    execute format('create table vital.%I (like public.query_performance including all excluding comments)', partition_name);
    -- Known to hold, the bound is not looked for in every row while everybody waits.
    execute format('alter table vital.%I add constraint of_its_day check (created_at >= %L and created_at < %L)', partition_name, begins, ends);
    execute format('with moved as (delete from vital.query_performance_default where created_at >= %L and created_at < %L returning *) insert into vital.%I select * from moved',
      begins, ends, partition_name);
    execute format('alter table public.query_performance attach partition vital.%I for values from (%L) to (%L)', partition_name, begins, ends);
    execute format('alter table vital.%I drop constraint of_its_day', partition_name);
    execute format('comment on table vital.%I is %L', partition_name, 'Records of ' || to_char(day, 'YYYY-MM-DD'));
    done := 'made';
    return next;
  end loop;
  held := array(select vital.held_tenant_ids());
  for partition_name in
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.query_performance'::regclass and c.relname ~ '^query_performance_\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < last_kept
    order by 1
  loop
    if cardinality(held) > 0 then
      execute format('select exists (select from vital.%I r where r.tenant_id = any ($1))', partition_name) into kept using held;
      continue when kept;
    end if;
    execute format('drop table vital.%I', partition_name);
    done := 'dropped';
    return next;
  end loop;
  -- What is older than anything that is kept never had a partition.
  delete from vital.query_performance_default r where r.created_at < first_day and r.tenant_id <> all (held);
end
$_$;

ALTER FUNCTION vital.roll_query_performance(p_keep_days integer, p_ahead integer, p_now timestamp with time zone) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.roll_query_performance(p_keep_days integer, p_ahead integer, p_now timestamp with time zone) IS 'Makes and drops the day partitions of query_performance';

CREATE FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  former jsonb;
  override public.tenant_feature_flags;
  rolled public.tenant_feature_flags;
begin
  perform vital.require_changeable(p_tenant_id);
  flag := vital.find_active_flag(p_flag_key);
  select v.config into former from public.tenant_feature_flag_versions v
  where v.tenant_id = p_tenant_id and v.feature_flag_id = flag.id and v.version = p_version;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no version %s of this tenant''s override of %s.', coalesce(p_version::text, 'null'), p_flag_key),
      hint = 'Its history shows those there are.';
  end if;
  select jsonb_object_agg(c.key, c.value) into former
  from jsonb_each(case jsonb_typeof(former) when 'object' then former end) c
  where c.key = any (vital.override_fields());
  if (former ->> 'expires_at')::timestamptz <= now() then
    raise exception using errcode = 'VT203', message = format('The override of version %s has run out since.', p_version),
      hint = 'Set it anew, with another end.';
  end if;
  select t.* into override from public.tenant_feature_flags t
  where t.tenant_id = p_tenant_id and t.feature_flag_id = flag.id
  for update;
  rolled := vital.set_tenant_feature(p_tenant_id, p_flag_key, former, null, coalesce(nullif(btrim(p_reason), ''), format('Back to version %s', p_version)));
  if rolled.version is not distinct from override.version then
    raise exception using errcode = 'VT203', message = format('The override is as it was at version %s.', p_version),
      hint = 'Nothing is left to do.';
  end if;
  return rolled;
end
$$;

ALTER FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text) IS 'Makes a tenant''s override what it was at an earlier version, as a new version';

CREATE FUNCTION vital.rotate_seal_key(p_grace interval DEFAULT '00:05:00'::interval) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  -- 366 bits of the server's strong random source, folded into 256.
  key constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    || decode(repeat('00', 32), 'hex');
  inner_pad bytea := key;
  outer_pad bytea := key;
  new_id constant text := substr(replace(gen_random_uuid()::text, '-', ''), 1, 12);
begin
  for i in 0 .. 63 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  update vital.seal_keys k
  set retires_at = least(coalesce(k.retires_at, 'infinity'), transaction_timestamp() + p_grace);
  delete from vital.seal_keys k where k.retires_at < transaction_timestamp() - interval '1 day';
  insert into vital.seal_keys (id, inner_pad, outer_pad) values (new_id, inner_pad, outer_pad);
  perform pg_notify('vital_change', 'seal_key');
  return new_id;
end
$$;

ALTER FUNCTION vital.rotate_seal_key(p_grace interval) OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.rotate_seal_key(p_grace interval) IS 'Makes a new seal key; the former ones stay good for the grace period';

CREATE FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flag_changes
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  most constant integer := 100;
  flag public.feature_flags;
  change public.tenant_feature_flag_changes;
begin
  perform vital.require_acting_admin(p_tenant_id);
  perform vital.require_changeable(p_tenant_id);
  if coalesce(p_changes, 'null') <> 'null' then
    perform vital.require_fields(p_changes, vital.override_fields());
    perform vital.require_value(p_changes <> '{}', 'p_changes', 'an object of the fields to change');
  end if;
  perform vital.require_value(p_run_at > now() and isfinite(p_run_at), 'p_run_at', 'ahead');
  flag := vital.find_active_flag(p_flag_key);
  perform vital.lock_configuration(p_tenant_id);
  if (select count(*) from public.tenant_feature_flag_changes c where c.tenant_id = p_tenant_id and c.status = 'pending') >= most then
    raise exception using errcode = 'VT204', message = format('At most %s changes of this tenant wait at a time.', most),
      hint = 'Cancel one, or wait until they were made.';
  end if;
  perform vital.give_reason(p_reason);
  insert into public.tenant_feature_flag_changes as c (tenant_id, feature_flag_id, changes, run_at, reason, created_by)
  values (p_tenant_id, flag.id, coalesce(p_changes, 'null'), p_run_at, nullif(btrim(p_reason), ''), vital.user_id())
  returning c.* into change;
  return change;
end
$$;

ALTER FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) IS 'Has a tenant''s override of a flag changed at a time';

CREATE FUNCTION vital.schema_version() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select max(m.version_id) from vital.migrations m where m.is_applied
$$;

ALTER FUNCTION vital.schema_version() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.schema_version() IS 'Number of the last applied migration';

CREATE FUNCTION vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  overhead constant integer := 1 + 12 + 16; -- version, nonce and tag: internal/envelope
  written bigint;
begin
  perform vital.require_operator();
  perform from vital.tenant_keys k
  where k.tenant_id = p_organization_id and k.key_id = p_key_id and k.destroyed_at is null
  for share;
  if not found then
    raise exception using errcode = 'VT203', message = 'The tenant has no such key, or it was destroyed.', hint = 'Run it again: it takes the key that the tenant has now.';
  end if;
  update public.organization_audit_log a
  set sealed = n.sealed, sealed_key = p_key_id, changes = null, reason = null, salt = null
  from rows from (unnest(p_ids), unnest(p_sealed)) as n (id, sealed)
  where a.organization_id = p_organization_id and a.id = n.id
    and a.sealed_key is null and a.erased_at is null and a.salt is not null and (a.changes is not null or a.reason is not null)
    and substr(n.sealed, 1, 1) = '\x01'
    and octet_length(n.sealed) = overhead + octet_length(a.salt || convert_to(
      coalesce(octet_length(convert_to(a.changes::text, 'UTF8')) || ':' || a.changes::text, '-') || ','
      || coalesce(octet_length(convert_to(a.reason, 'UTF8')) || ':' || a.reason, '-') || ',', 'UTF8'));
  get diagnostics written = row_count;
  return written;
end
$$;

ALTER FUNCTION vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) IS 'Puts what was sealed in the place of salt, changes and reason of audit rows';

CREATE FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select k.id, k.inner_pad, k.outer_pad
  from vital.seal_keys k
  where k.retires_at is null
  order by k.created_at desc
  limit 1
$$;

ALTER FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) OWNER TO vital_sealer;

COMMENT ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) IS 'The newest seal key, for the server';

CREATE FUNCTION vital.serialize_definitions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.lock_definitions();
  return null;
end
$$;

ALTER FUNCTION vital.serialize_definitions() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.serialize_definitions() IS 'Lets one transaction after another write flag definitions';

CREATE FUNCTION vital.service_access_recorded(p_tenants uuid[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not exists (
    select from public.tenant_configurations c
    where c.compliance_settings ->> 'hipaa_enabled' = 'true' and (p_tenants is null or c.tenant_id = any (p_tenants))
  ) then
    return false;
  end if;
  if current_setting('transaction_read_only')::boolean then
    raise exception using errcode = 'VT301', message = 'Reads in this tenant are recorded; this transaction cannot write a record.',
      hint = 'Read in a transaction that may write.';
  end if;
  return true;
end
$$;

ALTER FUNCTION vital.service_access_recorded(p_tenants uuid[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.service_access_recorded(p_tenants uuid[]) IS 'Whether a read with a service key is to be recorded';

CREATE FUNCTION vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  was interval;
begin
  perform vital.require_operator();
  perform vital.require_value(p_subject in ('tenant', 'user'), 'p_subject', 'tenant or user');
  perform vital.require_value(p_wait >= interval '0' and p_wait <= interval '10 years', 'p_wait', 'a time from 0 to ten years');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given');
  if p_subject = 'tenant' then
    select s.erasure_wait into was from vital.settings s for update;
    update vital.settings set erasure_wait = p_wait;
  else
    select s.user_erasure_wait into was from vital.settings s for update;
    update vital.settings set user_erasure_wait = p_wait;
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'updated', 'settings', null,
    jsonb_build_object('old', jsonb_build_object(p_subject || '_erasure_wait', was), 'new', jsonb_build_object(p_subject || '_erasure_wait', p_wait)));
end
$$;

ALTER FUNCTION vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) IS 'Sets how long tenants or users wait until they may be erased';

CREATE TABLE vital.retention_rules (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    table_schema text NOT NULL,
    table_name text NOT NULL,
    age_column text NOT NULL,
    keep interval NOT NULL,
    reason text NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT retention_rules_keep_check CHECK ((keep >= '1 day'::interval)),
    CONSTRAINT retention_rules_reason_check CHECK (((btrim(reason) <> ''::text) AND (length(reason) <= 1000)))
);

ALTER TABLE vital.retention_rules OWNER TO vital_owner;

COMMENT ON TABLE vital.retention_rules IS 'How long rows of a table are kept. A tenant''s own rule stands in place of the one for all tenants.';

COMMENT ON COLUMN vital.retention_rules.id IS 'The rule';

COMMENT ON COLUMN vital.retention_rules.organization_id IS 'The tenant it is for; the platform''s is for all that have none of their own';

COMMENT ON COLUMN vital.retention_rules.table_schema IS 'Schema of the table';

COMMENT ON COLUMN vital.retention_rules.table_name IS 'The table';

COMMENT ON COLUMN vital.retention_rules.age_column IS 'Column that says how old a row is: a time or a day. A row where it is null stays';

COMMENT ON COLUMN vital.retention_rules.keep IS 'How long a row is kept from then on';

COMMENT ON COLUMN vital.retention_rules.reason IS 'Why';

COMMENT ON COLUMN vital.retention_rules.set_by IS 'Login it came in through';

COMMENT ON COLUMN vital.retention_rules.set_at IS 'When it was set, or changed last';

CREATE FUNCTION vital.set_retention(p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text) RETURNS vital.retention_rules
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  previous vital.retention_rules;
  rule vital.retention_rules;
begin
  perform vital.retainable(p_schema, p_table, p_age_column);
  if p_keep is null or p_keep < interval '1 day' or coalesce(btrim(p_reason), '') = '' then
    raise exception using errcode = 'VT202', message = 'Rows are kept for a day or more, and for a reason.', hint = 'Give both.';
  end if;
  if p_organization_id is not null and not exists (select from public.organizations o where o.id = p_organization_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  if (p_schema, p_table) = ('public', 'organization_audit_log') and p_keep < vital.audit_kept_least(p_organization_id) then
    raise exception using errcode = 'VT203', message = 'The audit log of this tenant is kept for six years or more: it is under HIPAA.',
      hint = 'Keep it longer; or change compliance_settings.hipaa_enabled, if the tenant is not under it.';
  end if;
  perform set_config('vital.reason', btrim(p_reason), true);
  select r.* into previous from vital.retention_rules r
  where (r.table_schema, r.table_name) = (p_schema, p_table) and r.organization_id = coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001')
  for update;
  insert into vital.retention_rules as r (organization_id, table_schema, table_name, age_column, keep, reason)
  values (coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), p_schema, p_table, p_age_column, p_keep, btrim(p_reason))
  on conflict (table_schema, table_name, organization_id) do update
  set age_column = excluded.age_column, keep = excluded.keep, reason = excluded.reason, set_by = excluded.set_by, set_at = now()
  returning r.* into rule;
  perform vital.append_audit(coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), 'retention_set', 'retention_rules', rule.id,
    jsonb_build_object('old', case when previous.id is not null then to_jsonb(previous) end, 'new', to_jsonb(rule)));
  return rule;
end
$$;

ALTER FUNCTION vital.set_retention(p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.set_retention(p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text) IS 'Says how long rows of a table are kept';

CREATE FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer DEFAULT NULL::integer, p_reason text DEFAULT NULL::text) RETURNS public.tenant_feature_flags
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  flag public.feature_flags;
  override public.tenant_feature_flags;
  wanted public.tenant_feature_flags;
begin
  perform vital.require_changeable(p_tenant_id);
  if coalesce(p_changes, 'null') <> 'null' then
    perform vital.require_fields(p_changes, vital.override_fields());
  end if;
  flag := vital.find_active_flag(p_flag_key);
  perform vital.give_reason(p_reason);
  loop
    select t.* into override from public.tenant_feature_flags t
    where t.tenant_id = p_tenant_id and t.feature_flag_id = flag.id
    for update;
    perform vital.require_version(p_expected_version, coalesce(override.version, 0));
    if coalesce(p_changes, 'null') = 'null' then
      delete from public.tenant_feature_flags t where t.tenant_id = p_tenant_id and t.id = override.id;
      return null;
    end if;

    wanted := override;
    if override.expires_at <= now() then
      wanted.enabled := null;
      wanted.variant := null;
      wanted.config := null;
      wanted.expires_at := null;
    end if;
    wanted := jsonb_populate_record(wanted, p_changes);
    perform vital.require_value(wanted.variant is null or wanted.variant is not distinct from override.variant or flag.variants ? wanted.variant
      or flag.flag_type = 'boolean' and flag.variants = '{}' and wanted.variant in ('on', 'off'), 'variant', 'one of the flag''s variants');
    perform vital.require_value(wanted.config is null or jsonb_typeof(wanted.config) = 'object', 'config', 'a JSON object');
    perform vital.require_value(not p_changes ? 'expires_at' or wanted.expires_at is null or wanted.expires_at > now(), 'expires_at', 'ahead');
    if override.id is null then
      begin
        insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, variant, config, expires_at, reason, created_by)
        values (p_tenant_id, flag.id, wanted.enabled, wanted.variant, wanted.config, wanted.expires_at, p_reason, vital.author_id())
        on conflict (tenant_id, feature_flag_id) do nothing -- made by somebody else at this moment: look again
        returning t.* into override;
        exit when found;
      exception when unique_violation then
        null; -- made and taken away at this moment, under the number this one was to have: look again
      end;
    else
      update public.tenant_feature_flags t
      set enabled = wanted.enabled, variant = wanted.variant, config = wanted.config, expires_at = wanted.expires_at,
        reason = p_reason, created_by = vital.author_id()
      where t.tenant_id = p_tenant_id and t.id = override.id
        and (t.enabled, t.variant, t.config, t.expires_at) is distinct from (wanted.enabled, wanted.variant, wanted.config, wanted.expires_at)
      returning t.* into wanted;
      return case when found then wanted else override end;
    end if;
  end loop;
  return override;
end
$$;

ALTER FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) IS 'Changes, makes or takes away a tenant''s override of a flag';

CREATE FUNCTION vital.settle() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.settle_audit();
  perform vital.settle_versions();
  return null;
end
$$;

ALTER FUNCTION vital.settle() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.settle() IS 'Writes audit rows and raises versions of a transaction, at its commit';

CREATE FUNCTION vital.settle_audit() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entry record;
  chain uuid;
  last_seq bigint;
  last_hash bytea;
  row_id uuid;
  row_salt bytea;
  row_commitment bytea;
  row_hash bytea;
begin
  for entry in
    with mine as (delete from vital.pending_audit p where p.xid = pg_current_xact_id() returning p.*)
    select m.* from mine m order by m.organization_id, m.ordinal
  loop
    if chain is distinct from entry.organization_id then
      update vital.audit_heads h set seq = last_seq, hash = last_hash, changed_at = clock_timestamp()
      where h.organization_id = chain;
      chain := entry.organization_id;
      insert into vital.audit_heads as h (organization_id, seq, hash)
      values (chain, 0, decode(repeat('00', 32), 'hex'))
      on conflict (organization_id) do update set changed_at = h.changed_at
      returning h.seq, h.hash into last_seq, last_hash;
    end if;
    row_id := gen_random_uuid();
    row_salt := uuid_send(gen_random_uuid());
    row_commitment := vital.audit_commitment(row_salt, entry.changes, entry.reason);
    row_hash := vital.audit_hash(last_hash, chain, last_seq + 1, row_id, entry.action, entry.actor_id,
      entry.actor_role, entry.database_role, entry.entity, entry.entity_id, entry.request_id, entry.created_at, row_commitment);
    insert into public.organization_audit_log (
      organization_id, id, seq, action, actor_id, actor_role, database_role, entity, entity_id, changes, reason, request_id,
      created_at, salt, commitment, previous_hash, hash)
    values (
      chain, row_id, last_seq + 1, entry.action, entry.actor_id, entry.actor_role, entry.database_role,
      entry.entity, entry.entity_id, entry.changes, entry.reason, entry.request_id, entry.created_at, row_salt,
      row_commitment, last_hash, row_hash);
    last_seq := last_seq + 1;
    last_hash := row_hash;
  end loop;
  update vital.audit_heads h set seq = last_seq, hash = last_hash, changed_at = clock_timestamp()
  where h.organization_id = chain;
end
$$;

ALTER FUNCTION vital.settle_audit() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.settle_audit() IS 'Chains and writes the audit rows of a transaction, at its commit';

CREATE FUNCTION vital.settle_versions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  touched record;
  raised text[] := string_to_array(left(current_setting('vital.raised', true), 16384), ' '); -- constraints may have been made immediate before
  told integer := 0;
begin
  for touched in
    with mine as (
      delete from vital.pending_versions p where p.xid = pg_current_xact_id() returning p.scope, p.key
    ), ordered as (
      select m.scope, m.key from mine m where m.scope <> 'settle' order by m.scope, m.key
    )
    insert into vital.versions as v (scope, key)
    select o.scope, o.key from ordered o
    on conflict (scope, key) do update set version = v.version + 1, changed_at = transaction_timestamp()
    returning v.scope, v.key, v.version
  loop
    told := told + 1;
    if told <= 100 then
      perform pg_notify('vital_change', touched.scope || ':' || touched.key || ':' || touched.version);
      raised := raised || (touched.scope || ':' || touched.key || ':' || touched.version);
    elsif told = 101 then
      perform pg_notify('vital_change', '*');
    end if;
  end loop;
  if told > 0 then
    perform set_config('vital.raised', case when told > 100 or cardinality(raised) > 100 then '*' else array_to_string(raised, ' ') end, false);
  end if;
end
$$;

ALTER FUNCTION vital.settle_versions() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.settle_versions() IS 'Raises the versions a transaction touched, at its commit';

CREATE FUNCTION vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update vital.idempotency_keys k
  set status = p_status, headers = p_headers, body = p_body
  where k.caller = (vital.identity()).user_id and k.key = p_key and k.status is null;
end
$$;

ALTER FUNCTION vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) IS 'Keeps the answer to the request that claimed an Idempotency-Key';

CREATE FUNCTION vital.super_admin_floor() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select case when public.is_super_admin() then '00000000-0000-0000-0000-000000000000'::uuid end
$$;

ALTER FUNCTION vital.super_admin_floor() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.super_admin_floor() IS 'The smallest id for a super admin, null for others';

CREATE FUNCTION vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[]) RETURNS TABLE(tenant_id uuid, stamp text, document json, until timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return query
  select w.id, s.stamp, case when w.known is distinct from s.stamp then vital.context_document(w.id) end, (
    select min(f.expires_at) from public.tenant_feature_flags f
    where f.tenant_id = w.id and f.expires_at > transaction_timestamp())
  from unnest(p_tenant_ids, p_known_stamps) w(id, known)
  join public.tenant_configurations c on c.tenant_id = w.id
  cross join lateral (select vital.context_stamp(w.id) as stamp) s;
end
$$;

ALTER FUNCTION vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[]) IS 'What all members of tenants see of them in their contexts, for what servers share';

CREATE FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) RETURNS TABLE(version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select v.version, v.config, lag(v.config) over (order by v.version), v.reason, v.created_by, v.created_at
  from public.tenant_feature_flag_versions v
  join public.feature_flags f on f.id = v.feature_flag_id
  where v.tenant_id = p_tenant_id and f.flag_key = p_flag_key
  order by v.version desc
$$;

ALTER FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) IS 'Every version of a tenant''s override of a flag';

CREATE FUNCTION vital.tenant_flag_overrides(p_tenant_id uuid) RETURNS TABLE(version bigint, tenant jsonb, overrides jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select
    coalesce((select v.version from vital.versions v where v.scope = 'tenant' and v.key = o.id), 0),
    jsonb_build_object('id', o.id, 'slug', o.slug, 'type', o.tenant_type, 'tier', o.subscription_tier,
      'parent_id', o.parent_organization_id, 'key', o.tenant_key),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'flag_key', f.flag_key, 'enabled', t.enabled, 'variant', t.variant, 'config', t.config, 'expires_at', t.expires_at,
        'version', t.version) order by f.flag_key)
      from public.tenant_feature_flags t
      join public.feature_flags f on f.id = t.feature_flag_id
      where t.tenant_id = o.id
    ), '[]')
  from public.organizations o
  where o.id = p_tenant_id
$$;

ALTER FUNCTION vital.tenant_flag_overrides(p_tenant_id uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.tenant_flag_overrides(p_tenant_id uuid) IS 'A tenant and its overrides, with the version they belong to';

CREATE FUNCTION vital.tenant_for(p_right text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  standing record;
begin
  select w.id as wanted, c.user_id,
    m.role in ('owner', 'admin') or (p_right = 'read' and m.role is not null) or (p_right = 'write' and m.role = 'member') as allowed
  into standing
  from vital.identity() c
  cross join lateral (
    select case
      when c.tenant = '' then (select u.organization_id from public.users u where u.id = c.user_id)
      when c.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then c.tenant::uuid
      else (select o.id from public.organizations o where o.slug = c.tenant)
    end as id
    offset 0
  ) w
  left join (
    public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
  ) on m.tenant_id = w.id and m.user_id = c.user_id and m.status = 'active';
  if standing.allowed then
    return standing.wanted;
  end if;

  return (
    select o.id
    from public.organizations o
    join public.profiles p on p.id = standing.user_id and p.role = 'super_admin'
    where o.id = standing.wanted and vital.may_enter(o.id, p.id) and (p_right in ('read', 'oversee') or o.lifecycle_state <> 'archived')
  );
end
$_$;

ALTER FUNCTION vital.tenant_for(p_right text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.tenant_for(p_right text) IS 'The tenant the caller acts in, if they may read, write, oversee or administer it';

CREATE TABLE vital.tenant_templates (
    name text NOT NULL,
    description text NOT NULL,
    configuration jsonb NOT NULL,
    apps jsonb NOT NULL,
    flags jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_templates_apps_check CHECK ((jsonb_typeof(apps) = 'array'::text)),
    CONSTRAINT tenant_templates_configuration_check CHECK ((jsonb_typeof(configuration) = 'object'::text)),
    CONSTRAINT tenant_templates_description_check CHECK ((btrim(description) <> ''::text)),
    CONSTRAINT tenant_templates_flags_check CHECK ((jsonb_typeof(flags) = 'object'::text)),
    CONSTRAINT tenant_templates_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,49}$'::text))
);

ALTER TABLE vital.tenant_templates OWNER TO vital_owner;

COMMENT ON TABLE vital.tenant_templates IS 'What a new tenant is set up with. The template named like its tenant_type applies, else the one called default; a file may name another.';

COMMENT ON COLUMN vital.tenant_templates.name IS 'Name, and the tenant_type it applies to by itself';

COMMENT ON COLUMN vital.tenant_templates.description IS 'What it is for';

COMMENT ON COLUMN vital.tenant_templates.configuration IS 'The whole configuration, as database/schemas/tenant_configuration.json';

COMMENT ON COLUMN vital.tenant_templates.apps IS 'Apps: key, name, route, icon, visible, enabled, order, config';

COMMENT ON COLUMN vital.tenant_templates.flags IS 'Overrides of flags by key: enabled, variant, config';

COMMENT ON COLUMN vital.tenant_templates.created_at IS 'When it was made';

COMMENT ON COLUMN vital.tenant_templates.updated_at IS 'When it was last changed';

CREATE FUNCTION vital.tenant_template(p_tenant_type text) RETURNS vital.tenant_templates
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  named constant text := nullif(current_setting('vital.template', true), '');
  template vital.tenant_templates;
begin
  select t.* into template from vital.tenant_templates t
  where case when named is null then t.name in (p_tenant_type, 'default') else t.name = named end
  order by t.name = p_tenant_type desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no template %s for tenants.', coalesce(named, 'default')),
      hint = '`vital tenant template list` names those there are; `vital tenant template set` makes one.';
  end if;
  return template;
end
$$;

ALTER FUNCTION vital.tenant_template(p_tenant_type text) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.tenant_template(p_tenant_type text) IS 'The template of a new tenant of that type';

CREATE FUNCTION vital.throttles(p_limits jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(jsonb_object_agg(l.key, l.value), '{}')
  from jsonb_each(case jsonb_typeof(p_limits) when 'object' then p_limits else '{}' end) l
  where l.key in ('requests_per_second', 'concurrent_requests') and l.value <> 'null'
$$;

ALTER FUNCTION vital.throttles(p_limits jsonb) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.throttles(p_limits jsonb) IS 'Of a tenant''s limits those that are the operator''s to set';

CREATE FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb DEFAULT NULL::jsonb, p_reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  changes jsonb;
  override public.tenant_feature_flags;
begin
  perform vital.require_value(p_config is null or jsonb_typeof(p_config) = 'object', 'p_config', 'a JSON object');
  if p_enabled is not null then
    changes := jsonb_build_object('enabled', p_enabled, 'expires_at', null)
      || case when p_config is null then '{}' else jsonb_build_object('config', p_config) end;
  end if;
  override := vital.set_tenant_feature(p_tenant_id, p_flag_key, changes, null, p_reason);
  if p_enabled is null then
    return (select jsonb_build_object('flag_key', f.flag_key, 'enabled', f.default_enabled, 'config', '{}'::jsonb, 'overridden', false)
      from public.feature_flags f where f.flag_key = p_flag_key);
  end if;
  return jsonb_build_object('flag_key', p_flag_key, 'enabled', override.enabled, 'config', coalesce(override.config, '{}'), 'overridden', true);
end
$$;

ALTER FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) IS 'Switches a flag for a tenant, or back to its default';

CREATE FUNCTION vital.tool_health(p_tenant_id uuid DEFAULT NULL::uuid, p_days integer DEFAULT 30) RETURNS TABLE(tool_id uuid, tool_name text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, unique_tenants bigint, health_status text, deprecated boolean, replacement_tool_id uuid, tool_tenant_id uuid)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with figures as (
    select t.id, t.tenant_id, t.name, t.deprecated, t.replacement_tool_id,
      count(u.id) as uses,
      count(u.id) filter (where u.success) * 100.0 / nullif(count(u.id), 0) as rate,
      round(avg(u.execution_time_ms), 2) as milliseconds,
      count(distinct u.tenant_id) as tenants
    from public.tools t
    left join public.tool_usage_log u
      on u.tool_tenant_id = t.tenant_id and u.tool_id = t.id
      and u.created_at > transaction_timestamp() - make_interval(days => p_days)
      and (p_tenant_id is null or u.tenant_id = p_tenant_id)
    where t.is_active and (p_tenant_id is null or t.tenant_id in (p_tenant_id, '00000000-0000-0000-0000-000000000001'))
    group by t.tenant_id, t.id
  )
  select f.id, f.name, f.uses, round(f.rate, 2), f.milliseconds, f.tenants,
    case
      when f.deprecated then 'DEPRECATED'
      when f.uses = 0 then 'UNUSED'
      when f.rate < 50 then 'UNHEALTHY'
      when f.rate < 80 then 'DEGRADED'
      else 'HEALTHY'
    end,
    f.deprecated, f.replacement_tool_id, f.tenant_id
  from figures f
  order by f.uses desc, f.name, f.id
$$;

ALTER FUNCTION vital.tool_health(p_tenant_id uuid, p_days integer) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.tool_health(p_tenant_id uuid, p_days integer) IS 'How tools fared in the last days, by the uses of one tenant or of all';

CREATE FUNCTION vital.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if nullif(current_setting('vital.restoring', true), '') is not null then
    if vital.is_restoring() then -- apart, because whoever may not call it may write all the same
      return new;
    end if;
  end if;
  new.updated_at := transaction_timestamp();
  return new;
end
$$;

ALTER FUNCTION vital.touch_updated_at() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.touch_updated_at() IS 'Sets updated_at on update';

CREATE FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_changeable(p_tenant_id);
  delete from public.tenant_agents t
  where t.tenant_id = p_tenant_id and t.id = (
    select m.id from public.tenant_agents m
    where m.tenant_id = p_tenant_id and m.agent_id = p_agent_id and (p_agent_tenant_id is null or m.agent_tenant_id = p_agent_tenant_id)
    order by m.agent_tenant_id = p_tenant_id desc
    limit 1);
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such assigned agent.',
      hint = 'Assigned agents are those of the table tenant_agents.';
  end if;
end
$$;

ALTER FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) IS 'Takes an agent from a tenant''s assigned ones';

CREATE FUNCTION vital.undo_repairs(p_run uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  audited record;
  undone bigint := 0;
  first timestamptz;
  last timestamptz;
begin
  perform vital.give_reason(format('undo of repair %s', p_run));
  for audited in
    select l.entity, l.organization_id, l.entity_id, l.changes, l.created_at
    from public.organization_audit_log l
    where starts_with(l.reason, format('repair %s: ', p_run))
      and l.actor_id is null and l.database_role not in ('vital_api', 'authenticator')
      and l.entity in ('users', 'profiles', 'user_tenants', 'tenant_configurations', 'tenant_apps', 'tenant_feature_flags', 'agents', 'invitations')
    order by l.created_at desc, l.seq desc
  loop
    perform vital.write_repair(audited.entity, audited.organization_id, audited.entity_id,
      nullif(audited.changes -> 'new', 'null'), nullif(audited.changes -> 'old', 'null'));
    undone := undone + 1;
    first := audited.created_at;
    last := coalesce(last, first);
  end loop;
  if undone = 0 then
    raise exception using errcode = 'VT205', message = 'There is no such repair.', hint = '`vital audit list` shows repairs with their reason, `repair ID: …`.';
  end if;
  perform from public.organization_audit_log l
  where l.sealed_key is not null and l.actor_id is null and l.created_at between first - interval '10 minutes' and last;
  if found then
    raise exception using errcode = 'VT203', message = 'The repair is so old that what it wrote is being sealed.', hint = 'Take back what must be by hand: `vital audit list` shows it.';
  end if;
  return undone;
end
$$;

ALTER FUNCTION vital.undo_repairs(p_run uuid) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.undo_repairs(p_run uuid) IS 'Takes back what a run of repairs wrote';

CREATE FUNCTION vital.use_template(p_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform vital.require_operator();
  perform set_config('vital.template', coalesce(p_name, ''), true);
end
$$;

ALTER FUNCTION vital.use_template(p_name text) OWNER TO vital_owner;

COMMENT ON FUNCTION vital.use_template(p_name text) IS 'Names the template of the tenants made in the rest of the transaction';

CREATE FUNCTION vital.user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select (vital.identity()).user_id
$$;

ALTER FUNCTION vital.user_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.user_id() IS 'The caller, from the sealed context; null without one';

CREATE FUNCTION vital.version_tenant_feature_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  reason text := nullif(current_setting('vital.reason', true), '');
begin
  if tg_op = 'DELETE' then
    insert into public.tenant_feature_flag_versions (tenant_id, feature_flag_id, version, config, reason, created_by)
    values (old.tenant_id, old.feature_flag_id, old.version + 1, 'null', reason, vital.author_id());
  elsif tg_op = 'INSERT' or new.version <> old.version then
    if reason is null and (tg_op = 'INSERT' or new.reason is distinct from old.reason) then
      reason := new.reason;
    end if;
    insert into public.tenant_feature_flag_versions (tenant_id, feature_flag_id, version, config, reason, created_by)
    values (new.tenant_id, new.feature_flag_id, new.version, to_jsonb(new), reason, vital.author_id());
  end if;
  return null;
end
$$;

ALTER FUNCTION vital.version_tenant_feature_flag() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.version_tenant_feature_flag() IS 'Keeps every state of a tenant''s override';

CREATE FUNCTION vital.versions_of(p_scopes text[], p_keys uuid[]) RETURNS TABLE(scope text, key uuid, version bigint, age interval)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select w.scope, w.key, coalesce(v.version, 0), clock_timestamp() - v.changed_at
  from unnest(p_scopes, p_keys) w(scope, key)
  left join lateral (select v.version, v.changed_at from vital.versions v where v.scope = w.scope and v.key = w.key limit 1) v on true
$$;

ALTER FUNCTION vital.versions_of(p_scopes text[], p_keys uuid[]) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.versions_of(p_scopes text[], p_keys uuid[]) IS 'The versions of scopes that were heard to have changed';

CREATE FUNCTION vital.wal_position() RETURNS pg_lsn
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  replayed pg_lsn;
begin
  if not pg_is_in_recovery() then
    return pg_current_wal_insert_lsn();
  end if;
  replayed := pg_last_wal_replay_lsn();
  if pg_last_wal_receive_lsn() <= replayed then
    return replayed;
  end if;
  -- A commit is visible a moment before its record counts as replayed: the record that begins here may be one that was seen. Whoever
  -- has replayed more than up to here has replayed it whole.
  return replayed + 1;
end
$$;

ALTER FUNCTION vital.wal_position() OWNER TO vital_definer;

COMMENT ON FUNCTION vital.wal_position() IS 'How far in the write-ahead log this server is';

CREATE FUNCTION vital.writable_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  select vital.tenant_for('write')
$$;

ALTER FUNCTION vital.writable_tenant_id() OWNER TO vital_owner;

COMMENT ON FUNCTION vital.writable_tenant_id() IS 'The tenant the caller may write rows of, else null';

CREATE FUNCTION vital.write_repair(p_table text, p_tenant_id uuid, p_row_id uuid, p_old jsonb, p_new jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  named constant text := format('public.%I', p_table);
  -- An id is unique within its tenant alone, but for a user's.
  keyed constant text := case when p_table in ('users', 'profiles') then 't.id = $1' else 't.tenant_id = $3 and t.id = $1' end;
  columns constant text := (select string_agg(quote_ident(k), ', ' order by k) from jsonb_object_keys(coalesce(p_new, p_old)) k);
  written uuid := p_row_id;
  made jsonb := p_new; -- a row that is made, with what defaults gave it
  held text;
  hits bigint;
begin
  -- What is told as JSON is compared as the table's own types have it, column by column: a moment is the same in every time zone.
  held := format('(select jsonb_object_agg(k, to_jsonb(t) -> k) from jsonb_object_keys($2) k)
    = (select jsonb_object_agg(k, to_jsonb(r) -> k) from jsonb_populate_record(null::%s, $2) r, jsonb_object_keys($2) k)', named);
  -- What has come to depend on a user since would go with them.
  if p_table = 'users' and p_new is null and (exists (select from public.user_tenants m where m.user_id = p_row_id)
      or exists (select from public.profiles p where p.id = p_row_id) or exists (select from public.chat_sessions s where s.user_id = p_row_id)) then
    raise exception using errcode = 'VT203', message = format('The user %s has memberships, a profile or conversations that the repair did not make.', p_row_id),
      hint = 'Remove them first, if they are to go.';
  end if;
  if p_old is null then
    execute format('insert into %s as t (%s) select %s from jsonb_populate_record(null::%s, $1) returning t.id, to_jsonb(t) - ''updated_at''', named, columns, columns, named)
    into written, made using p_new;
  elsif p_new is null then
    execute format('delete from %s as t where %s and %s', named, keyed, held) using p_row_id, p_old, p_tenant_id;
  else
    execute format('update %s as t set (%s) = (select %s from jsonb_populate_record(null::%s, $4)) where %s and %s', named, columns, columns, named, keyed, held)
    using p_row_id, p_old, p_tenant_id, p_new;
  end if;
  get diagnostics hits = row_count;
  if hits <> 1 then
    raise exception using errcode = 'VT203', message = format('The row %s of %s is no longer as it was.', p_row_id, p_table),
      hint = 'Look at it, and at its audit rows: somebody has changed it meanwhile.';
  end if;
  if p_table in ('users', 'profiles') then
    perform vital.append_audit(
      coalesce((coalesce(p_new, p_old) ->> case p_table when 'users' then 'organization_id' else 'tenant_id' end)::uuid, '00000000-0000-0000-0000-000000000001'),
      case when p_old is null then 'created' when p_new is null then 'deleted' else 'updated' end,
      p_table, written, jsonb_build_object('old', p_old, 'new', made));
  end if;
end
$_$;

ALTER FUNCTION vital.write_repair(p_table text, p_tenant_id uuid, p_row_id uuid, p_old jsonb, p_new jsonb) OWNER TO vital_definer;

COMMENT ON FUNCTION vital.write_repair(p_table text, p_tenant_id uuid, p_row_id uuid, p_old jsonb, p_new jsonb) IS 'Writes one row of a repair, audited';

CREATE TABLE auth.one_time_tokens (
    user_id uuid NOT NULL,
    token_type text NOT NULL,
    token_hash bytea NOT NULL,
    email character varying(255) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT one_time_tokens_token_hash_check CHECK ((octet_length(token_hash) = 32)),
    CONSTRAINT one_time_tokens_token_type_check CHECK ((token_type = ANY (ARRAY['recovery'::text, 'invite'::text, 'signup'::text, 'email_change'::text])))
);

ALTER TABLE auth.one_time_tokens OWNER TO vital_owner;

COMMENT ON TABLE auth.one_time_tokens IS 'Tokens of links that were sent, by SHA-256: one of a kind for each user, good once.';

COMMENT ON COLUMN auth.one_time_tokens.email IS 'Address it was sent to; for email_change the new one';

CREATE TABLE auth.refresh_tokens (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT refresh_tokens_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE auth.refresh_tokens OWNER TO vital_owner;

COMMENT ON TABLE auth.refresh_tokens IS 'Refresh tokens by SHA-256. Used ones are kept, so that a second use is found.';

COMMENT ON COLUMN auth.refresh_tokens.used_at IS 'When it was exchanged for its successor; null for the one that is good';

CREATE TABLE auth.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    method text DEFAULT 'password'::text NOT NULL,
    aal text DEFAULT 'aal1'::text NOT NULL,
    user_agent text,
    ip inet,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL,
    not_after timestamp with time zone,
    CONSTRAINT sessions_method_check CHECK ((method = ANY (ARRAY['password'::text, 'otp'::text])))
);

ALTER TABLE auth.sessions OWNER TO vital_owner;

COMMENT ON TABLE auth.sessions IS 'Signed-in sessions. A session that was ended is deleted, and stands in vital.revoked_sessions until its last token has expired.';

COMMENT ON COLUMN auth.sessions.method IS 'How it began: with a password, or with a link that was sent (otp)';

COMMENT ON COLUMN auth.sessions.refreshed_at IS 'When it last got an access token';

COMMENT ON COLUMN auth.sessions.not_after IS 'It cannot be refreshed from then on; null for no limit';

CREATE TABLE auth.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    aud character varying(255) DEFAULT 'authenticated'::character varying,
    role character varying(255) DEFAULT 'authenticated'::character varying,
    email character varying(255),
    encrypted_password character varying(255),
    email_confirmed_at timestamp with time zone,
    invited_at timestamp with time zone,
    recovery_sent_at timestamp with time zone,
    last_sign_in_at timestamp with time zone,
    raw_app_meta_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw_user_meta_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    banned_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_raw_app_meta_data_check CHECK ((jsonb_typeof(raw_app_meta_data) = 'object'::text)),
    CONSTRAINT users_raw_user_meta_data_check CHECK ((jsonb_typeof(raw_user_meta_data) = 'object'::text))
);

ALTER TABLE auth.users OWNER TO vital_owner;

COMMENT ON TABLE auth.users IS 'Accounts: who can sign in. Not exposed to any application role.';

COMMENT ON COLUMN auth.users.encrypted_password IS 'Password hash: argon2id, or bcrypt of an import';

COMMENT ON COLUMN auth.users.raw_app_meta_data IS 'Claims set by operators; the tenant claim is read from here';

COMMENT ON COLUMN auth.users.raw_user_meta_data IS 'Claims set by the user; grants nothing';

CREATE TABLE public.access_records (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    user_id uuid,
    session_id uuid,
    acting_role text NOT NULL,
    database_login text NOT NULL,
    break_glass_id uuid,
    action text NOT NULL,
    table_name text NOT NULL,
    embedded text[] DEFAULT '{}'::text[] NOT NULL,
    filter jsonb DEFAULT '[]'::jsonb NOT NULL,
    row_count bigint,
    error_code text,
    request_id text,
    CONSTRAINT access_records_action_check CHECK ((action = ANY (ARRAY['read'::text, 'count'::text, 'insert'::text, 'update'::text, 'delete'::text, 'call'::text]))),
    CONSTRAINT access_records_filter_check CHECK ((jsonb_typeof(filter) = 'array'::text)),
    CONSTRAINT access_records_row_count_check CHECK ((row_count >= 0))
)
PARTITION BY RANGE (at);

ALTER TABLE ONLY public.access_records FORCE ROW LEVEL SECURITY;

ALTER TABLE public.access_records OWNER TO vital_owner;

COMMENT ON TABLE public.access_records IS 'Who has read what of a tenant under HIPAA: written in the transaction of the read, before anybody is answered.';

COMMENT ON COLUMN public.access_records.tenant_id IS 'The tenant whose data was read; the platform tenant for a service key that named none. No foreign key: records outlive what they speak of';

COMMENT ON COLUMN public.access_records.id IS 'The record';

COMMENT ON COLUMN public.access_records.at IS 'When the transaction of the read began';

COMMENT ON COLUMN public.access_records.user_id IS 'Who read; null for a service key';

COMMENT ON COLUMN public.access_records.session_id IS 'Their session, where the token names one';

COMMENT ON COLUMN public.access_records.acting_role IS 'What they were in the tenant: owner, admin, member, viewer, super_admin; service_role for a service key';

COMMENT ON COLUMN public.access_records.database_login IS 'Login of the connection that read';

COMMENT ON COLUMN public.access_records.break_glass_id IS 'The entry of break_glass a super admin was in by; null for members';

COMMENT ON COLUMN public.access_records.action IS 'read rows, count rows, call a function, or insert, update or delete rows and be shown them';

COMMENT ON COLUMN public.access_records.table_name IS 'Table, view or function';

COMMENT ON COLUMN public.access_records.embedded IS 'What was embedded into it';

COMMENT ON COLUMN public.access_records.filter IS 'By which columns the rows were chosen, and how: column, operator, and values where these are ids; other values may be of a patient and are never kept';

COMMENT ON COLUMN public.access_records.row_count IS 'Rows that were answered; null where the read failed';

COMMENT ON COLUMN public.access_records.error_code IS 'Why it failed; null where it did not';

COMMENT ON COLUMN public.access_records.request_id IS 'Request it belonged to';

CREATE TABLE public.chat_sessions (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    agent_tenant_id uuid,
    agent_id uuid,
    title text,
    status text DEFAULT 'open'::text NOT NULL,
    last_message_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT chat_sessions_agent_own_or_platform CHECK ((((agent_id IS NULL) = (agent_tenant_id IS NULL)) AND ((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT chat_sessions_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT chat_sessions_status_check CHECK ((status = ANY (ARRAY['open'::text, 'closed'::text])))
);

ALTER TABLE ONLY public.chat_sessions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.chat_sessions OWNER TO vital_owner;

COMMENT ON TABLE public.chat_sessions IS 'Conversations, private to their user within the tenant.';

COMMENT ON COLUMN public.chat_sessions.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.chat_sessions.id IS 'Identifier, random';

COMMENT ON COLUMN public.chat_sessions.user_id IS 'Whose conversation it is';

COMMENT ON COLUMN public.chat_sessions.agent_tenant_id IS 'Owner of the agent: this tenant or the platform tenant';

COMMENT ON COLUMN public.chat_sessions.agent_id IS 'With which agent';

COMMENT ON COLUMN public.chat_sessions.title IS 'Title to show';

COMMENT ON COLUMN public.chat_sessions.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.chat_sessions.last_message_at IS 'When something was last said';

COMMENT ON COLUMN public.chat_sessions.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.chat_sessions.created_at IS 'When the row was made';

COMMENT ON COLUMN public.chat_sessions.updated_at IS 'When the row was last changed';

CREATE TABLE public.feature_flag_evaluators (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    rule jsonb NOT NULL,
    description text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flag_evaluators_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$'::text)),
    CONSTRAINT feature_flag_evaluators_rule_check CHECK ((jsonb_typeof(rule) = 'object'::text))
);

ALTER TABLE ONLY public.feature_flag_evaluators FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flag_evaluators OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flag_evaluators IS 'Rules that several flags share, as segments: flagd''s $evaluators, named in a targeting by {"$ref": name}.';

COMMENT ON COLUMN public.feature_flag_evaluators.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flag_evaluators.name IS 'Name by which rules refer to it';

COMMENT ON COLUMN public.feature_flag_evaluators.rule IS 'The rule in flagd''s JSON logic';

COMMENT ON COLUMN public.feature_flag_evaluators.description IS 'Whom it picks';

COMMENT ON COLUMN public.feature_flag_evaluators.created_at IS 'When the row was made';

COMMENT ON COLUMN public.feature_flag_evaluators.updated_at IS 'When the row was last changed';

CREATE TABLE public.feature_flag_versions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    version integer NOT NULL,
    config jsonb NOT NULL,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flag_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.feature_flag_versions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feature_flag_versions OWNER TO vital_owner;

COMMENT ON TABLE public.feature_flag_versions IS 'Every state a flag definition has had, for comparison and rollback.';

COMMENT ON COLUMN public.feature_flag_versions.id IS 'Identifier, random';

COMMENT ON COLUMN public.feature_flag_versions.feature_flag_id IS 'The flag';

COMMENT ON COLUMN public.feature_flag_versions.version IS 'Counts from 1 for each flag';

COMMENT ON COLUMN public.feature_flag_versions.config IS 'The whole row at that version';

COMMENT ON COLUMN public.feature_flag_versions.reason IS 'Why it was changed';

COMMENT ON COLUMN public.feature_flag_versions.created_by IS 'Who changed it; null for an operator''s own session';

COMMENT ON COLUMN public.feature_flag_versions.created_at IS 'When the row was made';

CREATE TABLE public.invitations (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    role text DEFAULT 'member'::text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid,
    expires_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    accepted_at timestamp with time zone,
    accepted_by uuid,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT invitations_email_check CHECK ((email ~~ '%_@_%'::text)),
    CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
    CONSTRAINT invitations_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ONLY public.invitations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.invitations OWNER TO vital_owner;

COMMENT ON TABLE public.invitations IS 'Invitations to a tenant: bound to an address, single use, expiring.';

COMMENT ON COLUMN public.invitations.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.invitations.id IS 'Identifier, random';

COMMENT ON COLUMN public.invitations.email IS 'Who may accept';

COMMENT ON COLUMN public.invitations.role IS 'Role the accepted membership gets';

COMMENT ON COLUMN public.invitations.token_hash IS 'SHA-256 of the token that was sent; the token itself is kept nowhere';

COMMENT ON COLUMN public.invitations.invited_by IS 'User who invited';

COMMENT ON COLUMN public.invitations.expires_at IS 'Not acceptable from then on';

COMMENT ON COLUMN public.invitations.accepted_at IS 'When it was accepted; null while it was not';

COMMENT ON COLUMN public.invitations.accepted_by IS 'User who accepted';

COMMENT ON COLUMN public.invitations.revoked_at IS 'When it was taken back; null while it was not';

COMMENT ON COLUMN public.invitations.created_at IS 'When the row was made';

COMMENT ON COLUMN public.invitations.updated_at IS 'When the row was last changed';

CREATE TABLE public.jobs_to_be_done (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    persona_tenant_id uuid,
    persona_id uuid,
    importance integer,
    satisfaction integer,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT jobs_to_be_done_importance_check CHECK (((importance >= 1) AND (importance <= 10))),
    CONSTRAINT jobs_to_be_done_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT jobs_to_be_done_persona_own_or_platform CHECK ((((persona_id IS NULL) = (persona_tenant_id IS NULL)) AND ((persona_tenant_id = tenant_id) OR (persona_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT jobs_to_be_done_satisfaction_check CHECK (((satisfaction >= 1) AND (satisfaction <= 10))),
    CONSTRAINT jobs_to_be_done_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT jobs_to_be_done_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT jobs_to_be_done_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.jobs_to_be_done FORCE ROW LEVEL SECURITY;

ALTER TABLE public.jobs_to_be_done OWNER TO vital_owner;

COMMENT ON TABLE public.jobs_to_be_done IS 'Jobs a tenant''s users want done; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.jobs_to_be_done.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.jobs_to_be_done.id IS 'Identifier, random';

COMMENT ON COLUMN public.jobs_to_be_done.title IS 'Title to show';

COMMENT ON COLUMN public.jobs_to_be_done.body IS 'When …, I want to …, so I can …';

COMMENT ON COLUMN public.jobs_to_be_done.persona_tenant_id IS 'Owner of the persona: this tenant or the platform tenant';

COMMENT ON COLUMN public.jobs_to_be_done.persona_id IS 'Whose job it is';

COMMENT ON COLUMN public.jobs_to_be_done.importance IS 'From 1 to 10';

COMMENT ON COLUMN public.jobs_to_be_done.satisfaction IS 'With today''s solution, from 1 to 10';

COMMENT ON COLUMN public.jobs_to_be_done.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.jobs_to_be_done.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.jobs_to_be_done.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.jobs_to_be_done.tags IS 'Free labels';

COMMENT ON COLUMN public.jobs_to_be_done.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.jobs_to_be_done.created_at IS 'When the row was made';

COMMENT ON COLUMN public.jobs_to_be_done.updated_at IS 'When the row was last changed';

CREATE TABLE public.knowledge (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    content_type text DEFAULT 'text/markdown'::text NOT NULL,
    source_url text,
    category text,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT knowledge_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT knowledge_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT knowledge_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT knowledge_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.knowledge FORCE ROW LEVEL SECURITY;

ALTER TABLE public.knowledge OWNER TO vital_owner;

COMMENT ON TABLE public.knowledge IS 'Documents of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.knowledge.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.knowledge.id IS 'Identifier, random';

COMMENT ON COLUMN public.knowledge.title IS 'Title to show';

COMMENT ON COLUMN public.knowledge.body IS 'The document itself';

COMMENT ON COLUMN public.knowledge.content_type IS 'Media type of the body';

COMMENT ON COLUMN public.knowledge.source_url IS 'Where it was taken from';

COMMENT ON COLUMN public.knowledge.category IS 'Group in lists';

COMMENT ON COLUMN public.knowledge.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.knowledge.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.knowledge.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.knowledge.tags IS 'Free labels';

COMMENT ON COLUMN public.knowledge.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.knowledge.created_at IS 'When the row was made';

COMMENT ON COLUMN public.knowledge.updated_at IS 'When the row was last changed';

CREATE TABLE public.organization_audit_log (
    organization_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    actor_role text,
    database_role name DEFAULT SESSION_USER NOT NULL,
    entity text,
    entity_id uuid,
    changes jsonb,
    reason text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seq bigint NOT NULL,
    commitment bytea NOT NULL,
    salt bytea,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    erased_at timestamp with time zone,
    sealed bytea,
    sealed_key uuid,
    CONSTRAINT organization_audit_log_seq_positive CHECK ((seq > 0))
);

ALTER TABLE ONLY public.organization_audit_log FORCE ROW LEVEL SECURITY;

ALTER TABLE public.organization_audit_log OWNER TO vital_owner;

COMMENT ON TABLE public.organization_audit_log IS 'Who changed what of a tenant, when and why. Only ever appended to.';

COMMENT ON COLUMN public.organization_audit_log.organization_id IS 'The tenant';

COMMENT ON COLUMN public.organization_audit_log.id IS 'Identifier, random';

COMMENT ON COLUMN public.organization_audit_log.action IS 'created, updated, suspended, activated, archived …';

COMMENT ON COLUMN public.organization_audit_log.actor_id IS 'User who acted; null for an operator''s own session';

COMMENT ON COLUMN public.organization_audit_log.actor_role IS 'Role the actor acted in';

COMMENT ON COLUMN public.organization_audit_log.database_role IS 'Login the change came in through';

COMMENT ON COLUMN public.organization_audit_log.entity IS 'Table that was changed';

COMMENT ON COLUMN public.organization_audit_log.entity_id IS 'Row that was changed';

COMMENT ON COLUMN public.organization_audit_log.changes IS '{old, new} of the changed columns';

COMMENT ON COLUMN public.organization_audit_log.reason IS 'Why, in the actor''s words';

COMMENT ON COLUMN public.organization_audit_log.request_id IS 'Request that made the change';

COMMENT ON COLUMN public.organization_audit_log.created_at IS 'When the row was made';

COMMENT ON COLUMN public.organization_audit_log.seq IS 'Place in the tenant''s chain, counting from 1 without a gap';

COMMENT ON COLUMN public.organization_audit_log.commitment IS 'SHA-256 of salt, changes and reason: what the chain holds of them';

COMMENT ON COLUMN public.organization_audit_log.salt IS 'Random, so that a commitment tells nothing; null once sealed or erased';

COMMENT ON COLUMN public.organization_audit_log.previous_hash IS 'Hash of the row before; 32 zero bytes for the first';

COMMENT ON COLUMN public.organization_audit_log.hash IS 'SHA-256 over the previous hash and every other column but changes, reason, salt and erased_at';

COMMENT ON COLUMN public.organization_audit_log.erased_at IS 'When changes and reason were erased; itself recorded as an action';

COMMENT ON COLUMN public.organization_audit_log.sealed IS 'Salt, changes and reason, sealed with the tenant''s key after a while; they are null from then on';

COMMENT ON COLUMN public.organization_audit_log.sealed_key IS 'Key it was sealed with; once that is destroyed, they are erased';

CREATE TABLE public.personas (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    title text,
    body text DEFAULT ''::text NOT NULL,
    goals text[] DEFAULT '{}'::text[] NOT NULL,
    pain_points text[] DEFAULT '{}'::text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT personas_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT personas_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT personas_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT personas_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.personas FORCE ROW LEVEL SECURITY;

ALTER TABLE public.personas OWNER TO vital_owner;

COMMENT ON TABLE public.personas IS 'Personas a tenant designs for; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.personas.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.personas.id IS 'Identifier, random';

COMMENT ON COLUMN public.personas.name IS 'Name to show';

COMMENT ON COLUMN public.personas.title IS 'Title to show';

COMMENT ON COLUMN public.personas.body IS 'Who this is, in prose';

COMMENT ON COLUMN public.personas.goals IS 'What the persona wants';

COMMENT ON COLUMN public.personas.pain_points IS 'What stands in the way';

COMMENT ON COLUMN public.personas.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.personas.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.personas.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.personas.tags IS 'Free labels';

COMMENT ON COLUMN public.personas.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.personas.created_at IS 'When the row was made';

COMMENT ON COLUMN public.personas.updated_at IS 'When the row was last changed';

CREATE TABLE public.profiles (
    id uuid NOT NULL,
    email text,
    full_name text,
    role text DEFAULT 'user'::text NOT NULL,
    tenant_id uuid,
    avatar_url text,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT profiles_preferences_check CHECK ((jsonb_typeof(preferences) = 'object'::text)),
    CONSTRAINT profiles_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text, 'super_admin'::text])))
);

ALTER TABLE ONLY public.profiles FORCE ROW LEVEL SECURITY;

ALTER TABLE public.profiles OWNER TO vital_owner;

COMMENT ON TABLE public.profiles IS 'What a user is called and whether they operate the platform.';

COMMENT ON COLUMN public.profiles.id IS 'The user';

COMMENT ON COLUMN public.profiles.email IS 'Address to show';

COMMENT ON COLUMN public.profiles.full_name IS 'Name to show';

COMMENT ON COLUMN public.profiles.role IS 'Platform-wide role. Only super_admin grants anything; the role within a tenant is user_tenants.role';

COMMENT ON COLUMN public.profiles.tenant_id IS 'Tenant in which the profile was made; grants nothing';

COMMENT ON COLUMN public.profiles.avatar_url IS 'Picture to show';

COMMENT ON COLUMN public.profiles.preferences IS 'The user''s own settings; free form';

COMMENT ON COLUMN public.profiles.created_at IS 'When the row was made';

COMMENT ON COLUMN public.profiles.updated_at IS 'When the row was last changed';

CREATE TABLE public.prompts (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    description text,
    category text,
    version integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    owner_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT prompts_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT prompts_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT prompts_title_check CHECK ((btrim(title) <> ''::text)),
    CONSTRAINT prompts_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.prompts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.prompts OWNER TO vital_owner;

COMMENT ON TABLE public.prompts IS 'Prompts of a tenant; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.prompts.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.prompts.id IS 'Identifier, random';

COMMENT ON COLUMN public.prompts.title IS 'Title to show';

COMMENT ON COLUMN public.prompts.body IS 'The prompt itself';

COMMENT ON COLUMN public.prompts.description IS 'What it is for';

COMMENT ON COLUMN public.prompts.category IS 'Group in lists';

COMMENT ON COLUMN public.prompts.version IS 'Counts up with each edition';

COMMENT ON COLUMN public.prompts.status IS 'Where it stands in its life';

COMMENT ON COLUMN public.prompts.owner_id IS 'User who answers for it';

COMMENT ON COLUMN public.prompts.tags IS 'Free labels';

COMMENT ON COLUMN public.prompts.metadata IS 'Free form, for the application';

COMMENT ON COLUMN public.prompts.created_at IS 'When the row was made';

COMMENT ON COLUMN public.prompts.updated_at IS 'When the row was last changed';

CREATE TABLE public.query_performance (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    query_type text,
    query_name text DEFAULT 'data_load'::text NOT NULL,
    user_id uuid,
    execution_time_ms integer,
    rows_returned integer,
    cache_hit boolean DEFAULT false NOT NULL,
    success boolean DEFAULT true NOT NULL,
    error_code text,
    error_message text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    duration_us bigint,
    weight integer DEFAULT 1 NOT NULL,
    steps jsonb,
    CONSTRAINT query_performance_duration_us_check CHECK ((duration_us >= 0)),
    CONSTRAINT query_performance_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT query_performance_rows_returned_check CHECK ((rows_returned >= 0)),
    CONSTRAINT query_performance_steps_check CHECK ((jsonb_typeof(steps) = 'array'::text)),
    CONSTRAINT query_performance_weight_check CHECK ((weight > 0))
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY public.query_performance FORCE ROW LEVEL SECURITY;

ALTER TABLE public.query_performance OWNER TO vital_owner;

COMMENT ON TABLE public.query_performance IS 'One record for each data load; serves query_performance_log as well.';

COMMENT ON COLUMN public.query_performance.tenant_id IS 'The tenant; the platform tenant for a load that failed before its tenant was known. No foreign key: records outlive what they speak of';

COMMENT ON COLUMN public.query_performance.id IS 'Identifier, random';

COMMENT ON COLUMN public.query_performance.query_type IS 'Kind of load: tenant_context, agents, tools …';

COMMENT ON COLUMN public.query_performance.query_name IS 'Name of the query';

COMMENT ON COLUMN public.query_performance.user_id IS 'For whom it ran';

COMMENT ON COLUMN public.query_performance.execution_time_ms IS 'Milliseconds it took';

COMMENT ON COLUMN public.query_performance.rows_returned IS 'Rows it answered with';

COMMENT ON COLUMN public.query_performance.cache_hit IS 'True when no query was needed';

COMMENT ON COLUMN public.query_performance.success IS 'False when the load failed';

COMMENT ON COLUMN public.query_performance.error_code IS 'Code of the error, as in docs/reference/errors.md';

COMMENT ON COLUMN public.query_performance.error_message IS 'What the caller was told';

COMMENT ON COLUMN public.query_performance.request_id IS 'Request it belonged to';

COMMENT ON COLUMN public.query_performance.created_at IS 'When the row was made';

COMMENT ON COLUMN public.query_performance.duration_us IS 'Microseconds it took; null where only milliseconds were told';

COMMENT ON COLUMN public.query_performance.weight IS 'How many loads the record stands for: above VITAL_LOAD_RATE a second one of so many is kept';

COMMENT ON COLUMN public.query_performance.steps IS 'Of a load that failed or was slow, what was done for it, in order: step, duration_us, rows, and code where it failed';

CREATE VIEW public.query_performance_log WITH (security_invoker='true') AS
 SELECT p.id,
    p.tenant_id,
    p.user_id,
    p.query_type,
    p.execution_time_ms AS duration_ms,
    p.success,
    p.error_message,
    p.created_at
   FROM public.query_performance p;

ALTER TABLE public.query_performance_log OWNER TO vital_owner;

COMMENT ON VIEW public.query_performance_log IS 'query_performance as the data-load dashboard names its columns';

CREATE TABLE public.schema_validation_rules (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    data_type text NOT NULL,
    is_nullable boolean DEFAULT false NOT NULL,
    has_default boolean DEFAULT false NOT NULL,
    is_primary_key boolean DEFAULT false NOT NULL,
    is_foreign_key boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    is_indexed boolean DEFAULT false NOT NULL,
    row_security boolean DEFAULT false NOT NULL
);

ALTER TABLE ONLY public.schema_validation_rules FORCE ROW LEVEL SECURITY;

ALTER TABLE public.schema_validation_rules OWNER TO vital_owner;

COMMENT ON TABLE public.schema_validation_rules IS 'Columns the product relies on and what they must be.';

COMMENT ON COLUMN public.schema_validation_rules.id IS 'Identifier, random';

COMMENT ON COLUMN public.schema_validation_rules.table_name IS 'Table in schema public';

COMMENT ON COLUMN public.schema_validation_rules.column_name IS 'Column that must exist';

COMMENT ON COLUMN public.schema_validation_rules.data_type IS 'Its type, as information_schema names it';

COMMENT ON COLUMN public.schema_validation_rules.is_nullable IS 'Whether it may be null';

COMMENT ON COLUMN public.schema_validation_rules.has_default IS 'Whether it must have a default';

COMMENT ON COLUMN public.schema_validation_rules.is_primary_key IS 'Whether it must be part of the primary key';

COMMENT ON COLUMN public.schema_validation_rules.is_foreign_key IS 'Whether it must be a foreign key';

COMMENT ON COLUMN public.schema_validation_rules.created_at IS 'When the row was made';

COMMENT ON COLUMN public.schema_validation_rules.is_indexed IS 'Whether an index must begin with it';

COMMENT ON COLUMN public.schema_validation_rules.row_security IS 'Whether its table must have row-level security, enabled and forced';

CREATE TABLE public.tenant_apps (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    app_key text NOT NULL,
    app_name text NOT NULL,
    app_route text NOT NULL,
    app_icon text,
    is_visible boolean DEFAULT true NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    display_order integer DEFAULT 0 NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_apps_app_key_check CHECK ((app_key ~ '^[a-z][a-z0-9_-]*$'::text)),
    CONSTRAINT tenant_apps_app_route_check CHECK ((app_route ~~ '/%'::text)),
    CONSTRAINT tenant_apps_config_check CHECK ((jsonb_typeof(config) = 'object'::text))
);

ALTER TABLE ONLY public.tenant_apps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_apps OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_apps IS 'Apps of a tenant and how they are shown; dashboard, chat, agents and knowledge from the start.';

COMMENT ON COLUMN public.tenant_apps.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_apps.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_apps.app_key IS 'Stable key of the app';

COMMENT ON COLUMN public.tenant_apps.app_name IS 'Name to show';

COMMENT ON COLUMN public.tenant_apps.app_route IS 'Path of the app in the front end';

COMMENT ON COLUMN public.tenant_apps.app_icon IS 'Icon name of the front end';

COMMENT ON COLUMN public.tenant_apps.is_visible IS 'Shown in the navigation and in the context';

COMMENT ON COLUMN public.tenant_apps.is_enabled IS 'Usable; a visible but disabled app is shown greyed';

COMMENT ON COLUMN public.tenant_apps.display_order IS 'Position in the navigation, ascending';

COMMENT ON COLUMN public.tenant_apps.config IS 'Settings of the app for this tenant; free form';

COMMENT ON COLUMN public.tenant_apps.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tenant_apps.updated_at IS 'When the row was last changed';

CREATE TABLE public.tenant_feature_flag_usage (
    tenant_id uuid NOT NULL,
    feature_flag_id uuid NOT NULL,
    variant text NOT NULL,
    day date NOT NULL,
    evaluations bigint NOT NULL,
    last_evaluated_at timestamp with time zone NOT NULL,
    CONSTRAINT tenant_feature_flag_usage_evaluations_check CHECK ((evaluations > 0))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.tenant_feature_flag_usage FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flag_usage OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flag_usage IS 'How often a flag was evaluated to which variant in a tenant, by day (UTC); kept for 90 days.';

COMMENT ON COLUMN public.tenant_feature_flag_usage.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flag_usage.feature_flag_id IS 'The flag';

COMMENT ON COLUMN public.tenant_feature_flag_usage.variant IS 'Variant it came to; empty where it came to none';

COMMENT ON COLUMN public.tenant_feature_flag_usage.day IS 'Day of the evaluations, UTC';

COMMENT ON COLUMN public.tenant_feature_flag_usage.evaluations IS 'How many';

COMMENT ON COLUMN public.tenant_feature_flag_usage.last_evaluated_at IS 'When the last of them was';

CREATE TABLE public.tenant_feature_flag_versions (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    feature_flag_id uuid NOT NULL,
    version integer NOT NULL,
    config jsonb NOT NULL,
    reason text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_feature_flag_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.tenant_feature_flag_versions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_feature_flag_versions OWNER TO vital_owner;

COMMENT ON TABLE public.tenant_feature_flag_versions IS 'Every state a tenant''s override of a flag has had.';

COMMENT ON COLUMN public.tenant_feature_flag_versions.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tenant_feature_flag_versions.id IS 'Identifier, random';

COMMENT ON COLUMN public.tenant_feature_flag_versions.feature_flag_id IS 'The flag';

COMMENT ON COLUMN public.tenant_feature_flag_versions.version IS 'Counts from 1 for each tenant and flag';

COMMENT ON COLUMN public.tenant_feature_flag_versions.config IS 'The whole override at that version; JSON null where it was taken away';

COMMENT ON COLUMN public.tenant_feature_flag_versions.reason IS 'Why it was changed';

COMMENT ON COLUMN public.tenant_feature_flag_versions.created_by IS 'Who changed it; null for an operator''s own session';

COMMENT ON COLUMN public.tenant_feature_flag_versions.created_at IS 'When the row was made';

CREATE VIEW vital.tenant_settings WITH (security_invoker='true') AS
 SELECT o.id AS tenant_id,
    o.name,
    o.slug,
    o.tenant_type,
    o.tenant_key,
    o.is_active,
    c.id AS configuration_id,
    c.ui_config,
    c.enabled_features,
    c.enabled_apps,
    c.enabled_agent_tiers,
    c.limits,
    c.compliance_settings,
    COALESCE(( SELECT json_agg(app.*) AS json_agg
           FROM ( SELECT a.app_key,
                    a.app_name,
                    a.app_route,
                    a.app_icon,
                    a.is_enabled,
                    a.display_order
                   FROM public.tenant_apps a
                  WHERE ((a.tenant_id = o.id) AND a.is_visible)
                  ORDER BY a.display_order, a.app_key) app), '[]'::json) AS apps,
    COALESCE(( SELECT json_agg(flag.*) AS json_agg
           FROM ( SELECT f.flag_key,
                    COALESCE(t.enabled, f.default_enabled) AS enabled,
                    COALESCE(t.config, '{}'::jsonb) AS config
                   FROM (public.feature_flags f
                     LEFT JOIN public.tenant_feature_flags t ON (((t.tenant_id = o.id) AND (t.feature_flag_id = f.id) AND ((t.expires_at IS NULL) OR (t.expires_at > transaction_timestamp())))))
                  WHERE f.is_active
                  ORDER BY f.flag_key) flag), '[]'::json) AS features
   FROM (public.organizations o
     LEFT JOIN public.tenant_configurations c ON ((c.tenant_id = o.id)));

ALTER TABLE vital.tenant_settings OWNER TO vital_owner;

COMMENT ON VIEW vital.tenant_settings IS 'A tenant with its configuration, apps and flags, whatever its state';

CREATE VIEW public.tenant_full_config WITH (security_invoker='true') AS
 SELECT s.tenant_id,
    s.name,
    s.slug,
    s.tenant_type,
    s.tenant_key,
    s.is_active,
    s.ui_config,
    s.enabled_features,
    s.enabled_apps,
    s.limits,
    s.compliance_settings,
    s.apps,
    s.features,
    s.enabled_agent_tiers
   FROM vital.tenant_settings s
  WHERE (s.is_active AND ((NOT ( SELECT row_security_active('public.tenant_configurations'::text) AS row_security_active)) OR (s.tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id))));

ALTER TABLE public.tenant_full_config OWNER TO vital_owner;

COMMENT ON VIEW public.tenant_full_config IS 'An active tenant with its configuration, apps and flags; one row a tenant';

CREATE TABLE public.tool_categories (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    display_order integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tool_categories_name_check CHECK ((btrim(name) <> ''::text)),
    CONSTRAINT tool_categories_slug_check CHECK ((slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'::text))
);

ALTER TABLE ONLY public.tool_categories FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tool_categories OWNER TO vital_owner;

COMMENT ON TABLE public.tool_categories IS 'Groups of tools; those of the platform tenant are offered to all.';

COMMENT ON COLUMN public.tool_categories.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tool_categories.id IS 'Identifier, random';

COMMENT ON COLUMN public.tool_categories.name IS 'Name to show';

COMMENT ON COLUMN public.tool_categories.slug IS 'Stable key within its tenant';

COMMENT ON COLUMN public.tool_categories.description IS 'What it is for';

COMMENT ON COLUMN public.tool_categories.display_order IS 'Position in lists, ascending';

COMMENT ON COLUMN public.tool_categories.created_at IS 'When the row was made';

COMMENT ON COLUMN public.tool_categories.updated_at IS 'When the row was last changed';

CREATE TABLE public.tool_usage_log (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    tool_tenant_id uuid NOT NULL,
    tool_id uuid NOT NULL,
    user_id uuid,
    agent_tenant_id uuid,
    agent_id uuid,
    success boolean NOT NULL,
    error_message text,
    execution_time_ms integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tool_usage_log_agent_own_or_platform CHECK ((((agent_id IS NULL) = (agent_tenant_id IS NULL)) AND ((agent_tenant_id = tenant_id) OR (agent_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))),
    CONSTRAINT tool_usage_log_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT tool_usage_log_tool_own_or_platform CHECK (((tool_tenant_id = tenant_id) OR (tool_tenant_id = '00000000-0000-0000-0000-000000000001'::uuid)))
);

ALTER TABLE ONLY public.tool_usage_log FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tool_usage_log OWNER TO vital_owner;

COMMENT ON TABLE public.tool_usage_log IS 'Each use of a tool, the ground for health figures and deprecation.';

COMMENT ON COLUMN public.tool_usage_log.tenant_id IS 'Tenant the row belongs to';

COMMENT ON COLUMN public.tool_usage_log.id IS 'Identifier, random';

COMMENT ON COLUMN public.tool_usage_log.tool_tenant_id IS 'Owner of the tool: this tenant or the platform tenant';

COMMENT ON COLUMN public.tool_usage_log.tool_id IS 'The tool';

COMMENT ON COLUMN public.tool_usage_log.user_id IS 'For whom it ran';

COMMENT ON COLUMN public.tool_usage_log.agent_tenant_id IS 'Owner of the agent';

COMMENT ON COLUMN public.tool_usage_log.agent_id IS 'Agent that used it; kept after the agent is gone, so not a foreign key';

COMMENT ON COLUMN public.tool_usage_log.success IS 'Whether it did what it should';

COMMENT ON COLUMN public.tool_usage_log.error_message IS 'What went wrong';

COMMENT ON COLUMN public.tool_usage_log.execution_time_ms IS 'Milliseconds it took';

COMMENT ON COLUMN public.tool_usage_log.created_at IS 'When the row was made';

CREATE TABLE public.users (
    id uuid NOT NULL,
    organization_id uuid,
    email text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

ALTER TABLE public.users OWNER TO vital_owner;

COMMENT ON TABLE public.users IS 'Known users, one row for each account of auth.users that may use the product.';

COMMENT ON COLUMN public.users.id IS 'The account: auth.users.id, the subject of its tokens';

COMMENT ON COLUMN public.users.organization_id IS 'Default tenant, used when a request names none';

COMMENT ON COLUMN public.users.email IS 'Address at sign-up; auth.users is its source';

COMMENT ON COLUMN public.users.created_at IS 'When the row was made';

COMMENT ON COLUMN public.users.updated_at IS 'When the row was last changed';

CREATE TABLE vital.access_records_default (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    user_id uuid,
    session_id uuid,
    acting_role text NOT NULL,
    database_login text NOT NULL,
    break_glass_id uuid,
    action text NOT NULL,
    table_name text NOT NULL,
    embedded text[] DEFAULT '{}'::text[] NOT NULL,
    filter jsonb DEFAULT '[]'::jsonb NOT NULL,
    row_count bigint,
    error_code text,
    request_id text,
    CONSTRAINT access_records_action_check CHECK ((action = ANY (ARRAY['read'::text, 'count'::text, 'insert'::text, 'update'::text, 'delete'::text, 'call'::text]))),
    CONSTRAINT access_records_filter_check CHECK ((jsonb_typeof(filter) = 'array'::text)),
    CONSTRAINT access_records_row_count_check CHECK ((row_count >= 0))
);

ALTER TABLE vital.access_records_default OWNER TO vital_owner;

COMMENT ON TABLE vital.access_records_default IS 'Records outside every month''s partition';

CREATE TABLE vital.api_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    prefix text NOT NULL,
    key_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    acts_for uuid,
    rights text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT api_keys_key_hash_check CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT api_keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT api_keys_rights_are_of_a_tenant CHECK ((((acts_for IS NULL) = (rights = '{}'::text[])) AND ((acts_for IS NULL) OR (role = 'anon'::text)))),
    CONSTRAINT api_keys_rights_known CHECK ((rights <@ ARRAY['flags'::text])),
    CONSTRAINT api_keys_role_check CHECK ((role = ANY (ARRAY['anon'::text, 'service_role'::text])))
);

ALTER TABLE vital.api_keys OWNER TO vital_owner;

COMMENT ON TABLE vital.api_keys IS 'API keys as supabase-js takes them, by hash.';

COMMENT ON COLUMN vital.api_keys.id IS 'Stands as the session of its callers, so that it is revoked like one';

COMMENT ON COLUMN vital.api_keys.name IS 'What it is for';

COMMENT ON COLUMN vital.api_keys.role IS 'Database role its requests run as: anon or service_role';

COMMENT ON COLUMN vital.api_keys.prefix IS 'How it begins, to tell keys apart in lists';

COMMENT ON COLUMN vital.api_keys.key_hash IS 'SHA-256 of the key; the key itself is kept nowhere';

COMMENT ON COLUMN vital.api_keys.created_at IS 'When it was made';

COMMENT ON COLUMN vital.api_keys.expires_at IS 'Refused from then on; null for never';

COMMENT ON COLUMN vital.api_keys.revoked_at IS 'When it was revoked; null while it was not';

COMMENT ON COLUMN vital.api_keys.last_used_at IS 'When it last came, to the minute';

COMMENT ON COLUMN vital.api_keys.acts_for IS 'The one tenant it acts for; null for a key of no tenant';

COMMENT ON COLUMN vital.api_keys.rights IS 'What it may do there: flags (evaluate them)';

CREATE TABLE vital.applied_files (
    path text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE vital.applied_files OWNER TO vital_owner;

COMMENT ON TABLE vital.applied_files IS 'Files of database/ as they were when they were last applied';

COMMENT ON COLUMN vital.applied_files.path IS 'roles.sql, migrations/name.sql or kind/name.sql';

COMMENT ON COLUMN vital.applied_files.sha256 IS 'SHA-256 of the text, hex';

COMMENT ON COLUMN vital.applied_files.applied_at IS 'When it was last applied';

CREATE TABLE vital.audit_checkpoints (
    organization_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    public_key bytea NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT audit_checkpoints_public_key_check CHECK ((octet_length(public_key) = 32)),
    CONSTRAINT audit_checkpoints_signature_check CHECK ((octet_length(signature) = 64))
);

ALTER TABLE vital.audit_checkpoints OWNER TO vital_owner;

COMMENT ON TABLE vital.audit_checkpoints IS 'Ends of chains, signed by the server with a key the database never has.';

COMMENT ON COLUMN vital.audit_checkpoints.organization_id IS 'The tenant';

COMMENT ON COLUMN vital.audit_checkpoints.seq IS 'Place in the chain';

COMMENT ON COLUMN vital.audit_checkpoints.hash IS 'Hash of that row';

COMMENT ON COLUMN vital.audit_checkpoints.signed_at IS 'When it was signed';

COMMENT ON COLUMN vital.audit_checkpoints.public_key IS 'Ed25519 public key, 32 bytes';

COMMENT ON COLUMN vital.audit_checkpoints.signature IS 'Ed25519 signature over tenant, place, hash and time';

CREATE TABLE vital.audit_heads (
    organization_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE vital.audit_heads OWNER TO vital_owner;

COMMENT ON TABLE vital.audit_heads IS 'Where each tenant''s audit chain ends.';

COMMENT ON COLUMN vital.audit_heads.organization_id IS 'The tenant';

COMMENT ON COLUMN vital.audit_heads.seq IS 'Place of its last row';

COMMENT ON COLUMN vital.audit_heads.hash IS 'Hash of its last row';

COMMENT ON COLUMN vital.audit_heads.changed_at IS 'When it last grew';

CREATE TABLE vital.check_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    check_name text NOT NULL,
    status text NOT NULL,
    findings integer DEFAULT 0 NOT NULL,
    details jsonb DEFAULT '[]'::jsonb NOT NULL,
    duration_ms integer NOT NULL,
    ran_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT check_runs_check CHECK ((((status = 'ok'::text) = (findings = 0)) OR (status = 'failed'::text))),
    CONSTRAINT check_runs_check_name_check CHECK ((check_name = ANY (ARRAY['schema'::text, 'rls'::text, 'data'::text, 'drift'::text, 'proof'::text, 'scale'::text]))),
    CONSTRAINT check_runs_details_check CHECK ((jsonb_typeof(details) = 'array'::text)),
    CONSTRAINT check_runs_duration_ms_check CHECK ((duration_ms >= 0)),
    CONSTRAINT check_runs_findings_check CHECK ((findings >= 0)),
    CONSTRAINT check_runs_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'findings'::text, 'failed'::text])))
);

ALTER TABLE vital.check_runs OWNER TO vital_owner;

COMMENT ON TABLE vital.check_runs IS 'What the daily checks and proofs found, kept for a year.';

COMMENT ON COLUMN vital.check_runs.id IS 'The run';

COMMENT ON COLUMN vital.check_runs.check_name IS 'schema, rls, data, drift or scale, as in vital check; drift where a server may make a database to compare with; proof, of vital rls prove and certify';

COMMENT ON COLUMN vital.check_runs.status IS 'ok; findings: something must be mended; failed: the check itself could not be run';

COMMENT ON COLUMN vital.check_runs.findings IS 'How many must be mended';

COMMENT ON COLUMN vital.check_runs.details IS 'The first hundred of them: check, object, detail';

COMMENT ON COLUMN vital.check_runs.duration_ms IS 'Milliseconds it took';

COMMENT ON COLUMN vital.check_runs.ran_at IS 'When it ended';

CREATE TABLE vital.definition_lock (
    only_row boolean DEFAULT true NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT definition_lock_only_row_check CHECK (only_row)
);

ALTER TABLE vital.definition_lock OWNER TO vital_owner;

COMMENT ON TABLE vital.definition_lock IS 'One row, written by whoever writes flag definitions or evaluators: one transaction after another, so that no two close a circle at once.';

COMMENT ON COLUMN vital.definition_lock.only_row IS 'There is one row';

COMMENT ON COLUMN vital.definition_lock.changed_at IS 'When a definition was last written';

CREATE TABLE vital.gate_approvals (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    gate text NOT NULL,
    approved boolean DEFAULT true NOT NULL,
    approved_by text NOT NULL,
    note text,
    database_role name DEFAULT SESSION_USER NOT NULL,
    approved_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT gate_approvals_approved_by_check CHECK (((length(approved_by) >= 1) AND (length(approved_by) <= 200))),
    CONSTRAINT gate_approvals_gate_check CHECK ((gate ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT gate_approvals_note_check CHECK ((length(note) <= 1000))
);

ALTER TABLE vital.gate_approvals OWNER TO vital_owner;

COMMENT ON TABLE vital.gate_approvals IS 'Who signed a gate off, or withdrew that; the latest row of a gate holds. Only ever appended to.';

COMMENT ON COLUMN vital.gate_approvals.id IS 'The signature';

COMMENT ON COLUMN vital.gate_approvals.gate IS 'The gate, as vital report gates names it';

COMMENT ON COLUMN vital.gate_approvals.approved IS 'False withdraws';

COMMENT ON COLUMN vital.gate_approvals.approved_by IS 'Who says so, as they were named';

COMMENT ON COLUMN vital.gate_approvals.note IS 'On what ground';

COMMENT ON COLUMN vital.gate_approvals.database_role IS 'Login it came in through';

COMMENT ON COLUMN vital.gate_approvals.approved_at IS 'When';

CREATE TABLE vital.idempotency_keys (
    caller uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);

ALTER TABLE vital.idempotency_keys OWNER TO vital_owner;

COMMENT ON TABLE vital.idempotency_keys IS 'Answers to writes that carried an Idempotency-Key, kept for a day; written in the write''s own transaction.';

COMMENT ON COLUMN vital.idempotency_keys.caller IS 'User who sent it; keys of different users never meet';

COMMENT ON COLUMN vital.idempotency_keys.key IS 'The header''s value';

COMMENT ON COLUMN vital.idempotency_keys.fingerprint IS 'SHA-256 of method, path and body: another request under the same key is refused';

COMMENT ON COLUMN vital.idempotency_keys.status IS 'HTTP status that was answered';

COMMENT ON COLUMN vital.idempotency_keys.headers IS 'Headers that were answered and belong to the result';

COMMENT ON COLUMN vital.idempotency_keys.body IS 'Body that was answered';

COMMENT ON COLUMN vital.idempotency_keys.created_at IS 'When it was first seen';

CREATE TABLE vital.legal_holds (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    reason text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamp with time zone DEFAULT now() NOT NULL,
    released_by text,
    released_at timestamp with time zone,
    CONSTRAINT legal_holds_check CHECK (((released_by IS NULL) = (released_at IS NULL))),
    CONSTRAINT legal_holds_reason_check CHECK ((btrim(reason) <> ''::text))
);

ALTER TABLE vital.legal_holds OWNER TO vital_owner;

COMMENT ON TABLE vital.legal_holds IS 'Tenants whose data must be kept for now: nothing of them is erased, or dropped for its age.';

COMMENT ON COLUMN vital.legal_holds.tenant_id IS 'The tenant';

COMMENT ON COLUMN vital.legal_holds.id IS 'The hold';

COMMENT ON COLUMN vital.legal_holds.reason IS 'Why it must be kept';

COMMENT ON COLUMN vital.legal_holds.placed_by IS 'Who said so: user:ID, or login:NAME of an operator''s own session';

COMMENT ON COLUMN vital.legal_holds.placed_at IS 'Since when';

COMMENT ON COLUMN vital.legal_holds.released_by IS 'Who lifted it; null while it stands';

COMMENT ON COLUMN vital.legal_holds.released_at IS 'When it was lifted; null while it stands';

CREATE TABLE vital.masking_rules (
    relation text NOT NULL,
    column_name text NOT NULL,
    rule text NOT NULL,
    CONSTRAINT masking_rules_relation_check CHECK ((relation ~ '^[^.]+\.[^.]+$'::text)),
    CONSTRAINT masking_rules_rule_check CHECK ((rule = ANY (ARRAY['keep'::text, 'null'::text, 'hash'::text, 'name'::text, 'email'::text, 'text'::text, 'empty'::text])))
);

ALTER TABLE vital.masking_rules OWNER TO vital_owner;

COMMENT ON TABLE vital.masking_rules IS 'What becomes of a column in a clone of a tenant. Columns of a table that has no rules at all are masked by their names and types; e-mail addresses are masked wherever they stand.';

COMMENT ON COLUMN vital.masking_rules.relation IS 'The table, as schema.name';

COMMENT ON COLUMN vital.masking_rules.column_name IS 'Its column; * for all that have no rule of their own';

COMMENT ON COLUMN vital.masking_rules.rule IS 'keep; null; hash: the same value becomes the same hash; name, email: made up, one for each value; text: its length alone is kept; empty: an empty object or list';

CREATE TABLE vital.migrations (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);

ALTER TABLE vital.migrations OWNER TO vital_owner;

COMMENT ON TABLE vital.migrations IS 'Applied migrations, kept by goose';

COMMENT ON COLUMN vital.migrations.id IS 'Counts up';

COMMENT ON COLUMN vital.migrations.version_id IS 'Number of the migration; 0 is the row goose begins with';

COMMENT ON COLUMN vital.migrations.is_applied IS 'True: there is no way back';

COMMENT ON COLUMN vital.migrations.tstamp IS 'When it was applied';

ALTER TABLE vital.migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME vital.migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED TABLE vital.pending_audit (
    xid xid8 NOT NULL,
    ordinal bigint NOT NULL,
    organization_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    actor_role text,
    database_role name NOT NULL,
    entity text,
    entity_id uuid,
    changes jsonb,
    reason text,
    request_id text,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE vital.pending_audit OWNER TO vital_owner;

COMMENT ON TABLE vital.pending_audit IS 'Audit rows of running transactions; chained and emptied at each commit';

COMMENT ON COLUMN vital.pending_audit.xid IS 'The transaction';

COMMENT ON COLUMN vital.pending_audit.ordinal IS 'Order within it';

COMMENT ON COLUMN vital.pending_audit.organization_id IS 'The tenant whose chain it goes to';

COMMENT ON COLUMN vital.pending_audit.action IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.actor_id IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.actor_role IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.database_role IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.entity IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.entity_id IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.changes IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.reason IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.request_id IS 'As in organization_audit_log';

COMMENT ON COLUMN vital.pending_audit.created_at IS 'When the change was made';

ALTER TABLE vital.pending_audit ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME vital.pending_audit_ordinal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED TABLE vital.pending_versions (
    xid xid8 NOT NULL,
    scope text NOT NULL,
    key uuid NOT NULL
);

ALTER TABLE vital.pending_versions OWNER TO vital_owner;

COMMENT ON TABLE vital.pending_versions IS 'Scopes the running transactions have touched; emptied at each commit';

COMMENT ON COLUMN vital.pending_versions.xid IS 'The transaction';

COMMENT ON COLUMN vital.pending_versions.scope IS 'Scope to raise when it commits';

COMMENT ON COLUMN vital.pending_versions.key IS 'Key to raise when it commits';

CREATE TABLE vital.query_performance_default (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    query_type text,
    query_name text DEFAULT 'data_load'::text NOT NULL,
    user_id uuid,
    execution_time_ms integer,
    rows_returned integer,
    cache_hit boolean DEFAULT false NOT NULL,
    success boolean DEFAULT true NOT NULL,
    error_code text,
    error_message text,
    request_id text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    duration_us bigint,
    weight integer DEFAULT 1 NOT NULL,
    steps jsonb,
    CONSTRAINT query_performance_duration_us_check CHECK ((duration_us >= 0)),
    CONSTRAINT query_performance_execution_time_ms_check CHECK ((execution_time_ms >= 0)),
    CONSTRAINT query_performance_rows_returned_check CHECK ((rows_returned >= 0)),
    CONSTRAINT query_performance_steps_check CHECK ((jsonb_typeof(steps) = 'array'::text)),
    CONSTRAINT query_performance_weight_check CHECK ((weight > 0))
);

ALTER TABLE vital.query_performance_default OWNER TO vital_owner;

COMMENT ON TABLE vital.query_performance_default IS 'Records outside every day partition';

CREATE UNLOGGED TABLE vital.restorations (
    xid xid8 NOT NULL,
    organization_id uuid NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE vital.restorations OWNER TO vital_owner;

COMMENT ON TABLE vital.restorations IS 'Running transactions that put a tenant''s rows back as they were: triggers leave these rows as they are written; emptied at the end of each';

COMMENT ON COLUMN vital.restorations.xid IS 'The transaction';

COMMENT ON COLUMN vital.restorations.organization_id IS 'The tenant whose rows are written';

COMMENT ON COLUMN vital.restorations.begun_at IS 'Since when';

CREATE TABLE vital.retired_keks (
    kek_id text NOT NULL,
    retired_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT retired_keks_kek_id_check CHECK ((kek_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text))
);

ALTER TABLE vital.retired_keks OWNER TO vital_owner;

COMMENT ON TABLE vital.retired_keks IS 'Key-encryption keys that were thrown away: no key may be wrapped with one again.';

COMMENT ON COLUMN vital.retired_keks.kek_id IS 'Its name in the keyring';

COMMENT ON COLUMN vital.retired_keks.retired_at IS 'When nothing was wrapped with it any more';

CREATE TABLE vital.revoked_sessions (
    session_id uuid NOT NULL,
    revoked_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE vital.revoked_sessions OWNER TO vital_owner;

COMMENT ON TABLE vital.revoked_sessions IS 'Sessions and API keys that were ended while their tokens were still good; vital.identity() refuses them.';

COMMENT ON COLUMN vital.revoked_sessions.session_id IS 'The token''s session_id, or the API key''s id';

COMMENT ON COLUMN vital.revoked_sessions.revoked_at IS 'When it was ended';

COMMENT ON COLUMN vital.revoked_sessions.expires_at IS 'When its last token has expired by itself and the row can go';

CREATE TABLE vital.river_job (
    id bigint NOT NULL,
    state vital.river_job_state DEFAULT 'available'::vital.river_job_state NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 25 NOT NULL,
    attempted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finalized_at timestamp with time zone,
    scheduled_at timestamp with time zone DEFAULT now() NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    args jsonb NOT NULL,
    attempted_by text[],
    errors jsonb[],
    kind text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    queue text DEFAULT 'default'::text NOT NULL,
    tags character varying(255)[] DEFAULT '{}'::character varying[] NOT NULL,
    unique_key bytea,
    unique_states bit(8),
    CONSTRAINT finalized_or_finalized_at_null CHECK ((((finalized_at IS NULL) AND (state <> ALL (ARRAY['cancelled'::vital.river_job_state, 'completed'::vital.river_job_state, 'discarded'::vital.river_job_state]))) OR ((finalized_at IS NOT NULL) AND (state = ANY (ARRAY['cancelled'::vital.river_job_state, 'completed'::vital.river_job_state, 'discarded'::vital.river_job_state]))))),
    CONSTRAINT kind_length CHECK (((char_length(kind) > 0) AND (char_length(kind) < 128))),
    CONSTRAINT max_attempts_is_positive CHECK ((max_attempts > 0)),
    CONSTRAINT priority_in_range CHECK (((priority >= 1) AND (priority <= 4))),
    CONSTRAINT queue_length CHECK (((char_length(queue) > 0) AND (char_length(queue) < 128)))
);

ALTER TABLE vital.river_job OWNER TO vital_owner;

COMMENT ON TABLE vital.river_job IS 'Background jobs: those that wait, run, and have run lately';

COMMENT ON COLUMN vital.river_job.id IS 'river''s own';

COMMENT ON COLUMN vital.river_job.state IS 'river''s own';

COMMENT ON COLUMN vital.river_job.attempt IS 'river''s own';

COMMENT ON COLUMN vital.river_job.max_attempts IS 'river''s own';

COMMENT ON COLUMN vital.river_job.attempted_at IS 'river''s own';

COMMENT ON COLUMN vital.river_job.created_at IS 'river''s own';

COMMENT ON COLUMN vital.river_job.finalized_at IS 'river''s own';

COMMENT ON COLUMN vital.river_job.scheduled_at IS 'river''s own';

COMMENT ON COLUMN vital.river_job.priority IS 'river''s own';

COMMENT ON COLUMN vital.river_job.args IS 'river''s own';

COMMENT ON COLUMN vital.river_job.attempted_by IS 'river''s own';

COMMENT ON COLUMN vital.river_job.errors IS 'river''s own';

COMMENT ON COLUMN vital.river_job.kind IS 'river''s own';

COMMENT ON COLUMN vital.river_job.metadata IS 'river''s own';

COMMENT ON COLUMN vital.river_job.queue IS 'river''s own';

COMMENT ON COLUMN vital.river_job.tags IS 'river''s own';

COMMENT ON COLUMN vital.river_job.unique_key IS 'river''s own';

COMMENT ON COLUMN vital.river_job.unique_states IS 'river''s own';

CREATE SEQUENCE vital.river_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE vital.river_job_id_seq OWNER TO vital_owner;

ALTER SEQUENCE vital.river_job_id_seq OWNED BY vital.river_job.id;

CREATE UNLOGGED TABLE vital.river_leader (
    elected_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    leader_id text NOT NULL,
    name text DEFAULT 'default'::text NOT NULL,
    CONSTRAINT leader_id_length CHECK (((char_length(leader_id) > 0) AND (char_length(leader_id) < 128))),
    CONSTRAINT name_length CHECK ((name = 'default'::text))
);

ALTER TABLE vital.river_leader OWNER TO vital_owner;

COMMENT ON TABLE vital.river_leader IS 'Which server plans periodic jobs at the moment';

COMMENT ON COLUMN vital.river_leader.elected_at IS 'river''s own';

COMMENT ON COLUMN vital.river_leader.expires_at IS 'river''s own';

COMMENT ON COLUMN vital.river_leader.leader_id IS 'river''s own';

COMMENT ON COLUMN vital.river_leader.name IS 'river''s own';

CREATE TABLE vital.river_migration (
    line text NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT line_length CHECK (((char_length(line) > 0) AND (char_length(line) < 128))),
    CONSTRAINT version_gte_1 CHECK ((version >= 1))
);

ALTER TABLE vital.river_migration OWNER TO vital_owner;

COMMENT ON TABLE vital.river_migration IS 'Which of river''s migrations these tables follow, for river''s own tools';

COMMENT ON COLUMN vital.river_migration.line IS 'river''s own';

COMMENT ON COLUMN vital.river_migration.version IS 'river''s own';

COMMENT ON COLUMN vital.river_migration.created_at IS 'river''s own';

CREATE TABLE vital.river_notification (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (((length(topic) > 0) AND (length(topic) < 128)))
);

ALTER TABLE vital.river_notification OWNER TO vital_owner;

COMMENT ON TABLE vital.river_notification IS 'What river''s clients tell each other where nobody listens';

COMMENT ON COLUMN vital.river_notification.id IS 'river''s own';

COMMENT ON COLUMN vital.river_notification.created_at IS 'river''s own';

COMMENT ON COLUMN vital.river_notification.payload IS 'river''s own';

COMMENT ON COLUMN vital.river_notification.topic IS 'river''s own';

CREATE SEQUENCE vital.river_notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE vital.river_notification_id_seq OWNER TO vital_owner;

ALTER SEQUENCE vital.river_notification_id_seq OWNED BY vital.river_notification.id;

CREATE TABLE vital.river_queue (
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    paused_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

ALTER TABLE vital.river_queue OWNER TO vital_owner;

COMMENT ON TABLE vital.river_queue IS 'Queues of background jobs';

COMMENT ON COLUMN vital.river_queue.name IS 'river''s own';

COMMENT ON COLUMN vital.river_queue.created_at IS 'river''s own';

COMMENT ON COLUMN vital.river_queue.metadata IS 'river''s own';

COMMENT ON COLUMN vital.river_queue.paused_at IS 'river''s own';

COMMENT ON COLUMN vital.river_queue.updated_at IS 'river''s own';

CREATE TABLE vital.seal_keys (
    id text NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retires_at timestamp with time zone,
    CONSTRAINT seal_keys_id_check CHECK ((id ~ '^[a-z0-9]{1,16}$'::text)),
    CONSTRAINT seal_keys_inner_pad_check CHECK ((octet_length(inner_pad) = 64)),
    CONSTRAINT seal_keys_outer_pad_check CHECK ((octet_length(outer_pad) = 64))
);

ALTER TABLE vital.seal_keys OWNER TO vital_sealer;

COMMENT ON TABLE vital.seal_keys IS 'HMAC-SHA-256 keys that seal a caller''s identity, as their two padded halves.';

COMMENT ON COLUMN vital.seal_keys.id IS 'Name of the key, part of every seal';

COMMENT ON COLUMN vital.seal_keys.inner_pad IS 'Key xor 0x36, 64 bytes';

COMMENT ON COLUMN vital.seal_keys.outer_pad IS 'Key xor 0x5c, 64 bytes';

COMMENT ON COLUMN vital.seal_keys.created_at IS 'When it was made; the newest one seals';

COMMENT ON COLUMN vital.seal_keys.retires_at IS 'From then on its seals are refused; null for the newest';

CREATE TABLE vital.server_starts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    version text NOT NULL,
    schema_version bigint NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE vital.server_starts OWNER TO vital_owner;

COMMENT ON TABLE vital.server_starts IS 'Each start of a server, kept for a year: a failure that begins with one has its cause there.';

COMMENT ON COLUMN vital.server_starts.id IS 'The start';

COMMENT ON COLUMN vital.server_starts.version IS 'Version of the program';

COMMENT ON COLUMN vital.server_starts.schema_version IS 'Number of the last migration at that time';

COMMENT ON COLUMN vital.server_starts.started_at IS 'When';

CREATE TABLE vital.settings (
    only_row boolean DEFAULT true NOT NULL,
    accept_jwt_claims boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    erasure_wait interval DEFAULT '30 days'::interval NOT NULL,
    user_erasure_wait interval DEFAULT '3 days'::interval NOT NULL,
    access_record_retention interval DEFAULT '6 years'::interval NOT NULL,
    break_glass_required boolean DEFAULT false NOT NULL,
    break_glass_longest interval DEFAULT '04:00:00'::interval NOT NULL,
    CONSTRAINT settings_access_record_retention_check CHECK ((access_record_retention >= '6 years'::interval)),
    CONSTRAINT settings_break_glass_longest_check CHECK ((break_glass_longest > '00:00:00'::interval)),
    CONSTRAINT settings_erasure_wait_check CHECK ((erasure_wait >= '00:00:00'::interval)),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_user_erasure_wait_check CHECK ((user_erasure_wait >= '00:00:00'::interval))
);

ALTER TABLE vital.settings OWNER TO vital_owner;

COMMENT ON TABLE vital.settings IS 'Decisions fixed at install; no configuration parameter can change them.';

COMMENT ON COLUMN vital.settings.only_row IS 'There is one row';

COMMENT ON COLUMN vital.settings.accept_jwt_claims IS 'Whether request.jwt.claims is believed where the session is PostgREST''s authenticator. It is not sealed: injected SQL can then act as any user';

COMMENT ON COLUMN vital.settings.changed_at IS 'When the decision was made';

COMMENT ON COLUMN vital.settings.erasure_wait IS 'How long a tenant must have been archived before it may be erased';

COMMENT ON COLUMN vital.settings.user_erasure_wait IS 'How long after it was asked for a user may be erased';

COMMENT ON COLUMN vital.settings.access_record_retention IS 'How long records of access are kept; 45 CFR 164.316(b)(2)(i) asks for six years at least';

COMMENT ON COLUMN vital.settings.break_glass_required IS 'Whether a super admin acts in a tenant they are no member of only while they have entered it, with a reason and an end';

COMMENT ON COLUMN vital.settings.break_glass_longest IS 'How long an entry may be for, at most';

CREATE TABLE vital.signing_keys (
    kid text NOT NULL,
    state text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_key bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retires_at timestamp with time zone,
    CONSTRAINT signing_keys_check CHECK (((state = 'previous'::text) = (retires_at IS NOT NULL))),
    CONSTRAINT signing_keys_kid_check CHECK ((kid ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT signing_keys_public_jwk_check CHECK (((jsonb_typeof(public_jwk) = 'object'::text) AND (NOT (public_jwk ? 'd'::text)))),
    CONSTRAINT signing_keys_state_check CHECK ((state = ANY (ARRAY['next'::text, 'current'::text, 'previous'::text])))
);

ALTER TABLE vital.signing_keys OWNER TO vital_owner;

COMMENT ON TABLE vital.signing_keys IS 'ES256 keys of the embedded sign-in. All that are not retired are published, the next one ahead of its use.';

COMMENT ON COLUMN vital.signing_keys.kid IS 'Key id, in the header of every token';

COMMENT ON COLUMN vital.signing_keys.state IS 'next: published only; current: signs; previous: verifies until it retires';

COMMENT ON COLUMN vital.signing_keys.public_jwk IS 'As published, without the private part';

COMMENT ON COLUMN vital.signing_keys.private_key IS 'PKCS #8, sealed with AES-256-GCM under the key-encryption key: 12 bytes of nonce, then the ciphertext; the kid is authenticated with it';

COMMENT ON COLUMN vital.signing_keys.created_at IS 'When it was made';

COMMENT ON COLUMN vital.signing_keys.retires_at IS 'From then on its tokens are refused; null unless previous';

CREATE UNLOGGED TABLE vital.staged_rows (
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    step text NOT NULL,
    place integer NOT NULL,
    value jsonb NOT NULL
);

ALTER TABLE vital.staged_rows OWNER TO vital_owner;

COMMENT ON TABLE vital.staged_rows IS 'Rows that a running transaction has loaded by COPY and has yet to write; each step takes its own away';

COMMENT ON COLUMN vital.staged_rows.xid IS 'The transaction';

COMMENT ON COLUMN vital.staged_rows.step IS 'What they are for';

COMMENT ON COLUMN vital.staged_rows.place IS 'Order within the step';

COMMENT ON COLUMN vital.staged_rows.value IS 'The row';

CREATE TABLE vital.tenant_keys (
    tenant_id uuid NOT NULL,
    key_id uuid NOT NULL,
    kek_id text NOT NULL,
    wrapped bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    wrapped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    destroyed_at timestamp with time zone,
    CONSTRAINT tenant_keys_destroyed CHECK (((wrapped IS NULL) = (destroyed_at IS NOT NULL))),
    CONSTRAINT tenant_keys_kek_id_check CHECK ((kek_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT tenant_keys_wrapped_check CHECK (((octet_length(wrapped) >= 32) AND (octet_length(wrapped) <= 256)))
);

ALTER TABLE vital.tenant_keys OWNER TO vital_owner;

COMMENT ON TABLE vital.tenant_keys IS 'Keys of tenants, wrapped with a key-encryption key; a tenant has one that is not destroyed at most.';

COMMENT ON COLUMN vital.tenant_keys.tenant_id IS 'The tenant, also after it is gone';

COMMENT ON COLUMN vital.tenant_keys.key_id IS 'The key';

COMMENT ON COLUMN vital.tenant_keys.kek_id IS 'Key-encryption key it is wrapped with, by its name in the keyring';

COMMENT ON COLUMN vital.tenant_keys.wrapped IS 'The key, sealed with AES-256-GCM; null once destroyed';

COMMENT ON COLUMN vital.tenant_keys.created_at IS 'When it was made';

COMMENT ON COLUMN vital.tenant_keys.wrapped_at IS 'When it was wrapped as it is: of two copies of a key the newer counts';

COMMENT ON COLUMN vital.tenant_keys.destroyed_at IS 'When it was destroyed, and with it all that was sealed with it';

CREATE TABLE vital.versions (
    scope text NOT NULL,
    key uuid NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT versions_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'membership'::text, 'self'::text, 'session'::text, 'global'::text])))
)
WITH (fillfactor='70');

ALTER TABLE vital.versions OWNER TO vital_owner;

COMMENT ON TABLE vital.versions IS 'How often what a context is made of has changed, counted per scope; raised in the writer''s transaction.';

COMMENT ON COLUMN vital.versions.scope IS 'tenant: its organization, configuration, apps, overrides; membership, self: of one user; session: ended; global: flag definitions';

COMMENT ON COLUMN vital.versions.key IS 'Tenant, user or session; all zeros for global';

COMMENT ON COLUMN vital.versions.version IS 'Counts up by one with each transaction that changed something';

COMMENT ON COLUMN vital.versions.changed_at IS 'When it last changed';

CREATE TABLE vital.weekly_reports (
    week text NOT NULL,
    status text NOT NULL,
    report jsonb NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    is_over boolean DEFAULT true NOT NULL,
    CONSTRAINT weekly_reports_report_check CHECK ((jsonb_typeof(report) = 'object'::text)),
    CONSTRAINT weekly_reports_status_check CHECK ((status = ANY (ARRAY['ON_TRACK'::text, 'AT_RISK'::text, 'BLOCKED'::text]))),
    CONSTRAINT weekly_reports_week_check CHECK ((week ~ '^\d{4}-W\d{2}$'::text))
);

ALTER TABLE vital.weekly_reports OWNER TO vital_owner;

COMMENT ON TABLE vital.weekly_reports IS 'The report of each week, made when it was over: what was measured then; and how the present one stands, where that was asked for.';

COMMENT ON COLUMN vital.weekly_reports.week IS 'ISO week, as 2026-W48';

COMMENT ON COLUMN vital.weekly_reports.status IS 'ON_TRACK, AT_RISK or BLOCKED';

COMMENT ON COLUMN vital.weekly_reports.report IS 'The whole report, as vital report weekly --format json prints it';

COMMENT ON COLUMN vital.weekly_reports.made_at IS 'When it was made';

COMMENT ON COLUMN vital.weekly_reports.is_over IS 'False: the week was not over when it was made, and it is made anew; true: it is never made again';

ALTER TABLE ONLY public.access_records ATTACH PARTITION vital.access_records_default DEFAULT;

ALTER TABLE ONLY public.query_performance ATTACH PARTITION vital.query_performance_default DEFAULT;

ALTER TABLE ONLY vital.river_job ALTER COLUMN id SET DEFAULT nextval('vital.river_job_id_seq'::regclass);

ALTER TABLE ONLY vital.river_notification ALTER COLUMN id SET DEFAULT nextval('vital.river_notification_id_seq'::regclass);

ALTER TABLE ONLY auth.one_time_tokens
    ADD CONSTRAINT one_time_tokens_pkey PRIMARY KEY (user_id, token_type);

ALTER TABLE ONLY auth.one_time_tokens
    ADD CONSTRAINT one_time_tokens_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY auth.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.access_records
    ADD CONSTRAINT access_records_pkey PRIMARY KEY (tenant_id, id, at);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT break_glass_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.feature_flag_changes
    ADD CONSTRAINT feature_flag_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feature_flag_evaluators
    ADD CONSTRAINT feature_flag_evaluators_name_key UNIQUE (name);

ALTER TABLE ONLY public.feature_flag_evaluators
    ADD CONSTRAINT feature_flag_evaluators_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_feature_flag_id_version_key UNIQUE (feature_flag_id, version);

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feature_flags
    ADD CONSTRAINT feature_flags_flag_key_key UNIQUE (flag_key);

ALTER TABLE ONLY public.feature_flags
    ADD CONSTRAINT feature_flags_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.knowledge
    ADD CONSTRAINT knowledge_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.organization_audit_log
    ADD CONSTRAINT organization_audit_log_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY public.organization_audit_log
    ADD CONSTRAINT organization_audit_log_seq_key UNIQUE (organization_id, seq);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_tenant_key_key UNIQUE (tenant_key);

ALTER TABLE ONLY public.personas
    ADD CONSTRAINT personas_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.query_performance
    ADD CONSTRAINT query_performance_pkey PRIMARY KEY (tenant_id, id, created_at);

ALTER TABLE ONLY public.schema_validation_rules
    ADD CONSTRAINT schema_validation_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_validation_rules
    ADD CONSTRAINT schema_validation_rules_table_name_column_name_key UNIQUE (table_name, column_name);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_tenant_id_agent_tenant_id_agent_id_key UNIQUE (tenant_id, agent_tenant_id, agent_id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_tenant_id_app_key_key UNIQUE (tenant_id, app_key);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_tenant_id_key UNIQUE (tenant_id);

ALTER TABLE ONLY public.tenant_feature_flag_changes
    ADD CONSTRAINT tenant_feature_flag_changes_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_feature_flag_usage
    ADD CONSTRAINT tenant_feature_flag_usage_pkey PRIMARY KEY (tenant_id, feature_flag_id, variant, day);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_tenant_id_feature_flag_id_vers_key UNIQUE (tenant_id, feature_flag_id, version);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_tenant_id_feature_flag_id_key UNIQUE (tenant_id, feature_flag_id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_tenant_id_slug_key UNIQUE (tenant_id, slug);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_tenant_id_user_id_key UNIQUE (tenant_id, user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.access_records_default
    ADD CONSTRAINT access_records_default_pkey PRIMARY KEY (tenant_id, id, at);

ALTER TABLE ONLY vital.api_keys
    ADD CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash);

ALTER TABLE ONLY vital.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.applied_files
    ADD CONSTRAINT applied_files_pkey PRIMARY KEY (path);

ALTER TABLE ONLY vital.audit_checkpoints
    ADD CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (organization_id, seq);

ALTER TABLE ONLY vital.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY vital.check_runs
    ADD CONSTRAINT check_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.definition_lock
    ADD CONSTRAINT definition_lock_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY vital.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.gate_approvals
    ADD CONSTRAINT gate_approvals_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, key);

ALTER TABLE ONLY vital.legal_holds
    ADD CONSTRAINT legal_holds_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY vital.masking_rules
    ADD CONSTRAINT masking_rules_pkey PRIMARY KEY (relation, column_name);

ALTER TABLE ONLY vital.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.pending_audit
    ADD CONSTRAINT pending_audit_pkey PRIMARY KEY (xid, ordinal);

ALTER TABLE ONLY vital.pending_versions
    ADD CONSTRAINT pending_versions_pkey PRIMARY KEY (xid, scope, key);

ALTER TABLE ONLY vital.query_performance_default
    ADD CONSTRAINT query_performance_default_pkey PRIMARY KEY (tenant_id, id, created_at);

ALTER TABLE ONLY vital.restorations
    ADD CONSTRAINT restorations_pkey PRIMARY KEY (xid);

ALTER TABLE ONLY vital.retention_rules
    ADD CONSTRAINT retention_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.retention_rules
    ADD CONSTRAINT retention_rules_table_schema_table_name_organization_id_key UNIQUE (table_schema, table_name, organization_id);

ALTER TABLE ONLY vital.retired_keks
    ADD CONSTRAINT retired_keks_pkey PRIMARY KEY (kek_id);

ALTER TABLE ONLY vital.revoked_sessions
    ADD CONSTRAINT revoked_sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY vital.river_job
    ADD CONSTRAINT river_job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.river_leader
    ADD CONSTRAINT river_leader_pkey PRIMARY KEY (name);

ALTER TABLE ONLY vital.river_migration
    ADD CONSTRAINT river_migration_pkey1 PRIMARY KEY (line, version);

ALTER TABLE ONLY vital.river_notification
    ADD CONSTRAINT river_notification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.river_queue
    ADD CONSTRAINT river_queue_pkey PRIMARY KEY (name);

ALTER TABLE ONLY vital.seal_keys
    ADD CONSTRAINT seal_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.server_starts
    ADD CONSTRAINT server_starts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY vital.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY vital.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY vital.staged_rows
    ADD CONSTRAINT staged_rows_pkey PRIMARY KEY (xid, step, place);

ALTER TABLE ONLY vital.tenant_keys
    ADD CONSTRAINT tenant_keys_pkey PRIMARY KEY (tenant_id, key_id);

ALTER TABLE ONLY vital.tenant_templates
    ADD CONSTRAINT tenant_templates_pkey PRIMARY KEY (name);

ALTER TABLE ONLY vital.versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY vital.weekly_reports
    ADD CONSTRAINT weekly_reports_pkey PRIMARY KEY (week);

CREATE INDEX refresh_tokens_session_id_idx ON auth.refresh_tokens USING btree (session_id, used_at);

CREATE INDEX sessions_user_id_idx ON auth.sessions USING btree (user_id, created_at DESC);

CREATE UNIQUE INDEX users_email_key ON auth.users USING btree (lower((email)::text));

CREATE INDEX idx_access_records_tenant ON ONLY public.access_records USING btree (tenant_id, at DESC);

CREATE INDEX idx_access_records_user ON ONLY public.access_records USING btree (tenant_id, user_id, at DESC);

CREATE INDEX idx_break_glass_open ON public.break_glass USING btree (user_id, tenant_id, until) WHERE (ended_at IS NULL);

CREATE INDEX idx_break_glass_tenant ON public.break_glass USING btree (tenant_id, entered_at DESC);

CREATE INDEX idx_chat_sessions_agent ON public.chat_sessions USING btree (agent_tenant_id, agent_id);

CREATE INDEX idx_chat_sessions_user ON public.chat_sessions USING btree (tenant_id, user_id);

CREATE INDEX idx_chat_sessions_user_id ON public.chat_sessions USING btree (user_id);

CREATE INDEX idx_feature_flag_changes_due ON public.feature_flag_changes USING btree (run_at, id) WHERE (status = 'pending'::text);

CREATE INDEX idx_feature_flag_changes_flag ON public.feature_flag_changes USING btree (feature_flag_id, run_at);

CREATE INDEX idx_invitations_email ON public.invitations USING btree (tenant_id, lower(email));

CREATE INDEX idx_invitations_open_email ON public.invitations USING btree (lower(email)) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX idx_jobs_to_be_done_persona ON public.jobs_to_be_done USING btree (persona_tenant_id, persona_id);

CREATE INDEX idx_org_audit_actor ON public.organization_audit_log USING btree (actor_id, created_at) WHERE (actor_id IS NOT NULL);

CREATE INDEX idx_org_audit_created_at ON public.organization_audit_log USING btree (created_at DESC);

CREATE INDEX idx_org_audit_entity ON public.organization_audit_log USING btree (organization_id, entity_id, seq);

CREATE INDEX idx_org_audit_org_id ON public.organization_audit_log USING btree (organization_id, created_at DESC);

CREATE INDEX idx_organization_audit_log_unsealed ON public.organization_audit_log USING btree (created_at, organization_id) WHERE ((sealed_key IS NULL) AND (erased_at IS NULL) AND ((changes IS NOT NULL) OR (reason IS NOT NULL)));

CREATE INDEX idx_organizations_parent ON public.organizations USING btree (parent_organization_id);

CREATE INDEX idx_profiles_tenant_id ON public.profiles USING btree (tenant_id);

CREATE INDEX idx_query_perf_created_at ON ONLY public.query_performance USING btree (created_at DESC);

CREATE INDEX idx_query_perf_query_name ON ONLY public.query_performance USING btree (query_name);

CREATE INDEX idx_query_perf_request ON ONLY public.query_performance USING btree (request_id);

CREATE INDEX idx_query_perf_tenant ON ONLY public.query_performance USING btree (tenant_id, created_at);

CREATE INDEX idx_query_perf_user ON ONLY public.query_performance USING btree (user_id, created_at);

CREATE INDEX idx_tenant_agents_agent ON public.tenant_agents USING btree (agent_tenant_id, agent_id);

CREATE INDEX idx_tenant_configurations_hipaa ON public.tenant_configurations USING btree (tenant_id) WHERE ((compliance_settings ->> 'hipaa_enabled'::text) = 'true'::text);

CREATE INDEX idx_tenant_feature_flag_changes_due ON public.tenant_feature_flag_changes USING btree (run_at, tenant_id, id) WHERE (status = 'pending'::text);

CREATE INDEX idx_tenant_feature_flag_changes_flag ON public.tenant_feature_flag_changes USING btree (feature_flag_id);

CREATE INDEX idx_tenant_feature_flag_changes_pending ON public.tenant_feature_flag_changes USING btree (tenant_id) WHERE (status = 'pending'::text);

CREATE INDEX idx_tenant_feature_flag_usage_day ON public.tenant_feature_flag_usage USING btree (day);

CREATE INDEX idx_tenant_feature_flag_usage_flag ON public.tenant_feature_flag_usage USING btree (feature_flag_id, variant, day);

CREATE INDEX idx_tenant_feature_flag_versions_flag ON public.tenant_feature_flag_versions USING btree (feature_flag_id);

CREATE INDEX idx_tenant_feature_flags_flag ON public.tenant_feature_flags USING btree (feature_flag_id);

CREATE INDEX idx_tool_usage_created_at ON public.tool_usage_log USING btree (created_at DESC);

CREATE INDEX idx_tool_usage_tenant ON public.tool_usage_log USING btree (tenant_id, created_at DESC);

CREATE INDEX idx_tool_usage_tool_id ON public.tool_usage_log USING btree (tool_tenant_id, tool_id, created_at DESC);

CREATE INDEX idx_tools_category ON public.tools USING btree (category_tenant_id, category_id);

CREATE INDEX idx_tools_replacement ON public.tools USING btree (replacement_tool_tenant_id, replacement_tool_id);

CREATE INDEX idx_user_tenants_user_id ON public.user_tenants USING btree (user_id, tenant_id);

CREATE INDEX idx_users_email ON public.users USING btree (lower(email));

CREATE INDEX idx_users_organization_id ON public.users USING btree (organization_id);

CREATE UNIQUE INDEX invitations_one_open ON public.invitations USING btree (tenant_id, lower(email)) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX access_records_default_tenant_id_at_idx ON vital.access_records_default USING btree (tenant_id, at DESC);

CREATE INDEX access_records_default_tenant_id_user_id_at_idx ON vital.access_records_default USING btree (tenant_id, user_id, at DESC);

CREATE UNIQUE INDEX erasures_one_open ON vital.erasures USING btree (subject, subject_id) WHERE (state = ANY (ARRAY['requested'::text, 'approved'::text, 'running'::text]));

CREATE INDEX idx_api_keys_acts_for ON vital.api_keys USING btree (acts_for) WHERE (acts_for IS NOT NULL);

CREATE INDEX idx_audit_heads_changed_at ON vital.audit_heads USING btree (changed_at);

CREATE INDEX idx_check_runs_latest ON vital.check_runs USING btree (check_name, ran_at DESC);

CREATE INDEX idx_check_runs_ran_at ON vital.check_runs USING btree (ran_at DESC);

CREATE INDEX idx_erasures_subject ON vital.erasures USING btree (subject_id);

CREATE INDEX idx_gate_approvals_latest ON vital.gate_approvals USING btree (gate, approved_at DESC);

CREATE INDEX idx_idempotency_keys_created_at ON vital.idempotency_keys USING btree (created_at);

CREATE INDEX idx_retention_rules_organization ON vital.retention_rules USING btree (organization_id);

CREATE INDEX idx_revoked_sessions_expires_at ON vital.revoked_sessions USING btree (expires_at);

CREATE INDEX idx_server_starts_started_at ON vital.server_starts USING btree (started_at DESC);

CREATE INDEX idx_tenant_keys_kek ON vital.tenant_keys USING btree (kek_id, tenant_id) WHERE (destroyed_at IS NULL);

CREATE UNIQUE INDEX legal_holds_one_open ON vital.legal_holds USING btree (tenant_id) WHERE (released_at IS NULL);

CREATE INDEX query_performance_default_created_at_idx ON vital.query_performance_default USING btree (created_at DESC);

CREATE INDEX query_performance_default_query_name_idx ON vital.query_performance_default USING btree (query_name);

CREATE INDEX query_performance_default_request_id_idx ON vital.query_performance_default USING btree (request_id);

CREATE INDEX query_performance_default_tenant_id_created_at_idx ON vital.query_performance_default USING btree (tenant_id, created_at);

CREATE INDEX query_performance_default_user_id_created_at_idx ON vital.query_performance_default USING btree (user_id, created_at);

CREATE INDEX river_job_args_index ON vital.river_job USING gin (args);

CREATE INDEX river_job_kind ON vital.river_job USING btree (kind);

CREATE INDEX river_job_metadata_index ON vital.river_job USING gin (metadata);

CREATE INDEX river_job_prioritized_fetching_index ON vital.river_job USING btree (state, queue, priority, scheduled_at, id);

CREATE INDEX river_job_state_and_finalized_at_index ON vital.river_job USING btree (state, finalized_at) WHERE (finalized_at IS NOT NULL);

CREATE UNIQUE INDEX river_job_unique_idx ON vital.river_job USING btree (unique_key) WHERE ((unique_key IS NOT NULL) AND (unique_states IS NOT NULL) AND vital.river_job_state_in_bitmask(unique_states, state));

CREATE INDEX river_notification_created_at_idx ON vital.river_notification USING btree (created_at);

CREATE INDEX river_notification_topic_id_idx ON vital.river_notification USING btree (topic, id);

CREATE UNIQUE INDEX signing_keys_one_of_state ON vital.signing_keys USING btree (state) WHERE (state <> 'previous'::text);

CREATE UNIQUE INDEX tenant_keys_live ON vital.tenant_keys USING btree (tenant_id) WHERE (destroyed_at IS NULL);

ALTER INDEX public.access_records_pkey ATTACH PARTITION vital.access_records_default_pkey;

ALTER INDEX public.idx_access_records_tenant ATTACH PARTITION vital.access_records_default_tenant_id_at_idx;

ALTER INDEX public.idx_access_records_user ATTACH PARTITION vital.access_records_default_tenant_id_user_id_at_idx;

ALTER INDEX public.idx_query_perf_created_at ATTACH PARTITION vital.query_performance_default_created_at_idx;

ALTER INDEX public.query_performance_pkey ATTACH PARTITION vital.query_performance_default_pkey;

ALTER INDEX public.idx_query_perf_query_name ATTACH PARTITION vital.query_performance_default_query_name_idx;

ALTER INDEX public.idx_query_perf_request ATTACH PARTITION vital.query_performance_default_request_id_idx;

ALTER INDEX public.idx_query_perf_tenant ATTACH PARTITION vital.query_performance_default_tenant_id_created_at_idx;

ALTER INDEX public.idx_query_perf_user ATTACH PARTITION vital.query_performance_default_user_id_created_at_idx;

CREATE TRIGGER access_records_append_only BEFORE DELETE OR UPDATE ON public.access_records FOR EACH ROW EXECUTE FUNCTION vital.refuse_access_change();

CREATE TRIGGER access_records_no_truncate BEFORE TRUNCATE ON public.access_records FOR EACH STATEMENT EXECUTE FUNCTION vital.refuse_access_change();

CREATE TRIGGER agents_audit AFTER INSERT OR DELETE OR UPDATE ON public.agents FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER agents_touch BEFORE UPDATE ON public.agents FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER break_glass_record_change AFTER INSERT OR DELETE OR UPDATE ON public.break_glass FOR EACH ROW EXECUTE FUNCTION vital.record_change('membership', 'user_id');

CREATE TRIGGER break_glass_record_tenant AFTER INSERT OR DELETE OR UPDATE ON public.break_glass FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER chat_sessions_limit AFTER INSERT ON public.chat_sessions REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION vital.enforce_limit('max_conversations');

CREATE TRIGGER chat_sessions_touch BEFORE UPDATE ON public.chat_sessions FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER feature_flag_changes_audit AFTER INSERT OR DELETE OR UPDATE OF status ON public.feature_flag_changes FOR EACH ROW EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER feature_flag_changes_touch BEFORE UPDATE ON public.feature_flag_changes FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER feature_flag_evaluators_audit AFTER INSERT OR DELETE OR UPDATE ON public.feature_flag_evaluators FOR EACH ROW EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER feature_flag_evaluators_keep BEFORE DELETE OR UPDATE ON public.feature_flag_evaluators FOR EACH ROW EXECUTE FUNCTION vital.keep_evaluator();

CREATE TRIGGER feature_flag_evaluators_record_change AFTER INSERT OR DELETE OR UPDATE ON public.feature_flag_evaluators FOR EACH ROW EXECUTE FUNCTION vital.record_change('global', '');

CREATE TRIGGER feature_flag_evaluators_serialize BEFORE INSERT OR DELETE OR UPDATE ON public.feature_flag_evaluators FOR EACH STATEMENT EXECUTE FUNCTION vital.serialize_definitions();

CREATE TRIGGER feature_flag_evaluators_touch BEFORE UPDATE ON public.feature_flag_evaluators FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER feature_flag_versioning AFTER INSERT OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION public.version_feature_flag();

CREATE TRIGGER feature_flags_audit AFTER INSERT OR DELETE OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER feature_flags_check AFTER INSERT OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.check_feature_flag();

CREATE CONSTRAINT TRIGGER feature_flags_needed AFTER UPDATE ON public.feature_flags DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.variants IS DISTINCT FROM old.variants) OR (new.flag_type IS DISTINCT FROM old.flag_type))) EXECUTE FUNCTION vital.check_needing_flags();

CREATE TRIGGER feature_flags_number BEFORE INSERT OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.number_feature_flag();

CREATE TRIGGER feature_flags_record_change AFTER INSERT OR DELETE OR UPDATE ON public.feature_flags FOR EACH ROW EXECUTE FUNCTION vital.record_change('global', '');

CREATE TRIGGER feature_flags_serialize BEFORE INSERT OR DELETE OR UPDATE ON public.feature_flags FOR EACH STATEMENT EXECUTE FUNCTION vital.serialize_definitions();

CREATE TRIGGER invitations_audit AFTER INSERT OR DELETE OR UPDATE ON public.invitations FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER invitations_touch BEFORE UPDATE ON public.invitations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER jobs_to_be_done_touch BEFORE UPDATE ON public.jobs_to_be_done FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER knowledge_touch BEFORE UPDATE ON public.knowledge FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER org_audit_trigger AFTER INSERT OR DELETE OR UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION public.audit_organization_changes();

CREATE TRIGGER organization_audit_log_append_only BEFORE DELETE OR UPDATE ON public.organization_audit_log FOR EACH ROW EXECUTE FUNCTION vital.refuse_audit_change();

CREATE TRIGGER organization_audit_log_no_truncate BEFORE TRUNCATE ON public.organization_audit_log FOR EACH STATEMENT EXECUTE FUNCTION vital.refuse_audit_change();

CREATE TRIGGER organizations_follow_lifecycle BEFORE INSERT OR UPDATE OF is_active, lifecycle_state, approved_at, approved_by ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.follow_lifecycle();

CREATE TRIGGER organizations_guard_parent BEFORE INSERT OR UPDATE OF parent_organization_id ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.guard_parent();

CREATE TRIGGER organizations_provision AFTER INSERT ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.provision_tenant();

CREATE TRIGGER organizations_record_change AFTER INSERT OR DELETE OR UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'id');

CREATE TRIGGER organizations_touch BEFORE UPDATE ON public.organizations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER personas_touch BEFORE UPDATE ON public.personas FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER profiles_audit AFTER UPDATE OF role ON public.profiles FOR EACH ROW WHEN ((old.role IS DISTINCT FROM new.role)) EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER profiles_audit_gone AFTER DELETE ON public.profiles FOR EACH ROW WHEN ((old.role <> 'user'::text)) EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER profiles_audit_made AFTER INSERT ON public.profiles FOR EACH ROW WHEN ((new.role <> 'user'::text)) EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER profiles_record_change AFTER INSERT OR DELETE OR UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION vital.record_change('self', 'id');

CREATE TRIGGER profiles_touch BEFORE UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER prompts_touch BEFORE UPDATE ON public.prompts FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_agents_audit AFTER INSERT OR DELETE OR UPDATE ON public.tenant_agents FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tenant_agents_limit AFTER INSERT ON public.tenant_agents REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION vital.enforce_limit('max_agents');

CREATE TRIGGER tenant_agents_tier AFTER INSERT OR UPDATE OF agent_tenant_id, agent_id ON public.tenant_agents FOR EACH ROW EXECUTE FUNCTION vital.enforce_agent_tier();

CREATE TRIGGER tenant_agents_touch BEFORE UPDATE ON public.tenant_agents FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_apps_audit AFTER INSERT OR DELETE OR UPDATE ON public.tenant_apps FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tenant_apps_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_apps FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_apps_touch BEFORE UPDATE ON public.tenant_apps FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_configurations_audit AFTER INSERT OR DELETE OR UPDATE ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tenant_configurations_guard_throttles BEFORE INSERT OR UPDATE OF limits ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.guard_throttles();

CREATE TRIGGER tenant_configurations_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_configurations_touch BEFORE UPDATE ON public.tenant_configurations FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_feature_flag_changes_audit AFTER INSERT OR DELETE OR UPDATE OF status ON public.tenant_feature_flag_changes FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tenant_feature_flag_changes_touch BEFORE UPDATE ON public.tenant_feature_flag_changes FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tenant_feature_flags_audit AFTER INSERT OR DELETE OR UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tenant_feature_flags_number BEFORE INSERT OR UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.number_tenant_feature_flag();

CREATE TRIGGER tenant_feature_flags_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.record_change('tenant', 'tenant_id');

CREATE TRIGGER tenant_feature_flags_versioning AFTER INSERT OR DELETE OR UPDATE ON public.tenant_feature_flags FOR EACH ROW EXECUTE FUNCTION vital.version_tenant_feature_flag();

CREATE TRIGGER tool_categories_audit AFTER INSERT OR DELETE OR UPDATE ON public.tool_categories FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tool_categories_touch BEFORE UPDATE ON public.tool_categories FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER tools_audit AFTER INSERT OR DELETE OR UPDATE ON public.tools FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER tools_touch BEFORE UPDATE ON public.tools FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER user_tenants_audit AFTER INSERT OR DELETE OR UPDATE ON public.user_tenants FOR EACH ROW EXECUTE FUNCTION vital.audit_change('tenant_id');

CREATE TRIGGER user_tenants_keep_owner_deleted AFTER DELETE ON public.user_tenants FOR EACH ROW WHEN (((old.role = 'owner'::text) AND (old.status = 'active'::text))) EXECUTE FUNCTION vital.keep_owner();

CREATE TRIGGER user_tenants_keep_owner_updated AFTER UPDATE OF tenant_id, role, status ON public.user_tenants FOR EACH ROW WHEN (((old.role = 'owner'::text) AND (old.status = 'active'::text))) EXECUTE FUNCTION vital.keep_owner();

CREATE TRIGGER user_tenants_record_change AFTER INSERT OR DELETE OR UPDATE ON public.user_tenants FOR EACH ROW EXECUTE FUNCTION vital.record_change('membership', 'user_id');

CREATE TRIGGER user_tenants_touch BEFORE UPDATE ON public.user_tenants FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER users_record_change AFTER INSERT OR DELETE OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION vital.record_change('self', 'id');

CREATE TRIGGER users_touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE CONSTRAINT TRIGGER pending_versions_settle AFTER INSERT ON vital.pending_versions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.scope = 'settle'::text)) EXECUTE FUNCTION vital.settle();

CREATE TRIGGER revoked_sessions_record_change AFTER INSERT ON vital.revoked_sessions FOR EACH ROW EXECUTE FUNCTION vital.record_change('session', 'session_id');

CREATE TRIGGER settings_record_change AFTER UPDATE OF break_glass_required ON vital.settings FOR EACH ROW EXECUTE FUNCTION vital.record_change('global', '');

CREATE TRIGGER tenant_templates_audit AFTER INSERT OR DELETE OR UPDATE ON vital.tenant_templates FOR EACH ROW EXECUTE FUNCTION vital.audit_change('');

CREATE TRIGGER tenant_templates_touch BEFORE UPDATE ON vital.tenant_templates FOR EACH ROW EXECUTE FUNCTION vital.touch_updated_at();

CREATE TRIGGER weekly_reports_keep BEFORE UPDATE ON vital.weekly_reports FOR EACH ROW WHEN (old.is_over) EXECUTE FUNCTION vital.refuse_report_change();

ALTER TABLE ONLY auth.one_time_tokens
    ADD CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY auth.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT break_glass_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_agent_tenant_id_agent_id_fkey FOREIGN KEY (agent_tenant_id, agent_id) REFERENCES public.agents(tenant_id, id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.feature_flag_changes
    ADD CONSTRAINT feature_flag_changes_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.feature_flag_versions
    ADD CONSTRAINT feature_flag_versions_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_persona_tenant_id_persona_id_fkey FOREIGN KEY (persona_tenant_id, persona_id) REFERENCES public.personas(tenant_id, id);

ALTER TABLE ONLY public.jobs_to_be_done
    ADD CONSTRAINT jobs_to_be_done_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.knowledge
    ADD CONSTRAINT knowledge_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.organization_audit_log
    ADD CONSTRAINT organization_audit_log_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_parent_organization_id_fkey FOREIGN KEY (parent_organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.personas
    ADD CONSTRAINT personas_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_id_fkey FOREIGN KEY (id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_agent_tenant_id_agent_id_fkey FOREIGN KEY (agent_tenant_id, agent_id) REFERENCES public.agents(tenant_id, id);

ALTER TABLE ONLY public.tenant_agents
    ADD CONSTRAINT tenant_agents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_apps
    ADD CONSTRAINT tenant_apps_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_configurations
    ADD CONSTRAINT tenant_configurations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flag_changes
    ADD CONSTRAINT tenant_feature_flag_changes_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flag_changes
    ADD CONSTRAINT tenant_feature_flag_changes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flag_usage
    ADD CONSTRAINT tenant_feature_flag_usage_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flag_usage
    ADD CONSTRAINT tenant_feature_flag_usage_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flag_versions
    ADD CONSTRAINT tenant_feature_flag_versions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_feature_flag_id_fkey FOREIGN KEY (feature_flag_id) REFERENCES public.feature_flags(id);

ALTER TABLE ONLY public.tenant_feature_flags
    ADD CONSTRAINT tenant_feature_flags_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_categories
    ADD CONSTRAINT tool_categories_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.tool_usage_log
    ADD CONSTRAINT tool_usage_log_tool_tenant_id_tool_id_fkey FOREIGN KEY (tool_tenant_id, tool_id) REFERENCES public.tools(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_category_tenant_id_category_id_fkey FOREIGN KEY (category_tenant_id, category_id) REFERENCES public.tool_categories(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_replacement_tool_tenant_id_replacement_tool_id_fkey FOREIGN KEY (replacement_tool_tenant_id, replacement_tool_id) REFERENCES public.tools(tenant_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.user_tenants
    ADD CONSTRAINT user_tenants_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY vital.api_keys
    ADD CONSTRAINT api_keys_acts_for_fkey FOREIGN KEY (acts_for) REFERENCES public.organizations(id);

ALTER TABLE ONLY vital.legal_holds
    ADD CONSTRAINT legal_holds_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY vital.retention_rules
    ADD CONSTRAINT retention_rules_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE public.access_records ENABLE ROW LEVEL SECURITY;

CREATE POLICY access_records_select_admin ON public.access_records FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY access_records_select_super_admin ON public.access_records FOR SELECT TO authenticated USING (((tenant_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.agents ENABLE ROW LEVEL SECURITY;

CREATE POLICY agents_delete_member ON public.agents FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY agents_insert_member ON public.agents FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY agents_select_member ON public.agents FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY agents_update_member ON public.agents FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.break_glass ENABLE ROW LEVEL SECURITY;

CREATE POLICY break_glass_select_admin ON public.break_glass FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY break_glass_select_super_admin ON public.break_glass FOR SELECT TO authenticated USING (((tenant_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.chat_sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY chat_sessions_delete_self ON public.chat_sessions FOR DELETE TO authenticated USING (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_insert_self ON public.chat_sessions FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_select_self ON public.chat_sessions FOR SELECT TO authenticated USING (((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY chat_sessions_update_self ON public.chat_sessions FOR UPDATE TO authenticated USING (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id)))) WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

ALTER TABLE public.feature_flag_changes ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flag_changes_select_super_admin ON public.feature_flag_changes FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.feature_flag_evaluators ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flag_evaluators_delete_super_admin ON public.feature_flag_evaluators FOR DELETE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flag_evaluators_insert_super_admin ON public.feature_flag_evaluators FOR INSERT TO authenticated WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flag_evaluators_select_member ON public.feature_flag_evaluators FOR SELECT TO authenticated USING ((( SELECT vital.user_id() AS user_id) IS NOT NULL));

CREATE POLICY feature_flag_evaluators_update_super_admin ON public.feature_flag_evaluators FOR UPDATE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin)) WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.feature_flag_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flag_versions_select_super_admin ON public.feature_flag_versions FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.feature_flags ENABLE ROW LEVEL SECURITY;

CREATE POLICY feature_flags_delete_super_admin ON public.feature_flags FOR DELETE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_insert_super_admin ON public.feature_flags FOR INSERT TO authenticated WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_select_member ON public.feature_flags FOR SELECT TO authenticated USING (is_active);

CREATE POLICY feature_flags_select_super_admin ON public.feature_flags FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY feature_flags_update_super_admin ON public.feature_flags FOR UPDATE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin)) WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

CREATE POLICY invitations_select_admin ON public.invitations FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.jobs_to_be_done ENABLE ROW LEVEL SECURITY;

CREATE POLICY jobs_to_be_done_delete_member ON public.jobs_to_be_done FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY jobs_to_be_done_insert_member ON public.jobs_to_be_done FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY jobs_to_be_done_select_member ON public.jobs_to_be_done FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY jobs_to_be_done_update_member ON public.jobs_to_be_done FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.knowledge ENABLE ROW LEVEL SECURITY;

CREATE POLICY knowledge_delete_member ON public.knowledge FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY knowledge_insert_member ON public.knowledge FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY knowledge_select_member ON public.knowledge FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY knowledge_update_member ON public.knowledge FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.organization_audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_audit_log_select_admin ON public.organization_audit_log FOR SELECT TO authenticated USING ((organization_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY organization_audit_log_select_super_admin ON public.organization_audit_log FOR SELECT TO authenticated USING (((organization_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (organization_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

CREATE POLICY organizations_insert_super_admin ON public.organizations FOR INSERT TO authenticated WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

CREATE POLICY organizations_select_member ON public.organizations FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT vital.member_tenant_ids() AS member_tenant_ids))));

CREATE POLICY organizations_select_super_admin ON public.organizations FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

CREATE POLICY organizations_update_super_admin ON public.organizations FOR UPDATE TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin)) WITH CHECK (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.personas ENABLE ROW LEVEL SECURITY;

CREATE POLICY personas_delete_member ON public.personas FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY personas_insert_member ON public.personas FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY personas_select_member ON public.personas FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY personas_update_member ON public.personas FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

CREATE POLICY profiles_select_self ON public.profiles FOR SELECT TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY profiles_select_super_admin ON public.profiles FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

CREATE POLICY profiles_update_self ON public.profiles FOR UPDATE TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id))) WITH CHECK ((id = ( SELECT vital.user_id() AS user_id)));

ALTER TABLE public.prompts ENABLE ROW LEVEL SECURITY;

CREATE POLICY prompts_delete_member ON public.prompts FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY prompts_insert_member ON public.prompts FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY prompts_select_member ON public.prompts FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY prompts_update_member ON public.prompts FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.query_performance ENABLE ROW LEVEL SECURITY;

CREATE POLICY query_performance_insert_member ON public.query_performance FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id)) AND (weight = 1) AND (duration_us IS NULL) AND (steps IS NULL) AND (query_type IS DISTINCT FROM 'job'::text) AND ((created_at >= (( SELECT now() AS now) - '1 day'::interval)) AND (created_at <= (( SELECT now() AS now) + '00:01:00'::interval)))));

CREATE POLICY query_performance_select_admin ON public.query_performance FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY query_performance_select_super_admin ON public.query_performance FOR SELECT TO authenticated USING (((tenant_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.schema_validation_rules ENABLE ROW LEVEL SECURITY;

CREATE POLICY schema_validation_rules_select_super_admin ON public.schema_validation_rules FOR SELECT TO authenticated USING (( SELECT public.is_super_admin() AS is_super_admin));

ALTER TABLE public.tenant_agents ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_agents_delete_admin ON public.tenant_agents FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_agents_insert_admin ON public.tenant_agents FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_agents_select_member ON public.tenant_agents FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_agents_update_admin ON public.tenant_agents FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_apps ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_apps_delete_admin ON public.tenant_apps FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_apps_insert_admin ON public.tenant_apps FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_apps_select_member ON public.tenant_apps FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_apps_update_admin ON public.tenant_apps FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_configurations ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_configurations_select_member ON public.tenant_configurations FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_configurations_update_admin ON public.tenant_configurations FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tenant_feature_flag_changes ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flag_changes_select_admin ON public.tenant_feature_flag_changes FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.tenant_feature_flag_usage ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flag_usage_select_admin ON public.tenant_feature_flag_usage FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

CREATE POLICY tenant_feature_flag_usage_select_super_admin ON public.tenant_feature_flag_usage FOR SELECT TO authenticated USING (((tenant_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.tenant_feature_flag_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flag_versions_select_admin ON public.tenant_feature_flag_versions FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.tenant_feature_flags ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_feature_flags_delete_admin ON public.tenant_feature_flags FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_feature_flags_insert_admin ON public.tenant_feature_flags FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tenant_feature_flags_select_member ON public.tenant_feature_flags FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY tenant_feature_flags_update_admin ON public.tenant_feature_flags FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tool_categories ENABLE ROW LEVEL SECURITY;

CREATE POLICY tool_categories_delete_admin ON public.tool_categories FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tool_categories_insert_admin ON public.tool_categories FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

CREATE POLICY tool_categories_select_member ON public.tool_categories FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY tool_categories_update_admin ON public.tool_categories FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.admin_tenant_id() AS admin_tenant_id)));

ALTER TABLE public.tool_usage_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY tool_usage_log_insert_member ON public.tool_usage_log FOR INSERT TO authenticated WITH CHECK (((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)) AND (user_id = ( SELECT vital.user_id() AS user_id))));

CREATE POLICY tool_usage_log_select_admin ON public.tool_usage_log FOR SELECT TO authenticated USING ((tenant_id = ( SELECT vital.overseen_tenant_id() AS overseen_tenant_id)));

ALTER TABLE public.tools ENABLE ROW LEVEL SECURITY;

CREATE POLICY tools_delete_member ON public.tools FOR DELETE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY tools_insert_member ON public.tools FOR INSERT TO authenticated WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

CREATE POLICY tools_select_member ON public.tools FOR SELECT TO authenticated USING ((tenant_id = ANY (ARRAY( SELECT vital.readable_tenant_ids() AS readable_tenant_ids))));

CREATE POLICY tools_update_member ON public.tools FOR UPDATE TO authenticated USING ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id))) WITH CHECK ((tenant_id = ( SELECT vital.writable_tenant_id() AS writable_tenant_id)));

ALTER TABLE public.user_tenants ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_tenants_select_member ON public.user_tenants FOR SELECT TO authenticated USING ((tenant_id = ( SELECT public.get_user_tenant_id() AS get_user_tenant_id)));

CREATE POLICY user_tenants_select_self ON public.user_tenants FOR SELECT TO authenticated USING ((user_id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY user_tenants_select_super_admin ON public.user_tenants FOR SELECT TO authenticated USING (((user_id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (user_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_select_member ON public.users FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT vital.colleague_ids() AS colleague_ids))));

CREATE POLICY users_select_self ON public.users FOR SELECT TO authenticated USING ((id = ( SELECT vital.user_id() AS user_id)));

CREATE POLICY users_select_super_admin ON public.users FOR SELECT TO authenticated USING (((id >= ( SELECT vital.super_admin_floor() AS super_admin_floor)) AND (id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)));

GRANT USAGE ON SCHEMA auth TO anon;
GRANT USAGE ON SCHEMA auth TO authenticated;
GRANT USAGE ON SCHEMA auth TO service_role;
GRANT USAGE ON SCHEMA auth TO vital_definer;

GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;
GRANT ALL ON SCHEMA public TO vital_owner;
GRANT ALL ON SCHEMA public TO vital_definer;

GRANT USAGE ON SCHEMA vital TO anon;
GRANT USAGE ON SCHEMA vital TO authenticated;
GRANT USAGE ON SCHEMA vital TO service_role;
GRANT USAGE ON SCHEMA vital TO vital_service;
GRANT USAGE ON SCHEMA vital TO vital_api;
GRANT ALL ON SCHEMA vital TO vital_definer;
GRANT ALL ON SCHEMA vital TO vital_sealer;

REVOKE ALL ON FUNCTION auth.role() FROM PUBLIC;
GRANT ALL ON FUNCTION auth.role() TO anon;
GRANT ALL ON FUNCTION auth.role() TO authenticated;
GRANT ALL ON FUNCTION auth.role() TO service_role;

REVOKE ALL ON FUNCTION auth.uid() FROM PUBLIC;
GRANT ALL ON FUNCTION auth.uid() TO anon;
GRANT ALL ON FUNCTION auth.uid() TO authenticated;
GRANT ALL ON FUNCTION auth.uid() TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_tenants TO vital_definer;
GRANT SELECT ON TABLE public.user_tenants TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_tenants TO service_role;

REVOKE ALL ON FUNCTION public.accept_invitation(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.accept_invitation(p_token text) TO authenticated;
GRANT ALL ON FUNCTION public.accept_invitation(p_token text) TO service_role;

REVOKE ALL ON FUNCTION public.approve_erasure(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.approve_erasure(p_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.approve_erasure(p_id uuid) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_agents TO service_role;

REVOKE ALL ON FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) TO authenticated;
GRANT ALL ON FUNCTION public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.audit_chain_head() FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_chain_head() TO authenticated;

REVOKE ALL ON FUNCTION public.audit_organization_changes() FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_organization_changes() TO vital_owner;

REVOKE ALL ON FUNCTION public.cancel_erasure(p_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_erasure(p_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.cancel_erasure(p_id uuid, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_changes TO vital_definer;
GRANT SELECT ON TABLE public.feature_flag_changes TO authenticated;
GRANT SELECT ON TABLE public.feature_flag_changes TO service_role;

REVOKE ALL ON FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.cancel_feature_flag_change(p_id uuid, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flag_changes TO vital_definer;
GRANT SELECT ON TABLE public.tenant_feature_flag_changes TO authenticated;
GRANT SELECT ON TABLE public.tenant_feature_flag_changes TO service_role;

REVOKE ALL ON FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.cancel_tenant_feature_change(p_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.change_member_role(p_user_id uuid, p_role text, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organizations TO vital_definer;
GRANT SELECT,INSERT,UPDATE ON TABLE public.organizations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organizations TO service_role;

REVOKE ALL ON FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.check_data_consistency() FROM PUBLIC;
GRANT ALL ON FUNCTION public.check_data_consistency() TO authenticated;
GRANT ALL ON FUNCTION public.check_data_consistency() TO service_role;

REVOKE ALL ON FUNCTION public.cleanup_query_logs() FROM PUBLIC;
GRANT ALL ON FUNCTION public.cleanup_query_logs() TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_configurations TO vital_definer;
GRANT SELECT ON TABLE public.tenant_configurations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_configurations TO service_role;

GRANT UPDATE(ui_config) ON TABLE public.tenant_configurations TO authenticated;

GRANT UPDATE(enabled_features) ON TABLE public.tenant_configurations TO authenticated;

GRANT UPDATE(enabled_apps) ON TABLE public.tenant_configurations TO authenticated;

GRANT UPDATE(enabled_agent_tiers) ON TABLE public.tenant_configurations TO authenticated;

GRANT UPDATE(limits) ON TABLE public.tenant_configurations TO authenticated;

GRANT UPDATE(compliance_settings) ON TABLE public.tenant_configurations TO authenticated;

REVOKE ALL ON FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text, p_owner_id uuid, p_subscription_tier text, p_parent_organization_id uuid, p_lifecycle_state public.org_lifecycle_state, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text, p_owner_id uuid, p_subscription_tier text, p_parent_organization_id uuid, p_lifecycle_state public.org_lifecycle_state, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.create_tenant(p_name text, p_slug text, p_tenant_type text, p_tenant_key text, p_owner_id uuid, p_subscription_tier text, p_parent_organization_id uuid, p_lifecycle_state public.org_lifecycle_state, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tools TO service_role;

REVOKE ALL ON FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.detect_missing_tenant_data(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer, p_to integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer, p_to integer) TO authenticated;
GRANT ALL ON FUNCTION public.diff_feature_flag(p_flag_key text, p_from integer, p_to integer) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.break_glass TO vital_definer;
GRANT SELECT ON TABLE public.break_glass TO authenticated;
GRANT SELECT ON TABLE public.break_glass TO service_role;

REVOKE ALL ON FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval) TO authenticated;
GRANT ALL ON FUNCTION public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval) TO service_role;

REVOKE ALL ON FUNCTION public.feature_flag_history(p_flag_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.feature_flag_history(p_flag_key text) TO authenticated;
GRANT ALL ON FUNCTION public.feature_flag_history(p_flag_key text) TO service_role;

REVOKE ALL ON FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer) TO authenticated;
GRANT ALL ON FUNCTION public.feature_flag_reach(p_flag_key text, p_days integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_load_stats(p_hours integer, p_by text, p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_load_stats(p_hours integer, p_by text, p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_load_stats(p_hours integer, p_by text, p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_load_timeline(p_hours integer, p_buckets integer, p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_load_timeline(p_hours integer, p_buckets integer, p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_load_timeline(p_hours integer, p_buckets integer, p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_query_performance_stats(p_hours integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_query_performance_stats(p_hours integer) TO authenticated;
GRANT ALL ON FUNCTION public.get_query_performance_stats(p_hours integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_tenant_load_stats(p_hours integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_tenant_load_stats(p_hours integer) TO authenticated;
GRANT ALL ON FUNCTION public.get_tenant_load_stats(p_hours integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_tenant_usage() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_tenant_usage() TO authenticated;
GRANT ALL ON FUNCTION public.get_tenant_usage() TO service_role;

REVOKE ALL ON FUNCTION public.get_tool_health_metrics(p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_tool_health_metrics(p_days integer) TO authenticated;
GRANT ALL ON FUNCTION public.get_tool_health_metrics(p_days integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_context(p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_context_optimized(p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_user_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO anon;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO service_role;
GRANT ALL ON FUNCTION public.get_user_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION public.invalidate_cache(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.invalidate_cache(p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.invalidate_cache(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.invite_member(p_email text, p_role text, p_expires_in interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.invite_member(p_email text, p_role text, p_expires_in interval) TO authenticated;
GRANT ALL ON FUNCTION public.invite_member(p_email text, p_role text, p_expires_in interval) TO service_role;

REVOKE ALL ON FUNCTION public.is_super_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_super_admin() TO anon;
GRANT ALL ON FUNCTION public.is_super_admin() TO authenticated;
GRANT ALL ON FUNCTION public.is_super_admin() TO service_role;

REVOKE ALL ON FUNCTION public.is_tenant_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO anon;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO authenticated;
GRANT ALL ON FUNCTION public.is_tenant_admin() TO service_role;

REVOKE ALL ON FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.list_check_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_check_runs() TO authenticated;
GRANT ALL ON FUNCTION public.list_check_runs() TO service_role;

REVOKE ALL ON FUNCTION public.list_erasures() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_erasures() TO authenticated;
GRANT ALL ON FUNCTION public.list_erasures() TO service_role;

REVOKE ALL ON FUNCTION public.list_gates() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_gates() TO authenticated;
GRANT ALL ON FUNCTION public.list_gates() TO service_role;

REVOKE ALL ON FUNCTION public.list_jobs() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_jobs() TO authenticated;
GRANT ALL ON FUNCTION public.list_jobs() TO service_role;

REVOKE ALL ON FUNCTION public.list_legal_holds() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_legal_holds() TO authenticated;
GRANT ALL ON FUNCTION public.list_legal_holds() TO service_role;

REVOKE ALL ON FUNCTION public.list_retention() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_retention() TO authenticated;

REVOKE ALL ON FUNCTION public.list_tools(p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_tools(p_days integer) TO authenticated;
GRANT ALL ON FUNCTION public.list_tools(p_days integer) TO service_role;

REVOKE ALL ON FUNCTION public.list_weekly_reports() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_weekly_reports() TO authenticated;
GRANT ALL ON FUNCTION public.list_weekly_reports() TO service_role;

REVOKE ALL ON FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean) TO authenticated;
GRANT ALL ON FUNCTION public.log_query_performance(p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean) TO service_role;

REVOKE ALL ON FUNCTION public.make_weekly_report(p_present boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.make_weekly_report(p_present boolean) TO authenticated;
GRANT ALL ON FUNCTION public.make_weekly_report(p_present boolean) TO service_role;

REVOKE ALL ON FUNCTION public.post_migration_check() FROM PUBLIC;
GRANT ALL ON FUNCTION public.post_migration_check() TO authenticated;
GRANT ALL ON FUNCTION public.post_migration_check() TO service_role;

REVOKE ALL ON FUNCTION public.pre_migration_check() FROM PUBLIC;
GRANT ALL ON FUNCTION public.pre_migration_check() TO service_role;

REVOKE ALL ON FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer, p_error_message text, p_agent_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer, p_error_message text, p_agent_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.record_tool_usage(p_tool_id uuid, p_success boolean, p_execution_time_ms integer, p_error_message text, p_agent_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text, p_implementation_type text, p_function_signature text, p_category text, p_description text, p_input_schema jsonb, p_output_schema jsonb, p_config jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text, p_implementation_type text, p_function_signature text, p_category text, p_description text, p_input_schema jsonb, p_output_schema jsonb, p_config jsonb) TO authenticated;
GRANT ALL ON FUNCTION public.register_tool(p_name text, p_slug text, p_tool_type text, p_implementation_type text, p_function_signature text, p_category text, p_description text, p_input_schema jsonb, p_output_schema jsonb, p_config jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.remove_member(p_user_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.remove_member(p_user_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.remove_member(p_user_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.revoke_invitation(p_invitation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.revoke_invitation(p_invitation_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.revoke_invitation(p_invitation_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.rls_matrix(p_schemas text[], p_roles text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rls_matrix(p_schemas text[], p_roles text[]) TO authenticated;
GRANT ALL ON FUNCTION public.rls_matrix(p_schemas text[], p_roles text[]) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flags TO service_role;

REVOKE ALL ON FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flags TO service_role;

REVOKE ALL ON FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.row_history(p_table text, p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.row_history(p_table text, p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.run_check(p_check text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.run_check(p_check text) TO authenticated;
GRANT ALL ON FUNCTION public.run_check(p_check text) TO service_role;

REVOKE ALL ON FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.set_default_tenant(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_default_tenant(p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.set_default_tenant(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO service_role;
GRANT ALL ON FUNCTION public.set_feature_flag(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO vital_definer;

REVOKE ALL ON FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.set_tenant_feature(p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.stale_feature_flags(p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.stale_feature_flags(p_days integer) TO authenticated;
GRANT ALL ON FUNCTION public.stale_feature_flags(p_days integer) TO service_role;

REVOKE ALL ON FUNCTION public.tenant_feature_history(p_flag_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenant_feature_history(p_flag_key text) TO authenticated;
GRANT ALL ON FUNCTION public.tenant_feature_history(p_flag_key text) TO service_role;

REVOKE ALL ON FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.toggle_tenant_feature(p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.validate_multitenancy_schema() FROM PUBLIC;
GRANT ALL ON FUNCTION public.validate_multitenancy_schema() TO authenticated;
GRANT ALL ON FUNCTION public.validate_multitenancy_schema() TO service_role;

REVOKE ALL ON FUNCTION public.validate_schema() FROM PUBLIC;
GRANT ALL ON FUNCTION public.validate_schema() TO authenticated;
GRANT ALL ON FUNCTION public.validate_schema() TO service_role;

REVOKE ALL ON FUNCTION public.version_feature_flag() FROM PUBLIC;
GRANT ALL ON FUNCTION public.version_feature_flag() TO vital_owner;

REVOKE ALL ON FUNCTION vital.accept_invitation(p_user_id uuid, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.accept_invitation(p_user_id uuid, p_token text) TO service_role;

REVOKE ALL ON FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) TO anon;
GRANT ALL ON FUNCTION vital.accessed_tenant(p_member boolean, OUT tenant_id uuid, OUT recorded boolean) TO authenticated;

REVOKE ALL ON FUNCTION vital.account_name(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.add_audit_checkpoint(p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamp with time zone, p_public_key bytea, p_signature bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.add_audit_checkpoint(p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamp with time zone, p_public_key bytea, p_signature bytea) TO service_role;

REVOKE ALL ON FUNCTION vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) TO service_role;

REVOKE ALL ON FUNCTION vital.admin_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.admin_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.append_audit(p_organization_id uuid, p_action text, p_entity text, p_entity_id uuid, p_changes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.apply_due_flag_changes(p_limit integer, OUT applied integer, OUT failed integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.apply_due_flag_changes(p_limit integer, OUT applied integer, OUT failed integer) TO service_role;

REVOKE ALL ON FUNCTION vital.apply_flag_change(p_tenant_id uuid, p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.apply_repairs(p_run uuid, p_checks text[], p_tenant uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) TO authenticated;
GRANT ALL ON FUNCTION vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid, p_config jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.audit_change() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.audit_change() TO vital_owner;

REVOKE ALL ON FUNCTION vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.audit_hash(p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text, p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamp with time zone, p_commitment bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.audit_hash(p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text, p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamp with time zone, p_commitment bytea) TO vital_definer;

REVOKE ALL ON FUNCTION vital.audit_kept_least(p_organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.author_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.author_id() TO authenticated;
GRANT ALL ON FUNCTION vital.author_id() TO service_role;
GRANT ALL ON FUNCTION vital.author_id() TO vital_definer;

GRANT SELECT,INSERT,UPDATE ON TABLE vital.erasures TO vital_definer;
GRANT SELECT ON TABLE vital.erasures TO service_role;

REVOKE ALL ON FUNCTION vital.begin_erasure(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.begin_erasure(p_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.build_context(p_user_id uuid, p_tenant text, OUT tenant_id uuid, OUT version text, OUT body json) TO service_role;

REVOKE ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) TO anon;
GRANT ALL ON FUNCTION vital.caller_context(p_user_id uuid, OUT tenant_id uuid, OUT version text, OUT body json) TO authenticated;

REVOKE ALL ON FUNCTION vital.caller_standing() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.caller_standing() TO authenticated;

REVOKE ALL ON FUNCTION vital.caller_version() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.caller_version() TO authenticated;

REVOKE ALL ON FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.carry_retired_keks(p_keks jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.carry_retired_keks(p_keks jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.carry_tenant_keys(p_keys jsonb, OUT destroyed bigint, OUT rewrapped bigint, OUT added bigint, OUT left_out bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.carry_tenant_keys(p_keys jsonb, OUT destroyed bigint, OUT rewrapped bigint, OUT added bigint, OUT left_out bigint) TO service_role;

REVOKE ALL ON FUNCTION vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) TO authenticated;
GRANT ALL ON FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) TO service_role;
GRANT ALL ON FUNCTION vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) TO vital_definer;

REVOKE ALL ON FUNCTION vital.check_author(p_user_id uuid, p_tenant_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.check_feature_flag() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.check_feature_flag() TO vital_owner;

REVOKE ALL ON FUNCTION vital.check_needing_flags() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.check_needing_flags() TO vital_owner;

REVOKE ALL ON FUNCTION vital.check_prerequisites(p_flag public.feature_flags) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.claim_idempotency_key(p_key text, p_fingerprint bytea, OUT claimed boolean, OUT same boolean, OUT status integer, OUT headers jsonb, OUT body bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.claim_idempotency_key(p_key text, p_fingerprint bytea, OUT claimed boolean, OUT same boolean, OUT status integer, OUT headers jsonb, OUT body bytea) TO authenticated;

REVOKE ALL ON FUNCTION vital.claimed_identity() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.colleague_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.colleague_ids() TO anon;
GRANT ALL ON FUNCTION vital.colleague_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.colleague_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.consistency() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.consistency() TO service_role;

REVOKE ALL ON FUNCTION vital.context_document(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.context_document(p_tenant_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.context_stamp(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.context_stamp(p_tenant_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.context_version(p_tenant_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.context_version(p_tenant_id uuid, p_user_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.count_flag_evaluations(p_evaluations jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.count_flag_evaluations(p_evaluations jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.current_membership() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.definition_fields() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.definition_fields() TO authenticated;
GRANT ALL ON FUNCTION vital.definition_fields() TO service_role;
GRANT ALL ON FUNCTION vital.definition_fields() TO vital_definer;

REVOKE ALL ON FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.destroy_tenant_key(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.destroy_tenant_key(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) TO authenticated;
GRANT ALL ON FUNCTION vital.diff_json(p_before jsonb, p_after jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.drop_retained_partition(p_rule_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.drop_retained_partition(p_rule_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.enforce_agent_tier() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.enforce_agent_tier() TO vital_owner;

REVOKE ALL ON FUNCTION vital.enforce_limit() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.enforce_limit() TO vital_owner;

REVOKE ALL ON FUNCTION vital.enqueue_job(p_kind text, p_args jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) TO service_role;

REVOKE ALL ON FUNCTION vital.entry_of(p_tenant_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.entry_of(p_tenant_id uuid, p_user_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.erase_audit(p_organization_id uuid, p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.erase_audit(p_organization_id uuid, p_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.erase_chain(p_id uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.erase_chain(p_id uuid, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION vital.fail_flag_change(p_tenant_id uuid, p_id uuid, p_error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.find_active_flag(p_flag_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.find_active_flag(p_flag_key text) TO authenticated;
GRANT ALL ON FUNCTION vital.find_active_flag(p_flag_key text) TO service_role;
GRANT ALL ON FUNCTION vital.find_active_flag(p_flag_key text) TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agents TO service_role;

REVOKE ALL ON FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.find_feature_flag(p_flag_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.find_feature_flag(p_flag_key text) TO authenticated;
GRANT ALL ON FUNCTION vital.find_feature_flag(p_flag_key text) TO service_role;
GRANT ALL ON FUNCTION vital.find_feature_flag(p_flag_key text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) TO service_role;

REVOKE ALL ON FUNCTION vital.finish_restoring(p_changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.finish_restoring(p_changes jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) TO anon;
GRANT ALL ON FUNCTION vital.flag_context(OUT tenant jsonb, OUT member json, OUT overrides jsonb, OUT versions json, OUT until timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION vital.flag_definitions(OUT version bigint, OUT flags jsonb, OUT evaluators jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.flag_definitions(OUT version bigint, OUT flags jsonb, OUT evaluators jsonb) TO service_role;

REVOKE ALL ON FUNCTION vital.follow_lifecycle() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.forbidding_key(p_table text, p_column text, p_kind "char") FROM PUBLIC;
GRANT ALL ON FUNCTION vital.forbidding_key(p_table text, p_column text, p_kind "char") TO vital_definer;

REVOKE ALL ON FUNCTION vital.forget_flag_usage(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.forget_flag_usage(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION vital.give_reason(p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.give_reason(p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.give_reason(p_reason text) TO service_role;
GRANT ALL ON FUNCTION vital.give_reason(p_reason text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.guard_parent() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.guard_parent() TO vital_owner;

REVOKE ALL ON FUNCTION vital.guard_throttles() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.held_tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.held_tenant_ids() TO service_role;
GRANT ALL ON FUNCTION vital.held_tenant_ids() TO vital_owner;

REVOKE ALL ON FUNCTION vital.identity() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.identity() TO anon;
GRANT ALL ON FUNCTION vital.identity() TO authenticated;
GRANT ALL ON FUNCTION vital.identity() TO service_role;
GRANT ALL ON FUNCTION vital.identity() TO vital_definer;

REVOKE ALL ON FUNCTION vital.invalidate_caches() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.invalidate_caches() TO service_role;

REVOKE ALL ON FUNCTION vital.invite_member(p_tenant_id uuid, p_email text, p_role text, p_expires_in interval) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.invite_member(p_tenant_id uuid, p_email text, p_role text, p_expires_in interval) TO service_role;

REVOKE ALL ON FUNCTION vital.is_load(p_query_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.is_load(p_query_type text) TO authenticated;
GRANT ALL ON FUNCTION vital.is_load(p_query_type text) TO service_role;

REVOKE ALL ON FUNCTION vital.is_load_fault(p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.is_load_fault(p_code text) TO authenticated;
GRANT ALL ON FUNCTION vital.is_load_fault(p_code text) TO service_role;

REVOKE ALL ON FUNCTION vital.is_operator() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.is_operator() TO authenticated;
GRANT ALL ON FUNCTION vital.is_operator() TO service_role;
GRANT ALL ON FUNCTION vital.is_operator() TO vital_definer;

REVOKE ALL ON FUNCTION vital.is_restoring() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.is_restoring() TO authenticated;
GRANT ALL ON FUNCTION vital.is_restoring() TO service_role;

REVOKE ALL ON FUNCTION vital.keep_evaluator() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.keep_evaluator() TO vital_owner;

REVOKE ALL ON FUNCTION vital.keep_owner() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.keep_owner() TO vital_owner;

REVOKE ALL ON FUNCTION vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.lifecycle_moves() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.lifecycle_moves() TO authenticated;
GRANT ALL ON FUNCTION vital.lifecycle_moves() TO service_role;
GRANT ALL ON FUNCTION vital.lifecycle_moves() TO vital_definer;

REVOKE ALL ON FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.load_statistics(p_from timestamp with time zone, p_until timestamp with time zone, p_by text, p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.lock_configuration(p_tenant_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.lock_definitions() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.lock_definitions() TO authenticated;
GRANT ALL ON FUNCTION vital.lock_definitions() TO service_role;

REVOKE ALL ON FUNCTION vital.mask_value(p_rule text, p_value jsonb, p_salt text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.mask_value(p_rule text, p_value jsonb, p_salt text) TO service_role;

REVOKE ALL ON FUNCTION vital.may_enter(p_tenant_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.may_enter(p_tenant_id uuid, p_user_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.member_tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO anon;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.member_tenant_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.moved_audit_heads(p_since timestamp with time zone, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.moved_audit_heads(p_since timestamp with time zone, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION vital.notify_catalog() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.number_feature_flag() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.number_tenant_feature_flag() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.number_tenant_feature_flag() TO vital_owner;

REVOKE ALL ON FUNCTION vital.open_erasure(p_id uuid, p_states text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.operator_name() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.override_fields() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.override_fields() TO authenticated;
GRANT ALL ON FUNCTION vital.override_fields() TO service_role;
GRANT ALL ON FUNCTION vital.override_fields() TO vital_definer;

REVOKE ALL ON FUNCTION vital.overseen_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.overseen_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.plan_repair(p_check text, p_tenant uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.plan_repair(p_check text, p_tenant uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.postpone_flag_changes(p_tenant_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.provision_tenant() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.provision_tenant() TO vital_owner;

REVOKE ALL ON FUNCTION vital.read_context(p_user_id uuid, p_tenant text, p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.readable_tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO anon;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO authenticated;
GRANT ALL ON FUNCTION vital.readable_tenant_ids() TO service_role;

REVOKE ALL ON FUNCTION vital.reads_accounts() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.record_access(p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_access(p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) TO authenticated;

REVOKE ALL ON FUNCTION vital.record_change() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_change() TO vital_owner;

REVOKE ALL ON FUNCTION vital.record_export(p_organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_export(p_organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.record_own_export(p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_own_export(p_reason text) TO authenticated;

REVOKE ALL ON FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.record_person_export(p_user_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamp with time zone, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamp with time zone, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.record_service_access(p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.record_service_access(p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text) TO service_role;

REVOKE ALL ON FUNCTION vital.refuse_access_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.refuse_audit_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.refuse_cancel(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.refuse_cancel(p_status text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) TO authenticated;
GRANT ALL ON FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) TO service_role;
GRANT ALL ON FUNCTION vital.refuse_move(p_state public.org_lifecycle_state) TO vital_definer;

REVOKE ALL ON FUNCTION vital.refuse_report_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.remembered_context(p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json, OUT versions json, OUT until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.remembered_context(p_known_tenant uuid, p_known_stamp text, OUT tenant_id uuid, OUT version text, OUT stamp text, OUT caller json, OUT document json, OUT versions json, OUT until timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.require_acting_admin(p_tenant_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.require_admin(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_admin(p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.require_admin(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.require_changeable(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_changeable(p_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.require_changeable(p_tenant_id uuid) TO service_role;
GRANT ALL ON FUNCTION vital.require_changeable(p_tenant_id uuid) TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_erasable(p_subject text, p_subject_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) TO authenticated;
GRANT ALL ON FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) TO service_role;
GRANT ALL ON FUNCTION vital.require_fields(p_changes jsonb, p_known text[]) TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_kek(p_kek_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_kek(p_kek_id text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_member() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_member() TO authenticated;
GRANT ALL ON FUNCTION vital.require_member() TO service_role;

REVOKE ALL ON FUNCTION vital.require_no_hold(p_subject text, p_subject_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.require_operator() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_operator() TO authenticated;
GRANT ALL ON FUNCTION vital.require_operator() TO service_role;
GRANT ALL ON FUNCTION vital.require_operator() TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_over_member(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) TO anon;
GRANT ALL ON FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) TO authenticated;
GRANT ALL ON FUNCTION vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) TO service_role;

REVOKE ALL ON FUNCTION vital.require_standing(p_roles text[], p_tenant_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) TO authenticated;
GRANT ALL ON FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) TO service_role;
GRANT ALL ON FUNCTION vital.require_value(p_holds boolean, p_name text, p_must text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_version(p_expected integer, p_present integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_version(p_expected integer, p_present integer) TO authenticated;
GRANT ALL ON FUNCTION vital.require_version(p_expected integer, p_present integer) TO service_role;
GRANT ALL ON FUNCTION vital.require_version(p_expected integer, p_present integer) TO vital_definer;

REVOKE ALL ON FUNCTION vital.require_writer() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.require_writer() TO authenticated;
GRANT ALL ON FUNCTION vital.require_writer() TO service_role;

REVOKE ALL ON FUNCTION vital.retain_audit(p_organization_id uuid, p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.retain_audit(p_organization_id uuid, p_before timestamp with time zone, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION vital.retainable(p_schema text, p_table text, p_age_column text, OUT tenant_column text, OUT key_columns text[], OUT key_types text[], OUT age_type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.retention_plan(p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.retention_plan(p_now timestamp with time zone) TO service_role;
GRANT ALL ON FUNCTION vital.retention_plan(p_now timestamp with time zone) TO vital_owner;

REVOKE ALL ON FUNCTION vital.retire_kek(p_kek_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.retire_kek(p_kek_id text) TO service_role;

REVOKE ALL ON FUNCTION vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) TO service_role;

REVOKE ALL ON FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) TO vital_service;
GRANT ALL ON FUNCTION vital.river_job_state_in_bitmask(bitmask bit, state vital.river_job_state) TO vital_definer;

REVOKE ALL ON FUNCTION vital.rls_matrix(p_schemas text[], p_roles text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.rls_matrix(p_schemas text[], p_roles text[]) TO service_role;
GRANT ALL ON FUNCTION vital.rls_matrix(p_schemas text[], p_roles text[]) TO vital_definer;

REVOKE ALL ON FUNCTION vital.roll_access_records(p_ahead integer, p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.roll_access_records(p_ahead integer, p_now timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION vital.roll_query_performance(p_keep_days integer, p_ahead integer, p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.roll_query_performance(p_keep_days integer, p_ahead integer, p_now timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.rotate_seal_key(p_grace interval) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.rotate_seal_key(p_grace interval) TO vital_service;

REVOKE ALL ON FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.schedule_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamp with time zone, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.schema_version() TO vital_service;
GRANT ALL ON FUNCTION vital.schema_version() TO service_role;

REVOKE ALL ON FUNCTION vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) TO service_role;

REVOKE ALL ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.seal_key(OUT id text, OUT inner_pad bytea, OUT outer_pad bytea) TO vital_service;

REVOKE ALL ON FUNCTION vital.serialize_definitions() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.serialize_definitions() TO vital_owner;

REVOKE ALL ON FUNCTION vital.service_access_recorded(p_tenants uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.service_access_recorded(p_tenants uuid[]) TO service_role;

REVOKE ALL ON FUNCTION vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.retention_rules TO vital_definer;
GRANT SELECT ON TABLE vital.retention_rules TO service_role;

REVOKE ALL ON FUNCTION vital.set_retention(p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.set_retention(p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO service_role;
GRANT ALL ON FUNCTION vital.set_tenant_feature(p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer, p_reason text) TO vital_definer;

REVOKE ALL ON FUNCTION vital.settle() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.settle() TO vital_owner;

REVOKE ALL ON FUNCTION vital.settle_audit() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.settle_versions() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) TO authenticated;

REVOKE ALL ON FUNCTION vital.super_admin_floor() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO anon;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO authenticated;
GRANT ALL ON FUNCTION vital.super_admin_floor() TO service_role;

REVOKE ALL ON FUNCTION vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[]) TO service_role;

REVOKE ALL ON FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) TO authenticated;
GRANT ALL ON FUNCTION vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text) TO service_role;

REVOKE ALL ON FUNCTION vital.tenant_flag_overrides(p_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_flag_overrides(p_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.tenant_for(p_right text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO anon;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO authenticated;
GRANT ALL ON FUNCTION vital.tenant_for(p_right text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.tenant_templates TO service_role;
GRANT SELECT ON TABLE vital.tenant_templates TO vital_definer;

REVOKE ALL ON FUNCTION vital.tenant_template(p_tenant_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tenant_template(p_tenant_type text) TO service_role;

REVOKE ALL ON FUNCTION vital.throttles(p_limits jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.throttles(p_limits jsonb) TO authenticated;
GRANT ALL ON FUNCTION vital.throttles(p_limits jsonb) TO service_role;
GRANT ALL ON FUNCTION vital.throttles(p_limits jsonb) TO vital_definer;

REVOKE ALL ON FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION vital.toggle_tenant_feature(p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION vital.tool_health(p_tenant_id uuid, p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.tool_health(p_tenant_id uuid, p_days integer) TO service_role;
GRANT ALL ON FUNCTION vital.tool_health(p_tenant_id uuid, p_days integer) TO vital_definer;

REVOKE ALL ON FUNCTION vital.touch_updated_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) TO authenticated;
GRANT ALL ON FUNCTION vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.undo_repairs(p_run uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.undo_repairs(p_run uuid) TO service_role;

REVOKE ALL ON FUNCTION vital.use_template(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.use_template(p_name text) TO service_role;

REVOKE ALL ON FUNCTION vital.user_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.user_id() TO anon;
GRANT ALL ON FUNCTION vital.user_id() TO authenticated;
GRANT ALL ON FUNCTION vital.user_id() TO service_role;
GRANT ALL ON FUNCTION vital.user_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.version_tenant_feature_flag() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.version_tenant_feature_flag() TO vital_owner;

REVOKE ALL ON FUNCTION vital.versions_of(p_scopes text[], p_keys uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION vital.versions_of(p_scopes text[], p_keys uuid[]) TO service_role;

REVOKE ALL ON FUNCTION vital.wal_position() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.wal_position() TO anon;
GRANT ALL ON FUNCTION vital.wal_position() TO authenticated;
GRANT ALL ON FUNCTION vital.wal_position() TO service_role;

REVOKE ALL ON FUNCTION vital.writable_tenant_id() FROM PUBLIC;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO anon;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO authenticated;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO service_role;
GRANT ALL ON FUNCTION vital.writable_tenant_id() TO vital_definer;

REVOKE ALL ON FUNCTION vital.write_repair(p_table text, p_tenant_id uuid, p_row_id uuid, p_old jsonb, p_new jsonb) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.one_time_tokens TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.refresh_tokens TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.sessions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.users TO service_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.users TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.access_records TO vital_definer;
GRANT SELECT ON TABLE public.access_records TO authenticated;
GRANT SELECT ON TABLE public.access_records TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chat_sessions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_evaluators TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_evaluators TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_evaluators TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feature_flag_versions TO vital_definer;
GRANT SELECT ON TABLE public.feature_flag_versions TO authenticated;
GRANT SELECT ON TABLE public.feature_flag_versions TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invitations TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invitations TO service_role;

GRANT SELECT(tenant_id) ON TABLE public.invitations TO authenticated;

GRANT SELECT(id) ON TABLE public.invitations TO authenticated;

GRANT SELECT(email) ON TABLE public.invitations TO authenticated;

GRANT SELECT(role) ON TABLE public.invitations TO authenticated;

GRANT SELECT(invited_by) ON TABLE public.invitations TO authenticated;

GRANT SELECT(expires_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(accepted_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(accepted_by) ON TABLE public.invitations TO authenticated;

GRANT SELECT(revoked_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(created_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT(updated_at) ON TABLE public.invitations TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs_to_be_done TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.knowledge TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organization_audit_log TO vital_definer;
GRANT SELECT ON TABLE public.organization_audit_log TO authenticated;
GRANT SELECT ON TABLE public.organization_audit_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personas TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO vital_definer;
GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO service_role;

GRANT UPDATE(full_name) ON TABLE public.profiles TO authenticated;

GRANT UPDATE(avatar_url) ON TABLE public.profiles TO authenticated;

GRANT UPDATE(preferences) ON TABLE public.profiles TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.query_performance TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.query_performance TO authenticated;
GRANT SELECT,INSERT ON TABLE public.query_performance TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.query_performance_log TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.query_performance_log TO authenticated;
GRANT SELECT,INSERT ON TABLE public.query_performance_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schema_validation_rules TO vital_definer;
GRANT SELECT ON TABLE public.schema_validation_rules TO authenticated;
GRANT SELECT ON TABLE public.schema_validation_rules TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_apps TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flag_usage TO vital_definer;
GRANT SELECT ON TABLE public.tenant_feature_flag_usage TO authenticated;
GRANT SELECT ON TABLE public.tenant_feature_flag_usage TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_feature_flag_versions TO vital_definer;
GRANT SELECT ON TABLE public.tenant_feature_flag_versions TO authenticated;
GRANT SELECT ON TABLE public.tenant_feature_flag_versions TO service_role;

GRANT SELECT ON TABLE vital.tenant_settings TO authenticated;
GRANT SELECT ON TABLE vital.tenant_settings TO service_role;
GRANT SELECT ON TABLE vital.tenant_settings TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_full_config TO vital_definer;
GRANT SELECT ON TABLE public.tenant_full_config TO authenticated;
GRANT SELECT ON TABLE public.tenant_full_config TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO vital_definer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_categories TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tool_usage_log TO vital_definer;
GRANT SELECT,INSERT ON TABLE public.tool_usage_log TO authenticated;
GRANT SELECT,INSERT,DELETE ON TABLE public.tool_usage_log TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO vital_definer;
GRANT SELECT ON TABLE public.users TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.api_keys TO service_role;
GRANT SELECT ON TABLE vital.api_keys TO vital_definer;

GRANT SELECT,INSERT ON TABLE vital.audit_checkpoints TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.audit_heads TO vital_definer;

GRANT SELECT,INSERT,DELETE ON TABLE vital.check_runs TO service_role;
GRANT SELECT ON TABLE vital.check_runs TO vital_definer;

GRANT SELECT,UPDATE ON TABLE vital.definition_lock TO vital_definer;

GRANT SELECT,INSERT ON TABLE vital.gate_approvals TO service_role;
GRANT SELECT ON TABLE vital.gate_approvals TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.idempotency_keys TO vital_definer;

GRANT SELECT,INSERT,UPDATE ON TABLE vital.legal_holds TO vital_definer;
GRANT SELECT ON TABLE vital.legal_holds TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.masking_rules TO service_role;

GRANT SELECT ON TABLE vital.migrations TO vital_definer;
GRANT SELECT ON TABLE vital.migrations TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.pending_audit TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.pending_versions TO vital_definer;

GRANT SELECT,INSERT,DELETE ON TABLE vital.restorations TO vital_definer;

GRANT SELECT,INSERT ON TABLE vital.retired_keks TO vital_definer;
GRANT SELECT ON TABLE vital.retired_keks TO service_role;

GRANT SELECT ON TABLE vital.revoked_sessions TO vital_sealer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.revoked_sessions TO service_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.revoked_sessions TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.river_job TO vital_service;

GRANT SELECT(id) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(state) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(attempt) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(max_attempts),INSERT(max_attempts) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(attempted_at) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(created_at) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(finalized_at) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(scheduled_at) ON TABLE vital.river_job TO vital_definer;

GRANT INSERT(args) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(errors) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(kind),INSERT(kind),UPDATE(kind) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(queue) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(unique_key),INSERT(unique_key) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT(unique_states),INSERT(unique_states) ON TABLE vital.river_job TO vital_definer;

GRANT SELECT,USAGE ON SEQUENCE vital.river_job_id_seq TO vital_service;
GRANT USAGE ON SEQUENCE vital.river_job_id_seq TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.river_leader TO vital_service;

GRANT SELECT ON TABLE vital.river_migration TO vital_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.river_notification TO vital_service;

GRANT SELECT,USAGE ON SEQUENCE vital.river_notification_id_seq TO vital_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.river_queue TO vital_service;

GRANT SELECT,INSERT,DELETE ON TABLE vital.server_starts TO service_role;

GRANT SELECT ON TABLE vital.settings TO vital_sealer;
GRANT SELECT ON TABLE vital.settings TO service_role;
GRANT SELECT ON TABLE vital.settings TO vital_definer;

GRANT UPDATE(erasure_wait) ON TABLE vital.settings TO vital_definer;

GRANT UPDATE(user_erasure_wait) ON TABLE vital.settings TO vital_definer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.signing_keys TO service_role;

GRANT SELECT,INSERT,DELETE ON TABLE vital.staged_rows TO service_role;

GRANT SELECT,INSERT,UPDATE ON TABLE vital.tenant_keys TO vital_definer;
GRANT SELECT ON TABLE vital.tenant_keys TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE vital.versions TO vital_definer;

GRANT SELECT,INSERT ON TABLE vital.weekly_reports TO service_role;
GRANT SELECT ON TABLE vital.weekly_reports TO vital_definer;

GRANT UPDATE(status) ON TABLE vital.weekly_reports TO service_role;

GRANT UPDATE(report) ON TABLE vital.weekly_reports TO service_role;

GRANT UPDATE(made_at) ON TABLE vital.weekly_reports TO service_role;

GRANT UPDATE(is_over) ON TABLE vital.weekly_reports TO service_role;

ALTER DEFAULT PRIVILEGES FOR ROLE vital_owner IN SCHEMA public GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO vital_definer;
