-- Members record their own loads in the tenant they act in and admins read their tenant's. Viewers write
-- nothing, and an archived tenant takes nothing: their loads are the server's to record. A record is
-- never changed; old ones go with their partition. What was measured to the microsecond, step by
-- step, how many loads a record stands for, and what is a background job, is the server's to say; and nobody's record is of another day.
alter table public.query_performance enable row level security;
alter table public.query_performance force row level security;

create policy query_performance_select_admin on public.query_performance for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

create policy query_performance_select_super_admin on public.query_performance for select to authenticated
  using (tenant_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

create policy query_performance_insert_member on public.query_performance for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id())
    and weight = 1 and duration_us is null and steps is null and query_type is distinct from 'job'
    and created_at between (select now()) - interval '1 day' and (select now()) + interval '1 minute');

grant select, insert on public.query_performance to authenticated;
grant select, insert on public.query_performance to service_role;
