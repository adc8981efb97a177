-- owner: vital_definer
-- after: vital_append_audit.sql
-- after: vital_is_restoring.sql
--
-- Trigger of every audited table but organizations: one audit row for each row changed, with the old
-- and new values of the columns that changed. The argument names the column that holds the tenant, or
-- is empty for rows of the whole platform, which go to the platform tenant's chain. Columns that only
-- say when (updated_at) make no row by themselves; a token's hash never goes into one. Putting a tenant back has one row for
-- all that it writes (vital.begin_restoring).
create or replace function vital.audit_change() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  silent constant text[] := array['updated_at', 'created_at', 'token_hash'];
  before_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - silent end;
  after_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - silent end;
  tenant uuid := '00000000-0000-0000-0000-000000000001';
  old_values jsonb;
  new_values jsonb;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  if tg_argv[0] <> '' then
    tenant := coalesce(after_row, before_row) ->> tg_argv[0];
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after_row -> b.key)
    into old_values, new_values
    from jsonb_each(before_row) b
    where b.value is distinct from after_row -> b.key;
    if old_values is null then
      return null; -- nothing changed
    end if;
  else
    old_values := before_row;
    new_values := after_row;
  end if;
  perform vital.append_audit(
    tenant,
    case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
    tg_table_name::text,
    (coalesce(after_row, before_row) ->> 'id')::uuid,
    jsonb_build_object('old', old_values, 'new', new_values));
  return null;
end
$$;
comment on function vital.audit_change() is 'Writes one audit row for each row changed';
grant execute on function vital.audit_change() to vital_owner; -- to attach it to a table
