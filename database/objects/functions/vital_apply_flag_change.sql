-- owner: vital_definer
-- after: vital_check_author.sql
-- after: vital_set_tenant_feature.sql
-- after: set_feature_flag.sql
--
-- Makes one scheduled change, of a definition (p_tenant_id is null) or a tenant's override, in its author's
-- name and for its reason, for vital.apply_due_flag_changes. False when it is no longer due, or another
-- session works on it. Definer, because nobody writes the schedule but its functions; executable by no role.
create or replace function vital.apply_flag_change(p_tenant_id uuid, p_id uuid) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  change record;
begin
  if p_tenant_id is null then
    select c.changes, c.reason, c.created_by, f.flag_key into change
    from public.feature_flag_changes c join public.feature_flags f on f.id = c.feature_flag_id
    where c.id = p_id and c.status = 'pending' and c.run_at <= now()
    for update of c skip locked;
  else
    select c.changes, c.reason, c.created_by, f.flag_key into change
    from public.tenant_feature_flag_changes c join public.feature_flags f on f.id = c.feature_flag_id
    where c.tenant_id = p_tenant_id and c.id = p_id and c.status = 'pending' and c.run_at <= now()
    for update of c skip locked;
  end if;
  if not found then
    return false;
  end if;
  perform set_config('vital.author', coalesce(change.created_by::text, ''), true);
  perform vital.check_author(change.created_by, p_tenant_id);
  if p_tenant_id is null then
    perform public.set_feature_flag(change.flag_key, change.changes, null, change.reason);
    update public.feature_flag_changes c set status = 'applied', applied_at = clock_timestamp() where c.id = p_id;
  else
    perform vital.set_tenant_feature(p_tenant_id, change.flag_key, change.changes, null, change.reason);
    update public.tenant_feature_flag_changes c set status = 'applied', applied_at = clock_timestamp()
    where c.tenant_id = p_tenant_id and c.id = p_id;
  end if;
  return true;
end
$$;
comment on function vital.apply_flag_change(uuid, uuid) is 'Makes one scheduled change of a flag';
