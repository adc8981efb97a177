-- after: vital_require_admin.sql
--
-- The story of one row of the tenant the caller administers, from its audit log, the latest first: who changed what when, and why. Row-level
-- security stays in force: it decides which entries there are, and whose address is told.
create or replace function public.row_history(p_table text, p_id uuid)
returns table (
  seq bigint, created_at timestamptz, action text, actor_id uuid, actor_email text, actor_role text, changes jsonb, reason text, request_id text, erased_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query
    select a.seq, a.created_at, a.action, a.actor_id, u.email, a.actor_role, a.changes, a.reason, a.request_id, a.erased_at
    from public.organization_audit_log a
    left join public.users u on u.id = a.actor_id
    where a.organization_id = standing.tenant_id and a.entity = p_table and a.entity_id = p_id
    order by a.seq desc;
end
$$;
comment on function public.row_history(text, uuid) is 'Who changed what of a row of the caller''s tenant, and why';
grant execute on function public.row_history(text, uuid) to authenticated;
