What the daily checks ask of the database, as service_role.

-- name: ChecksDue
select not exists (select from vital.check_runs r where r.ran_at > now() - $1::interval);

-- name: CheckRunStore
with previous as (
  select r.status from vital.check_runs r where r.check_name = $1 order by r.ran_at desc limit 1
), stored as (
  insert into vital.check_runs (check_name, status, findings, details, duration_ms) values ($1, $2, $3, $4, $5)
)
select coalesce((select p.status from previous p), 'ok');

-- name: CheckRunsForget
delete from vital.check_runs where ran_at < now() - interval '1 year';

-- name: CheckRunsLatest
select distinct on (r.check_name) r.check_name, r.status, r.findings, r.ran_at from vital.check_runs r order by r.check_name, r.ran_at desc;
