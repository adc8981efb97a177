-- owner: vital_definer
-- after: vital_overseen_tenant_id.sql
--
-- Where the audit chain of the tenant the caller acts in ends, for whoever may read its audit log, so that they can hold the rows they read
-- to it; nothing to anybody else. Definer, because nobody has business with the heads of other tenants.
create or replace function public.audit_chain_head()
returns table (seq bigint, hash bytea, changed_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select h.seq, h.hash, h.changed_at
  from vital.audit_heads h
  where h.organization_id = (select vital.overseen_tenant_id())
$$;
comment on function public.audit_chain_head() is 'Where the audit chain of the caller''s tenant ends';
grant execute on function public.audit_chain_head() to authenticated;
