-- owner: vital_definer
-- after: vital_build_context.sql
--
-- The caller's context in the tenant they act in. A super admin may name another user and gets that
-- user's context in that user's default tenant; anybody else is refused, whether the user exists or not.
create or replace function vital.caller_context(
  p_user_id uuid default null,
  out tenant_id uuid, out version text, out body json
)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  if p_user_id is null or p_user_id = caller.user_id then
    select c.* into tenant_id, version, body from vital.build_context(caller.user_id, caller.tenant) c;
  elsif public.is_super_admin() then
    select c.* into tenant_id, version, body from vital.build_context(p_user_id, '') c;
  else
    raise exception using errcode = 'VT110', message = 'Only your own context can be read.',
      hint = 'Leave p_user_id out; naming another user takes a super admin or service_role.';
  end if;
end
$$;
comment on function vital.caller_context(uuid) is 'The caller''s context, or another user''s for a super admin';
grant execute on function vital.caller_context(uuid) to anon, authenticated;
