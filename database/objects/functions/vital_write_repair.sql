-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Writes one row of a repair, or of its undoing: inserts p_new where p_old is null, deletes the row where p_new is null, else sets
-- the columns of p_new on the row that holds p_old, and refuses where it no longer does. Tables whose own triggers say nothing
-- of such a change are audited here, so that whatever a repair writes can be taken back. The statements it puts together
-- hold names that are quoted where they are made, and no values.
-- lint: allow dynamic_sql
create or replace function vital.write_repair(p_table text, p_tenant_id uuid, p_row_id uuid, p_old jsonb, p_new jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  named constant text := format('public.%I', p_table);
  -- An id is unique within its tenant alone, but for a user's.
  keyed constant text := case when p_table in ('users', 'profiles') then 't.id = $1' else 't.tenant_id = $3 and t.id = $1' end;
  columns constant text := (select string_agg(quote_ident(k), ', ' order by k) from jsonb_object_keys(coalesce(p_new, p_old)) k);
  written uuid := p_row_id;
  made jsonb := p_new; -- a row that is made, with what defaults gave it
  held text;
  hits bigint;
begin
  -- What is told as JSON is compared as the table's own types have it, column by column: a moment is the same in every time zone.
  held := format('(select jsonb_object_agg(k, to_jsonb(t) -> k) from jsonb_object_keys($2) k)
    = (select jsonb_object_agg(k, to_jsonb(r) -> k) from jsonb_populate_record(null::%s, $2) r, jsonb_object_keys($2) k)', named);
  -- What has come to depend on a user since would go with them.
  if p_table = 'users' and p_new is null and (exists (select from public.user_tenants m where m.user_id = p_row_id)
      or exists (select from public.profiles p where p.id = p_row_id) or exists (select from public.chat_sessions s where s.user_id = p_row_id)) then
    raise exception using errcode = 'VT203', message = format('The user %s has memberships, a profile or conversations that the repair did not make.', p_row_id),
      hint = 'Remove them first, if they are to go.';
  end if;
  if p_old is null then
    execute format('insert into %s as t (%s) select %s from jsonb_populate_record(null::%s, $1) returning t.id, to_jsonb(t) - ''updated_at''', named, columns, columns, named)
    into written, made using p_new;
  elsif p_new is null then
    execute format('delete from %s as t where %s and %s', named, keyed, held) using p_row_id, p_old, p_tenant_id;
  else
    execute format('update %s as t set (%s) = (select %s from jsonb_populate_record(null::%s, $4)) where %s and %s', named, columns, columns, named, keyed, held)
    using p_row_id, p_old, p_tenant_id, p_new;
  end if;
  get diagnostics hits = row_count;
  if hits <> 1 then
    raise exception using errcode = 'VT203', message = format('The row %s of %s is no longer as it was.', p_row_id, p_table),
      hint = 'Look at it, and at its audit rows: somebody has changed it meanwhile.';
  end if;
  if p_table in ('users', 'profiles') then
    perform vital.append_audit(
      coalesce((coalesce(p_new, p_old) ->> case p_table when 'users' then 'organization_id' else 'tenant_id' end)::uuid, '00000000-0000-0000-0000-000000000001'),
      case when p_old is null then 'created' when p_new is null then 'deleted' else 'updated' end,
      p_table, written, jsonb_build_object('old', p_old, 'new', made));
  end if;
end
$$;
comment on function vital.write_repair(text, uuid, uuid, jsonb, jsonb) is 'Writes one row of a repair, audited';
