-- owner: vital_sealer
--
-- Who PostgREST's claims say the caller is: believed only where the operator decided so at install, for
-- a Supabase project, and only on PostgREST's own login. Null otherwise. Nobody seals these claims, so
-- SQL injected there can write them.
create or replace function vital.claimed_identity() returns vital.caller
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  claims jsonb;
  caller vital.caller;
begin
  if session_user <> 'authenticator' or not (select accept_jwt_claims from vital.settings) then
    return null;
  end if;
  claims := nullif(current_setting('request.jwt.claims', true), '');
  caller.user_id := claims ->> 'sub';
  caller.tenant := coalesce(claims #>> '{app_metadata,tenant_id}', '');
  caller.role := claims ->> 'role';
  caller.session_id := claims ->> 'session_id';
  return caller;
end
$$;
comment on function vital.claimed_identity() is 'The caller by PostgREST''s claims, where they are believed';
