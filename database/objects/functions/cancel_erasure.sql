-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_open_erasure.sql
-- after: vital_operator_name.sql
--
-- Calls an erasure off that has not begun, by any operator. Definer, because erasures are written through functions alone.
create or replace function public.cancel_erasure(p_id uuid, p_reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure vital.erasures;
begin
  perform vital.require_operator();
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why it is called off');
  erasure := vital.open_erasure(p_id, array['requested', 'approved']);
  update vital.erasures e set state = 'cancelled', cancelled_by = vital.operator_name(), cancelled_at = now() where e.id = p_id;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erasure_cancelled', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object('erasure', p_id)));
end
$$;
comment on function public.cancel_erasure(uuid, text) is 'Calls off an erasure that has not begun; for operators';
grant execute on function public.cancel_erasure(uuid, text) to authenticated, service_role;
