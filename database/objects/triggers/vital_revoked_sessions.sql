-- Triggers of vital.revoked_sessions: what is remembered of a session ends with it.
drop trigger if exists revoked_sessions_record_change on vital.revoked_sessions;
create trigger revoked_sessions_record_change after insert on vital.revoked_sessions
  for each row execute function vital.record_change('session', 'session_id');
