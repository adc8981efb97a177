-- What tells one state of a tenant's document from all others: the versions of what it is made of, the moments they
-- rose (a database that was put back counts the same numbers a second time), and the last override that ran out by
-- itself. vital.read_context is its only caller; it checks nothing.
create or replace function vital.context_stamp(p_tenant_id uuid) returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(g.version, 0) || '.' || coalesce(t.version, 0) || '.' ||
      md5(concat_ws('.', extract(epoch from g.changed_at), extract(epoch from t.changed_at), extract(epoch from f.ended)))
    from (
      select max(o.expires_at) as ended
      from public.tenant_feature_flags o
      where o.tenant_id = p_tenant_id and o.expires_at <= transaction_timestamp()
    ) f
    left join vital.versions g on g.scope = 'global' and g.key = '00000000-0000-0000-0000-000000000000'
    left join vital.versions t on t.scope = 'tenant' and t.key = p_tenant_id);
end
$$;
comment on function vital.context_stamp(uuid) is 'What tells one state of a tenant''s document from all others';
grant execute on function vital.context_stamp(uuid) to vital_definer;
