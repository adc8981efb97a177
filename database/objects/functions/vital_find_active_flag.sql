-- The active flag of that key, for tenants and operators.
create or replace function vital.find_active_flag(p_flag_key text) returns public.feature_flags
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
begin
  select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key and f.is_active;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such active flag.',
      hint = 'Flags are those of the table feature_flags.';
  end if;
  return flag;
end
$$;
comment on function vital.find_active_flag(text) is 'The active flag of that key, else an error';
grant execute on function vital.find_active_flag(text) to authenticated, service_role, vital_definer;
