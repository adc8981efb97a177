-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_append_audit.sql
--
-- Makes everything that keeps a tenant's context read it anew, by raising its version; for operators,
-- when data was changed behind the triggers. Definer, because nobody else raises a version.
create or replace function public.invalidate_cache(p_tenant_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  if not exists (select from public.organizations o where o.id = p_tenant_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id.';
  end if;
  insert into vital.pending_versions (xid, scope, key) values (pg_current_xact_id(), 'tenant', p_tenant_id)
  on conflict do nothing;
  perform vital.append_audit(p_tenant_id, 'cache_invalidated', 'organizations', p_tenant_id, null);
end
$$;
comment on function public.invalidate_cache(uuid) is 'Makes everything that keeps a tenant''s context read it anew';
grant execute on function public.invalidate_cache(uuid) to authenticated, service_role;
