-- owner: vital_definer
--
-- Trigger of tenant_feature_flags, before a row is written: counts its version. An override that was taken
-- away and comes back goes on where its history ended; the newest row of that is locked first, so that
-- whoever takes one away at this moment is waited for. Definer, because members may not read histories.
create or replace function vital.number_tenant_feature_flag() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform from public.tenant_feature_flag_versions v
    where v.tenant_id = new.tenant_id and v.feature_flag_id = new.feature_flag_id
    order by v.version desc
    limit 1
    for update;
    select coalesce(max(v.version), 0) + 1 into new.version
    from public.tenant_feature_flag_versions v
    where v.tenant_id = new.tenant_id and v.feature_flag_id = new.feature_flag_id;
    return new;
  end if;
  if (new.tenant_id, new.feature_flag_id) is distinct from (old.tenant_id, old.feature_flag_id) then
    raise exception using errcode = 'VT203', message = 'An override stays with its tenant and its flag.',
      hint = 'Delete it and make another.';
  end if;
  new.version := old.version;
  new.updated_at := old.updated_at;
  if new is distinct from old then
    new.version := old.version + 1;
    new.updated_at := transaction_timestamp();
  end if;
  return new;
end
$$;
comment on function vital.number_tenant_feature_flag() is 'Counts the version of a tenant''s override';
grant execute on function vital.number_tenant_feature_flag() to vital_owner; -- to attach it to a table
