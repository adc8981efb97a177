-- owner: vital_definer
-- after: vital_enqueue_job.sql
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
--
-- Has a check run as soon as a server is free, and returns the job's id, for super admins and service_role: list_jobs() says how it ended,
-- list_check_runs() what it found. Drift takes a server that may make a database to compare with; another one cancels the job and
-- says so. A check that waits already is not asked for twice. Definer, because sessions of users plan no jobs.
create or replace function public.run_check(p_check text) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_check in ('schema', 'rls', 'data', 'drift'), 'p_check', 'schema, rls, data or drift');
  return vital.enqueue_job('check_run', jsonb_build_object('check', p_check));
end
$$;
comment on function public.run_check(text) is 'Has a check run as soon as a server is free; for operators';
grant execute on function public.run_check(text) to authenticated, service_role;
