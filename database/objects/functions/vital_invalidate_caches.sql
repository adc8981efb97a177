-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Makes everything that keeps anything of any tenant read it anew, by raising the one version that all of it rests on:
-- the cost is that of one row, however many tenants there are. Definer, because nobody else raises a version; for
-- service_role alone, since all that is remembered of all tenants is read again.
create or replace function vital.invalidate_caches() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'global', '00000000-0000-0000-0000-000000000000')
  on conflict do nothing;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'caches_invalidated', 'organizations', null, null);
end
$$;
comment on function vital.invalidate_caches() is 'Makes everything that keeps anything of any tenant read it anew';
grant execute on function vital.invalidate_caches() to service_role;
