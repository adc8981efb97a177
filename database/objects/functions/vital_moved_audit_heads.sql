-- owner: vital_definer
--
-- Ends of audit chains that moved since a time and have no checkpoint yet, the longest waiting first, for
-- the server to sign. Definer, because operators have no business with the heads themselves.
create or replace function vital.moved_audit_heads(p_since timestamptz, p_limit integer)
returns table (organization_id uuid, seq bigint, hash bytea, changed_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select h.organization_id, h.seq, h.hash, h.changed_at
  from vital.audit_heads h
  where h.changed_at >= p_since and h.seq > 0
    and not exists (
      select from vital.audit_checkpoints c where c.organization_id = h.organization_id and c.seq = h.seq)
  order by h.changed_at
  limit p_limit;
end
$$;
comment on function vital.moved_audit_heads(timestamptz, integer) is 'Ends of audit chains that moved and have no checkpoint yet';
grant execute on function vital.moved_audit_heads(timestamptz, integer) to service_role;
