-- owner: vital_definer
-- after: vital_current_membership.sql
-- after: is_super_admin.sql
-- after: vital_author_id.sql
-- after: vital_is_operator.sql
--
-- Notes one audit row of this transaction; it is chained and written at commit by vital.settle_audit.
-- Who acted comes from the sealed identity, or is the database role alone where there is none: a change
-- without a context is audited all the same, one that was scheduled under the name of who did. Reason and
-- request id come from the transaction's settings, which whoever made the request chose anyway.
--
-- Where an operator's session erases a tenant or a user (the setting vital.erasing names an erasure that runs), the tenant's own chain grows
-- no more, and rows of other chains hold nothing of what they had: else erasing would write down what it erases.
create or replace function vital.append_audit(
  p_organization_id uuid, p_action text, p_entity text, p_entity_id uuid, p_changes jsonb
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
  acting_role text := nullif(current_setting('role'), 'none');
  erasing constant text := nullif(current_setting('vital.erasing', true), '');
  erased vital.erasures;
begin
  if erasing is not null and vital.is_operator() then
    select e.* into erased from vital.erasures e where e.id::text = erasing and e.state = 'running';
    if erased.subject = 'tenant' and erased.subject_id = p_organization_id then
      return;
    end if;
    p_changes := case when erased.id is null then p_changes end;
  end if;
  if caller.user_id is not null then
    standing := vital.current_membership();
    acting_role := case
      when standing.is_super_admin then 'super_admin'
      when standing.tenant_id = p_organization_id then standing.role
      when public.is_super_admin() then 'super_admin' -- an admin of the tenant they act in, acting on another
      else caller.role end;
  end if;
  insert into vital.pending_audit (
    xid, organization_id, action, actor_id, actor_role, database_role, entity, entity_id, changes, reason, request_id, created_at)
  values (
    pg_current_xact_id(), p_organization_id, p_action, coalesce(caller.user_id, vital.author_id()), coalesce(acting_role, session_user), session_user,
    p_entity, p_entity_id, p_changes,
    nullif(current_setting('vital.reason', true), ''), nullif(current_setting('vital.request_id', true), ''),
    clock_timestamp());
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'settle', '00000000-0000-0000-0000-000000000000') -- fires vital.settle, once
  on conflict do nothing;
end
$$;
comment on function vital.append_audit(uuid, text, text, uuid, jsonb) is 'Notes one audit row of this transaction';
