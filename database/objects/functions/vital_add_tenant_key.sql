-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_kek.sql
--
-- Keeps a wrapped key as a tenant's, unless it has one: false then, and the caller takes that. A key-encryption key that was retired
-- wraps nothing any more, whatever a server still remembers of it; that is looked at behind the insert, which waits for whoever retires
-- one. For operators. Definer, because nobody writes keys by hand.
create or replace function vital.add_tenant_key(p_tenant_id uuid, p_key_id uuid, p_kek_id text, p_wrapped bytea) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  added boolean;
begin
  perform vital.require_operator();
  perform from public.organizations o where o.id = p_tenant_id for key share;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  insert into vital.tenant_keys (tenant_id, key_id, kek_id, wrapped)
  values (p_tenant_id, p_key_id, p_kek_id, p_wrapped)
  on conflict (tenant_id) where destroyed_at is null do nothing;
  added := found;
  perform vital.require_kek(p_kek_id);
  return added;
end
$$;
comment on function vital.add_tenant_key(uuid, uuid, text, bytea) is 'Keeps a wrapped key as a tenant''s, unless it has one';
grant execute on function vital.add_tenant_key(uuid, uuid, text, bytea) to service_role;
