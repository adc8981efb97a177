-- A multi-tenant schema as one meets them, with 32 leaks planted, each in a table, view or function named
-- after it; what is called tight_… is as it should be. Requests run as anon and authenticated on the login
-- vital_api, and say who they are in request.jwt.claims.
create schema app;
grant usage on schema app to anon, authenticated;
create table public.accounts (id uuid primary key default gen_random_uuid(), name text not null);
create table public.people (id uuid primary key default gen_random_uuid(), email text not null);
create table public.members (
  tenant_id uuid not null references public.accounts, user_id uuid not null references public.people,
  role text not null default 'editor' check (role in ('reader', 'editor')), primary key (tenant_id, user_id));

create function app.claim(name text) returns uuid stable language sql
  as $$select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> name)::uuid$$;
create function app.tenant() returns uuid stable security definer set search_path = pg_catalog, pg_temp language sql as $$
  select m.tenant_id from public.members m where m.user_id = app.claim('sub') and m.tenant_id = app.claim('tenant_id')$$;
grant execute on all functions in schema app to anon, authenticated;

-- A table of a tenant's own, and how it should be guarded.
create procedure app.make(name text, guarded boolean default true) language plpgsql as $$
begin
  execute format('create table public.%I (
    tenant_id uuid not null references public.accounts, id uuid not null default gen_random_uuid(), title text, primary key (tenant_id, id))', name);
  execute format('alter table public.%I owner to vital_owner', name);
  execute format('grant select, insert, update, delete on public.%I to authenticated', name);
  if guarded then
    execute format('alter table public.%I enable row level security', name);
    execute format('alter table public.%I force row level security', name);
    execute format('create policy mine on public.%I to authenticated
      using (tenant_id = (select app.tenant())) with check (tenant_id = (select app.tenant()))', name);
  end if;
end
$$;
alter table public.accounts enable row level security;
alter table public.people enable row level security;
alter table public.members enable row level security;
grant select on public.accounts, public.people, public.members to authenticated;
create policy mine on public.accounts for select to authenticated using (id = (select app.tenant()));
create policy mine on public.people for select to authenticated using (id = (select app.claim('sub')));
create policy mine on public.members for select to authenticated using (user_id = (select app.claim('sub')));

call app.make('tight_notes');

call app.make('no_rls', false);
call app.make('not_forced'); alter table public.not_forced no force row level security;
call app.make('open_read'); create policy open on public.open_read for select to authenticated using (true);
call app.make('open_insert'); create policy open on public.open_insert for insert to authenticated with check (true);
call app.make('open_move'); drop policy mine on public.open_move;
create policy mine on public.open_move to authenticated using (tenant_id = (select app.tenant())) with check (true);
call app.make('open_take'); drop policy mine on public.open_take;
create policy mine on public.open_take for select to authenticated using (tenant_id = (select app.tenant()));
create policy take on public.open_take for update to authenticated using (true) with check (tenant_id = (select app.tenant()));
call app.make('open_delete'); create policy open on public.open_delete for delete to authenticated using (true);
call app.make('ored_open'); create policy titled on public.ored_open for select to authenticated using (title is not null);
call app.make('nobodys_rows'); alter table public.nobodys_rows drop constraint nobodys_rows_pkey, alter tenant_id drop not null, add primary key (id);
drop policy mine on public.nobodys_rows;
create policy mine on public.nobodys_rows to authenticated using (tenant_id is null or tenant_id = (select app.tenant()));
call app.make('coalesced'); drop policy mine on public.coalesced;
create policy mine on public.coalesced to authenticated using (coalesce(tenant_id = (select app.tenant()), true));
call app.make('role_is_enough'); drop policy mine on public.role_is_enough;
create policy mine on public.role_is_enough to authenticated using (tenant_id = (select app.tenant()) or current_user = 'authenticated');
call app.make('claim_is_enough'); drop policy mine on public.claim_is_enough;
create policy mine on public.claim_is_enough to authenticated using (tenant_id = (select app.claim('tenant_id')));
call app.make('shadowed_column'); drop policy mine on public.shadowed_column;
create policy mine on public.shadowed_column to authenticated
  using (tenant_id in (select m.tenant_id from public.members m where m.tenant_id = shadowed_column.tenant_id and m.user_id is not null)
    or exists (select where tenant_id = tenant_id));
call app.make('anonymous_read'); grant usage on schema public to anon; grant select on public.anonymous_read to anon;
create policy open on public.anonymous_read for select to anon using (true);
call app.make('truncatable'); grant truncate on public.truncatable to authenticated;
call app.make('triggerable'); grant trigger on public.triggerable to authenticated;
call app.make('unique_title'); alter table public.unique_title add unique (title);
call app.make('parents'); alter table public.parents add unique (id);
call app.make('children'); alter table public.children add parent_id uuid references public.parents (id);
create table public.child_without_tenant (id uuid primary key default gen_random_uuid(), tenant uuid, note uuid not null, body text,
  foreign key (tenant, note) references public.tight_notes (tenant_id, id));
grant select, insert, update, delete on public.child_without_tenant to authenticated;

create view public.owners_view as select * from public.tight_notes;
grant select, update on public.owners_view to authenticated;
create materialized view public.stored_view as select * from public.tight_notes;
grant select on public.stored_view to authenticated;

call app.make('behind_functions');
create function public.read_any(p_id uuid) returns setof public.behind_functions stable security definer language sql
  as 'select * from public.behind_functions b where b.id = p_id';
create function public.delete_any(p_id uuid) returns void security definer language sql
  as 'delete from public.behind_functions b where b.id = p_id';
create function public.count_any(p_tenant_id uuid) returns bigint stable security definer language sql
  as 'select count(*) from public.behind_functions b where b.tenant_id = p_tenant_id';
create function public.tell_in_error(p_id uuid) returns void security definer language plpgsql as $$
declare found text := (select b.title from public.behind_functions b where b.id = p_id);
begin
  raise exception 'no right to %', found;
end
$$;
create function public.empty_all() returns void security definer language sql as 'truncate public.behind_functions';
create procedure public.rename_any(p_id uuid) security definer language sql
  as $$update public.behind_functions b set title = 'renamed' where b.id = p_id$$;
grant execute on all functions in schema public to authenticated;
grant execute on all procedures in schema public to authenticated;

-- What runs with an owner's rights and looks up names in the caller's schemas first.
create function app.my_tenants() returns setof uuid stable security definer language sql
  as $$select m.tenant_id from members m where m.user_id = app.claim('sub')$$;
grant execute on function app.my_tenants() to authenticated;
call app.make('shadowed_helper'); drop policy mine on public.shadowed_helper;
create policy mine on public.shadowed_helper to authenticated using (tenant_id in (select app.my_tenants()));
create function public.trimmed(p_title text) returns text security definer set search_path = public language plpgsql as $$
declare
  title text := btrim(p_title);
begin
  return title;
end
$$;
grant execute on function public.trimmed(text) to authenticated;

-- A trigger that forgets whose rows it writes.
call app.make('side_effects');
create function app.rename_all() returns trigger security definer language plpgsql as $$
begin
  update public.side_effects set title = 'renamed' where id <> new.id;
  return new;
end
$$;
create trigger rename_all after insert on public.side_effects for each row execute function app.rename_all();

-- Memberships that their members write.
create policy promote on public.members for update to authenticated using (user_id = (select app.claim('sub'))) with check (true);
grant update (role) on public.members to authenticated;
