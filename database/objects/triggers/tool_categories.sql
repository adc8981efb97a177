-- Triggers of public.tool_categories.
drop trigger if exists tool_categories_touch on public.tool_categories;
create trigger tool_categories_touch before update on public.tool_categories
  for each row execute function vital.touch_updated_at();
drop trigger if exists tool_categories_audit on public.tool_categories;
create trigger tool_categories_audit after insert or update or delete on public.tool_categories
  for each row execute function vital.audit_change('tenant_id');
