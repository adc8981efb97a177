-- Refuses a parameter that does not hold what it must, by a message that names it.
create or replace function vital.require_value(p_holds boolean, p_name text, p_must text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_holds is not true then
    raise exception using errcode = 'VT202', message = format('%s must be %s.', p_name, p_must),
      hint = 'Send another value.', column = p_name;
  end if;
end
$$;
comment on function vital.require_value(boolean, text, text) is 'Refuses a parameter that does not hold what it must';
grant execute on function vital.require_value(boolean, text, text) to authenticated, service_role, vital_definer;
