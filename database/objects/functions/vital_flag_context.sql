-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_tenant_flag_overrides.sql
-- after: vital_entry_of.sql
--
-- What evaluating flags takes beside their definitions: the tenant the caller acts in, who they are there (null for
-- a key), and what the tenant has instead of the flags' defaults, with the versions of all that and when the caller's entry into the tenant runs out. The caller is a
-- member of the tenant, or an API key that was made for it with the right to flags. Definer: a key is nobody a
-- policy knows.
create or replace function vital.flag_context(
  out tenant jsonb, out member json, out overrides jsonb, out versions json, out until timestamptz
)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  asking constant vital.caller := vital.identity();
  standing vital.membership;
  wanted uuid;
  state public.org_lifecycle_state;
begin
  if asking.user_id is not null then
    standing := vital.require_member();
    wanted := standing.tenant_id;
  else
    select o.id, o.lifecycle_state into wanted, state
    from vital.api_keys k
    join public.organizations o on o.id = k.acts_for
    where k.id = asking.session_id and 'flags' = any (k.rights)
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > transaction_timestamp());
    if wanted is null then
      raise exception using errcode = 'VT100', message = 'A signed-in user, or a key of a tenant with the right to flags, is required here.',
        hint = 'Send the access token of a user, or a key made with `vital key create --tenant SLUG`.';
    elsif asking.tenant not in ('', wanted::text, (select o.slug from public.organizations o where o.id = wanted)) then
      raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
        hint = 'This key acts for one tenant: leave the Vital-Tenant header out.';
    elsif state <> 'active' then
      raise exception using
        errcode = case state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
        message = case state
          when 'pending' then 'This tenant awaits approval.'
          when 'suspended' then 'This tenant is suspended.'
          else 'This tenant is archived.' end,
        hint = 'Ask the operator of the platform.';
    end if;
  end if;

  select f.tenant, f.overrides into tenant, overrides from vital.tenant_flag_overrides(wanted) f;
  if asking.user_id is not null then
    member := json_build_object('user_id', asking.user_id, 'role', standing.role);
    select e.until into until from vital.entry_of(wanted, asking.user_id) e;
  end if;
  select json_agg(json_build_object('kind', s.scope, 'key', s.key, 'version', coalesce(v.version, 0)) order by s.o)
  into versions
  from (values
    (1, 'tenant', wanted), (2, 'membership', asking.user_id), (3, 'self', asking.user_id), (4, 'session', asking.session_id)
  ) s(o, scope, key)
  left join vital.versions v on v.scope = s.scope and v.key = s.key
  where s.key is not null;
end
$$;
comment on function vital.flag_context() is 'The tenant, the caller and the overrides that flags are evaluated with, and their versions';
grant execute on function vital.flag_context() to anon, authenticated;
