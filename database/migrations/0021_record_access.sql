-- Reads in tenants under HIPAA leave records, which are kept for years; super admins enter tenants for a reason and a time.
-- +goose Up
-- +goose StatementBegin
alter table vital.settings
  add column access_record_retention interval not null default interval '6 years',
  add constraint settings_access_record_retention_check check (access_record_retention >= interval '6 years');
comment on column vital.settings.access_record_retention is 'How long records of access are kept; 45 CFR 164.316(b)(2)(i) asks for six years at least';

-- Whether a tenant is under HIPAA is asked at every read: of an index that holds none but those.
create index if not exists idx_tenant_configurations_hipaa on public.tenant_configurations (tenant_id)
  where compliance_settings ->> 'hipaa_enabled' = 'true';

create table public.access_records (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default now(),
  user_id uuid,
  session_id uuid,
  acting_role text not null,
  database_login text not null,
  break_glass_id uuid,
  action text not null check (action in ('read', 'count', 'insert', 'update', 'delete', 'call')),
  table_name text not null,
  embedded text[] not null default '{}',
  filter jsonb not null default '[]' check (jsonb_typeof(filter) = 'array'),
  row_count bigint check (row_count >= 0),
  error_code text,
  request_id text,
  primary key (tenant_id, id, at)
) partition by range (at);
create table vital.access_records_default partition of public.access_records default;
create index idx_access_records_tenant on public.access_records (tenant_id, at desc);
create index idx_access_records_user on public.access_records (tenant_id, user_id, at desc);
comment on table public.access_records is 'Who has read what of a tenant under HIPAA: written in the transaction of the read, before anybody is answered.';
comment on table vital.access_records_default is 'Records outside every month''s partition';
comment on column public.access_records.tenant_id is 'The tenant whose data was read; the platform tenant for a service key that named none. No foreign key: records outlive what they speak of';
comment on column public.access_records.id is 'The record';
comment on column public.access_records.at is 'When the transaction of the read began';
comment on column public.access_records.user_id is 'Who read; null for a service key';
comment on column public.access_records.session_id is 'Their session, where the token names one';
comment on column public.access_records.acting_role is 'What they were in the tenant: owner, admin, member, viewer, super_admin; service_role for a service key';
comment on column public.access_records.database_login is 'Login of the connection that read';
comment on column public.access_records.break_glass_id is 'The entry of break_glass a super admin was in by; null for members';
comment on column public.access_records.action is 'read rows, count rows, call a function, or insert, update or delete rows and be shown them';
comment on column public.access_records.table_name is 'Table, view or function';
comment on column public.access_records.embedded is 'What was embedded into it';
comment on column public.access_records.filter is 'By which columns the rows were chosen, and how: column, operator, and values where these are ids; other values may be of a patient and are never kept';
comment on column public.access_records.row_count is 'Rows that were answered; null where the read failed';
comment on column public.access_records.error_code is 'Why it failed; null where it did not';
comment on column public.access_records.request_id is 'Request it belonged to';

grant insert on public.access_records to vital_definer;

alter table vital.settings
  add column break_glass_required boolean not null default false,
  add column break_glass_longest interval not null default interval '4 hours',
  add constraint settings_break_glass_longest_check check (break_glass_longest > interval '0');
comment on column vital.settings.break_glass_required is 'Whether a super admin acts in a tenant they are no member of only while they have entered it, with a reason and an end';
comment on column vital.settings.break_glass_longest is 'How long an entry may be for, at most';

create table public.break_glass (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  reason text not null check (btrim(reason) <> '' and length(reason) <= 500),
  entered_at timestamptz not null default now(),
  until timestamptz not null,
  ended_at timestamptz,
  ended_by uuid,
  primary key (tenant_id, id),
  check (until > entered_at),
  check (ended_by is null or ended_at is not null)
);
create index idx_break_glass_open on public.break_glass (user_id, tenant_id, until) where ended_at is null;
create index idx_break_glass_tenant on public.break_glass (tenant_id, entered_at desc);
comment on table public.break_glass is 'Entries of super admins into tenants they are no member of: why, and until when. One ends by itself; nothing has to be done for that.';
comment on column public.break_glass.tenant_id is 'The tenant';
comment on column public.break_glass.id is 'The entry';
comment on column public.break_glass.user_id is 'The super admin. No foreign key: an entry outlives the account';
comment on column public.break_glass.reason is 'Why, for the tenant to read';
comment on column public.break_glass.entered_at is 'From then on';
comment on column public.break_glass.until is 'It counts for nothing from then on';
comment on column public.break_glass.ended_at is 'When it was ended before its time; null where it was not';
comment on column public.break_glass.ended_by is 'By whom: the super admin, an admin of the tenant, null for an operator without a session';

grant select, insert, update on public.break_glass to vital_definer;
grant select on vital.settings to vital_definer;

drop function if exists vital.flag_context(); -- which tells how long it holds, too
-- +goose StatementEnd
