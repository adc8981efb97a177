-- owner: vital_definer
-- after: vital_identity.sql
--
-- Who the acting operator is, for what takes two of them: the user of the sealed context, else the login. A role that was taken on, or a
-- name that somebody gives themselves, says nothing. Definer, because it stands beside what is judged by it.
create or replace function vital.operator_name() returns text
language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce('user:' || (vital.identity()).user_id, 'login:' || session_user)
$$;
comment on function vital.operator_name() is 'Who the acting operator is, by user or login';
