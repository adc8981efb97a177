What the scenario access changes, and looks at.

-- name: Regulate
update public.tenant_configurations set compliance_settings = compliance_settings || '{"hipaa_enabled": true}' where tenant_id = $1

-- name: Unasked
select vital.tenant_for('read') as tenant_id, $1 and false as recorded

-- name: Records
select pg_catalog.count(*) filter (where a.tenant_id = $1), pg_catalog.count(*) filter (where a.tenant_id <> $1) from public.access_records a
