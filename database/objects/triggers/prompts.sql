-- Triggers of public.prompts.
drop trigger if exists prompts_touch on public.prompts;
create trigger prompts_touch before update on public.prompts
  for each row execute function vital.touch_updated_at();
