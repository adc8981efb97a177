-- name: ContextRead
select c.tenant_id, c.version, c.stamp, c.caller, c.document, c.versions, c.until, vital.wal_position()::text from vital.remembered_context($1, $2) c;

-- name: Documents
select d.tenant_id, d.stamp, d.document, d.until from vital.tenant_documents($1::text[]::uuid[], $2::text[]) d;
