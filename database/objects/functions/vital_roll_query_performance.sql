-- Makes the day partitions of query_performance that are missing, from p_now's day on for p_ahead days, and drops those
-- whose last record is older than p_keep_days days; returns what was done. Records that came before their partition are moved
-- into it. Nothing is deleted row by row, and nobody is waited for longer than two seconds: what could not be done then is
-- done the next time. A partition with records of a tenant on legal hold is kept whole. Definer, because only the table's owner may make and drop its partitions; for service_role.
create or replace function vital.roll_query_performance(p_keep_days integer, p_ahead integer default 3, p_now timestamptz default now())
returns table (partition_name text, done text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  today constant date := (p_now at time zone 'UTC')::date;
  last_kept constant date := today - p_keep_days;
  first_day constant timestamptz := last_kept::timestamp at time zone 'UTC';
  after_last constant timestamptz := (today + p_ahead + 1)::timestamp at time zone 'UTC';
  day date;
  begins timestamptz;
  ends timestamptz;
  held uuid[];
  kept boolean;
begin
  if p_keep_days is null or p_keep_days < 1 or p_ahead is null or p_ahead not between 0 and 31 then
    raise exception 'records are kept for one day or more, and partitions made for up to 31 days ahead' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('lock_timeout', '2s', true);
  perform pg_advisory_xact_lock(hashtext('vital.roll_query_performance'));
  for day in
    select d::date from generate_series(today, today + p_ahead, interval '1 day') d
    union
    select distinct (r.created_at at time zone 'UTC')::date from vital.query_performance_default r where r.created_at >= first_day and r.created_at < after_last
    order by 1
  loop
    partition_name := 'query_performance_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass('vital.' || partition_name) is not null;
    begins := day::timestamp at time zone 'UTC';
    ends := (day + 1)::timestamp at time zone 'UTC';
    execute format('create table vital.%I (like public.query_performance including all excluding comments)', partition_name);
    -- Known to hold, the bound is not looked for in every row while everybody waits.
    execute format('alter table vital.%I add constraint of_its_day check (created_at >= %L and created_at < %L)', partition_name, begins, ends);
    execute format('with moved as (delete from vital.query_performance_default where created_at >= %L and created_at < %L returning *) insert into vital.%I select * from moved',
      begins, ends, partition_name);
    execute format('alter table public.query_performance attach partition vital.%I for values from (%L) to (%L)', partition_name, begins, ends);
    execute format('alter table vital.%I drop constraint of_its_day', partition_name);
    execute format('comment on table vital.%I is %L', partition_name, 'Records of ' || to_char(day, 'YYYY-MM-DD'));
    done := 'made';
    return next;
  end loop;
  held := array(select vital.held_tenant_ids());
  for partition_name in
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.query_performance'::regclass and c.relname ~ '^query_performance_\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < last_kept
    order by 1
  loop
    if cardinality(held) > 0 then
      execute format('select exists (select from vital.%I r where r.tenant_id = any ($1))', partition_name) into kept using held;
      continue when kept;
    end if;
    execute format('drop table vital.%I', partition_name);
    done := 'dropped';
    return next;
  end loop;
  -- What is older than anything that is kept never had a partition.
  delete from vital.query_performance_default r where r.created_at < first_day and r.tenant_id <> all (held);
end
$$;
comment on function vital.roll_query_performance(integer, integer, timestamptz) is 'Makes and drops the day partitions of query_performance';
revoke all on function vital.roll_query_performance(integer, integer, timestamptz) from public;
grant execute on function vital.roll_query_performance(integer, integer, timestamptz) to service_role;
