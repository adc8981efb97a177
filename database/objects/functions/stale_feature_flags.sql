-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
--
-- Flags to look at in the monthly review, with why: never_evaluated (not in the last p_days), one_value (the
-- same variant for every tenant in all that time), inactive (switched off that long), expired, no_owner. A
-- flag younger than p_days is judged by its end and owner alone. For super admins and service_role. Each
-- flag's counts are looked up by its variants in an index; none is scanned. Definer, because counts are read
-- across tenants.
create or replace function public.stale_feature_flags(p_days integer default 30)
returns table (flag_key text, reasons text[], owner text, expires_at timestamptz, last_evaluated_on date, variant text, updated_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  since date;
begin
  perform vital.require_operator();
  perform vital.require_value(p_days between 1 and 90, 'p_days', 'between 1 and 90: counts are kept for 90 days');
  since := (now() at time zone 'UTC')::date - p_days;
  return query
    with seen as (
      select f.id, f.created_at < now() - make_interval(days => p_days) as old,
        count(u.day) filter (where u.day >= since) as variants, max(u.day) as last, min(n.name) filter (where u.day >= since) as one
      from public.feature_flags f
      cross join lateral (
        select k.name from jsonb_object_keys(f.variants) k (name) union select unnest(array['', 'on', 'off'])
      ) n
      left join lateral (
        select x.day from public.tenant_feature_flag_usage x
        where x.feature_flag_id = f.id and x.variant = n.name
        order by x.day desc
        limit 1
      ) u on true
      group by f.id
    ), judged as (
      select f.flag_key, f.owner, f.expires_at, s.last, case when s.variants = 1 then s.one end as one, f.updated_at,
        array_remove(array[
          case when s.old and f.is_active and s.variants = 0 then 'never_evaluated' end,
          case when s.old and f.is_active and s.variants = 1 then 'one_value' end,
          case when not f.is_active and f.updated_at < now() - make_interval(days => p_days) then 'inactive' end,
          case when f.expires_at <= now() then 'expired' end,
          case when btrim(coalesce(f.owner, '')) = '' then 'no_owner' end
        ], null) as reasons
      from public.feature_flags f join seen s on s.id = f.id
    )
    select j.flag_key, j.reasons, j.owner, j.expires_at, j.last, j.one, j.updated_at
    from judged j
    where j.reasons <> '{}'
    order by j.flag_key;
end
$$;
comment on function public.stale_feature_flags(integer) is 'Flags to look at in the monthly review, with why';
grant execute on function public.stale_feature_flags(integer) to authenticated, service_role;
