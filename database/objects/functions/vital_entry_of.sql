-- The entry by which a super admin is in a tenant they are no member of, and until when; no row without one. An entry that
-- has run out is none, by the clock alone. Executable by no role but the definer's, so that it cannot be asked about others.
create or replace function vital.entry_of(p_tenant_id uuid, p_user_id uuid) returns table (id uuid, until timestamptz)
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select b.id, b.until
  from public.break_glass b
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > transaction_timestamp()
  order by b.until desc
  limit 1
$$;
comment on function vital.entry_of(uuid, uuid) is 'The entry by which a super admin is in a tenant, and until when';
grant execute on function vital.entry_of(uuid, uuid) to vital_definer;
