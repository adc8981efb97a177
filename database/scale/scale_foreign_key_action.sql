-- title: A foreign key would change the column a table is distributed by
-- level: notice
-- scope: any
-- kind: constraint
-- hint: ON DELETE SET NULL names the other columns, as in SET NULL (category_id), or is left out; a row is never moved by ON UPDATE.
select r.source as object, r.name || ': ' || r.definition || ' may write ' || r.source_column
  || pg_catalog.format('; alter table %s drop constraint %I, and add it without that action', r.source, r.name) as detail
from reference_key r
where r.source_place = 'distributed' and r.target_place in ('distributed', 'reference') and r.source_tenant = any (r.conkey)
  and (r.confupdtype in ('c', 'n', 'd')
    or r.confdeltype in ('n', 'd') and (r.confdelsetcols is null or r.source_tenant = any (r.confdelsetcols)))
