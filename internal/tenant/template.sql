What new tenants are set up with.

-- name: TemplateList
select t.name, t.description, t.configuration, t.apps, t.flags, t.updated_at from vital.tenant_templates t order by t.name = 'default', t.name;

-- name: TemplateSet
insert into vital.tenant_templates as t (name, description, configuration, apps, flags) values ($1, $2, $3::jsonb, $4::jsonb, $5::jsonb)
on conflict (name) do update
set description = excluded.description, configuration = excluded.configuration, apps = excluded.apps, flags = excluded.flags
where (t.description, t.configuration, t.apps, t.flags) is distinct from (excluded.description, excluded.configuration, excluded.apps, excluded.flags)
returning xmax = 0;
