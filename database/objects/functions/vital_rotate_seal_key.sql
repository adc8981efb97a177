-- owner: vital_sealer
--
-- Makes a new seal key and lets the former ones run out after p_grace. Returns the new key's id.
-- Servers take up the new key when they hear of it, or at the first refused seal.
create or replace function vital.rotate_seal_key(p_grace interval default interval '5 minutes') returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- 366 bits of the server's strong random source, folded into 256.
  key constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    || decode(repeat('00', 32), 'hex');
  inner_pad bytea := key;
  outer_pad bytea := key;
  new_id constant text := substr(replace(gen_random_uuid()::text, '-', ''), 1, 12);
begin
  for i in 0 .. 63 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  update vital.seal_keys k
  set retires_at = least(coalesce(k.retires_at, 'infinity'), transaction_timestamp() + p_grace);
  delete from vital.seal_keys k where k.retires_at < transaction_timestamp() - interval '1 day';
  insert into vital.seal_keys (id, inner_pad, outer_pad) values (new_id, inner_pad, outer_pad);
  perform pg_notify('vital_change', 'seal_key');
  return new_id;
end
$$;
comment on function vital.rotate_seal_key(interval) is 'Makes a new seal key; the former ones stay good for the grace period';
grant execute on function vital.rotate_seal_key(interval) to vital_service;
