-- Admins see the invitations of their tenant, without the token's hash. They are made, accepted and taken
-- back through functions.
alter table public.invitations enable row level security;
alter table public.invitations force row level security;

create policy invitations_select_admin on public.invitations for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

grant select (tenant_id, id, email, role, invited_by, expires_at, accepted_at, accepted_by, revoked_at, created_at, updated_at)
  on public.invitations to authenticated;
grant select, insert, update, delete on public.invitations to service_role;
