-- after: vital_require_writer.sql
-- after: vital_require_value.sql
-- after: vital_user_id.sql
--
-- Registers a tool of the tenant the caller acts in. Row-level security stays in force.
create or replace function public.register_tool(
  p_name text, p_slug text, p_tool_type text default 'function', p_implementation_type text default null,
  p_function_signature text default null, p_category text default null, p_description text default null,
  p_input_schema jsonb default null, p_output_schema jsonb default null, p_config jsonb default '{}'
) returns public.tools
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_writer();
  tool public.tools;
begin
  perform vital.require_value(btrim(p_name) <> '', 'p_name', 'a name');
  perform vital.require_value(p_slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$', 'p_slug', 'lower-case letters, digits and single hyphens or underscores');
  perform vital.require_value(btrim(p_tool_type) <> '', 'p_tool_type', 'a kind of tool: function, api, workflow …');
  perform vital.require_value(coalesce(jsonb_typeof(p_input_schema), 'object') in ('object', 'boolean'), 'p_input_schema', 'a JSON Schema');
  perform vital.require_value(coalesce(jsonb_typeof(p_output_schema), 'object') in ('object', 'boolean'), 'p_output_schema', 'a JSON Schema');
  perform vital.require_value(jsonb_typeof(coalesce(p_config, '{}')) = 'object', 'p_config', 'a JSON object');
  insert into public.tools as t (
    tenant_id, name, slug, tool_type, implementation_type, function_signature, category, description,
    input_schema, output_schema, config, owner_id)
  values (
    standing.tenant_id, btrim(p_name), p_slug, p_tool_type, p_implementation_type, p_function_signature, p_category, p_description,
    p_input_schema, p_output_schema, coalesce(p_config, '{}'), vital.user_id())
  on conflict (tenant_id, slug) do nothing
  returning t.* into tool;
  if not found then
    raise exception using errcode = 'VT203', message = 'This tenant has a tool with this slug already.', hint = 'Choose another slug.';
  end if;
  return tool;
end
$$;
comment on function public.register_tool(text, text, text, text, text, text, text, jsonb, jsonb, jsonb) is 'Registers a tool of the caller''s tenant';
grant execute on function public.register_tool(text, text, text, text, text, text, text, jsonb, jsonb, jsonb) to authenticated, service_role;
