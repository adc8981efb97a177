-- owner: vital_definer
-- after: vital_current_membership.sql
--
-- What the caller is in the tenant they act in, for the check the server makes before the policies make
-- theirs. All null when they are not in it. Definer, because it must see memberships before any policy.
create or replace function vital.caller_standing() returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return vital.current_membership();
end
$$;
comment on function vital.caller_standing() is 'What the caller is in the tenant they act in';
grant execute on function vital.caller_standing() to authenticated;
