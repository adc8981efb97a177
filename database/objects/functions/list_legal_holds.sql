-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Tenants on legal hold, the latest first, for super admins and service_role: why, and who said so. Definer, because sessions of users do
-- not reach schema vital's tables.
create or replace function public.list_legal_holds()
returns table (tenant_id uuid, reason text, placed_by text, placed_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    select h.tenant_id, h.reason, h.placed_by, h.placed_at
    from vital.legal_holds h
    where h.released_at is null
    order by h.placed_at desc, h.tenant_id;
end
$$;
comment on function public.list_legal_holds() is 'Tenants on legal hold, and why; for operators';
grant execute on function public.list_legal_holds() to authenticated, service_role;
