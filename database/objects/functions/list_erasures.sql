-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- All erasures, the latest first, for super admins and service_role: where they stand, and since when. Definer, because sessions of users
-- do not reach schema vital's tables.
create or replace function public.list_erasures()
returns table (
  id uuid, subject text, subject_id uuid, reason text, state text, requested_by text, requested_at timestamptz, not_before timestamptz,
  approved_by text, approved_at timestamptz, started_at timestamptz, finished_at timestamptz, cancelled_by text, cancelled_at timestamptz,
  on_hold boolean, clean boolean
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    select e.id, e.subject, e.subject_id, e.reason, e.state, e.requested_by, e.requested_at, e.not_before,
      e.approved_by, e.approved_at, e.started_at, e.finished_at, e.cancelled_by, e.cancelled_at,
      e.state in ('requested', 'approved', 'running') and exists (
        select from vital.legal_holds h
        where h.released_at is null and h.tenant_id in (
          select e.subject_id union all select m.tenant_id from public.user_tenants m where m.user_id = e.subject_id)),
      (e.certificate::jsonb -> 'clean')::boolean
    from vital.erasures e
    order by e.requested_at desc, e.id;
end
$$;
comment on function public.list_erasures() is 'All erasures and where they stand; for operators';
grant execute on function public.list_erasures() to authenticated, service_role;
