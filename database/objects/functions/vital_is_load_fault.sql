-- Whether a load that ended with p_code failed for a reason that is ours to mend: what broke here, and data that does not fit
-- together. What a caller was rightly refused is none: a token that has expired, a tenant that is not theirs or suspended.
create or replace function vital.is_load_fault(p_code text) returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select p_code in (
      'internal', 'database_unavailable', 'pool_exhausted', 'statement_timeout', 'request_timeout', 'signing_keys_unavailable', 'seal_rejected',
      'seal_expired', 'seal_key_unavailable', 'schema_behind',
      'user_unknown', 'user_without_profile', 'user_without_organization', 'tenant_unconfigured',
      '42P17', '42P01', '42883', '40001', '40P01')
    or p_code ~ '^(53|57|58|XX)...$' or p_code ~ '^PGRST00'
$$;
comment on function vital.is_load_fault(text) is 'Whether a load that ended with this code failed for a reason that is ours to mend';
grant execute on function vital.is_load_fault(text) to authenticated, service_role;
