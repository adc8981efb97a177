-- Triggers of public.break_glass.
drop trigger if exists break_glass_record_change on public.break_glass;
create trigger break_glass_record_change after insert or update or delete on public.break_glass
  for each row execute function vital.record_change('membership', 'user_id');
drop trigger if exists break_glass_record_tenant on public.break_glass;
create trigger break_glass_record_tenant after insert or update or delete on public.break_glass
  for each row execute function vital.record_change('tenant', 'tenant_id');
