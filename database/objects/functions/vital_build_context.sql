-- owner: vital_definer
-- after: vital_read_context.sql
--
-- The whole context of one user in one tenant, or an error that names the step which failed: vital.read_context in one
-- piece.
create or replace function vital.build_context(
  p_user_id uuid, p_tenant text,
  out tenant_id uuid, out version text, out body json
)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select c.tenant_id, c.version, (left(c.document::text, -1) || ',' || substr(c.caller::text, 2))::json
  into tenant_id, version, body
  from vital.read_context(p_user_id, p_tenant) c;
end
$$;
comment on function vital.build_context(uuid, text) is 'The context of a user in a tenant, or an error that names the step which failed';
grant execute on function vital.build_context(uuid, text) to service_role;
