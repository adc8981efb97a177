What a server needs of feature flags, and what operators ask of them.

-- name: FlagDefinitions
select d.version, d.flags, d.evaluators from vital.flag_definitions() d;

-- name: FlagOverrides
select o.version, o.tenant, o.overrides from vital.tenant_flag_overrides($1) o;

-- name: FlagEvaluationsCount
select vital.count_flag_evaluations($1::jsonb);

-- name: FlagChangesApply
select d.applied, d.failed from vital.apply_due_flag_changes($1) d;

-- name: FlagUsageForget
select vital.forget_flag_usage($1);

-- name: FlagList
select f.flag_key, f.flag_type, f.is_active,
  coalesce(f.default_variant, case when f.flag_type = 'boolean' and f.variants = '{}' then case when f.default_enabled then 'on' else 'off' end end),
  f.owner, f.expires_at, f.version, f.updated_at, f.description
from public.feature_flags f
order by f.flag_key;

-- name: FlagOverrideList
select f.flag_key, f.flag_type, f.is_active, t.enabled, t.variant, t.config, t.expires_at, t.reason, t.version, t.updated_at
from public.tenant_feature_flags t
join public.feature_flags f on f.id = t.feature_flag_id
where t.tenant_id = $1
order by f.flag_key;

-- name: FlagSet
select f.version from public.set_feature_flag($1, $2::jsonb, $3, $4) f;

-- name: FlagOverrideSet
select t.version from vital.set_tenant_feature($1, $2, $3::jsonb, $4, $5) t;

-- name: FlagHistory
select h.version, h.config, h.previous_config, h.reason, h.created_by, u.email, h.created_at
from public.feature_flag_history($1) h
left join public.users u on u.id = h.created_by
order by h.version desc;

-- name: FlagOverrideHistory
select h.version, h.config, h.previous_config, h.reason, h.created_by, u.email, h.created_at
from vital.tenant_feature_history($1, $2) h
left join public.users u on u.id = h.created_by
order by h.version desc;

-- name: FlagDiff
select d.path, d.before, d.after from public.diff_feature_flag($1, $2, $3) d;

-- name: JSONDiff
select d.path, d.before, d.after from vital.diff_json($1::jsonb, $2::jsonb) d;

-- name: FlagRollback
select f.version from public.rollback_feature_flag($1, $2, $3) f;

-- name: FlagOverrideRollback
select t.version from vital.rollback_tenant_feature($1, $2, $3, $4) t;

-- name: FlagSchedule
select c.id from public.schedule_feature_flag($1, $2::jsonb, $3, $4) c;

-- name: FlagOverrideSchedule
select c.id from vital.schedule_tenant_feature($1, $2, $3::jsonb, $4, $5) c;

-- name: FlagChangeCancel
select c.id from public.cancel_feature_flag_change($1, $2) c;

-- name: FlagOverrideChangeCancel
select c.id from vital.cancel_tenant_feature_change($1, $2, $3) c;

-- name: FlagChangeList
select c.id, f.flag_key, c.changes, c.run_at, c.status, c.reason, u.email, c.applied_at, c.error
from public.feature_flag_changes c
join public.feature_flags f on f.id = c.feature_flag_id
left join public.users u on u.id = c.created_by
where $1 or c.status = 'pending'
order by c.run_at, c.id
limit 1000;

-- name: FlagOverrideChangeList
select c.id, f.flag_key, c.changes, c.run_at, c.status, c.reason, u.email, c.applied_at, c.error
from public.tenant_feature_flag_changes c
join public.feature_flags f on f.id = c.feature_flag_id
left join public.users u on u.id = c.created_by
where c.tenant_id = $2 and ($1 or c.status = 'pending')
order by c.run_at, c.id
limit 1000;

-- name: FlagsStale
select s.flag_key, s.reasons, s.owner, s.expires_at, s.last_evaluated_on::timestamptz, s.variant, s.updated_at from public.stale_feature_flags($1) s;

-- name: EvaluatorSet
insert into public.feature_flag_evaluators as e (name, rule) values ($1, $2::jsonb)
on conflict (name) do update set rule = excluded.rule where e.rule <> excluded.rule
returning xmax = 0;

-- name: FlagsSettle
set constraints all immediate;
