-- owner: vital_definer
--
-- Marks a scheduled change, of a definition (p_tenant_id is null) or a tenant's override, as one that could not
-- be made, for vital.apply_due_flag_changes. Definer, because nobody writes the schedule but its functions;
-- executable by no role.
create or replace function vital.fail_flag_change(p_tenant_id uuid, p_id uuid, p_error text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_tenant_id is null then
    update public.feature_flag_changes c set status = 'failed', error = p_error where c.id = p_id and c.status = 'pending';
  else
    update public.tenant_feature_flag_changes c set status = 'failed', error = p_error
    where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending';
  end if;
end
$$;
comment on function vital.fail_flag_change(uuid, uuid, text) is 'Marks a scheduled change as one that could not be made';
