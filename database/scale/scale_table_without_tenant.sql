-- title: A table without a tenant column
-- level: notice
-- scope: any
-- kind: table
-- hint: What is small and the same for everybody is copied to every server; what grows with the tenants needs their column, or stays on one server for good.
select p.name as object, case
    when p.place = 'coordinator' then 'it points at tenants'' rows, so it is not the same for everybody: alter table ' || p.name || ' add column … , or it stays where its rows cannot point at them'
    else 'a reference table on every server: select create_reference_table(' || pg_catalog.quote_literal(p.name) || ')'
  end as detail
from placed p
where p.tenant_attnum is null and not p.told
