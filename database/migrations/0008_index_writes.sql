-- What the functions of the write side rely on: one open invitation for an address, and a tenant's tool
-- usage by time.
-- +goose Up
-- +goose StatementBegin
create unique index invitations_one_open on public.invitations (tenant_id, lower(email))
  where accepted_at is null and revoked_at is null;
create index idx_tool_usage_tenant on public.tool_usage_log (tenant_id, created_at desc);
-- +goose StatementEnd
