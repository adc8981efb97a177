-- after: vital_require_writer.sql
-- after: vital_deprecate_tool.sql
--
-- Marks a tool of the tenant the caller acts in as one to use no longer, and says what to use instead.
-- Row-level security stays in force.
create or replace function public.deprecate_tool(p_tool_id uuid, p_reason text, p_replacement_tool_id uuid default null) returns public.tools
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_writer();
begin
  return vital.deprecate_tool(standing.tenant_id, p_tool_id, p_reason, p_replacement_tool_id);
end
$$;
comment on function public.deprecate_tool(uuid, text, uuid) is 'Marks a tool of the caller''s tenant as one to use no longer';
grant execute on function public.deprecate_tool(uuid, text, uuid) to authenticated, service_role;
