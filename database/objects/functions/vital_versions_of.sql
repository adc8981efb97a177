-- owner: vital_definer
--
-- The versions of scopes, for a server that has heard of a change: each is looked up by its key, whatever the planner
-- thinks of joining the versions of all tenants; 0 for one that never changed. age is how long ago the transaction began that changed it last. Definer, because nobody but its functions reads vital.versions; for
-- service_role alone.
drop function if exists vital.versions_of(text[], uuid[]);
create function vital.versions_of(p_scopes text[], p_keys uuid[])
returns table (scope text, key uuid, version bigint, age interval)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select w.scope, w.key, coalesce(v.version, 0), clock_timestamp() - v.changed_at
  from unnest(p_scopes, p_keys) w(scope, key)
  left join lateral (select v.version, v.changed_at from vital.versions v where v.scope = w.scope and v.key = w.key limit 1) v on true
$$;
comment on function vital.versions_of(text[], uuid[]) is 'The versions of scopes that were heard to have changed';
grant execute on function vital.versions_of(text[], uuid[]) to service_role;
