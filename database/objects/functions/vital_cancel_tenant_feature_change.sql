-- owner: vital_definer
-- after: vital_require_acting_admin.sql
-- after: vital_refuse_cancel.sql
-- after: vital_give_reason.sql
--
-- Cancels a scheduled change of a tenant's override that was not made yet, for
-- public.cancel_tenant_feature_change and operators. Definer, because nobody writes the schedule but its
-- functions; whoever is no operator must act in the tenant as its admin.
create or replace function vital.cancel_tenant_feature_change(p_tenant_id uuid, p_id uuid, p_reason text default null)
returns public.tenant_feature_flag_changes
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  change public.tenant_feature_flag_changes;
begin
  perform vital.require_acting_admin(p_tenant_id);
  perform vital.give_reason(p_reason);
  update public.tenant_feature_flag_changes c set status = 'cancelled'
  where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending'
  returning c.* into change;
  if not found then
    perform vital.refuse_cancel((select c.status from public.tenant_feature_flag_changes c where c.tenant_id = p_tenant_id and c.id = p_id));
  end if;
  return change;
end
$$;
comment on function vital.cancel_tenant_feature_change(uuid, uuid, text) is 'Cancels a scheduled change of a tenant''s override';
grant execute on function vital.cancel_tenant_feature_change(uuid, uuid, text) to authenticated, service_role;
