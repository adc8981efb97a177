-- after: vital_require_value.sql
--
-- Refuses changes that are no object, are empty, or name a field that is not known, by a message that names it.
create or replace function vital.require_fields(p_changes jsonb, p_known text[]) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  stranger text;
begin
  perform vital.require_value(jsonb_typeof(p_changes) = 'object', 'p_changes', 'an object of the fields to change');
  select k into stranger from jsonb_object_keys(p_changes) k where not k = any (p_known) order by k limit 1;
  perform vital.require_value(stranger is null, 'p_changes.' || stranger, 'left out: there is no such field. There are ' || array_to_string(p_known, ', '));
end
$$;
comment on function vital.require_fields(jsonb, text[]) is 'Refuses changes that name a field that is not known';
grant execute on function vital.require_fields(jsonb, text[]) to authenticated, service_role, vital_definer;
