What pgbench needs to run the server's own transactions: sealed identities, a thousand of which lie in a table.

-- name: SealKey
select id, inner_pad, outer_pad from vital.seal_keys where retires_at is null order by created_at desc limit 1

-- name: Schema
create schema callers

-- name: SchemaGrant
grant usage on schema callers to vital_api

-- name: Seals
create table callers.seals as select n::integer, seal from unnest($1::text[]) with ordinality s(seal, n)

-- name: SealsKey
alter table callers.seals add primary key (n)

-- name: SealsGrant
grant select on callers.seals to vital_api

-- name: SealOf
select s.seal from callers.seals s where s.n = :n
