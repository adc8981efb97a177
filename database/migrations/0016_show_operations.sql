-- What the server does of itself is read and asked for by super admins, through functions; proofs are kept among the checks.
-- +goose Up
-- +goose StatementBegin
alter table vital.check_runs drop constraint check_runs_check_name_check,
  add constraint check_runs_check_name_check check (check_name in ('schema', 'rls', 'data', 'drift', 'proof', 'scale'));
comment on table vital.check_runs is 'What the daily checks and proofs found, kept for a year.';
comment on column vital.check_runs.check_name is 'schema, rls, data, drift or scale, as in vital check; drift where a server may make a database to compare with; proof, of vital rls prove and certify';
create index idx_check_runs_ran_at on vital.check_runs (ran_at desc);

-- How the present week stands is kept too, until the report of it is made.
alter table vital.weekly_reports add column is_over boolean not null default true;
comment on table vital.weekly_reports is 'The report of each week, made when it was over: what was measured then; and how the present one stands, where that was asked for.';
comment on column vital.weekly_reports.is_over is 'False: the week was not over when it was made, and it is made anew; true: it is never made again';
grant update (status, report, made_at, is_over) on vital.weekly_reports to service_role; -- a trigger keeps those that are over

grant select on vital.check_runs, vital.weekly_reports, vital.gate_approvals to vital_definer;
-- Not what a job is told and notes down, which may be tenants' data.
grant select (id, kind, queue, state, attempt, max_attempts, created_at, scheduled_at, attempted_at, finalized_at, errors, unique_key, unique_states),
  insert (kind, args, max_attempts, unique_key, unique_states), update (kind) on vital.river_job to vital_definer;
grant usage on sequence vital.river_job_id_seq to vital_definer;
grant execute on function vital.river_job_state_in_bitmask(bit, vital.river_job_state) to vital_definer;

drop function if exists vital.tool_health(uuid, integer); -- which tells whose a tool is, too
-- +goose StatementEnd
