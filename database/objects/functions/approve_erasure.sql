-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_open_erasure.sql
-- after: vital_require_erasable.sql
-- after: vital_operator_name.sql
--
-- Approves an erasure, by another operator than the one who asked for it: another user, or another login. Definer, because erasures are
-- written through functions alone.
create or replace function public.approve_erasure(p_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure vital.erasures;
begin
  perform vital.require_operator();
  erasure := vital.open_erasure(p_id, array['requested']);
  if erasure.requested_by = vital.operator_name() then
    raise exception using errcode = 'VT110', message = 'You asked for this erasure yourself.',
      hint = 'It takes two: another operator approves it, with a login or an account of their own.';
  end if;
  perform vital.require_erasable(erasure.subject, erasure.subject_id);
  update vital.erasures e set state = 'approved', approved_by = vital.operator_name(), approved_at = now() where e.id = p_id;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_approved', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id)));
end
$$;
comment on function public.approve_erasure(uuid) is 'Approves an erasure that another operator asked for';
grant execute on function public.approve_erasure(uuid) to authenticated, service_role;
