What `vital access` and the jobs ask about records of access, as service_role.

-- name: AccessList
select a.at, a.id, o.slug, a.tenant_id, a.user_id, u.email, a.session_id, a.acting_role, a.database_login, a.break_glass_id, a.action,
  a.table_name, a.embedded, a.filter, a.row_count, a.error_code, a.request_id
from public.access_records a
left join public.organizations o on o.id = a.tenant_id
left join public.users u on u.id = a.user_id
where a.tenant_id = $1
  and ($2 = '' or a.user_id::text = $2 or pg_catalog.lower(u.email) = pg_catalog.lower($2))
  and ($3 = '' or a.table_name = $3 or $3 = any (a.embedded))
  and ($4::timestamptz is null or a.at >= $4)
  and ($5::timestamptz is null or a.at < $5)
order by a.at desc, a.id
limit $6;

-- name: AccessRoll
select r.partition_name, r.done from vital.roll_access_records() r;
