What checks and repairs of data ask of the database, as an operator.

-- name: Check
select c.check_name, c.status, c.count, c.message from public.check_data_consistency() c;

-- name: Missing
select o.slug, d.data_type, d.status, d.record_count, coalesce(d.issue, '')
from public.organizations o
cross join lateral public.detect_missing_tenant_data(o.id) with ordinality d (data_type, status, record_count, issue, place)
where $1 = '' and o.is_active or o.slug = $1 or o.id::text = $1
order by o.slug, d.place;

-- name: Plan
select c.name, p.table_name, coalesce(o.slug, ''), coalesce(p.row_id::text, ''), p.old, p.new
from unnest($1::text[]) with ordinality c (name, place)
cross join lateral vital.plan_repair(c.name, $2) p
left join public.organizations o on o.id = coalesce(p.tenant_id, (p.new ->> 'organization_id')::uuid)
order by c.place;

-- name: Apply
select r.check_name, r.written from vital.apply_repairs($1, $2, $3) r;

-- name: Undo
select vital.undo_repairs($1);

-- name: Tenant
select o.id from public.organizations o where o.is_active and (o.slug = $1 or o.id::text = $1);
