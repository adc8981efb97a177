-- owner: vital_definer
--
-- Has a background job done as soon as a server is free, as river's own client inserts it, and returns its id: that of the one before
-- where it has not been done yet. The key that makes it one of a kind is river's own where there are no arguments, so that a planned
-- job counts too. It is tried once; the state says how it ended. Executable by definer functions alone, which ask who calls.
create or replace function vital.enqueue_job(p_kind text, p_args jsonb default '{}') returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into vital.river_job as j (kind, args, max_attempts, unique_key, unique_states)
  values (p_kind, p_args, 1, sha256(convert_to('&kind=' || p_kind || '&args=' || p_args::text, 'UTF8')), b'11110001') -- all but what has ended
  on conflict (unique_key) where unique_key is not null and unique_states is not null and vital.river_job_state_in_bitmask(unique_states, state)
  do update set kind = excluded.kind
  returning j.id
$$;
comment on function vital.enqueue_job(text, jsonb) is 'Has a background job done as soon as a server is free';
