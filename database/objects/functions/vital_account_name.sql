-- owner: vital_definer
-- after: vital_reads_accounts.sql
--
-- The full name that the account of p_id was made with, where accounts can be read and there is one; else null.
create or replace function vital.account_name(p_id uuid) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not vital.reads_accounts() then
    return null;
  end if;
  return (select nullif(btrim(a.raw_user_meta_data ->> 'full_name'), '') from auth.users a where a.id = p_id);
end
$$;
comment on function vital.account_name(uuid) is 'The full name that an account was made with';
