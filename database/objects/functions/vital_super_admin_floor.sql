-- after: is_super_admin.sql
--
-- "Every row" for a super admin and "no row" for anybody else, as a bound an index understands: the
-- smallest id, or null. A policy that said `or (select is_super_admin())` instead would keep the
-- planner from using the index of the other policies, for every user of a large table.
create or replace function vital.super_admin_floor() returns uuid
language sql stable parallel restricted
as $$
  select case when public.is_super_admin() then '00000000-0000-0000-0000-000000000000'::uuid end
$$;
comment on function vital.super_admin_floor() is 'The smallest id for a super admin, null for others';
grant execute on function vital.super_admin_floor() to anon, authenticated, service_role;
