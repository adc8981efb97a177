-- Triggers of public.chat_sessions.
drop trigger if exists chat_sessions_touch on public.chat_sessions;
create trigger chat_sessions_touch before update on public.chat_sessions
  for each row execute function vital.touch_updated_at();
drop trigger if exists chat_sessions_limit on public.chat_sessions;
create trigger chat_sessions_limit after insert on public.chat_sessions
  referencing new table as inserted
  for each statement execute function vital.enforce_limit('max_conversations');
