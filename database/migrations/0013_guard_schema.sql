-- What the schema is validated against, with keys, indexes and row security, and what checks have found over time.
-- +goose Up
-- +goose StatementBegin
alter table public.schema_validation_rules
  add column is_indexed boolean not null default false,
  add column row_security boolean not null default false;
comment on column public.schema_validation_rules.is_indexed is 'Whether an index must begin with it';
comment on column public.schema_validation_rules.row_security is 'Whether its table must have row-level security, enabled and forced';

create table vital.check_runs (
  id uuid primary key default gen_random_uuid(),
  check_name text not null check (check_name in ('schema', 'rls', 'data')),
  status text not null check (status in ('ok', 'findings', 'failed')),
  findings integer not null default 0 check (findings >= 0),
  details jsonb not null default '[]' check (jsonb_typeof(details) = 'array'),
  duration_ms integer not null check (duration_ms >= 0),
  ran_at timestamptz not null default now(),
  check ((status = 'ok') = (findings = 0) or status = 'failed')
);
create index idx_check_runs_latest on vital.check_runs (check_name, ran_at desc);
comment on table vital.check_runs is 'What the daily checks found, kept for a year.';
comment on column vital.check_runs.id is 'The run';
comment on column vital.check_runs.ran_at is 'When it ended';
comment on column vital.check_runs.check_name is 'schema, rls or data, as in vital check';
comment on column vital.check_runs.status is 'ok; findings: something must be mended; failed: the check itself could not be run';
comment on column vital.check_runs.findings is 'How many must be mended';
comment on column vital.check_runs.details is 'The first hundred of them: check, object, detail';
comment on column vital.check_runs.duration_ms is 'Milliseconds it took';
grant select, insert, delete on vital.check_runs to service_role;
grant select on vital.settings to service_role; -- what the checks of isolation ask for

-- Accounts that nobody has made users are looked for, where they are ours: a Supabase project keeps its own.
do $$
begin
  if (select n.nspowner = 'vital_owner'::regrole from pg_namespace n where n.nspname = 'auth') then
    grant usage on schema auth to vital_definer;
  end if;
end
$$;
-- +goose StatementEnd
