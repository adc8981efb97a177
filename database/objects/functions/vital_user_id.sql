-- The caller's user id, for policies. On plain PostgreSQL auth.uid() is the same; on a Supabase
-- project auth.uid() reads unsealed claims, so no policy of ours uses it.
create or replace function vital.user_id() returns uuid
language sql stable parallel restricted
as $$
  select (vital.identity()).user_id
$$;
comment on function vital.user_id() is 'The caller, from the sealed context; null without one';
grant execute on function vital.user_id() to anon, authenticated, service_role, vital_definer;
