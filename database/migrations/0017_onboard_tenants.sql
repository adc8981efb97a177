-- What a new tenant is set up with is kept as templates, files of tenants are staged, and a tenant says who approved it.
-- +goose Up
-- +goose StatementBegin
alter table public.organizations add column approved_at timestamptz, add column approved_by uuid;
comment on column public.organizations.approved_at is 'When it was approved; null for one that never awaited approval';
comment on column public.organizations.approved_by is 'User who approved it; null for an operator''s own session, which the audit log names';

create table vital.tenant_templates (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
  description text not null check (btrim(description) <> ''),
  configuration jsonb not null check (jsonb_typeof(configuration) = 'object'),
  apps jsonb not null check (jsonb_typeof(apps) = 'array'),
  flags jsonb not null default '{}' check (jsonb_typeof(flags) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table vital.tenant_templates is 'What a new tenant is set up with. The template named like its tenant_type applies, else the one called default; a file may name another.';
comment on column vital.tenant_templates.name is 'Name, and the tenant_type it applies to by itself';
comment on column vital.tenant_templates.description is 'What it is for';
comment on column vital.tenant_templates.configuration is 'The whole configuration, as database/schemas/tenant_configuration.json';
comment on column vital.tenant_templates.apps is 'Apps: key, name, route, icon, visible, enabled, order, config';
comment on column vital.tenant_templates.flags is 'Overrides of flags by key: enabled, variant, config';
comment on column vital.tenant_templates.created_at is 'When it was made';
comment on column vital.tenant_templates.updated_at is 'When it was last changed';
grant select, insert, update, delete on vital.tenant_templates to service_role;
grant select on vital.tenant_templates to vital_definer;

insert into vital.tenant_templates (name, description, configuration, apps)
select t.name, t.description,
  jsonb_build_object(
    'ui_config', jsonb_build_object('theme', 'default', 'primary_color', '#4F46E5', 'logo_url', null),
    'enabled_features', jsonb_build_array(),
    'enabled_apps', jsonb_build_array('dashboard', 'chat', 'agents'),
    'enabled_agent_tiers', jsonb_build_array(1, 2, 3),
    'limits', jsonb_build_object('max_agents', 100, 'max_conversations', 1000),
    'compliance_settings', jsonb_build_object('hipaa_enabled', t.hipaa, 'gdpr_enabled', true)),
  jsonb_build_array(
    jsonb_build_object('key', 'dashboard', 'name', 'Dashboard', 'route', '/dashboard', 'icon', 'home', 'order', 1),
    jsonb_build_object('key', 'chat', 'name', 'Chat', 'route', '/chat', 'icon', 'message-circle', 'order', 2),
    jsonb_build_object('key', 'agents', 'name', 'Agents', 'route', '/agents', 'icon', 'users', 'order', 3),
    jsonb_build_object('key', 'knowledge', 'name', 'Knowledge', 'route', '/knowledge', 'icon', 'book', 'order', 4))
from (values
  ('default', 'Tenants of a type that has no template of its own', false),
  ('digital_health', 'Digital health companies', false),
  ('pharmaceuticals', 'Pharmaceutical companies, under HIPAA', true)
) as t (name, description, hipaa);

create unlogged table vital.staged_rows (
  xid xid8 not null default pg_current_xact_id(),
  step text not null,
  place integer not null,
  value jsonb not null,
  primary key (xid, step, place)
);
comment on table vital.staged_rows is 'Rows that a running transaction has loaded by COPY and has yet to write; each step takes its own away';
comment on column vital.staged_rows.xid is 'The transaction';
comment on column vital.staged_rows.step is 'What they are for';
comment on column vital.staged_rows.place is 'Order within the step';
comment on column vital.staged_rows.value is 'The row';
grant select, insert, delete on vital.staged_rows to service_role;
-- +goose StatementEnd
