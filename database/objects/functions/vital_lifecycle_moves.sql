-- The moves of a tenant's life: pending -> active <-> suspended -> archived. There are no others.
create or replace function vital.lifecycle_moves()
returns table (action text, from_state public.org_lifecycle_state, to_state public.org_lifecycle_state)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select m.action, m.from_state::public.org_lifecycle_state, m.to_state::public.org_lifecycle_state
  from (values
    ('approve', 'pending', 'active'),
    ('suspend', 'active', 'suspended'),
    ('activate', 'suspended', 'active'),
    ('archive', 'suspended', 'archived')
  ) as m (action, from_state, to_state)
$$;
comment on function vital.lifecycle_moves() is 'The moves of a tenant''s life, by action';
grant execute on function vital.lifecycle_moves() to authenticated, service_role, vital_definer;
