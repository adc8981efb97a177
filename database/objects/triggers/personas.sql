-- Triggers of public.personas.
drop trigger if exists personas_touch on public.personas;
create trigger personas_touch before update on public.personas
  for each row execute function vital.touch_updated_at();
