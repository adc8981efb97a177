How a client loads the same without VITAL: the seven queries of the assessment's section 1.2, one after
the other, each needing the answer before it. The seventh is "multiple queries" there and one here.

-- name: Session
select id, email, role, last_sign_in_at, raw_app_meta_data, raw_user_meta_data from auth.users where id = $1

-- name: Profile
select * from public.profiles where id = $1

-- name: User
select * from public.users where id = $1

-- name: Organization
select * from public.organizations where id = $1

-- name: Configuration
select * from public.tenant_configurations where tenant_id = $1

-- name: Apps
select * from public.tenant_apps where tenant_id = $1 and is_visible order by display_order

-- name: Flags
select f.*, t.enabled, t.config, t.variant
from public.feature_flags f
left join public.tenant_feature_flags t on t.feature_flag_id = f.id and t.tenant_id = $1
where f.is_active

-- name: Empty
select $1::boolean
