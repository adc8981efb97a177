-- title: A row can belong to no tenant
-- level: error
-- scope: any
-- kind: column
-- hint: ALTER TABLE … ALTER COLUMN … SET NOT NULL.
select t.name as object, t.tenant_column || ' may be null' as detail
from tenant_table t
where not t.tenant_required and not t.excepted
