-- Triggers of public.invitations.
drop trigger if exists invitations_touch on public.invitations;
create trigger invitations_touch before update on public.invitations
  for each row execute function vital.touch_updated_at();
drop trigger if exists invitations_audit on public.invitations;
create trigger invitations_audit after insert or update or delete on public.invitations
  for each row execute function vital.audit_change('tenant_id');
