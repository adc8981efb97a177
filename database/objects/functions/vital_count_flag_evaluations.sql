-- owner: vital_definer
-- after: vital_require_value.sql
--
-- Adds what a server has counted to the usage of flags: an array of {tenant_id, flag_key, variant,
-- evaluations, last_evaluated_at}, the variant null where there was none. Flags and tenants that are no longer
-- there are left out. Rows are written in one order, so that two servers never wait for each other in a
-- circle. Returns how many rows were written. Definer, because nobody else writes counts; for service_role alone.
create or replace function vital.count_flag_evaluations(p_evaluations jsonb) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  counted integer;
begin
  perform vital.require_value(jsonb_typeof(p_evaluations) = 'array', 'p_evaluations', 'an array');
  insert into public.tenant_feature_flag_usage as u (tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at)
  select e.tenant_id, f.id, coalesce(e.variant, ''), (e.last_evaluated_at at time zone 'UTC')::date, sum(e.evaluations), max(e.last_evaluated_at)
  from jsonb_to_recordset(p_evaluations) as e (tenant_id uuid, flag_key text, variant text, evaluations bigint, last_evaluated_at timestamptz)
  join public.feature_flags f on f.flag_key = e.flag_key
  join public.organizations o on o.id = e.tenant_id
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4
  on conflict (tenant_id, feature_flag_id, variant, day) do update
  set evaluations = u.evaluations + excluded.evaluations, last_evaluated_at = greatest(u.last_evaluated_at, excluded.last_evaluated_at);
  get diagnostics counted = row_count;
  return counted;
end
$$;
comment on function vital.count_flag_evaluations(jsonb) is 'Adds evaluations of flags to their counts';
grant execute on function vital.count_flag_evaluations(jsonb) to service_role;
