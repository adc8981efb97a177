-- owner: vital_definer
--
-- Trigger of organizations: no organization is its own ancestor, and a family is at most five levels deep.
-- Changes of a parent wait for each other on the platform tenant's row, so that two at once cannot close
-- a circle between them; each then sees what the one before it has committed. Definer, because a circle
-- may lead through organizations the writer cannot see.
create or replace function vital.guard_parent() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  most constant integer := 5;
  above integer;
  below integer := 1;
  is_circle boolean;
begin
  if new.parent_organization_id is null or (tg_op = 'UPDATE' and new.parent_organization_id is not distinct from old.parent_organization_id) then
    return new;
  end if;
  if new.id = platform then
    raise exception using errcode = 'VT203', message = 'The platform tenant has no parent.', hint = 'It owns what all tenants share.';
  end if;
  perform from public.organizations o where o.id = platform for no key update;

  with recursive ancestors (id, parent_id, depth) as (
    select o.id, o.parent_organization_id, 1 from public.organizations o where o.id = new.parent_organization_id
    union all
    select o.id, o.parent_organization_id, a.depth + 1
    from ancestors a join public.organizations o on o.id = a.parent_id
    where a.depth <= most
  )
  select max(a.depth), bool_or(a.id = new.id) into above, is_circle from ancestors a;
  if is_circle or new.parent_organization_id = new.id then
    raise exception using errcode = 'VT203', message = 'An organization cannot be part of itself.',
      hint = 'The parent chosen is this organization or one of its descendants.';
  end if;
  if tg_op = 'UPDATE' then
    with recursive descendants (id, depth) as (
      select new.id, 1
      union all
      select o.id, d.depth + 1
      from descendants d join public.organizations o on o.parent_organization_id = d.id
      where d.depth <= most
    )
    select max(d.depth) into below from descendants d;
  end if;
  if above + below > most then
    raise exception using errcode = 'VT203', message = format('Organizations nest at most %s levels deep; this would make %s.', most, above + below),
      hint = 'Choose a parent higher up, or none.';
  end if;
  return new;
end
$$;
comment on function vital.guard_parent() is 'Refuses circles and too deep families of organizations';
grant execute on function vital.guard_parent() to vital_owner; -- to attach it to a table
