-- Weekly reports, and the gates that people sign off.
-- +goose Up
-- +goose StatementBegin
create table vital.gate_approvals (
  id uuid primary key default gen_random_uuid(),
  gate text not null check (gate ~ '^[a-z][a-z0-9_]{0,62}$'),
  approved boolean not null default true,
  approved_by text not null check (length(approved_by) between 1 and 200),
  note text check (length(note) <= 1000),
  database_role name not null default session_user,
  approved_at timestamptz not null default now()
);
create index idx_gate_approvals_latest on vital.gate_approvals (gate, approved_at desc);
comment on table vital.gate_approvals is 'Who signed a gate off, or withdrew that; the latest row of a gate holds. Only ever appended to.';
comment on column vital.gate_approvals.id is 'The signature';
comment on column vital.gate_approvals.gate is 'The gate, as vital report gates names it';
comment on column vital.gate_approvals.approved is 'False withdraws';
comment on column vital.gate_approvals.approved_by is 'Who says so, as they were named';
comment on column vital.gate_approvals.note is 'On what ground';
comment on column vital.gate_approvals.database_role is 'Login it came in through';
comment on column vital.gate_approvals.approved_at is 'When';
grant select, insert on vital.gate_approvals to service_role;

create table vital.weekly_reports (
  week text primary key check (week ~ '^\d{4}-W\d{2}$'),
  status text not null check (status in ('ON_TRACK', 'AT_RISK', 'BLOCKED')),
  report jsonb not null check (jsonb_typeof(report) = 'object'),
  made_at timestamptz not null default now()
);
comment on table vital.weekly_reports is 'The report of each week, made when it was over: what was measured then.';
comment on column vital.weekly_reports.week is 'ISO week, as 2026-W48';
comment on column vital.weekly_reports.status is 'ON_TRACK, AT_RISK or BLOCKED';
comment on column vital.weekly_reports.report is 'The whole report, as vital report weekly --format json prints it';
comment on column vital.weekly_reports.made_at is 'When it was made';
grant select, insert on vital.weekly_reports to service_role;
-- +goose StatementEnd
