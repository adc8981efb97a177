-- owner: vital_definer
--
-- At commit, raises every scope the transaction touched, once and in one order, so that two writers never wait for each other in a circle, and tells the
-- listeners. A transaction that touched very many says so in one word instead of flooding them.
--
-- The same is left for the server that runs the transaction, in the session's vital.raised, to be read behind the commit. SQL of the transaction could write
-- there what it likes: it says where to look, and nothing else.
create or replace function vital.settle_versions() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  touched record;
  raised text[] := string_to_array(left(current_setting('vital.raised', true), 16384), ' '); -- constraints may have been made immediate before
  told integer := 0;
begin
  for touched in
    with mine as (
      delete from vital.pending_versions p where p.xid = pg_current_xact_id() returning p.scope, p.key
    ), ordered as (
      select m.scope, m.key from mine m where m.scope <> 'settle' order by m.scope, m.key
    )
    insert into vital.versions as v (scope, key)
    select o.scope, o.key from ordered o
    on conflict (scope, key) do update set version = v.version + 1, changed_at = transaction_timestamp()
    returning v.scope, v.key, v.version
  loop
    told := told + 1;
    if told <= 100 then
      perform pg_notify('vital_change', touched.scope || ':' || touched.key || ':' || touched.version);
      raised := raised || (touched.scope || ':' || touched.key || ':' || touched.version);
    elsif told = 101 then
      perform pg_notify('vital_change', '*');
    end if;
  end loop;
  if told > 0 then
    perform set_config('vital.raised', case when told > 100 or cardinality(raised) > 100 then '*' else array_to_string(raised, ' ') end, false);
  end if;
end
$$;
comment on function vital.settle_versions() is 'Raises the versions a transaction touched, at its commit';
