-- Refuses a key-encryption key that was retired: it is gone from the keyring, and what it wraps would be lost.
create or replace function vital.require_kek(p_kek_id text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from vital.retired_keks r where r.kek_id = p_kek_id;
  if found then
    raise exception using errcode = 'VT203', message = format('The key-encryption key %s was retired.', p_kek_id),
      hint = 'Give this server the keyring as it is now; `vital keys status` shows which key is current.';
  end if;
end
$$;
comment on function vital.require_kek(text) is 'Refuses a key-encryption key that was retired';
grant execute on function vital.require_kek(text) to vital_definer;
