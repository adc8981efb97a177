-- owner: vital_definer
--
-- The template of a new tenant of that type: the one this transaction uses (vital.use_template), else the type's own, else
-- the one called default. Definer, because whoever makes a tenant need not read templates; executable by service_role.
create or replace function vital.tenant_template(p_tenant_type text) returns vital.tenant_templates
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  named constant text := nullif(current_setting('vital.template', true), '');
  template vital.tenant_templates;
begin
  select t.* into template from vital.tenant_templates t
  where case when named is null then t.name in (p_tenant_type, 'default') else t.name = named end
  order by t.name = p_tenant_type desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no template %s for tenants.', coalesce(named, 'default')),
      hint = '`vital tenant template list` names those there are; `vital tenant template set` makes one.';
  end if;
  return template;
end
$$;
comment on function vital.tenant_template(text) is 'The template of a new tenant of that type';
grant execute on function vital.tenant_template(text) to service_role;
