-- Super admins read what the schema is held to. Rules come with migrations.
alter table public.schema_validation_rules enable row level security;
alter table public.schema_validation_rules force row level security;

create policy schema_validation_rules_select_super_admin on public.schema_validation_rules for select to authenticated
  using ((select public.is_super_admin()));

grant select on public.schema_validation_rules to authenticated;
grant select on public.schema_validation_rules to service_role;
