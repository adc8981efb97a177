-- owner: vital_definer
-- after: vital_identity.sql
--
-- Keeps the answer to the request whose key this transaction has claimed; it is kept if the transaction
-- is. An answer that stands is never replaced. Definer, because keys are nobody's to write.
create or replace function vital.store_idempotent_answer(p_key text, p_status integer, p_headers jsonb, p_body bytea) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update vital.idempotency_keys k
  set status = p_status, headers = p_headers, body = p_body
  where k.caller = (vital.identity()).user_id and k.key = p_key and k.status is null;
end
$$;
comment on function vital.store_idempotent_answer(text, integer, jsonb, bytea) is 'Keeps the answer to the request that claimed an Idempotency-Key';
grant execute on function vital.store_idempotent_answer(text, integer, jsonb, bytea) to authenticated;
