-- name: WriteConfiguration
update public.tenant_configurations
set ui_config = jsonb_build_object('theme', 'default', 'primary_color', $2::text, 'logo_url', 'https://cdn.example.test/logo.svg')
where tenant_id = $1

-- name: Wal
select (pg_current_wal_insert_lsn() - '0/0')::float8
