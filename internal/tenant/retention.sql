How long rows are kept, and letting them go, as service_role.

-- name: RetentionRules
select o.slug, r.table_schema, r.table_name, r.age_column, r.keep::text, r.reason, r.set_by, r.set_at
from vital.retention_rules r
left join public.organizations o on o.id = r.organization_id and o.id <> '00000000-0000-0000-0000-000000000001' -- whose is for all tenants
where $1::uuid is null or r.organization_id in ('00000000-0000-0000-0000-000000000001', $1)
order by r.table_schema, r.table_name, o.slug nulls first;

-- name: RetentionSet
select vital.set_retention($1, $2, $3, $4, $5::text::interval, $6);

-- name: RetentionRemove
select vital.remove_retention($1, $2, $3, $4);

-- name: RetentionPlan
select p.rule_id, p.table_schema, p.table_name, coalesce(p.tenant_column, ''), coalesce(p.key_columns, '{}'), p.age_column, coalesce(p.age_type, ''),
  p.tenant_id, p.except_tenants::text[], p.before, p.reason, coalesce(p.problem, '')
from vital.retention_plan() p
where $1::uuid is null or p.rule_id = $1;

-- name: RetentionPatience
-- Nobody is waited for, nor holds a batch up, for longer.
select pg_catalog.set_config('lock_timeout', '2s', true), pg_catalog.set_config('statement_timeout', '60s', true);

-- name: RetentionCount
-- Whose rows may go: $1 before when, $2 the one tenant, null for all but $3.
select t.{tenant_column}, pg_catalog.count(*)
from {table} t
where t.{age_column} < {before} and {whose}
group by 1
order by 1;

-- name: RetentionDelete
-- Lets the oldest of them go, so many at most, and tells how many each tenant had. Rows are not locked first: that takes the right to change them.
with doomed as (
  select {doomed} from {table} t
  where t.{age_column} < {before} and {whose}
  order by t.{age_column}
  limit $4
), gone as (
  delete from {table} t using doomed d where {same} returning t.{tenant_column} as tenant
)
select g.tenant, pg_catalog.count(*) from gone g group by 1 order by 1;

-- name: RetentionAuditCount
select a.organization_id, pg_catalog.count(*)
from public.organization_audit_log a
where a.created_at < $1 and ($2::uuid is null and a.organization_id <> all ($3::text[]::uuid[]) or a.organization_id = $2)
  and a.erased_at is null and (a.changes is not null or a.reason is not null)
group by 1
order by 1;

-- name: RetentionAuditDue
-- Whose the oldest of them are, so many at most.
select d.organization_id, pg_catalog.count(*)
from (
  select a.organization_id
  from public.organization_audit_log a
  where a.created_at < $1 and ($2::uuid is null and a.organization_id <> all ($3::text[]::uuid[]) or a.organization_id = $2)
    and a.erased_at is null and (a.changes is not null or a.reason is not null)
  order by a.created_at
  limit $4
) d
group by 1
order by 1;

-- name: RetentionAuditErase
select vital.retain_audit($1, $2, $3);

-- name: RetentionDropPartition
select d.tenant_id, d.dropped_rows, d.before from vital.drop_retained_partition($1) d;

-- name: RetentionRecord
select vital.record_retention($1, $2, $3, $4, $5, $6);
