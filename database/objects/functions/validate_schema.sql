-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Holds the catalog against schema_validation_rules: one row for each rule. status is OK or the first of MISSING, TYPE_MISMATCH,
-- NULLABLE_MISMATCH, DEFAULT_MISMATCH, KEY_MISMATCH, INDEX_MISMATCH and RLS_MISMATCH that applies; issue names all that do. Types are
-- named as information_schema names them, but whoever asks: that one leaves out columns its reader has no right to. has_default,
-- keys, is_indexed and row_security bind only where they are true: more than a rule asks for is no mistake. A table without any
-- rule would pass for sound, and is an error. For super admins and service_role.
create or replace function public.validate_schema()
returns table (table_name text, column_name text, expected_type text, actual_type text, status text, issue text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  if not exists (select from public.schema_validation_rules) then
    raise exception using errcode = 'VT205', message = 'There are no rules to validate the schema by.',
      hint = 'schema_validation_rules is filled by `vital migrate up`; restore its rows.';
  end if;
  return query
    select r.table_name, r.column_name, r.data_type, c.data_type, coalesce(w.statuses[1], 'OK'), nullif(array_to_string(w.issues, '; '), '')
    from public.schema_validation_rules r
    left join lateral (
      select
        case
          when b.typelem <> 0 and b.typlen = -1 then 'ARRAY'
          when b.typnamespace = 'pg_catalog'::regnamespace then format_type(b.oid, null)
          else 'USER-DEFINED'
        end as data_type,
        not (a.attnotnull or t.typtype = 'd' and t.typnotnull) as is_nullable,
        a.atthasdef or a.attidentity <> '' as has_default,
        exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'p' and a.attnum = any (n.conkey)) as is_primary_key,
        exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'f' and a.attnum = any (n.conkey)) as is_foreign_key,
        exists (select from pg_index i where i.indrelid = s.oid and i.indkey[0] = a.attnum and i.indisvalid and i.indpred is null) as is_indexed,
        s.relrowsecurity and s.relforcerowsecurity as row_security
      from pg_class s
      join pg_attribute a on a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      join pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
      where s.relnamespace = 'public'::regnamespace and s.relkind in ('r', 'p') and s.relname = r.table_name and a.attname = r.column_name
    ) c on true
    cross join lateral (
      select array_agg(x.status order by x.n) as statuses, array_agg(x.issue order by x.n) as issues
      from (values
        (1, 'MISSING', c.data_type is null, 'Column does not exist'),
        (2, 'TYPE_MISMATCH', c.data_type <> r.data_type, 'Expected ' || r.data_type || ', got ' || c.data_type),
        (3, 'NULLABLE_MISMATCH', c.is_nullable <> r.is_nullable, case when r.is_nullable then 'Nullable mismatch: must allow null' else 'Nullable mismatch: must not allow null' end),
        (4, 'DEFAULT_MISMATCH', r.has_default and not c.has_default, 'Has no default'),
        (5, 'KEY_MISMATCH', r.is_primary_key and not c.is_primary_key, 'Is not part of the primary key'),
        (6, 'KEY_MISMATCH', r.is_foreign_key and not c.is_foreign_key, 'Has no foreign key'),
        (7, 'INDEX_MISMATCH', r.is_indexed and not c.is_indexed, 'No valid index begins with it'),
        (8, 'RLS_MISMATCH', r.row_security and not c.row_security, 'Row-level security of its table is not both enabled and forced')
      ) x (n, status, applies, issue)
      where x.applies
    ) w
    order by r.table_name, r.column_name;
end
$$;
comment on function public.validate_schema() is 'The columns the product relies on, and whether each is as it must be; for operators';
grant execute on function public.validate_schema() to authenticated, service_role;
