-- owner: vital_definer
-- after: vital_identity.sql
-- after: vital_require_member.sql
-- after: vital_tenant_for.sql
--
-- The tenant the caller is about to read in, as vital.tenant_for('read') has it, or as vital.require_member where p_member asks for
-- one; and whether that read is to be recorded, because the tenant is under HIPAA. A transaction that cannot write is then refused
-- before it has read anything: the server begins another that can. It is asked first in every transaction that reads for a request, in
-- the place of what it calls, so that turning HIPAA on holds from the next request on. Who asks is told of no other tenant. Definer,
-- because it must see the configuration before any policy can.
-- A member of an active tenant, which is nearly everybody, is found by one query that says the same as both and looks at the
-- configuration in passing: what costs is not what is looked at but each function and expression of plpgsql that a transaction sets up.
create or replace function vital.accessed_tenant(p_member boolean, out tenant_id uuid, out recorded boolean)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  refused boolean; -- null where the query does not settle it
begin
  select m.tenant_id, r.recorded, case when m.tenant_id is not null then r.recorded and current_setting('transaction_read_only')::boolean end
  into tenant_id, recorded, refused
  from vital.identity() c
  cross join lateral (
    select case
      when c.tenant = '' then (select u.organization_id from public.users u where u.id = c.user_id)
      when c.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then c.tenant::uuid
      else (select o.id from public.organizations o where o.slug = c.tenant)
    end as id
    offset 0
  ) w
  left join (
    public.user_tenants m
    join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
  ) on m.tenant_id = w.id and m.user_id = c.user_id and m.status = 'active'
  cross join lateral (
    select exists (
      select from public.tenant_configurations s where s.tenant_id = m.tenant_id and s.compliance_settings ->> 'hipaa_enabled' = 'true') as recorded
    offset 0
  ) r;
  if not refused then
    return;
  end if;

  if refused is null then
    tenant_id := case when p_member then (vital.require_member()).tenant_id else vital.tenant_for('read') end;
    recorded := exists (
      select from public.tenant_configurations s
      where s.tenant_id = accessed_tenant.tenant_id and s.compliance_settings ->> 'hipaa_enabled' = 'true');
  end if;
  if recorded and current_setting('transaction_read_only')::boolean then
    raise exception using errcode = 'VT301', message = 'Reads in this tenant are recorded; this transaction cannot write a record.',
      hint = 'Read in a transaction that may write.';
  end if;
end
$$;
comment on function vital.accessed_tenant(boolean) is 'The tenant the caller is about to read in, and whether that is to be recorded';
grant execute on function vital.accessed_tenant(boolean) to anon, authenticated;
