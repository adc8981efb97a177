-- Triggers of public.knowledge.
drop trigger if exists knowledge_touch on public.knowledge;
create trigger knowledge_touch before update on public.knowledge
  for each row execute function vital.touch_updated_at();
