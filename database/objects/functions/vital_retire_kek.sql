-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Says that a key-encryption key is to be thrown away, once no key that is not destroyed is wrapped with it; returns how many still are, and
-- 0 where it is done. The lock waits for whoever wraps with it at this moment, and they are refused afterwards. For operators.
-- Definer, because nobody writes keys by hand.
create or replace function vital.retire_kek(p_kek_id text) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  live bigint;
begin
  perform vital.require_operator();
  lock table vital.tenant_keys in share row exclusive mode;
  select count(*) into live from vital.tenant_keys k where k.kek_id = p_kek_id and k.destroyed_at is null;
  if live = 0 then
    insert into vital.retired_keks (kek_id) values (p_kek_id) on conflict do nothing;
  end if;
  return live;
end
$$;
comment on function vital.retire_kek(text) is 'Says that a key-encryption key is to be thrown away, once nothing is wrapped with it';
grant execute on function vital.retire_kek(text) to service_role;
