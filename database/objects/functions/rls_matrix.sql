-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
-- after: vital_rls_matrix.sql
--
-- Who can do what in this database, for super admins and service_role: every schema, relation, sequence and
-- function, times role, times command, with the policies that decide (docs/reference/isolation.md). Definer,
-- because tenants' sessions do not reach the query behind it.
create or replace function public.rls_matrix(p_schemas text[] default null, p_roles text[] default null)
returns table (
  kind text, object text, role text, command text, access text, reason text, columns text[], policies jsonb,
  row_security text, runs_as text, owner text, volatility text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  perform vital.require_value(not exists (
    select from unnest(p_schemas) s where not exists (select from pg_namespace n where n.nspname = s)), 'p_schemas', 'names of schemas there are');
  perform vital.require_value(not exists (
    select from unnest(p_roles) r where r <> 'PUBLIC' and not exists (select from pg_roles n where n.rolname = r)), 'p_roles', 'names of roles there are, or PUBLIC');
  return query select m.* from vital.rls_matrix(p_schemas, p_roles) m;
end
$$;
comment on function public.rls_matrix(text[], text[]) is 'Who can do what, by relation, function, sequence, role and command; for operators';
grant execute on function public.rls_matrix(text[], text[]) to authenticated, service_role;
