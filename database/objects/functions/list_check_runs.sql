-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- What the checks and proofs of the last year found, the newest first, for super admins and service_role. Definer, because sessions of
-- users do not reach schema vital's tables.
create or replace function public.list_check_runs()
returns table (id uuid, check_name text, status text, findings integer, duration_ms integer, ran_at timestamptz, details jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    select r.id, r.check_name, r.status, r.findings, r.duration_ms, r.ran_at, r.details
    from vital.check_runs r
    order by r.ran_at desc, r.id;
end
$$;
comment on function public.list_check_runs() is 'What the checks and proofs of the last year found; for operators';
grant execute on function public.list_check_runs() to authenticated, service_role;
