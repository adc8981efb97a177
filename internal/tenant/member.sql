What operators ask of memberships.

-- name: MemberList
select m.user_id, u.email, p.full_name, m.role, m.status, m.joined_at
from public.user_tenants m
join public.users u on u.id = m.user_id
left join public.profiles p on p.id = m.user_id
where m.tenant_id = $1
union all
select null, i.email, null, i.role, 'invited', i.created_at
from public.invitations i
where i.tenant_id = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > pg_catalog.now()
order by 5, 2;

-- name: MemberInvite
select i.email, i.role, i.expires_at, i.token from vital.invite_member($1, $2, $3, $4::interval) i;

-- name: MemberChangeRole
select (m).role from vital.change_member_role($1, $2, $3, $4) m;

-- name: MemberRemove
select vital.remove_member($1, $2, $3);
