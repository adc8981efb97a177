More users than tenants, each a member of one; run with triggers off.

-- name: CrowdUsers
insert into public.users (id, organization_id, email)
select md5('user ' || n)::uuid, md5('tenant ' || (n % $3::int + 1))::uuid, 'user-' || n || '@example.test' from generate_series($1::int, $2::int) n;

-- name: CrowdAccounts
insert into auth.users (id, email) select md5('user ' || n)::uuid, 'user-' || n || '@example.test' from generate_series($1::int, $2::int) n;

-- name: CrowdProfiles
insert into public.profiles (id, email, full_name) select md5('user ' || n)::uuid, 'user-' || n || '@example.test', 'User ' || n from generate_series($1::int, $2::int) n;

-- name: CrowdMemberships
insert into public.user_tenants (tenant_id, user_id) select md5('tenant ' || (n % $3::int + 1))::uuid, md5('user ' || n)::uuid from generate_series($1::int, $2::int) n;

-- name: Tables
do $$
begin
  for n in 1..200 loop
    execute format('create table public.more_%s (tenant_id uuid not null references public.organizations (id), id uuid not null default gen_random_uuid(), name text, primary key (tenant_id, id))', n);
    execute format('alter table public.more_%s enable row level security', n);
    execute format('alter table public.more_%s force row level security', n);
    execute format('create policy more_%1$s_select on public.more_%1$s for select to authenticated using (tenant_id = (select public.get_user_tenant_id()))', n);
    execute format('grant select on public.more_%s to authenticated', n);
  end loop;
end
$$;

-- name: Write
update public.agents set description = description where tenant_id = (select md5('tenant ' || (1 + floor(random() * 1000))::int)::uuid);
