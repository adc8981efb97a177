-- Who the tenants are, who the users are, and which users belong to which tenants.
-- +goose Up
-- +goose StatementBegin
create type public.org_lifecycle_state as enum ('pending', 'active', 'suspended', 'archived');
comment on type public.org_lifecycle_state is
  'pending: created, awaiting approval; active; suspended: temporarily disabled; archived: permanently disabled';

create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name varchar(255) not null check (btrim(name) <> ''),
  slug varchar(100) not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  tenant_type varchar(50) not null check (tenant_type ~ '^[a-z][a-z0-9_]*$'),
  tenant_key varchar(100) not null unique check (tenant_key ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'),
  is_active boolean not null default true,
  lifecycle_state public.org_lifecycle_state not null default 'active',
  subscription_tier text not null default 'standard'
    check (subscription_tier in ('free', 'standard', 'professional', 'enterprise')),
  parent_organization_id uuid references public.organizations (id),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (parent_organization_id <> id),
  constraint organizations_slug_is_no_uuid check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  constraint organizations_is_active_follows_state check (is_active = (lifecycle_state = 'active'))
);
create index idx_organizations_parent on public.organizations (parent_organization_id);
comment on table public.organizations is 'Tenants. Shared rows of every kind belong to the platform tenant 00000000-0000-0000-0000-000000000001.';
comment on column public.organizations.slug is 'Short name for URLs and the Vital-Tenant header; never shaped like an id';
comment on column public.organizations.tenant_type is 'Kind of tenant: system, digital_health, pharmaceuticals, or the operator''s own';
comment on column public.organizations.tenant_key is 'The operator''s stable key of this tenant, for imports';
comment on column public.organizations.is_active is 'True exactly when lifecycle_state is active; a trigger keeps both in step';
comment on column public.organizations.lifecycle_state is 'Where the tenant stands in its life; only an active tenant serves its members';
comment on column public.organizations.subscription_tier is 'What the tenant pays for: free, standard, professional or enterprise';
comment on column public.organizations.parent_organization_id is 'The organization this one is part of, if any';

create table public.users (
  id uuid primary key,
  organization_id uuid references public.organizations (id),
  email text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_users_organization_id on public.users (organization_id);
create index idx_users_email on public.users (lower(email));
comment on table public.users is 'Known users, one row for each account of auth.users that may use the product.';
comment on column public.users.id is 'The account: auth.users.id, the subject of its tokens';
comment on column public.users.organization_id is 'Default tenant, used when a request names none';
comment on column public.users.email is 'Address at sign-up; auth.users is its source';

create table public.profiles (
  id uuid primary key references public.users (id) on delete cascade,
  email text,
  full_name text,
  role text not null default 'user' check (role in ('user', 'admin', 'super_admin')),
  tenant_id uuid references public.organizations (id),
  avatar_url text,
  preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_profiles_tenant_id on public.profiles (tenant_id);
comment on table public.profiles is 'What a user is called and whether they operate the platform.';
comment on column public.profiles.id is 'The user';
comment on column public.profiles.email is 'Address to show';
comment on column public.profiles.full_name is 'Name to show';
comment on column public.profiles.role is 'Platform-wide role. Only super_admin grants anything; the role within a tenant is user_tenants.role';
comment on column public.profiles.tenant_id is 'Tenant in which the profile was made; grants nothing';
comment on column public.profiles.avatar_url is 'Picture to show';
comment on column public.profiles.preferences is 'The user''s own settings; free form';

create table public.user_tenants (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  role text not null default 'member' check (role in ('owner', 'admin', 'member', 'viewer')),
  status text not null default 'active' check (status in ('active', 'suspended')),
  invited_by uuid,
  joined_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, user_id)
);
create index idx_user_tenants_user_id on public.user_tenants (user_id, tenant_id);
comment on table public.user_tenants is 'Membership: which user belongs to which tenant, and as what.';
comment on column public.user_tenants.user_id is 'The member';
comment on column public.user_tenants.role is 'Role in this tenant: owner, admin, member (reads and writes) or viewer (reads)';
comment on column public.user_tenants.status is 'active, or suspended: kept but without any access';
comment on column public.user_tenants.invited_by is 'User who made the invitation, if there was one';
comment on column public.user_tenants.joined_at is 'When the membership began';

create table public.invitations (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  email text not null check (email like '%_@_%'),
  role text not null default 'member' check (role in ('owner', 'admin', 'member', 'viewer')),
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  invited_by uuid,
  expires_at timestamptz not null default now() + interval '7 days',
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index idx_invitations_email on public.invitations (tenant_id, lower(email));
comment on table public.invitations is 'Invitations to a tenant: bound to an address, single use, expiring.';
comment on column public.invitations.email is 'Who may accept';
comment on column public.invitations.role is 'Role the accepted membership gets';
comment on column public.invitations.token_hash is 'SHA-256 of the token that was sent; the token itself is kept nowhere';
comment on column public.invitations.invited_by is 'User who invited';
comment on column public.invitations.expires_at is 'Not acceptable from then on';
comment on column public.invitations.accepted_at is 'When it was accepted; null while it was not';
comment on column public.invitations.accepted_by is 'User who accepted';
comment on column public.invitations.revoked_at is 'When it was taken back; null while it was not';

insert into public.organizations (id, name, slug, tenant_type, tenant_key)
values ('00000000-0000-0000-0000-000000000001', 'Platform', 'platform', 'system', 'platform');
-- +goose StatementEnd
