-- Putting one tenant back, and copying one: transactions that do so, and what is masked in a copy.
-- +goose Up
-- +goose StatementBegin
create unlogged table vital.restorations (
  xid xid8 primary key,
  organization_id uuid not null,
  begun_at timestamptz not null default clock_timestamp()
);
comment on table vital.restorations is 'Running transactions that put a tenant''s rows back as they were: triggers leave these rows as they are written; emptied at the end of each';
comment on column vital.restorations.xid is 'The transaction';
comment on column vital.restorations.organization_id is 'The tenant whose rows are written';
comment on column vital.restorations.begun_at is 'Since when';
grant select, insert, delete on vital.restorations to vital_definer;

create table vital.masking_rules (
  relation text not null check (relation ~ '^[^.]+\.[^.]+$'),
  column_name text not null,
  rule text not null check (rule in ('keep', 'null', 'hash', 'name', 'email', 'text', 'empty')),
  primary key (relation, column_name)
);
comment on table vital.masking_rules is 'What becomes of a column in a clone of a tenant. Columns of a table that has no rules at all are masked by their names and types; e-mail addresses are masked wherever they stand.';
comment on column vital.masking_rules.relation is 'The table, as schema.name';
comment on column vital.masking_rules.column_name is 'Its column; * for all that have no rule of their own';
comment on column vital.masking_rules.rule is
  'keep; null; hash: the same value becomes the same hash; name, email: made up, one for each value; text: its length alone is kept; empty: an empty object or list';
grant select, insert, update, delete on vital.masking_rules to service_role;

insert into vital.masking_rules (relation, column_name, rule) values
  ('public.organizations', '*', 'keep'),
  ('public.organizations', 'metadata', 'empty'),
  ('public.tenant_configurations', '*', 'keep'),
  ('public.tenant_apps', '*', 'keep'),
  ('public.tenant_feature_flags', '*', 'keep'),
  ('public.tenant_feature_flags', 'reason', 'text'),
  ('public.agents', '*', 'keep'),
  ('public.agents', 'metadata', 'empty'),
  ('public.tenant_agents', '*', 'keep'),
  ('public.tool_categories', '*', 'keep'),
  ('public.tools', '*', 'keep'),
  ('public.tools', 'deprecated_reason', 'text'),
  ('public.tools', 'metadata', 'empty'),
  ('public.prompts', '*', 'keep'),
  ('public.prompts', 'body', 'text'),
  ('public.prompts', 'description', 'text'),
  ('public.prompts', 'metadata', 'empty'),
  ('public.knowledge', '*', 'keep'),
  ('public.knowledge', 'title', 'text'),
  ('public.knowledge', 'body', 'text'),
  ('public.knowledge', 'source_url', 'null'),
  ('public.knowledge', 'metadata', 'empty'),
  ('public.personas', '*', 'keep'),
  ('public.personas', 'name', 'name'),
  ('public.personas', 'title', 'text'),
  ('public.personas', 'body', 'text'),
  ('public.personas', 'goals', 'text'),
  ('public.personas', 'pain_points', 'text'),
  ('public.personas', 'metadata', 'empty'),
  ('public.jobs_to_be_done', '*', 'keep'),
  ('public.jobs_to_be_done', 'title', 'text'),
  ('public.jobs_to_be_done', 'body', 'text'),
  ('public.jobs_to_be_done', 'metadata', 'empty'),
  ('public.chat_sessions', '*', 'keep'),
  ('public.chat_sessions', 'title', 'text'),
  ('public.chat_sessions', 'metadata', 'empty'),
  ('public.user_tenants', '*', 'keep');
-- +goose StatementEnd
