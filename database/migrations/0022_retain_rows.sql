-- How long rows are kept: rules for a table, of all tenants or of one. And the audit log is found by the row it speaks of, and by
-- who acted.
-- +goose Up
-- +goose StatementBegin
create index idx_org_audit_entity on public.organization_audit_log (organization_id, entity_id, seq);
create index idx_org_audit_actor on public.organization_audit_log (actor_id, created_at) where actor_id is not null;

create table vital.retention_rules (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references public.organizations (id) on delete cascade,
  table_schema text not null,
  table_name text not null,
  age_column text not null,
  keep interval not null check (keep >= interval '1 day'),
  reason text not null check (btrim(reason) <> '' and length(reason) <= 1000),
  set_by text not null default session_user,
  set_at timestamptz not null default now(),
  unique (table_schema, table_name, organization_id)
);
create index idx_retention_rules_organization on vital.retention_rules (organization_id);
comment on table vital.retention_rules is 'How long rows of a table are kept. A tenant''s own rule stands in place of the one for all tenants.';
comment on column vital.retention_rules.id is 'The rule';
comment on column vital.retention_rules.organization_id is 'The tenant it is for; the platform''s is for all that have none of their own';
comment on column vital.retention_rules.table_schema is 'Schema of the table';
comment on column vital.retention_rules.table_name is 'The table';
comment on column vital.retention_rules.age_column is 'Column that says how old a row is: a time or a day. A row where it is null stays';
comment on column vital.retention_rules.keep is 'How long a row is kept from then on';
comment on column vital.retention_rules.reason is 'Why';
comment on column vital.retention_rules.set_by is 'Login it came in through';
comment on column vital.retention_rules.set_at is 'When it was set, or changed last';
grant select, insert, update, delete on vital.retention_rules to vital_definer;
grant select on vital.retention_rules to service_role;
-- +goose StatementEnd
