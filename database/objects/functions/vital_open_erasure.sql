-- owner: vital_definer
--
-- An erasure, locked, for a step that is allowed in the states named; else an error that says where it stands. Definer, because erasures
-- are operators' business.
create or replace function vital.open_erasure(p_id uuid, p_states text[]) returns vital.erasures
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure vital.erasures;
begin
  select e.* into erasure from vital.erasures e where e.id = p_id for update;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such erasure.', hint = 'See `vital erasure list`.';
  end if;
  if erasure.state <> all (p_states) then
    raise exception using errcode = 'VT203', message = format('This erasure is %s.', erasure.state),
      hint = case erasure.state
        when 'requested' then 'Another operator approves it first.'
        when 'approved' then 'It waits to be run.'
        when 'running' then 'There is no way back: run it again, and it goes on to the end.'
        else 'File another one.' end;
  end if;
  return erasure;
end
$$;
comment on function vital.open_erasure(uuid, text[]) is 'An erasure, locked, where it is in one of these states';
