How a tenant's rows are put back, set by set: a few statements for each table, whatever the number of rows. {then} has the rows as they
were, {doomed} the keys of those that go. {…} are names from the catalog, quoted, and lists and conditions made of such names.

-- name: Begin
select vital.give_reason($1), vital.begin_restoring($2, $3, $4::pg_catalog.jsonb);

-- name: Finish
select vital.finish_restoring($1::pg_catalog.jsonb);

-- name: Defer
set constraints all deferred;

-- name: Settle
-- Everything that waits for the commit is done here, where it can still be said why it is refused.
set constraints all immediate;

-- name: HasOwner
select exists (select from public.user_tenants m where m.tenant_id = $1 and m.role = 'owner' and m.status = 'active');

-- name: NamesTaken
-- Whether a tenant has taken since what names this one.
select exists (select from public.organizations o where o.id <> $1 and (o.slug = $2 or o.tenant_key = $3));

-- name: Doom
create temporary table {doomed} on commit drop as
select {keys_of_t} from {table} t where t.{tenant_column} = $1 and not exists (select from {then} s where {same_key});

-- name: Hold
-- What rows refer to that are not put back stays: records, what others have, and what stays for the same reason.
delete from {doomed} d using {parent} p
where {key_of_doomed} and exists (select from {child} c where {refers} and {stays});

-- name: DoomReferring
-- A row whose reference may not be null goes with what it refers to, and comes back with what it referred to then.
insert into {child_doomed}
select {keys_of_c} from {child} c join {parent} p on {refers} join {doomed} d on {key_of_doomed}
where c.{tenant_column} = $1 and not exists (select from {child_doomed} e where {key_of_child_doomed});

-- name: Detach
update {child} c set {nulls} from {parent} p join {doomed} d on {key_of_doomed}
where {refers} and c.{tenant_column} = $1;

-- name: Delete
delete from {table} p using {doomed} d where {key_of_doomed} and p.{tenant_column} = $1;

-- name: DeleteAll
delete from {table} t where t.{tenant_column} = $1;

-- name: Update
update {table} t set {assignments} from {then} s
where {same_key} and t.{tenant_column} = $1 and (pg_catalog.to_jsonb(t) - $2::text[])::text is distinct from (pg_catalog.to_jsonb(s) - $2::text[])::text;

-- name: Insert
insert into {table} ({columns}) overriding system value
select {columns_of_s} from {then} s where not exists (select from {table} t where {same_key} and t.{tenant_column} = $1);

-- name: InsertAll
insert into {table} ({columns}) overriding system value select {columns_of_s} from {then} s;

-- name: InsertUntaken
insert into {table} ({columns}) overriding system value select {columns_of_s} from {then} s on conflict do nothing;

-- name: Unmoored
-- Rows that refer to what is no longer there, an account or a row that all share.
select pg_catalog.count(*) from {then} c where {referring} and {gone};

-- name: Loosen
update {then} c set {nulls} where {referring} and {gone};

-- name: LeaveOut
delete from {then} c where {referring} and {gone};

-- name: GoneShared
not exists (select from {parent} p where {refers});

-- name: GoneOwn
not exists (select from {parent_then} p where {refers}) and not exists (select from {parent} p where {refers} and p.{parent_tenant_column} <> $1);

-- name: StaysOther
c.{tenant_column} <> $1;

-- name: StaysOwn
(c.{tenant_column} <> $1 or not exists (select from {child_doomed} e where {key_of_child_doomed}) and not exists (select from {child_then} s where {same_key_of_child}));
