What the writers of the scenario notify change: a tenant's data, a tenant's context, and a row nobody watches.

-- name: Plain
create table bench.plain (id integer primary key, value text not null)

-- name: PlainRows
insert into bench.plain select n, 'new' from generate_series(1, 100) n

-- name: PlainGrant
grant select, update on bench.plain to service_role

-- name: WritePlain
update bench.plain set value = $2 where id = $1

-- name: WriteNotified
with told as (select pg_notify('vital_change', $2))
update bench.plain set value = $2 from told where id = $1

-- name: WriteData
update public.agents set description = $2 where tenant_id = $1 and slug = 'agent-1'

-- name: WriteContext
update public.tenant_configurations
set ui_config = jsonb_build_object('theme', 'default', 'primary_color', $2::text, 'logo_url', 'https://cdn.example.test/logo.svg')
where tenant_id = $1

-- name: WriteApp
update public.tenant_apps set app_name = $3 where tenant_id = $1 and app_key = $2

-- name: Listen
listen vital_change
