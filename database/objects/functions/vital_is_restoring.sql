-- owner: vital_definer
--
-- Whether this transaction puts a tenant's rows back as they were (vital.begin_restoring). Triggers ask only where the setting
-- vital.restoring is there, so that ordinary writes pay for a look at a setting; by itself that counts for nothing, since
-- anybody may set it. Definer, because nobody may read the table.
create or replace function vital.is_restoring() returns boolean
language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from vital.restorations r where r.xid = pg_current_xact_id_if_assigned())
$$;
comment on function vital.is_restoring() is 'Whether this transaction puts a tenant''s rows back as they were';
grant execute on function vital.is_restoring() to authenticated, service_role, vital_definer;
