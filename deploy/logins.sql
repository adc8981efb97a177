-- Passwords of the server's two logins, from the environment: VITAL_API_PASSWORD and VITAL_SERVICE_PASSWORD. For psql 15 or newer, as an
-- operator, after the first `vital migrate up`, and again whenever one of them changes:
--
--   psql "$DATABASE_URL" -f deploy/logins.sql
--
-- By hand, `\password vital_api` does the same and sends a hash instead of the password.
\set ON_ERROR_STOP on
\getenv api VITAL_API_PASSWORD
\getenv service VITAL_SERVICE_PASSWORD
\if :{?api}
\else
  do $$ begin raise 'VITAL_API_PASSWORD is not set'; end $$;
\endif
\if :{?service}
\else
  do $$ begin raise 'VITAL_SERVICE_PASSWORD is not set'; end $$;
\endif
begin;
alter role vital_api password :'api';
alter role vital_service password :'service';
commit;
