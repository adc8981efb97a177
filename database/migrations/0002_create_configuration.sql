-- How a tenant is set up: configuration, apps, feature flags and their overrides.
-- +goose Up
-- +goose StatementBegin
create table public.tenant_configurations (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  ui_config jsonb not null
    default '{"theme": "default", "primary_color": "#4F46E5", "logo_url": null}'
    check (jsonb_typeof(ui_config) = 'object'),
  enabled_features text[] not null default '{}',
  enabled_apps text[] not null default '{dashboard,chat,agents}',
  enabled_agent_tiers integer[] not null default '{1,2,3}',
  limits jsonb not null default '{"max_agents": 100, "max_conversations": 1000}'
    check (jsonb_typeof(limits) = 'object'),
  compliance_settings jsonb not null default '{"hipaa_enabled": false, "gdpr_enabled": true}'
    check (jsonb_typeof(compliance_settings) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id)
);
comment on table public.tenant_configurations is 'Settings of a tenant, one row each, made together with the organization.';
comment on column public.tenant_configurations.ui_config is 'Look: theme, primary_color (#RRGGBB), logo_url';
comment on column public.tenant_configurations.enabled_features is 'Names of features switched on for this tenant beside the flags';
comment on column public.tenant_configurations.enabled_apps is 'Keys of the apps this tenant may use';
comment on column public.tenant_configurations.enabled_agent_tiers is 'Tiers of agents this tenant may assign';
comment on column public.tenant_configurations.limits is 'Upper bounds: max_agents, max_conversations; counts';
comment on column public.tenant_configurations.compliance_settings is 'Regimes the tenant is under: hipaa_enabled, gdpr_enabled';

create table public.tenant_apps (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  app_key text not null check (app_key ~ '^[a-z][a-z0-9_-]*$'),
  app_name text not null,
  app_route text not null check (app_route like '/%'),
  app_icon text,
  is_visible boolean not null default true,
  is_enabled boolean not null default true,
  display_order integer not null default 0,
  config jsonb not null default '{}' check (jsonb_typeof(config) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, app_key)
);
comment on table public.tenant_apps is 'Apps of a tenant and how they are shown; dashboard, chat, agents and knowledge from the start.';
comment on column public.tenant_apps.app_key is 'Stable key of the app';
comment on column public.tenant_apps.app_name is 'Name to show';
comment on column public.tenant_apps.app_route is 'Path of the app in the front end';
comment on column public.tenant_apps.app_icon is 'Icon name of the front end';
comment on column public.tenant_apps.is_visible is 'Shown in the navigation and in the context';
comment on column public.tenant_apps.is_enabled is 'Usable; a visible but disabled app is shown greyed';
comment on column public.tenant_apps.display_order is 'Position in the navigation, ascending';
comment on column public.tenant_apps.config is 'Settings of the app for this tenant; free form';

create table public.feature_flags (
  id uuid primary key default gen_random_uuid(),
  flag_key text not null unique check (btrim(flag_key) <> ''),
  name text,
  description text,
  flag_type text not null default 'boolean' check (flag_type in ('boolean', 'string', 'number', 'object')),
  default_enabled boolean not null default false,
  variants jsonb not null default '{}' check (jsonb_typeof(variants) = 'object'),
  default_variant text,
  targeting jsonb not null default '{}' check (jsonb_typeof(targeting) = 'object'),
  is_active boolean not null default true,
  category text,
  owner text,
  tags text[] not null default '{}',
  expires_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint feature_flags_default_variant_exists check (default_variant is null or variants ? default_variant)
);
comment on table public.feature_flags is 'Feature flags of the whole platform, defined once; tenants override them in tenant_feature_flags.';
comment on column public.feature_flags.flag_key is 'Name by which code asks for the flag';
comment on column public.feature_flags.name is 'Name to show';
comment on column public.feature_flags.description is 'What switching it changes';
comment on column public.feature_flags.flag_type is 'Type of its value: boolean, string, number or object';
comment on column public.feature_flags.default_enabled is 'Value of a boolean flag where nothing overrides it';
comment on column public.feature_flags.variants is 'Named values, as in the flagd format';
comment on column public.feature_flags.default_variant is 'Variant where no rule decides';
comment on column public.feature_flags.targeting is 'Rules in flagd''s JSON logic';
comment on column public.feature_flags.is_active is 'False takes the flag out of every evaluation';
comment on column public.feature_flags.category is 'Group in the console';
comment on column public.feature_flags.owner is 'Team that answers for it';
comment on column public.feature_flags.tags is 'Free labels';
comment on column public.feature_flags.expires_at is 'When it should be gone; past that it is reported as stale';

create table public.feature_flag_versions (
  id uuid primary key default gen_random_uuid(),
  feature_flag_id uuid not null references public.feature_flags (id),
  version integer not null check (version > 0),
  config jsonb not null,
  reason text,
  created_by uuid,
  created_at timestamptz not null default now(),
  unique (feature_flag_id, version)
);
comment on table public.feature_flag_versions is 'Every state a flag definition has had, for comparison and rollback.';
comment on column public.feature_flag_versions.feature_flag_id is 'The flag';
comment on column public.feature_flag_versions.version is 'Counts from 1 for each flag';
comment on column public.feature_flag_versions.config is 'The whole definition at that version';
comment on column public.feature_flag_versions.reason is 'Why it was changed';
comment on column public.feature_flag_versions.created_by is 'Who changed it; null for an operator''s own session';

create table public.tenant_feature_flags (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  feature_flag_id uuid not null references public.feature_flags (id),
  enabled boolean,
  variant text,
  config jsonb,
  expires_at timestamptz,
  reason text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, feature_flag_id)
);
create index idx_tenant_feature_flags_flag on public.tenant_feature_flags (feature_flag_id);
comment on table public.tenant_feature_flags is 'What one tenant has instead of a flag''s default.';
comment on column public.tenant_feature_flags.feature_flag_id is 'The flag that is overridden';
comment on column public.tenant_feature_flags.enabled is 'On or off for this tenant; null leaves the flag''s own default';
comment on column public.tenant_feature_flags.variant is 'Variant for this tenant; null leaves it to the flag''s rules';
comment on column public.tenant_feature_flags.config is 'Extra settings handed to the application with the flag';
comment on column public.tenant_feature_flags.expires_at is 'From then on the override counts as absent';
comment on column public.tenant_feature_flags.reason is 'Why the tenant differs';
comment on column public.tenant_feature_flags.created_by is 'Who set it';

create table public.tenant_feature_flag_versions (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  feature_flag_id uuid not null references public.feature_flags (id),
  version integer not null check (version > 0),
  config jsonb not null,
  reason text,
  created_by uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, feature_flag_id, version)
);
create index idx_tenant_feature_flag_versions_flag on public.tenant_feature_flag_versions (feature_flag_id);
comment on table public.tenant_feature_flag_versions is 'Every state a tenant''s override of a flag has had.';
comment on column public.tenant_feature_flag_versions.feature_flag_id is 'The flag';
comment on column public.tenant_feature_flag_versions.version is 'Counts from 1 for each tenant and flag';
comment on column public.tenant_feature_flag_versions.config is 'The whole override at that version; JSON null when it was removed';
comment on column public.tenant_feature_flag_versions.reason is 'Why it was changed';
comment on column public.tenant_feature_flag_versions.created_by is 'Who changed it; null for an operator''s own session';

insert into public.tenant_configurations (tenant_id) values ('00000000-0000-0000-0000-000000000001');
insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, display_order)
select '00000000-0000-0000-0000-000000000001', a.*
from (values
  ('dashboard', 'Dashboard', '/dashboard', 'home', 1),
  ('chat', 'Chat', '/chat', 'message-circle', 2),
  ('agents', 'Agents', '/agents', 'users', 3),
  ('knowledge', 'Knowledge', '/knowledge', 'book', 4)
) as a (app_key, app_name, app_route, app_icon, display_order);
-- +goose StatementEnd
