-- title: A trigger of a table that would be distributed
-- level: notice
-- scope: any
-- kind: trigger
-- hint: Distributed tables take no triggers: what it does goes into the default of a column, into the statement that writes, or to a server that hears of the write.
select d.name as object, g.tgname || ' calls ' || g.tgfoid::pg_catalog.regprocedure::text
  || pg_catalog.format('; drop trigger %I on %s', g.tgname, d.name) as detail
from distributed d
join pg_catalog.pg_trigger g on g.tgrelid = d.oid and not g.tgisinternal and g.tgparentid = 0
