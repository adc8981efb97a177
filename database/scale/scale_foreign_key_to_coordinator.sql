-- title: A foreign key points from a distributed table at one that stays on the coordinator
-- level: notice
-- scope: any
-- kind: constraint
-- hint: Make the other a reference table, which every server has, where it changes seldom and notifies nobody; else the constraint goes, and what deletes a tenant deletes its rows.
select r.source as object, r.name || ': ' || r.definition || pg_catalog.format('; alter table %s drop constraint %I', r.source, r.name) as detail
from reference_key r
where r.source_place = 'distributed' and r.target_place = 'coordinator'
