-- after: vital_user_id.sql
-- after: vital_is_operator.sql
--
-- Whose change this is: the caller; or, where an operator's session does what somebody asked for earlier,
-- the one it says it acts for (the setting vital.author). A tenant's session cannot say so.
create or replace function vital.author_id() returns uuid
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(vital.user_id(), case when vital.is_operator() then nullif(current_setting('vital.author', true), '')::uuid end)
$$;
comment on function vital.author_id() is 'Whose change this is: the caller, or whom an operator''s session acts for';
grant execute on function vital.author_id() to authenticated, service_role, vital_definer;
