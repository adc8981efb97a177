-- Whether a record of query_performance, by its query_type, is of a load: what somebody asked for. What servers do by themselves is recorded
-- beside it as 'job', every few seconds on a server that nobody uses, and belongs into no figure that says how loads fare. No settings
-- of its own, so that it is inlined: it is asked of every record.
create or replace function vital.is_load(p_query_type text) returns boolean
language sql immutable parallel safe
as $$
  select p_query_type is distinct from 'job'
$$;
comment on function vital.is_load(text) is 'Whether a record of this query_type is of a load, and not of a background job';
grant execute on function vital.is_load(text) to authenticated, service_role;
