-- after: vital_require_operator.sql
--
-- Names the template that tenants made in the rest of the transaction are set up with; null goes back to the one of
-- their type. For operators.
create or replace function vital.use_template(p_name text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  perform set_config('vital.template', coalesce(p_name, ''), true);
end
$$;
comment on function vital.use_template(text) is 'Names the template of the tenants made in the rest of the transaction';
grant execute on function vital.use_template(text) to service_role;
