-- Makes the month partitions of access_records that are missing, from p_now's month on for p_ahead months, and drops those whose last
-- record is older than vital.settings.access_record_retention; returns what was done. Records that came before their partition
-- are moved into it: for that, those outside every partition are taken out of the table and put back, since within it no
-- record can be deleted. Nobody is waited for longer than two seconds: what could not be done then is done the next time.
-- Definer, because only the table's owner may make and drop its partitions; for service_role.
create or replace function vital.roll_access_records(p_ahead integer default 3, p_now timestamptz default now())
returns table (partition_name text, done text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  this_month constant date := date_trunc('month', p_now at time zone 'UTC');
  first_kept constant timestamptz := p_now - (select s.access_record_retention from vital.settings s);
  misplaced boolean;
  month date;
  begins timestamptz;
  ends timestamptz;
begin
  if p_ahead is null or p_ahead not between 0 and 24 then
    raise exception 'partitions are made for up to 24 months ahead' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('lock_timeout', '2s', true);
  perform set_config('timezone', 'UTC', true);
  perform pg_advisory_xact_lock(hashtext('vital.roll_access_records'));
  misplaced := exists (select from vital.access_records_default);
  if misplaced then
    alter table public.access_records detach partition vital.access_records_default;
  end if;
  for month in
    select m::date from generate_series(this_month, this_month + make_interval(months => p_ahead), interval '1 month') m
    union
    select distinct date_trunc('month', r.at at time zone 'UTC')::date from vital.access_records_default r
    order by 1
  loop
    partition_name := 'access_records_' || to_char(month, 'YYYYMM');
    begins := month::timestamp at time zone 'UTC';
    ends := (month + interval '1 month') at time zone 'UTC';
    if to_regclass('vital.' || partition_name) is null then
      execute format('create table vital.%I (like public.access_records including all excluding comments)', partition_name);
      execute format('alter table public.access_records attach partition vital.%I for values from (%L) to (%L)', partition_name, begins, ends);
      execute format('comment on table vital.%I is %L', partition_name, 'Records of ' || to_char(month, 'YYYY-MM'));
      done := 'made';
      return next;
    end if;
    if misplaced then
      execute format('with moved as (delete from vital.access_records_default where at >= %L and at < %L returning *) insert into vital.%I select * from moved',
        begins, ends, partition_name);
    end if;
  end loop;
  if misplaced then
    alter table public.access_records attach partition vital.access_records_default default;
  end if;
  for partition_name in
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.access_records'::regclass and c.relname ~ '^access_records_\d{6}$'
      and (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') at time zone 'UTC' <= first_kept
    order by 1
  loop
    execute format('drop table vital.%I', partition_name);
    done := 'dropped';
    return next;
  end loop;
end
$$;
comment on function vital.roll_access_records(integer, timestamptz) is 'Makes and drops the month partitions of access_records';
revoke all on function vital.roll_access_records(integer, timestamptz) from public;
grant execute on function vital.roll_access_records(integer, timestamptz) to service_role;
