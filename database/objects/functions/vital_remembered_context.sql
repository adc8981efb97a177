-- owner: vital_definer
-- after: vital_read_context.sql
-- after: vital_entry_of.sql
--
-- The caller's context, in its two parts, with what it takes to know how long they may be remembered: the version of
-- every scope they show something of, the other tenants in the list of memberships included, and when an override, or the
-- caller's entry into the tenant, runs out by itself. One statement, one snapshot. p_known_tenant and p_known_stamp are those of a tenant's document that
-- the server has at hand. Definer, because nobody but its functions reads vital.versions.
create or replace function vital.remembered_context(
  p_known_tenant uuid, p_known_stamp text,
  out tenant_id uuid, out version text, out stamp text, out caller json, out document json, out versions json, out until timestamptz
)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  who constant vital.caller := vital.identity();
begin
  if who.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user; an API key alone stands for nobody.';
  end if;
  select c.* into tenant_id, version, stamp, caller, document
  from vital.read_context(who.user_id, who.tenant, p_known_tenant, p_known_stamp) c;
  select json_agg(json_build_object('kind', s.scope, 'key', s.key, 'version', coalesce(v.version, 0)))
  into versions
  from (
    select 'tenant' as scope, m.tenant_id as key from public.user_tenants m where m.user_id = who.user_id and m.status = 'active'
    union
    select w.scope, w.key
    from (values
      ('tenant', remembered_context.tenant_id), ('membership', who.user_id), ('self', who.user_id), ('session', who.session_id),
      ('global', '00000000-0000-0000-0000-000000000000'::uuid)
    ) w(scope, key)
    where w.key is not null
  ) s
  left join vital.versions v on v.scope = s.scope and v.key = s.key;
  select least(min(t.expires_at), (select e.until from vital.entry_of(remembered_context.tenant_id, who.user_id) e)) into until
  from public.tenant_feature_flags t
  where t.tenant_id = remembered_context.tenant_id and t.expires_at > transaction_timestamp();
end
$$;
comment on function vital.remembered_context(uuid, text) is 'The caller''s context, with the versions of all that it shows';
grant execute on function vital.remembered_context(uuid, text) to authenticated;
