-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Takes over which key-encryption keys were thrown away, rows of vital.retired_keks as JSON. For operators. Definer, because nobody writes
-- them by hand.
create or replace function vital.carry_retired_keks(p_keks jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  insert into vital.retired_keks select r.* from jsonb_populate_recordset(null::vital.retired_keks, p_keks) r on conflict do nothing;
end
$$;
comment on function vital.carry_retired_keks(jsonb) is 'Takes over which key-encryption keys were thrown away';
grant execute on function vital.carry_retired_keks(jsonb) to service_role;
