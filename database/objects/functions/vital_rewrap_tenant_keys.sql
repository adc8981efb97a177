-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_kek.sql
--
-- Keeps keys that were wrapped anew with another key-encryption key, and returns how many. One that was destroyed or wrapped by somebody
-- else meanwhile is left as it is: nothing brings a destroyed key back. For operators. Definer, because nobody writes keys by hand.
create or replace function vital.rewrap_tenant_keys(p_tenant_ids uuid[], p_key_ids uuid[], p_from text[], p_to text, p_wrapped bytea[]) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  written bigint;
begin
  perform vital.require_operator();
  update vital.tenant_keys k set kek_id = p_to, wrapped = n.wrapped, wrapped_at = clock_timestamp()
  from rows from (unnest(p_tenant_ids), unnest(p_key_ids), unnest(p_from), unnest(p_wrapped)) as n (tenant_id, key_id, kek_id, wrapped)
  where k.tenant_id = n.tenant_id and k.key_id = n.key_id and k.kek_id = n.kek_id and k.destroyed_at is null;
  get diagnostics written = row_count;
  perform vital.require_kek(p_to);
  return written;
end
$$;
comment on function vital.rewrap_tenant_keys(uuid[], uuid[], text[], text, bytea[]) is 'Keeps keys that were wrapped anew';
grant execute on function vital.rewrap_tenant_keys(uuid[], uuid[], text[], text, bytea[]) to service_role;
