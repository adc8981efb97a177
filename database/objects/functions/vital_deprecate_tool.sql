-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
--
-- Marks a tool of a tenant as one to use no longer, and says what to use instead, for
-- public.deprecate_tool and operators. The replacement is the tenant's own or the platform's, not
-- deprecated itself, and does not lead back. Both are locked in one order, so that two tools cannot
-- replace each other. The caller's policies decide whether it may.
create or replace function vital.deprecate_tool(p_tenant_id uuid, p_tool_id uuid, p_reason text, p_replacement_tool_id uuid default null)
returns public.tools
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  tool public.tools;
  replacement public.tools;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tool should no longer be used');
  perform vital.require_value(p_replacement_tool_id is distinct from p_tool_id, 'p_replacement_tool_id', 'another tool');
  perform from public.tools t
  where t.tenant_id = p_tenant_id and t.id in (p_tool_id, p_replacement_tool_id)
  order by t.id
  for update;
  select t.* into tool from public.tools t where t.tenant_id = p_tenant_id and t.id = p_tool_id;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such tool.', hint = 'A tenant deprecates its own tools.';
  elsif tool.deprecated then
    raise exception using errcode = 'VT203', message = 'This tool is deprecated already.', hint = 'Nothing is left to do.';
  end if;

  if p_replacement_tool_id is not null then
    select t.* into replacement from public.tools t
    where t.tenant_id in (p_tenant_id, platform) and t.id = p_replacement_tool_id
    order by t.tenant_id = p_tenant_id desc
    limit 1;
    if not found then
      raise exception using errcode = 'VT205', message = 'There is no such tool to replace it.',
        hint = 'A replacement is one of the tenant''s own tools or of the platform''s.';
    elsif replacement.deprecated or not replacement.is_active then
      raise exception using errcode = 'VT203', message = 'The replacement is deprecated or inactive itself.', hint = 'Name one that is in use.';
    elsif exists (
      with recursive chain (tenant_id, id, next_tenant_id, next_id, steps) as (
        select replacement.tenant_id, replacement.id, replacement.replacement_tool_tenant_id, replacement.replacement_tool_id, 1
        union all
        select t.tenant_id, t.id, t.replacement_tool_tenant_id, t.replacement_tool_id, c.steps + 1
        from chain c join public.tools t on t.tenant_id = c.next_tenant_id and t.id = c.next_id
        where c.steps < 100
      )
      select from chain c where c.tenant_id = p_tenant_id and c.id = p_tool_id
    ) then
      raise exception using errcode = 'VT203', message = 'The replacement leads back to this tool.', hint = 'Name one that does not.';
    end if;
  end if;
  perform vital.give_reason(p_reason);
  update public.tools t
  set deprecated = true, deprecated_at = now(), deprecated_reason = btrim(p_reason),
    replacement_tool_tenant_id = replacement.tenant_id, replacement_tool_id = replacement.id
  where t.tenant_id = p_tenant_id and t.id = p_tool_id
  returning t.* into tool;
  return tool;
end
$$;
comment on function vital.deprecate_tool(uuid, uuid, text, uuid) is 'Marks a tool of a tenant as one to use no longer';
grant execute on function vital.deprecate_tool(uuid, uuid, text, uuid) to authenticated, service_role;
