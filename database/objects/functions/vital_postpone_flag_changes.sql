-- owner: vital_definer
--
-- Puts off by a minute what is due of a tenant, or of the definitions (p_tenant_id is null), because somebody
-- holds its rows, for vital.apply_due_flag_changes. It waits for nothing itself, and leaves no audit row, which
-- would. Definer, because nobody writes the schedule but its functions; executable by no role.
create or replace function vital.postpone_flag_changes(p_tenant_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_tenant_id is null then
    update public.feature_flag_changes c set run_at = now() + interval '1 minute'
    where c.id in (
      select d.id from public.feature_flag_changes d where d.status = 'pending' and d.run_at <= now() for update skip locked);
  else
    update public.tenant_feature_flag_changes c set run_at = now() + interval '1 minute'
    where c.tenant_id = p_tenant_id and c.id in (
      select d.id from public.tenant_feature_flag_changes d
      where d.tenant_id = p_tenant_id and d.status = 'pending' and d.run_at <= now() for update skip locked);
  end if;
end
$$;
comment on function vital.postpone_flag_changes(uuid) is 'Puts off by a minute what is due of a tenant';
