-- name: ContextRead
select c.tenant_id, c.version, c.body from vital.caller_context() c;
