-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_append_audit.sql
--
-- Takes over keys as another copy of the database has them, rows of vital.tenant_keys as JSON, so that a backup that is restored brings no
-- destroyed key back: one that was destroyed there is destroyed here, and recorded; of two that are wrapped the newer counts; one that
-- is not here is added. What is destroyed here stays so. A live key of a tenant that has another one here is left out, and counted.
-- For operators. Definer, because nobody writes keys or the audit log by hand.
create or replace function vital.carry_tenant_keys(p_keys jsonb, out destroyed bigint, out rewrapped bigint, out added bigint, out left_out bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  carried vital.tenant_keys;
  here vital.tenant_keys;
begin
  perform vital.require_operator();
  destroyed := 0; rewrapped := 0; added := 0; left_out := 0;
  for carried in
    select c.* from jsonb_populate_recordset(null::vital.tenant_keys, p_keys) c order by c.destroyed_at nulls last, c.tenant_id, c.key_id
  loop
    select k.* into here from vital.tenant_keys k where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id for update;
    if here.key_id is null then
      insert into vital.tenant_keys select carried.* on conflict (tenant_id) where destroyed_at is null do nothing;
      if found then
        added := added + 1;
      else
        left_out := left_out + 1;
      end if;
    elsif here.destroyed_at is null and carried.destroyed_at is not null then
      update vital.tenant_keys k set wrapped = null, kek_id = carried.kek_id, destroyed_at = carried.destroyed_at
      where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id;
      perform vital.append_audit(carried.tenant_id, 'destroyed', 'tenant_keys', carried.key_id, null);
      destroyed := destroyed + 1;
    elsif here.destroyed_at is null and carried.wrapped_at > here.wrapped_at then
      update vital.tenant_keys k set wrapped = carried.wrapped, kek_id = carried.kek_id, wrapped_at = carried.wrapped_at
      where k.tenant_id = carried.tenant_id and k.key_id = carried.key_id;
      rewrapped := rewrapped + 1;
    end if;
  end loop;
end
$$;
comment on function vital.carry_tenant_keys(jsonb) is 'Takes over keys as another copy of the database has them';
grant execute on function vital.carry_tenant_keys(jsonb) to service_role;
