-- Versions of flag definitions and overrides, what a flag needs of others, segments, scheduled changes
-- and counts of evaluations.
-- +goose Up
-- +goose StatementBegin
alter table public.feature_flags
  add column prerequisites jsonb not null default '[]' check (jsonb_typeof(prerequisites) = 'array'),
  add column version integer not null default 1 check (version > 0);
comment on column public.feature_flags.prerequisites is
  'Flags this one needs, in the same tenant and context: [{"flag_key": …, "variants": [names]}], each evaluated to one of the variants';
comment on column public.feature_flags.version is 'Counts the changes, kept by a trigger; the newest of feature_flag_versions';

alter table public.tenant_feature_flags
  add column version integer not null default 1 check (version > 0);
comment on column public.tenant_feature_flags.version is 'Counts the changes, kept by a trigger; the newest of tenant_feature_flag_versions';

comment on column public.feature_flag_versions.config is 'The whole row at that version';
comment on column public.tenant_feature_flag_versions.config is 'The whole override at that version; JSON null where it was taken away';

create table public.feature_flag_evaluators (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$'),
  rule jsonb not null check (jsonb_typeof(rule) = 'object'),
  description text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.feature_flag_evaluators is 'Rules that several flags share, as segments: flagd''s $evaluators, named in a targeting by {"$ref": name}.';
comment on column public.feature_flag_evaluators.id is 'Identifier, random';
comment on column public.feature_flag_evaluators.name is 'Name by which rules refer to it';
comment on column public.feature_flag_evaluators.rule is 'The rule in flagd''s JSON logic';
comment on column public.feature_flag_evaluators.description is 'Whom it picks';
comment on column public.feature_flag_evaluators.created_at is 'When the row was made';
comment on column public.feature_flag_evaluators.updated_at is 'When the row was last changed';

create table public.feature_flag_changes (
  id uuid primary key default gen_random_uuid(),
  feature_flag_id uuid not null references public.feature_flags (id),
  changes jsonb not null check (jsonb_typeof(changes) = 'object'),
  run_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'applied', 'failed', 'cancelled')),
  reason text,
  created_by uuid,
  applied_at timestamptz,
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((status = 'applied') = (applied_at is not null)),
  check ((status = 'failed') = (error is not null))
);
create index idx_feature_flag_changes_due on public.feature_flag_changes (run_at, id) where status = 'pending';
create index idx_feature_flag_changes_flag on public.feature_flag_changes (feature_flag_id, run_at);
comment on table public.feature_flag_changes is 'Changes of flag definitions that are made at a time of their own.';
comment on column public.feature_flag_changes.feature_flag_id is 'The flag to change';
comment on column public.feature_flag_changes.changes is 'What it is changed to, as set_feature_flag takes it';

create table public.tenant_feature_flag_changes (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  feature_flag_id uuid not null references public.feature_flags (id),
  changes jsonb not null check (jsonb_typeof(changes) in ('object', 'null')),
  run_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'applied', 'failed', 'cancelled')),
  reason text,
  created_by uuid,
  applied_at timestamptz,
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check ((status = 'applied') = (applied_at is not null)),
  check ((status = 'failed') = (error is not null))
);
create index idx_tenant_feature_flag_changes_due on public.tenant_feature_flag_changes (run_at, tenant_id, id) where status = 'pending';
create index idx_tenant_feature_flag_changes_flag on public.tenant_feature_flag_changes (feature_flag_id);
create index idx_tenant_feature_flag_changes_pending on public.tenant_feature_flag_changes (tenant_id) where status = 'pending';
comment on table public.tenant_feature_flag_changes is 'Changes of a tenant''s overrides that are made at a time of their own.';
comment on column public.tenant_feature_flag_changes.feature_flag_id is 'The flag whose override is changed';
comment on column public.tenant_feature_flag_changes.changes is 'What it is changed to, as set_tenant_feature takes it; JSON null takes it away';

create table public.tenant_feature_flag_usage (
  tenant_id uuid not null references public.organizations (id),
  feature_flag_id uuid not null references public.feature_flags (id),
  variant text not null,
  day date not null,
  evaluations bigint not null check (evaluations > 0),
  last_evaluated_at timestamptz not null,
  primary key (tenant_id, feature_flag_id, variant, day)
) with (fillfactor = 80); -- a count is raised in place: no index holds what changes
create index idx_tenant_feature_flag_usage_flag on public.tenant_feature_flag_usage (feature_flag_id, variant, day);
create index idx_tenant_feature_flag_usage_day on public.tenant_feature_flag_usage (day);
comment on table public.tenant_feature_flag_usage is 'How often a flag was evaluated to which variant in a tenant, by day (UTC); kept for 90 days.';
comment on column public.tenant_feature_flag_usage.feature_flag_id is 'The flag';
comment on column public.tenant_feature_flag_usage.variant is 'Variant it came to; empty where it came to none';
comment on column public.tenant_feature_flag_usage.day is 'Day of the evaluations, UTC';
comment on column public.tenant_feature_flag_usage.evaluations is 'How many';
comment on column public.tenant_feature_flag_usage.last_evaluated_at is 'When the last of them was';

create table vital.definition_lock (
  only_row boolean primary key default true check (only_row),
  changed_at timestamptz not null default now()
);
comment on table vital.definition_lock is 'One row, written by whoever writes flag definitions or evaluators: one transaction after another, so that no two close a circle at once.';
comment on column vital.definition_lock.only_row is 'There is one row';
comment on column vital.definition_lock.changed_at is 'When a definition was last written';
insert into vital.definition_lock default values;
grant select, update on vital.definition_lock to vital_definer;
-- +goose StatementEnd
-- +goose StatementBegin
-- What the same column says in every table.
do $comments$
declare
  c record;
begin
  for c in
    select t.name as relation, w.name, w.meaning
    from (values ('feature_flag_changes'), ('tenant_feature_flag_changes'), ('tenant_feature_flag_usage')) as t (name)
    join pg_catalog.pg_attribute a on a.attrelid = ('public.' || t.name)::regclass and a.attnum > 0
    join (values
      ('id', 'Identifier, random'),
      ('tenant_id', 'Tenant the row belongs to'),
      ('run_at', 'When it is to be made'),
      ('status', 'pending, applied, failed or cancelled'),
      ('reason', 'Why'),
      ('created_by', 'Who scheduled it, and is the author of the version; null for an operator''s own session'),
      ('applied_at', 'When it was made; null while it was not'),
      ('error', 'Why it could not be made'),
      ('created_at', 'When the row was made'),
      ('updated_at', 'When the row was last changed')
    ) as w (name, meaning) on w.name = a.attname
  loop
    execute format('comment on column public.%I.%I is %L', c.relation, c.name, c.meaning);
  end loop;
end
$comments$;
-- +goose StatementEnd
-- +goose StatementBegin
-- What is there already becomes version 1. Its owner is bound by forced row-level security and would see
-- nothing; the policy files force it again.
alter table public.feature_flags no force row level security;
alter table public.feature_flag_versions no force row level security;
alter table public.tenant_feature_flags no force row level security;
alter table public.tenant_feature_flag_versions no force row level security;

insert into public.feature_flag_versions (feature_flag_id, version, config, reason)
select f.id, f.version, to_jsonb(f), 'First version: the definition as it was when versions began'
from public.feature_flags f
on conflict do nothing;
insert into public.tenant_feature_flag_versions (tenant_id, feature_flag_id, version, config, reason, created_by)
select t.tenant_id, t.feature_flag_id, t.version, to_jsonb(t), coalesce(t.reason, 'First version: the override as it was when versions began'), t.created_by
from public.tenant_feature_flags t
on conflict do nothing;

alter table public.feature_flags force row level security;
alter table public.feature_flag_versions force row level security;
alter table public.tenant_feature_flags force row level security;
alter table public.tenant_feature_flag_versions force row level security;
-- +goose StatementEnd
