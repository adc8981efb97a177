-- owner: vital_sealer
--
-- The key the server seals with. Only its second login may ask, not even service_role.
create or replace function vital.seal_key(out id text, out inner_pad bytea, out outer_pad bytea)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select k.id, k.inner_pad, k.outer_pad
  from vital.seal_keys k
  where k.retires_at is null
  order by k.created_at desc
  limit 1
$$;
comment on function vital.seal_key() is 'The newest seal key, for the server';
grant execute on function vital.seal_key() to vital_service;
