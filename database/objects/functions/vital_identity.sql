-- owner: vital_sealer
-- after: vital_claimed_identity.sql
--
-- Who the caller is, from the sealed context of this transaction, or null when there is none.
-- It is the only function that reads the seal keys to verify, and the only place that decides whether a
-- seal is good. Definer, because nobody else may read a key.
--
-- A seal is `version.key.user.tenant.role.session.expiry.pid.mac`, the mac being the lower-case hex of
-- HMAC-SHA-256 over everything before its dot. It is judged against the start of the transaction, so a
-- long statement does not lose its identity half-way; pid is 0 where a pooler stands between.
--
-- A session, or an API key, that was revoked is refused here, at the next request and not when its token
-- expires: the look into vital.revoked_sessions is part of the same query.
--
-- One query says it all: policies call this in every statement, and an expression of plpgsql costs more
-- to set up there than what it computes. Nothing of a seal is cast before its mac was found good. Hashes
-- are compared, so the time a comparison takes tells nothing about the mac.
create or replace function vital.identity() returns vital.caller
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  seal constant text := nullif(current_setting('vital.context', true), '');
  verdict record;
begin
  if seal is null then
    return vital.claimed_identity();
  end if;
  select
    s.sealed,
    case when s.sealed then s.part[7]::bigint >= extract(epoch from transaction_timestamp()) end as fresh,
    case when s.sealed then s.part[8] in ('0', pg_backend_pid()::text) end as here,
    case when s.sealed and s.part[6] <> '' then
      exists (select from vital.revoked_sessions r where r.session_id = s.part[6]::uuid)
    else false end as revoked,
    case when s.sealed then
      row(nullif(s.part[3], '')::uuid, s.part[4], s.part[5], nullif(s.part[6], '')::uuid)::vital.caller
    end as caller
  into verdict
  from (
    select
      p.part,
      p.part[1] = '1' and array_length(p.part, 1) = 9 and coalesce((
        select sha256(convert_to(encode(sha256(
            k.outer_pad || sha256(k.inner_pad || convert_to(left(seal, -65), 'UTF8'))), 'hex'), 'UTF8'))
          = sha256(convert_to(p.part[9], 'UTF8'))
        from vital.seal_keys k
        where k.id = p.part[2] and (k.retires_at is null or k.retires_at > transaction_timestamp())
      ), false) as sealed
    from (select string_to_array(seal, '.') as part offset 0) p
    offset 0
  ) s;
  if verdict.sealed and verdict.fresh and verdict.here and not verdict.revoked then
    return verdict.caller;
  end if;

  if not verdict.sealed then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction was not sealed by this server.',
      hint = 'Its key may have been rotated away, or a statement in this transaction has changed it.';
  elsif not verdict.fresh then
    raise exception using errcode = 'VT002', message = 'The identity of this transaction has expired.',
      hint = 'Identities last seconds. Check that the clocks of server and database agree.';
  elsif not verdict.here then
    raise exception using errcode = 'VT001', message = 'The identity of this transaction belongs to another connection.',
      hint = 'An identity is bound to the connection it was made for and cannot be carried over.';
  else
    raise exception using errcode = 'VT003', message = 'This session has ended.',
      hint = 'Sign in again. An API key that was revoked is replaced by a new one.';
  end if;
end
$$;
comment on function vital.identity() is 'The caller of this transaction, verified; null without a context, an error with a wrong one';
grant execute on function vital.identity() to anon, authenticated, service_role, vital_definer;
