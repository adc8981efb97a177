-- The flag of that key, for operators. It sees what the caller's policies show.
create or replace function vital.find_feature_flag(p_flag_key text) returns public.feature_flags
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
begin
  select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no flag %s.', p_flag_key),
      hint = 'Flags are those of the table feature_flags. One is made by setting it with the expected version 0.';
  end if;
  return flag;
end
$$;
comment on function vital.find_feature_flag(text) is 'The flag of that key, else an error';
grant execute on function vital.find_feature_flag(text) to authenticated, service_role, vital_definer;
