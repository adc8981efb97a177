-- after: vital_is_operator.sql
-- after: vital_require_value.sql
-- after: vital_throttles.sql
--
-- Trigger of tenant_configurations: what a tenant may take of the server is set by operators and super admins. Its own
-- admins, who may change all its other limits, leave these as they are, or they could take what is other tenants'.
create or replace function vital.guard_throttles() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  throttles constant jsonb := vital.throttles(new.limits);
  name text;
begin
  if tg_op = 'UPDATE' and throttles = vital.throttles(old.limits) then
    return new;
  end if;
  if tg_op = 'UPDATE' and not (vital.is_operator() or public.is_super_admin()) then
    raise exception using errcode = 'VT110',
      message = 'Only operators change limits.requests_per_second and limits.concurrent_requests.',
      hint = 'Leave both as they are, and ask the operator of the platform.';
  end if;
  for name in select jsonb_object_keys(throttles) loop
    perform vital.require_value(
      case jsonb_typeof(throttles -> name) when 'number' then (throttles ->> name)::numeric between 1 and 1000000 and (throttles ->> name)::numeric % 1 = 0 end,
      'limits.' || name, 'a whole number from 1 to 1000000');
  end loop;
  return new;
end
$$;
comment on function vital.guard_throttles() is 'Lets only operators change what a tenant may take of the server';
