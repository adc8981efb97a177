-- owner: vital_definer
-- after: vital_check_prerequisites.sql
--
-- Deferred trigger of feature_flags where variants were changed: what other flags need of this one is still
-- there. At commit, so that both can be changed in one transaction. Definer, because it looks at every flag.
create or replace function vital.check_needing_flags() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  needing public.feature_flags;
begin
  for needing in
    select f.* from public.feature_flags f
    where f.prerequisites @> jsonb_build_array(jsonb_build_object('flag_key', new.flag_key))
    order by f.flag_key
  loop
    perform vital.check_prerequisites(needing);
  end loop;
  return null;
end
$$;
comment on function vital.check_needing_flags() is 'Keeps the variants that other flags need';
grant execute on function vital.check_needing_flags() to vital_owner; -- to attach it to a table
