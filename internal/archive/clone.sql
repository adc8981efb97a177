How a tenant is copied as another. {…} are names from the catalog, quoted.

-- name: Rules
select r.relation, r.column_name, r.rule from vital.masking_rules r;

-- name: IdsMake
create temporary table {ids} (old uuid primary key, new uuid not null) on commit drop;

-- name: IdsAdd
insert into {ids} (old, new) values ($1, $2) on conflict do nothing;

-- name: IdsOfKeys
-- Each row gets another id; what refers to it in whatever column, list or document refers to that.
insert into {ids} (old, new)
select k.old, pg_catalog.gen_random_uuid() from (select distinct (l.line::pg_catalog.jsonb ->> $1)::uuid as old from {lines} l) k on conflict do nothing;

-- name: IdsOfUsers
-- People are not copied: what refers to one refers to whom the copy belongs to.
insert into {ids} (old, new)
select u.id, $1 from public.users u
where u.id in (
  select m.id[1]::uuid from {lines} l cross join lateral pg_catalog.regexp_matches(l.line, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'gi') m (id)
)
on conflict do nothing;

-- name: IdsReplace
update {lines} l set line = (
  select pg_catalog.string_agg(p.part || coalesce(i.new::text, m.id[1], ''), '' order by p.n)
  from pg_catalog.unnest(pg_catalog.regexp_split_to_array(l.line, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'i')) with ordinality p (part, n)
  left join pg_catalog.regexp_matches(l.line, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'gi') with ordinality m (id, n) on m.n = p.n
  left join {ids} i on i.old = m.id[1]::uuid
);

-- name: Mask
-- Columns by their rules, and e-mail addresses wherever else they stand; what a backslash of JSON has to itself is no part of one.
update {lines} l set line = (
  case when pg_catalog.strpos(l.line, '@') = 0 then l.line::pg_catalog.jsonb - $1::text[]
    else pg_catalog.regexp_replace((l.line::pg_catalog.jsonb - $1::text[])::text,
      '(?<!\\)(?<!\\u[0-9a-f]{0,3})[[:alnum:]_.%+''-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)+', 'masked@masked.invalid', 'g')::pg_catalog.jsonb end
  || coalesce((
    select pg_catalog.jsonb_object_agg(c.name, vital.mask_value(c.rule, l.line::pg_catalog.jsonb -> c.name, $3))
    from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) c (name, rule)), '{}'))::text;

-- name: Overwrite
update {lines} l set line = (l.line::pg_catalog.jsonb || $1::pg_catalog.jsonb)::text;

-- name: MakeOwner
insert into public.user_tenants (tenant_id, user_id, role) values ($1, $2, 'owner') on conflict (tenant_id, user_id) do update set role = 'owner', status = 'active';
