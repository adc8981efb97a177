-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_require_over_member.sql
-- after: vital_remove_member.sql
--
-- Removes a member from the tenant the caller administers, or lets the caller leave it. Only owners remove
-- owners, and the last owner stays. Definer, because memberships are written through functions alone.
create or replace function public.remove_member(p_user_id uuid, p_reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing vital.membership := vital.require_member();
begin
  if p_user_id is distinct from standing.user_id then
    standing := vital.require_over_member(p_user_id);
  end if;
  perform vital.remove_member(standing.tenant_id, p_user_id, p_reason);
end
$$;
comment on function public.remove_member(uuid, text) is 'Removes a member from the caller''s tenant, or lets the caller leave it';
grant execute on function public.remove_member(uuid, text) to authenticated, service_role;
