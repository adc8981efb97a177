-- What keeps a column from holding what a check of data looks for, in words: that it may not be null, the foreign key that
-- holds it, or a check of its own; null where nothing does, and the rows must be looked at. A constraint that was never
-- validated forbids nothing of what was there before it.
create or replace function vital.forbidding_key(p_table text, p_column text, p_kind "char") returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case p_kind
    when 'n' then case when a.attnotnull then format('%s may not be null', p_column) end
    else (
      select format('%s keeps it so', n.conname)
      from pg_constraint n
      where n.conrelid = a.attrelid and n.contype = p_kind and a.attnum = any (n.conkey) and n.convalidated
      order by n.conname
      limit 1)
    end
  from pg_attribute a
  where a.attrelid = to_regclass('public.' || quote_ident(p_table)) and a.attname = p_column and not a.attisdropped
$$;
comment on function vital.forbidding_key(text, text, "char") is 'What keeps a column from holding what a check of data looks for, or null';
grant execute on function vital.forbidding_key(text, text, "char") to vital_definer;
