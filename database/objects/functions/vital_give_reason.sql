-- Says why the rest of the transaction changes what it changes; audit triggers record it.
create or replace function vital.give_reason(p_reason text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('vital.reason', coalesce(btrim(p_reason), ''), true);
end
$$;
comment on function vital.give_reason(text) is 'Says why the rest of the transaction changes what it changes';
grant execute on function vital.give_reason(text) to authenticated, service_role, vital_definer;
