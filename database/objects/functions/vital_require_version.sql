-- Refuses a writer who has seen another version than the present one.
create or replace function vital.require_version(p_expected integer, p_present integer) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_expected <> p_present then
    raise exception using errcode = 'VT208',
      message = case when p_present = 0 then format('This is no longer there; version %s was expected.', p_expected)
        when p_expected = 0 then format('This is there already, at version %s.', p_present)
        else format('This is at version %s; version %s was expected.', p_present, p_expected) end,
      hint = 'Somebody else changed it. Read it again, merge, try again.';
  end if;
end
$$;
comment on function vital.require_version(integer, integer) is 'Refuses a writer who has seen another version than the present one';
grant execute on function vital.require_version(integer, integer) to authenticated, service_role, vital_definer;
