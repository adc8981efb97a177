-- owner: vital_definer
-- after: vital_current_membership.sql
-- after: vital_entry_of.sql
--
-- Records that the caller has read in the tenant they act in: what, chosen how, and how many rows, or why it failed. The server calls
-- it in the transaction of the read, before that is committed and anybody answered. Who reads is taken from the sealed identity. A
-- caller who is in no tenant is refused, so that no read goes by without a record. Definer, because nobody writes a record by hand.
create or replace function vital.record_access(
  p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if standing.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  end if;
  insert into public.access_records (
    tenant_id, user_id, session_id, acting_role, database_login, break_glass_id, action, table_name, embedded, filter, row_count, error_code, request_id)
  values (
    standing.tenant_id, standing.user_id, (vital.identity()).session_id,
    case when standing.is_super_admin then 'super_admin' else standing.role end, session_user,
    case when standing.is_super_admin then (select e.id from vital.entry_of(standing.tenant_id, standing.user_id) e) end,
    p_action, p_table, p_embedded, p_filter, p_rows, p_error, nullif(current_setting('vital.request_id', true), ''));
end
$$;
comment on function vital.record_access(text, text, text[], jsonb, bigint, text) is 'Records that the caller has read in the tenant they act in';
grant execute on function vital.record_access(text, text, text[], jsonb, bigint, text) to authenticated;
