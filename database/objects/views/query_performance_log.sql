-- query_performance under the names the data-load dashboard writes. Updatable by its form; the
-- invoker's policies decide which rows.
drop view if exists public.query_performance_log;
create view public.query_performance_log with (security_invoker = true) as
select
  p.id,
  p.tenant_id,
  p.user_id,
  p.query_type,
  p.execution_time_ms as duration_ms,
  p.success,
  p.error_message,
  p.created_at
from public.query_performance p;
comment on view public.query_performance_log is 'query_performance as the data-load dashboard names its columns';
grant select, insert on public.query_performance_log to authenticated;
grant select, insert on public.query_performance_log to service_role;
