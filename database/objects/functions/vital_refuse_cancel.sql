-- Raises the error of a scheduled change that cannot be cancelled: of that status, or not there.
create or replace function vital.refuse_cancel(p_status text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_status is null then
    raise exception using errcode = 'VT205', message = 'There is no such scheduled change.', hint = 'Name it by its id.';
  end if;
  raise exception using errcode = 'VT203', message = format('This change is %s; only a pending one can be cancelled.', p_status),
    hint = 'Roll the flag back instead, if it was made.';
end
$$;
comment on function vital.refuse_cancel(text) is 'Raises the error of a scheduled change that cannot be cancelled';
grant execute on function vital.refuse_cancel(text) to vital_definer;
