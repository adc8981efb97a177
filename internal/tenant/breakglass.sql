What operators ask about entries of super admins into tenants, as service_role.

-- name: EntryMake
select e.id, e.until from vital.enter_tenant($1, $2, $3, $4) e;

-- name: EntryEnd
select e.id from vital.leave_tenant($1, $2, $3) e;

-- name: EntryList
select b.id, o.slug, b.tenant_id, b.user_id, u.email, b.reason, b.entered_at, b.until, b.ended_at, b.ended_by,
  b.ended_at is null and b.until > pg_catalog.now() as is_open
from public.break_glass b
join public.organizations o on o.id = b.tenant_id
left join public.users u on u.id = b.user_id
where ($1::uuid is null or b.tenant_id = $1) and ($2 or b.ended_at is null and b.until > pg_catalog.now())
order by b.entered_at desc, b.id
limit $3;

-- name: SuperAdmins
select p.id, u.email from public.profiles p join public.users u on u.id = p.id where p.role = 'super_admin' order by u.email limit 2;
