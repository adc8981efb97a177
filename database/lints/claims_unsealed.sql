-- title: Unsealed claims are believed on PostgREST's login
-- level: risk
-- scope: vital
-- kind: setting
-- hint: Decided at install for a Supabase project. SQL injected into a request there can act as any user; VITAL's own requests stay sealed.
select 'vital.settings' as object, 'accept_jwt_claims is on' as detail
from vital.settings s
where s.accept_jwt_claims
