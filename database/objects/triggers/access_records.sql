-- Triggers of public.access_records.
drop trigger if exists access_records_append_only on public.access_records;
create trigger access_records_append_only before update or delete on public.access_records
  for each row execute function vital.refuse_access_change();
drop trigger if exists access_records_no_truncate on public.access_records;
create trigger access_records_no_truncate before truncate on public.access_records
  for each statement execute function vital.refuse_access_change();
