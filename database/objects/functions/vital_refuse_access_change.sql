-- Trigger of access_records: a record is never changed or deleted, by nobody, its owner included. Old ones go with
-- their partition.
create or replace function vital.refuse_access_change() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'VT201', message = 'Records of access are only ever added to.',
    hint = 'They go by themselves, a month at a time, once they are older than access_record_retention.';
end
$$;
comment on function vital.refuse_access_change() is 'Refuses every change of a record of access';
