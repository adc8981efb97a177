-- after: vital_lifecycle_moves.sql
--
-- Raises the error of a move that a tenant's state does not allow; it names those it does.
create or replace function vital.refuse_move(p_state public.org_lifecycle_state) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  allowed constant text := (select string_agg(m.action, ', ' order by m.action) from vital.lifecycle_moves() m where m.from_state = p_state);
begin
  raise exception using errcode = 'VT203',
    message = format('This tenant is %s; allowed now: %s.', p_state, coalesce(allowed, 'nothing')),
    hint = 'A tenant goes from pending to active, between active and suspended, and from suspended to archived.';
end
$$;
comment on function vital.refuse_move(public.org_lifecycle_state) is 'Raises the error of a move that a tenant''s state does not allow';
grant execute on function vital.refuse_move(public.org_lifecycle_state) to authenticated, service_role, vital_definer;
