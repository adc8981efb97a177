What every write does around its own statements.

-- name: Enter
select pg_catalog.set_config('vital.reason', $1, true), s.tenant_id, s.role, s.is_super_admin, s.state::text
from vital.caller_standing() s;

-- name: Claim
select c.claimed, c.same, c.status, c.headers, c.body from vital.claim_idempotency_key($1, $2) c;

-- name: Settle
set constraints all immediate;

-- name: Version
select vital.caller_version();

-- name: Store
select vital.store_idempotent_answer($1, $2, $3, $4);

-- name: FeatureToggle
select public.toggle_tenant_feature($1, $2, $3, $4);

-- name: AgentAssign
select pg_catalog.to_jsonb(a.*) from public.assign_agent($1, $2, $3) a;

-- name: AgentUnassign
select public.unassign_agent($1, $2);

-- name: LifecycleMove
select pg_catalog.to_jsonb(o.*) from public.change_tenant_state($1, $2, $3) o;

-- name: CacheInvalidate
select public.invalidate_cache($1);

-- name: CachesInvalidate
select vital.invalidate_caches();

-- name: ReasonGive
select vital.give_reason($1);

-- name: OwnExportRecord
select vital.record_own_export($1);

-- name: PersonExportRecord
select vital.record_person_export($1, $2);
