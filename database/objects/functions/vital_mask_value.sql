-- What becomes of a value in a clone, by a rule of vital.masking_rules. The salt is random and forgotten with the clone: nobody
-- finds a value again by trying. Lists are masked value by value.
create or replace function vital.mask_value(p_rule text, p_value jsonb, p_salt text) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant text := jsonb_typeof(p_value);
  said constant text := p_value #>> '{}';
  hash constant text := encode(sha256(convert_to(p_salt || coalesce(said, ''), 'UTF8')), 'hex');
begin
  if p_rule = 'keep' or p_value is null or kind = 'null' then
    return coalesce(p_value, 'null');
  elsif p_rule = 'null' then
    return 'null';
  elsif p_rule = 'empty' then
    return case kind when 'object' then '{}'::jsonb when 'array' then '[]' when 'string' then '""' else 'null' end;
  elsif kind = 'array' then
    return (select coalesce(jsonb_agg(vital.mask_value(p_rule, e.value, p_salt || e.n) order by e.n), '[]') from jsonb_array_elements(p_value) with ordinality e (value, n));
  elsif kind = 'object' then
    return '{}';
  elsif kind <> 'string' then
    return 'null';
  end if;
  return to_jsonb(case p_rule
    when 'hash' then left(hash, 32)
    when 'name' then 'Person ' || left(hash, 10)
    when 'email' then 'person-' || left(hash, 16) || '@masked.invalid'
    when 'text' then format('[%s characters, masked]', length(said))
  end);
end
$$;
comment on function vital.mask_value(text, jsonb, text) is 'What becomes of a value in a clone';
grant execute on function vital.mask_value(text, jsonb, text) to service_role;
