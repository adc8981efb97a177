-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_refuse_cancel.sql
-- after: vital_give_reason.sql
--
-- Cancels a scheduled change of a flag definition that was not made yet; by a super admin or service_role.
-- Definer, because nobody writes the schedule but its functions.
create or replace function public.cancel_feature_flag_change(p_id uuid, p_reason text default null) returns public.feature_flag_changes
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  change public.feature_flag_changes;
begin
  perform vital.require_operator();
  perform vital.give_reason(p_reason);
  update public.feature_flag_changes c set status = 'cancelled' where c.id = p_id and c.status = 'pending' returning c.* into change;
  if not found then
    perform vital.refuse_cancel((select c.status from public.feature_flag_changes c where c.id = p_id));
  end if;
  return change;
end
$$;
comment on function public.cancel_feature_flag_change(uuid, text) is 'Cancels a scheduled change of a flag definition';
grant execute on function public.cancel_feature_flag_change(uuid, text) to authenticated, service_role;
