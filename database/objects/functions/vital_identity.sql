-- owner: vital_sealer
--
-- Who the caller is, from the sealed context of this transaction, or null when there is none.
-- It is the only function that reads the seal keys, and the only place that decides whether a seal is
-- good. Definer, because nobody else may read a key.
--
-- A seal is `version.key.user.tenant.role.session.expiry.pid.mac`, the mac being the lower-case hex of
-- HMAC-SHA-256 over everything before its dot. It is judged against the start of the transaction, so a
-- long statement does not lose its identity half-way; pid is 0 where a pooler stands between.
create or replace function vital.identity() returns vital.caller
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  seal constant text := nullif(current_setting('vital.context', true), '');
  part text[];
  pads record;
  mac text;
  claims jsonb;
  caller vital.caller;
begin
  if seal is null then
    -- PostgREST on a Supabase project: believed only where the operator decided so at install.
    if session_user <> 'authenticator' or not (select accept_jwt_claims from vital.settings) then
      return null;
    end if;
    claims := nullif(current_setting('request.jwt.claims', true), '');
    caller.user_id := claims ->> 'sub';
    caller.tenant := coalesce(claims #>> '{app_metadata,tenant_id}', '');
    caller.role := claims ->> 'role';
    caller.session_id := claims ->> 'session_id';
    return caller;
  end if;

  part := string_to_array(seal, '.');
  if array_length(part, 1) is distinct from 9 or part[1] <> '1' then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction is malformed.',
      hint = 'Only VITAL writes vital.context; a statement in this transaction has changed it.';
  end if;

  select k.inner_pad, k.outer_pad into pads
  from vital.seal_keys k
  where k.id = part[2] and (k.retires_at is null or k.retires_at > transaction_timestamp());
  mac := encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(left(seal, -65), 'UTF8'))), 'hex');
  -- Hashes are compared, so the time a comparison takes tells nothing about the mac.
  if mac is null or sha256(convert_to(mac, 'UTF8')) <> sha256(convert_to(part[9], 'UTF8')) then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction was not sealed by this server.',
      hint = 'Its key may have been rotated away, or a statement in this transaction has changed it.';
  end if;
  if part[7]::bigint < extract(epoch from transaction_timestamp()) then
    raise exception using errcode = 'VT002', message = 'The identity of this transaction has expired.',
      hint = 'Identities last seconds. Check that the clocks of server and database agree.';
  end if;
  if part[8] not in ('0', pg_backend_pid()::text) then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction belongs to another connection.',
      hint = 'An identity is bound to the connection it was made for and cannot be carried over.';
  end if;

  caller.user_id := nullif(part[3], '');
  caller.tenant := part[4];
  caller.role := part[5];
  caller.session_id := nullif(part[6], '');
  return caller;
end
$$;
comment on function vital.identity() is 'The caller of this transaction, verified; null without a context, an error with a wrong one';
grant execute on function vital.identity() to anon, authenticated, service_role, vital_definer;
