-- auth.users and auth.uid() as Supabase has them, where there is no Supabase. On a Supabase project
-- the schema belongs to Supabase, and nothing here runs.
-- +goose Up
-- +goose StatementBegin
set local check_function_bodies = off; -- vital.identity() is an object, made after migrations
do $accounts$
begin
  -- roles.sql made the schema, or found it and left it to whoever owns it. The catalog is asked, not
  -- to_regclass, which raises an error where vital_owner has no USAGE on the schema.
  if exists (
    select from pg_catalog.pg_namespace n
    where n.nspname = 'auth' and n.nspowner <> 'vital_owner'::regrole
  ) then
    return;
  end if;

  create table auth.users (
    id uuid primary key default gen_random_uuid(),
    aud varchar(255) default 'authenticated',
    role varchar(255) default 'authenticated',
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    invited_at timestamptz,
    recovery_sent_at timestamptz,
    last_sign_in_at timestamptz,
    raw_app_meta_data jsonb not null default '{}' check (jsonb_typeof(raw_app_meta_data) = 'object'),
    raw_user_meta_data jsonb not null default '{}' check (jsonb_typeof(raw_user_meta_data) = 'object'),
    banned_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  );
  create unique index users_email_key on auth.users (lower(email));
  comment on table auth.users is 'Accounts: who can sign in. Not exposed to any application role.';
  comment on column auth.users.raw_app_meta_data is 'Claims set by operators; the tenant claim is read from here';
  comment on column auth.users.raw_user_meta_data is 'Claims set by the user; grants nothing';
  comment on column auth.users.encrypted_password is 'Password hash: argon2id, or bcrypt of an import';
  grant select, insert, update, delete on auth.users to service_role, vital_definer;

  create function auth.uid() returns uuid language sql stable
    as 'select (vital.identity()).user_id';
  comment on function auth.uid() is 'The caller''s user id, from the sealed context';
  create function auth.role() returns text language sql stable
    as 'select (vital.identity()).role';
  comment on function auth.role() is 'The caller''s role, from the sealed context';
  grant execute on function auth.uid(), auth.role() to anon, authenticated, service_role;
end
$accounts$;
-- +goose StatementEnd
-- +goose StatementBegin
-- What the same column says in every table.
do $comments$
declare
  c record;
begin
  for c in
    select format('%I.%I', n.nspname, t.relname) as relation, a.attname as name, w.meaning
    from pg_catalog.pg_class t
    join pg_catalog.pg_namespace n on n.oid = t.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join (values
      ('id', 'Identifier, random'),
      ('tenant_id', 'Tenant the row belongs to'),
      ('name', 'Name to show'),
      ('title', 'Title to show'),
      ('description', 'What it is for'),
      ('version', 'Counts up with each edition'),
      ('status', 'Where it stands in its life'),
      ('owner_id', 'User who answers for it'),
      ('tags', 'Free labels'),
      ('metadata', 'Free form, for the application'),
      ('created_at', 'When the row was made'),
      ('updated_at', 'When the row was last changed')
    ) as w(name, meaning) on w.name = a.attname
    where n.nspname = 'public' and t.relkind in ('r', 'p')
      and pg_catalog.col_description(t.oid, a.attnum) is null
  loop
    execute format('comment on column %s.%I is %L', c.relation, c.name, c.meaning);
  end loop;
end
$comments$;
-- +goose StatementEnd
