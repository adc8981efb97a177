-- Triggers of public.invitations.
drop trigger if exists invitations_touch on public.invitations;
create trigger invitations_touch before update on public.invitations
  for each row execute function vital.touch_updated_at();
