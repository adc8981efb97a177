-- owner: vital_definer
--
-- All flag definitions, and evaluators by name, with the global version they belong to:
-- one statement, one snapshot. Definer, because nobody but its functions reads vital.versions; for
-- service_role alone.
create or replace function vital.flag_definitions(out version bigint, out flags jsonb, out evaluators jsonb)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    coalesce((select v.version from vital.versions v where v.scope = 'global' and v.key = '00000000-0000-0000-0000-000000000000'), 0),
    coalesce((select jsonb_agg(to_jsonb(f) - '{id,created_at,updated_at}'::text[] order by f.flag_key) from public.feature_flags f), '[]'),
    coalesce((select jsonb_object_agg(e.name, e.rule) from public.feature_flag_evaluators e), '{}')
$$;
comment on function vital.flag_definitions() is 'Flag definitions and evaluators, with the global version they belong to';
grant execute on function vital.flag_definitions() to service_role;
