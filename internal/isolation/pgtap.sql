The parts of a pgTAP script. Placeholders in braces stand for literals.

-- name: Begin
\set QUIET 1
\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only true
\pset pager off

begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
do $$
begin
  perform pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname) || ', pg_catalog, pg_temp', true)
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pgtap';
end
$$;
set local lock_timeout = '5s';

-- Who attacks, by the statements that make a transaction theirs, and the ids that they know; by what the other tenant is known wherever
-- it turns up; and all that is the other tenant's, as it was.
create temporary table attack_caller (name text primary key, entering text not null, own text not null) on commit drop;
create temporary table attack_canary (value text primary key) on commit drop;
create temporary table attack_state (query text not null, before text) on commit drop;

create function pg_temp.attack_state() returns text language plpgsql as $$
declare
  found text;
begin
  execute (select 'select pg_catalog.string_agg(s.line, E''\n'') from (' || s.query || ') s(line)' from pg_temp.attack_state s) into found;
  return found;
end
$$;

-- Runs an attack as a caller in a subtransaction, and undoes it. Before it, somebody else may have prepared
-- statements, which outlive that.
create function pg_temp.attack_attempt(
  caller text, preparer text, before text, lead text, last text, has_rows boolean, look boolean,
  out failed text, out output text, out reached boolean, out signature text, out changed boolean
) language plpgsql as $$
declare
  entering text := (select c.entering from pg_temp.attack_caller c where c.name = caller);
  preparing text := (select c.entering from pg_temp.attack_caller c where c.name = preparer);
  was text := (select s.before from pg_temp.attack_state s);
  line record;
  found bigint := 0;
  plan text := '';
  value text := '';
  detail text;
  hint text;
  context text;
begin
  output := '';
  reached := false;
  changed := false;
  if before <> '' then
    begin
      set local search_path = pg_catalog, public, pg_temp;
      execute coalesce(preparing, '');
      execute before;
      raise exception using errcode = 'VT000';
    exception
      when sqlstate 'VT000' then
        null;
      when others then -- the other may not do it either
        failed := sqlstate;
        signature := failed;
        deallocate all;
        return;
    end;
  end if;
  begin
    set local search_path = pg_catalog, public, pg_temp;
    execute entering;
    begin
      execute lead;
      if has_rows then
        for line in execute last loop
          found := found + 1;
          output := output || line::text || E'\n';
          if found = 1 and (select pg_catalog.count(*) = 1 from pg_catalog.jsonb_object_keys(pg_catalog.to_jsonb(line))) then
            value := line::text;
          end if;
          reached := reached or line::text <> all (array['(0)', '(f)', '()', '("")']);
          plan := plan || coalesce(pg_catalog.substring(line::text, '\(actual rows=(.*)'), '');
        end loop;
      else
        execute last;
        get diagnostics found = row_count;
        reached := found > 0;
      end if;
    exception when others then
      get stacked diagnostics failed = returned_sqlstate, output = message_text, detail = pg_exception_detail, hint = pg_exception_hint, context = pg_exception_context;
      output := pg_catalog.concat_ws(' ', output, detail, hint, pg_catalog.split_part(context, E'\nSQL statement', 1));
    end;
    if look and failed is null then
      set local session authorization default;
      reset role;
      set local row_security = on;
      changed := pg_temp.attack_state() is distinct from was;
    end if;
    raise exception using errcode = 'VT000';
  exception when sqlstate 'VT000' then
    null;
  end;
  if before <> '' then
    deallocate all;
  end if;
  if failed = '42P11' then
    raise exception 'this attack gives no rows: %', last;
  end if;
  signature := coalesce(failed, case when plan <> '' then plan when found = 1 then '1 ' || value else found::text end);
end
$$;

-- Says how an attack got through, or nothing.
create function pg_temp.attack(
  caller text, leak text, last text, lead text = '', preparer text = '', before text = '', control text = '', has_rows boolean = true, look boolean = true
) returns text language plpgsql as $$
declare
  got record;
  about record;
  canary text;
  own text := (select c.own from pg_temp.attack_caller c where c.name = caller);
begin
  select * into got from pg_temp.attack_attempt(caller, preparer, before, lead, last, has_rows, look);
  if got.failed in ('57014', '55P03') then
    raise exception 'it could not be tried: %', got.output;
  end if;
  select c.value into canary from pg_temp.attack_canary c
  where pg_catalog.strpos(got.output, c.value) > 0 and pg_catalog.strpos(pg_catalog.concat_ws(' ', before, lead, last, own), c.value) = 0
  order by c.value
  limit 1;
  if canary is not null then
    return 'the other tenant''s value ' || canary || ' came back';
  elsif got.changed then
    return 'the other tenant''s rows are not what they were';
  elsif leak = 'rows' and got.failed is null and got.reached then
    return 'it reached the other tenant''s rows';
  elsif leak = 'success' and got.failed is null then
    return 'it was let through';
  elsif leak = 'difference' then
    select * into about from pg_temp.attack_attempt(caller, preparer, before, lead, control, has_rows, false);
    if got.signature is distinct from about.signature then
      return pg_catalog.format('it answers %s where the other tenant has it and %s where nobody has', got.signature, about.signature);
    end if;
  end if;
  return null;
end
$$;

-- name: Rows
set local session_replication_role = replica;
{rows}
set local session_replication_role = origin;

-- name: Caller
insert into pg_temp.attack_caller values ({name}, {entering}, {own});

-- name: Canary
insert into pg_temp.attack_canary values ({value});

-- name: State
insert into pg_temp.attack_state values ({query});
update pg_temp.attack_state set before = pg_temp.attack_state();

-- name: Plan
select plan({tests});

-- name: Skip
select skip({why}, 1);

-- name: Todo
select * from todo(1, {why});

-- name: Test
select is(pg_temp.attack({arguments}), null, {name});

-- name: Finish
select * from finish();
rollback;
