-- owner: vital_definer
-- after: vital_author_id.sql
--
-- Trigger of tenant_feature_flags: keeps every state a tenant's override has had, with who made it and why;
-- JSON null where it was taken away. Definer, because nobody writes the history but this.
create or replace function vital.version_tenant_feature_flag() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  reason text := nullif(current_setting('vital.reason', true), '');
begin
  if tg_op = 'DELETE' then
    insert into public.tenant_feature_flag_versions (tenant_id, feature_flag_id, version, config, reason, created_by)
    values (old.tenant_id, old.feature_flag_id, old.version + 1, 'null', reason, vital.author_id());
  elsif tg_op = 'INSERT' or new.version <> old.version then
    if reason is null and (tg_op = 'INSERT' or new.reason is distinct from old.reason) then
      reason := new.reason;
    end if;
    insert into public.tenant_feature_flag_versions (tenant_id, feature_flag_id, version, config, reason, created_by)
    values (new.tenant_id, new.feature_flag_id, new.version, to_jsonb(new), reason, vital.author_id());
  end if;
  return null;
end
$$;
comment on function vital.version_tenant_feature_flag() is 'Keeps every state of a tenant''s override';
grant execute on function vital.version_tenant_feature_flag() to vital_owner; -- to attach it to a table
