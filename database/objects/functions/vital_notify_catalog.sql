-- Event trigger: tells whoever keeps a catalog of this database that its schema has changed. The channel and
-- the words are PostgREST's, so a PostgREST beside VITAL hears it too. It is only a hint: anybody could send
-- it, and nobody believes more of it than that it is time to look.
create or replace function vital.notify_catalog() returns event_trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function vital.notify_catalog() is 'Tells that the schema has changed, so that catalogs are read anew';
