-- The version of a user's context in a tenant: `global.tenant.membership.self`, each counting the
-- changes of one scope. vital.build_context and vital.caller_version are its only callers; it checks
-- nothing.
create or replace function vital.context_version(p_tenant_id uuid, p_user_id uuid) returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return concat_ws('.',
    coalesce((select g.version from vital.versions g where g.scope = 'global' and g.key = '00000000-0000-0000-0000-000000000000'), 0),
    coalesce((select t.version from vital.versions t where t.scope = 'tenant' and t.key = p_tenant_id), 0),
    coalesce((select m.version from vital.versions m where m.scope = 'membership' and m.key = p_user_id), 0),
    coalesce((select s.version from vital.versions s where s.scope = 'self' and s.key = p_user_id), 0));
end
$$;
comment on function vital.context_version(uuid, uuid) is 'The version of a user''s context in a tenant';
grant execute on function vital.context_version(uuid, uuid) to vital_definer;
