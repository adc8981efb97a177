-- after: vital_roll_query_performance.sql
--
-- Drops what query_performance holds from before the last thirty days, a partition at a time, and makes the partitions of the
-- days to come. The server does so by itself, with VITAL_LOAD_DAYS in place of thirty. For service_role alone.
create or replace function public.cleanup_query_logs() returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select from vital.roll_query_performance(30)
$$;
comment on function public.cleanup_query_logs() is 'Drops what query_performance holds from before the last thirty days';
grant execute on function public.cleanup_query_logs() to service_role;
