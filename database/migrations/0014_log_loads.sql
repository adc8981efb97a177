-- Records of loads stand for those that were not kept, say what each step took, and tell when servers were started.
-- +goose Up
-- +goose StatementBegin
alter table public.query_performance
  add column duration_us bigint check (duration_us >= 0),
  add column weight integer not null default 1 check (weight > 0),
  add column steps jsonb check (jsonb_typeof(steps) = 'array');
create index idx_query_perf_request on public.query_performance (request_id);
comment on column public.query_performance.duration_us is 'Microseconds it took; null where only milliseconds were told';
comment on column public.query_performance.weight is 'How many loads the record stands for: above VITAL_LOAD_RATE a second one of so many is kept';
comment on column public.query_performance.steps is 'Of a load that failed or was slow, what was done for it, in order: step, duration_us, rows, and code where it failed';

alter table vital.check_runs drop constraint check_runs_check_name_check, add constraint check_runs_check_name_check check (check_name in ('schema', 'rls', 'data', 'drift'));
comment on column vital.check_runs.check_name is 'schema, rls, data or drift, as in vital check; drift where a server may make a database to compare with';

create table vital.server_starts (
  id uuid primary key default gen_random_uuid(),
  version text not null,
  schema_version bigint not null,
  started_at timestamptz not null default now()
);
create index idx_server_starts_started_at on vital.server_starts (started_at desc);
comment on table vital.server_starts is 'Each start of a server, kept for a year: a failure that begins with one has its cause there.';
comment on column vital.server_starts.id is 'The start';
comment on column vital.server_starts.version is 'Version of the program';
comment on column vital.server_starts.schema_version is 'Number of the last migration at that time';
comment on column vital.server_starts.started_at is 'When';
grant select, insert, delete on vital.server_starts to service_role;
grant select on vital.migrations to service_role; -- what was done before a load began to fail
-- +goose StatementEnd
