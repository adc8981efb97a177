-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_erasable.sql
-- after: vital_operator_name.sql
--
-- Asks for the erasure of a tenant or a user (p_subject), by a super admin or an operator; another one has to approve it. It may begin once
-- the waiting time is over: since the tenant was archived, as its audit log says, or since a user's was asked for. The platform's audit log
-- has it. Definer, because erasures are written through functions alone.
create or replace function public.request_erasure(p_subject text, p_subject_id uuid, p_reason text) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  filed uuid;
  earliest timestamptz;
begin
  perform vital.require_operator();
  perform vital.require_value(p_subject in ('tenant', 'user'), 'p_subject', 'tenant or user');
  perform vital.require_value(length(btrim(coalesce(p_reason, ''))) between 1 and 1000, 'p_reason', 'given, in up to 1000 characters: why it is erased');
  perform vital.require_erasable(p_subject, p_subject_id);
  perform vital.require_value(p_reason !~* p_subject_id::text and not exists (
    select from public.users u where p_subject = 'user' and u.id = p_subject_id and position(lower(u.email) in lower(p_reason)) > 0),
    'p_reason', 'without the id and address of whom it is about: it outlives them');
  if p_subject = 'tenant' then
    select coalesce(
      (select max(a.created_at) from public.organization_audit_log a where a.organization_id = o.id and a.action = 'archived' and a.entity = 'organizations'),
      o.updated_at) + s.erasure_wait
    into earliest
    from public.organizations o, vital.settings s where o.id = p_subject_id;
  else
    select now() + s.user_erasure_wait into earliest from vital.settings s;
  end if;
  insert into vital.erasures (subject, subject_id, reason, requested_by, not_before)
  values (p_subject, p_subject_id, btrim(p_reason), vital.operator_name(), earliest)
  on conflict do nothing
  returning id into filed;
  if filed is null then
    raise exception using errcode = 'VT203', message = format('The erasure of this %s has been asked for already.', p_subject),
      hint = 'See `vital erasure list`; cancel it, or go on with it.';
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_requested', case p_subject when 'tenant' then 'organizations' else 'users' end,
    p_subject_id, jsonb_build_object('new', jsonb_build_object('erasure', filed, 'not_before', earliest)));
  return filed;
end
$$;
comment on function public.request_erasure(text, uuid, text) is 'Asks for the erasure of a tenant or user; for operators';
grant execute on function public.request_erasure(text, uuid, text) to authenticated, service_role;
