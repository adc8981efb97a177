-- Triggers of public.organizations.
drop trigger if exists organizations_touch on public.organizations;
create trigger organizations_touch before update on public.organizations
  for each row execute function vital.touch_updated_at();
drop trigger if exists organizations_record_change on public.organizations;
create trigger organizations_record_change after insert or update or delete on public.organizations
  for each row execute function vital.record_change('tenant', 'id');
drop trigger if exists organizations_follow_lifecycle on public.organizations;
create trigger organizations_follow_lifecycle before insert or update of is_active, lifecycle_state, approved_at, approved_by on public.organizations
  for each row execute function vital.follow_lifecycle();
drop trigger if exists organizations_provision on public.organizations;
create trigger organizations_provision after insert on public.organizations
  for each row execute function vital.provision_tenant();
drop trigger if exists org_audit_trigger on public.organizations;
create trigger org_audit_trigger after insert or update or delete on public.organizations
  for each row execute function public.audit_organization_changes();
drop trigger if exists organizations_guard_parent on public.organizations;
create trigger organizations_guard_parent before insert or update of parent_organization_id on public.organizations
  for each row execute function vital.guard_parent();
