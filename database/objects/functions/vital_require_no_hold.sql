-- owner: vital_definer
--
-- Refuses to erase anything of a tenant on legal hold: the tenant, or one of its members. Definer, because holds are operators' business.
create or replace function vital.require_no_hold(p_subject text, p_subject_id uuid) returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from vital.legal_holds h
    where h.released_at is null and h.tenant_id in (
      select p_subject_id where p_subject = 'tenant'
      union all
      select m.tenant_id from public.user_tenants m where p_subject = 'user' and m.user_id = p_subject_id)
  ) then
    raise exception using errcode = 'VT203',
      message = case p_subject when 'tenant' then 'This tenant is on legal hold.' else 'This user is a member of a tenant on legal hold.' end,
      hint = 'Once the reason is gone: `vital tenant hold TENANT --release --reason WHY`.';
  end if;
end
$$;
comment on function vital.require_no_hold(text, uuid) is 'Refuses to erase anything of a tenant on legal hold';
