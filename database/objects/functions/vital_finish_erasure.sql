-- owner: vital_definer
-- after: vital_open_erasure.sql
--
-- Ends an erasure with its certificate, where tenant or user are gone; the addresses that were looked for are forgotten. For operators.
-- Definer, because erasures are written through functions alone.
create or replace function vital.finish_erasure(p_id uuid, p_certificate text, p_signature bytea) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure constant vital.erasures := vital.open_erasure(p_id, array['running']);
begin
  if exists (select from public.organizations o where erasure.subject = 'tenant' and o.id = erasure.subject_id)
    or exists (select from public.users u where u.id = any (erasure.people))
    or exists (select from public.organization_audit_log a where erasure.subject = 'tenant' and a.organization_id = erasure.subject_id) then
    raise exception using errcode = 'VT203', message = 'Not everything is erased yet.', hint = 'Run it again, and it goes on.';
  end if;
  update vital.erasures e set state = 'finished', finished_at = now(), certificate = p_certificate, signature = p_signature, addresses = null where e.id = p_id;
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'erased', case erasure.subject when 'tenant' then 'organizations' else 'users' end,
    erasure.subject_id, jsonb_build_object('new', jsonb_build_object(
      'erasure', p_id, 'certificate_sha256', encode(sha256(convert_to(p_certificate, 'UTF8')), 'hex'), 'clean', p_certificate::jsonb -> 'clean')));
end
$$;
comment on function vital.finish_erasure(uuid, text, bytea) is 'Ends an erasure with its certificate';
grant execute on function vital.finish_erasure(uuid, text, bytea) to service_role;
