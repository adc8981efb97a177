-- owner: vital_definer
--
-- The tenants whose rows must not go, because of a legal hold. Without the table of holds there are none. Dynamic, because a database may not
-- have that table yet. Definer, because nobody else reads holds; executable by no role.
create or replace function vital.held_tenants() returns setof uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('vital.legal_holds') is not null then
    return query execute 'select h.tenant_id from vital.legal_holds h where h.released_at is null';
  end if;
end
$$;
comment on function vital.held_tenants() is 'The tenants whose rows must not go, because of a legal hold';
