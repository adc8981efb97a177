-- owner: vital_definer
-- after: vital_context_stamp.sql
-- after: vital_context_document.sql
--
-- The documents of tenants, for what servers share with each other: each with its stamp, and when an override runs out
-- by itself. A document whose stamp is known comes as null where it still holds. A tenant that is not there, or has no
-- configuration, has no row. Definer, because nobody but its functions reads vital.versions; for service_role alone.
create or replace function vital.tenant_documents(p_tenant_ids uuid[], p_known_stamps text[])
returns table (tenant_id uuid, stamp text, document json, until timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select w.id, s.stamp, case when w.known is distinct from s.stamp then vital.context_document(w.id) end, (
    select min(f.expires_at) from public.tenant_feature_flags f
    where f.tenant_id = w.id and f.expires_at > transaction_timestamp())
  from unnest(p_tenant_ids, p_known_stamps) w(id, known)
  join public.tenant_configurations c on c.tenant_id = w.id
  cross join lateral (select vital.context_stamp(w.id) as stamp) s;
end
$$;
comment on function vital.tenant_documents(uuid[], text[]) is 'What all members of tenants see of them in their contexts, for what servers share';
grant execute on function vital.tenant_documents(uuid[], text[]) to service_role;
