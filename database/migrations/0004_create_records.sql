-- What happened: the audit log, tool usage, query performance; and the rules the schema is held to.
-- +goose Up
-- +goose StatementBegin
create table public.organization_audit_log (
  organization_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  action text not null,
  actor_id uuid,
  actor_role text,
  database_role name not null default session_user,
  entity text,
  entity_id uuid,
  changes jsonb,
  reason text,
  request_id text,
  created_at timestamptz not null default now(),
  primary key (organization_id, id)
);
create index idx_org_audit_org_id on public.organization_audit_log (organization_id, created_at desc);
create index idx_org_audit_created_at on public.organization_audit_log (created_at desc);
comment on table public.organization_audit_log is 'Who changed what of a tenant, when and why. Only ever appended to.';
comment on column public.organization_audit_log.organization_id is 'The tenant';
comment on column public.organization_audit_log.action is 'created, updated, suspended, activated, archived …';
comment on column public.organization_audit_log.actor_id is 'User who acted; null for an operator''s own session';
comment on column public.organization_audit_log.actor_role is 'Role the actor acted in';
comment on column public.organization_audit_log.database_role is 'Login the change came in through';
comment on column public.organization_audit_log.entity is 'Table that was changed';
comment on column public.organization_audit_log.entity_id is 'Row that was changed';
comment on column public.organization_audit_log.changes is '{old, new} of the changed columns';
comment on column public.organization_audit_log.reason is 'Why, in the actor''s words';
comment on column public.organization_audit_log.request_id is 'Request that made the change';

create table public.tool_usage_log (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  tool_tenant_id uuid not null,
  tool_id uuid not null,
  user_id uuid,
  agent_tenant_id uuid,
  agent_id uuid,
  success boolean not null,
  error_message text,
  execution_time_ms integer check (execution_time_ms >= 0),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tool_tenant_id, tool_id) references public.tools (tenant_id, id),
  constraint tool_usage_log_tool_own_or_platform
    check (tool_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001')),
  constraint tool_usage_log_agent_own_or_platform check (
    (agent_id is null) = (agent_tenant_id is null)
    and agent_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001'))
);
create index idx_tool_usage_tool_id on public.tool_usage_log (tool_tenant_id, tool_id, created_at desc);
create index idx_tool_usage_created_at on public.tool_usage_log (created_at desc);
comment on table public.tool_usage_log is 'Each use of a tool, the ground for health figures and deprecation.';
comment on column public.tool_usage_log.tool_tenant_id is 'Owner of the tool: this tenant or the platform tenant';
comment on column public.tool_usage_log.tool_id is 'The tool';
comment on column public.tool_usage_log.user_id is 'For whom it ran';
comment on column public.tool_usage_log.agent_tenant_id is 'Owner of the agent';
comment on column public.tool_usage_log.agent_id is 'Agent that used it; kept after the agent is gone, so not a foreign key';
comment on column public.tool_usage_log.success is 'Whether it did what it should';
comment on column public.tool_usage_log.error_message is 'What went wrong';
comment on column public.tool_usage_log.execution_time_ms is 'Milliseconds it took';

create table public.query_performance (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  query_type text,
  query_name text not null default 'data_load',
  user_id uuid,
  execution_time_ms integer check (execution_time_ms >= 0),
  rows_returned integer check (rows_returned >= 0),
  cache_hit boolean not null default false,
  success boolean not null default true,
  error_code text,
  error_message text,
  request_id text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id, created_at)
) partition by range (created_at);
create table vital.query_performance_default partition of public.query_performance default;
create index idx_query_perf_created_at on public.query_performance (created_at desc);
create index idx_query_perf_tenant on public.query_performance (tenant_id, created_at);
create index idx_query_perf_user on public.query_performance (user_id, created_at);
create index idx_query_perf_query_name on public.query_performance (query_name);
comment on table public.query_performance is 'One record for each data load; serves query_performance_log as well.';
comment on table vital.query_performance_default is 'Records outside every day partition';
comment on column public.query_performance.tenant_id is 'The tenant; the platform tenant for a load that failed before its tenant was known. No foreign key: records outlive what they speak of';
comment on column public.query_performance.query_type is 'Kind of load: tenant_context, agents, tools …';
comment on column public.query_performance.query_name is 'Name of the query';
comment on column public.query_performance.user_id is 'For whom it ran';
comment on column public.query_performance.execution_time_ms is 'Milliseconds it took';
comment on column public.query_performance.rows_returned is 'Rows it answered with';
comment on column public.query_performance.cache_hit is 'True when no query was needed';
comment on column public.query_performance.success is 'False when the load failed';
comment on column public.query_performance.error_code is 'Code of the error, as in docs/reference/errors.md';
comment on column public.query_performance.error_message is 'What the caller was told';
comment on column public.query_performance.request_id is 'Request it belonged to';

create table public.schema_validation_rules (
  id uuid primary key default gen_random_uuid(),
  table_name text not null,
  column_name text not null,
  data_type text not null,
  is_nullable boolean not null default false,
  has_default boolean not null default false,
  is_primary_key boolean not null default false,
  is_foreign_key boolean not null default false,
  created_at timestamptz not null default now(),
  unique (table_name, column_name)
);
comment on table public.schema_validation_rules is 'Columns the product relies on and what they must be.';
comment on column public.schema_validation_rules.table_name is 'Table in schema public';
comment on column public.schema_validation_rules.column_name is 'Column that must exist';
comment on column public.schema_validation_rules.data_type is 'Its type, as information_schema names it';
comment on column public.schema_validation_rules.is_nullable is 'Whether it may be null';
comment on column public.schema_validation_rules.has_default is 'Whether it must have a default';
comment on column public.schema_validation_rules.is_primary_key is 'Whether it must be part of the primary key';
comment on column public.schema_validation_rules.is_foreign_key is 'Whether it must be a foreign key';
-- +goose StatementEnd
