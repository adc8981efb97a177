What the daily checks ask of the database, as service_role.

-- name: ChecksDue
-- Those named that have not been run for so long, whoever asked for it.
select n.name from unnest($2::text[]) n (name)
where not exists (select from vital.check_runs r where r.check_name = n.name and r.ran_at > now() - $1::interval);

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
-- Of those a server runs by itself: nobody is to be told that a proof is overdue.
select distinct on (r.check_name) r.check_name, r.status, r.findings, r.ran_at from vital.check_runs r
where r.check_name in ('schema', 'rls', 'data', 'drift') order by r.check_name, r.ran_at desc;
