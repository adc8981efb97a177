-- owner: vital_definer
-- after: vital_identity.sql
--
-- Claims an Idempotency-Key for this transaction, or finds the answer that was given under it. The first
-- transaction to insert the key wins; another waits here for its end, then finds its answer, or, when it
-- was rolled back, claims the key itself. same is false when the key was used for another request. Keys
-- older than a day are forgotten, a few with each claim. Definer, because keys are nobody's to read.
create or replace function vital.claim_idempotency_key(
  p_key text, p_fingerprint bytea,
  out claimed boolean, out same boolean, out status integer, out headers jsonb, out body bytea
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller_id constant uuid := (vital.identity()).user_id;
  oldest constant timestamptz := transaction_timestamp() - interval '1 day';
begin
  if caller_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  delete from vital.idempotency_keys k where k.caller = caller_id and k.key = p_key and k.created_at < oldest;
  delete from vital.idempotency_keys k using (
    select o.caller, o.key from vital.idempotency_keys o where o.created_at < oldest
    order by o.created_at limit 10 for update skip locked
  ) o where k.caller = o.caller and k.key = o.key;
  loop
    insert into vital.idempotency_keys (caller, key, fingerprint) values (caller_id, p_key, p_fingerprint)
    on conflict do nothing;
    claimed := found;
    exit when claimed;
    select k.fingerprint = p_fingerprint, k.status, k.headers, k.body
    into same, status, headers, body
    from vital.idempotency_keys k
    where k.caller = caller_id and k.key = p_key;
    exit when found;
  end loop;
end
$$;
comment on function vital.claim_idempotency_key(text, bytea) is 'Claims an Idempotency-Key, or finds the answer given under it';
grant execute on function vital.claim_idempotency_key(text, bytea) to authenticated;
