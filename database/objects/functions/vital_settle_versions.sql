-- owner: vital_definer
--
-- At commit, raises every scope the transaction touched, once and in one order, so that two writers never wait for each other in a circle, and tells the
-- listeners. A transaction that touched very many says so in one word instead of flooding them.
create or replace function vital.settle_versions() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  touched record;
  raised integer := 0;
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
    raised := raised + 1;
    if raised <= 100 then
      perform pg_notify('vital_change', touched.scope || ':' || touched.key || ':' || touched.version);
    elsif raised = 101 then
      perform pg_notify('vital_change', '*');
    end if;
  end loop;
end
$$;
comment on function vital.settle_versions() is 'Raises the versions a transaction touched, at its commit';
