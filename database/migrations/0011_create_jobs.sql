-- The tables of river, the library of background jobs, in schema vital as its migrations 1 to 8 leave
-- them. A test compares them with what river's own migrator makes.
-- +goose Up
-- +goose StatementBegin
create type vital.river_job_state as enum (
  'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');
comment on type vital.river_job_state is 'Where a background job stands';

create table vital.river_migration (
  line text not null,
  version bigint not null,
  created_at timestamptz not null default now(),
  constraint line_length check (char_length(line) > 0 and char_length(line) < 128),
  constraint version_gte_1 check (version >= 1),
  constraint river_migration_pkey1 primary key (line, version)
);
insert into vital.river_migration (line, version) select 'main', v from generate_series(1, 8) v;
comment on table vital.river_migration is 'Which of river''s migrations these tables follow, for river''s own tools';

create table vital.river_job (
  id bigserial primary key,
  state vital.river_job_state not null default 'available',
  attempt smallint not null default 0,
  max_attempts smallint not null default 25,
  attempted_at timestamptz,
  created_at timestamptz not null default now(),
  finalized_at timestamptz,
  scheduled_at timestamptz not null default now(),
  priority smallint not null default 1,
  args jsonb not null,
  attempted_by text[],
  errors jsonb[],
  kind text not null,
  metadata jsonb not null default '{}',
  queue text not null default 'default',
  tags varchar(255)[] not null default '{}',
  unique_key bytea,
  unique_states bit(8),
  constraint finalized_or_finalized_at_null check (
    (finalized_at is null and state not in ('cancelled', 'completed', 'discarded'))
    or (finalized_at is not null and state in ('cancelled', 'completed', 'discarded'))),
  constraint max_attempts_is_positive check (max_attempts > 0),
  constraint priority_in_range check (priority >= 1 and priority <= 4),
  constraint queue_length check (char_length(queue) > 0 and char_length(queue) < 128),
  constraint kind_length check (char_length(kind) > 0 and char_length(kind) < 128)
);
comment on table vital.river_job is 'Background jobs: those that wait, run, and have run lately';

create function vital.river_job_state_in_bitmask(bitmask bit(8), state vital.river_job_state) returns boolean
language sql immutable
as $$
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
comment on function vital.river_job_state_in_bitmask(bit, vital.river_job_state) is 'Whether a state is among those in which a job is one of a kind';

create index river_job_kind on vital.river_job (kind);
create index river_job_state_and_finalized_at_index on vital.river_job (state, finalized_at) where finalized_at is not null;
create index river_job_prioritized_fetching_index on vital.river_job (state, queue, priority, scheduled_at, id);
create index river_job_args_index on vital.river_job using gin (args);
create index river_job_metadata_index on vital.river_job using gin (metadata);
create unique index river_job_unique_idx on vital.river_job (unique_key)
  where unique_key is not null and unique_states is not null and vital.river_job_state_in_bitmask(unique_states, state);

create unlogged table vital.river_leader (
  elected_at timestamptz not null,
  expires_at timestamptz not null,
  leader_id text not null,
  name text primary key default 'default',
  constraint name_length check (name = 'default'),
  constraint leader_id_length check (char_length(leader_id) > 0 and char_length(leader_id) < 128)
);
comment on table vital.river_leader is 'Which server plans periodic jobs at the moment';

create table vital.river_queue (
  name text primary key not null,
  created_at timestamptz not null default now(),
  metadata jsonb not null default '{}',
  paused_at timestamptz,
  updated_at timestamptz not null default current_timestamp
);
comment on table vital.river_queue is 'Queues of background jobs';

create table vital.river_notification (
  id bigserial primary key,
  created_at timestamptz not null default now(),
  payload text not null,
  topic text not null,
  constraint topic_length check (length(topic) > 0 and length(topic) < 128)
);
create index river_notification_created_at_idx on vital.river_notification (created_at);
create index river_notification_topic_id_idx on vital.river_notification (topic, id);
comment on table vital.river_notification is 'What river''s clients tell each other where nobody listens';

-- The service login runs jobs: river's tables under its own name, the work itself as service_role.
grant select, insert, update, delete on vital.river_job, vital.river_leader, vital.river_queue, vital.river_notification to vital_service;
grant select on vital.river_migration to vital_service;
grant usage, select on sequence vital.river_job_id_seq, vital.river_notification_id_seq to vital_service;
grant execute on function vital.river_job_state_in_bitmask(bit, vital.river_job_state) to vital_service;

do $comments$
declare
  c record;
begin
  for c in
    select a.attrelid::regclass as relation, a.attname as name
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class t on t.oid = a.attrelid and t.relkind = 'r'
    where t.relnamespace = 'vital'::regnamespace and t.relname like 'river\_%' and a.attnum > 0
  loop
    execute format('comment on column %s.%I is %L', c.relation, c.name, 'river''s own');
  end loop;
end
$comments$;
-- +goose StatementEnd
