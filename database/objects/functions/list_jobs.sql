-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Background jobs that wait, run, and have run lately, the newest first, for super admins and service_role. What a job was told and
-- noted down is left out, and its owner may not read it: it may be tenants' data. Definer, because sessions of users do not reach schema
-- vital's tables.
create or replace function public.list_jobs()
returns table (
  id bigint, kind text, queue text, state text, attempt smallint, max_attempts smallint, created_at timestamptz, scheduled_at timestamptz,
  attempted_at timestamptz, finalized_at timestamptz, last_error text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    select j.id, j.kind, j.queue, j.state::text, j.attempt, j.max_attempts, j.created_at, j.scheduled_at, j.attempted_at, j.finalized_at,
      j.errors[array_upper(j.errors, 1)] ->> 'error'
    from vital.river_job j
    order by j.id desc;
end
$$;
comment on function public.list_jobs() is 'Background jobs that wait, run, and have run lately; for operators';
grant execute on function public.list_jobs() to authenticated, service_role;
