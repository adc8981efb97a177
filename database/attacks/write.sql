What a tenant tries to change of another tenant's data. Whatever succeeds is followed by a look, with the
operator's eyes, at all of the other tenant's rows: one changed, one more or one less is a leak.

-- attack: insert_for_other
-- title: add a row to the other tenant
-- verb: insert
insert into {relation} {insert_other};

-- attack: insert_returning
-- title: add a row to the other tenant and read it back
-- verb: returning
insert into {relation} {insert_other} returning *;

-- attack: insert_without_tenant
-- title: add a row that belongs to nobody
-- verb: insert
-- leak: success
insert into {relation} {insert_nobody};

-- attack: upsert
-- title: overwrite the other tenant's row by ON CONFLICT DO UPDATE
-- verb: upsert
-- reference: CVE-2017-15099
insert into {relation} {insert_same_key} on conflict do nothing;
insert into {relation} {insert_same_key} on conflict {key_target} do update set {set_excluded} returning *;

-- attack: update_by_key
-- title: change the other tenant's row
-- verb: update
-- leak: rows
update {relation} set {set} where {other_key};

-- attack: update_all
-- title: change every row
-- verb: update
update {relation} set {change};

-- attack: update_returning
-- title: change the other tenant's row and read it back
-- verb: returning
-- leak: rows
update {relation} r set {set} where {other_key_r} returning *;

-- attack: move_away
-- title: give an own row to the other tenant
-- verb: move
update {relation} set {tenant} = {other} where {own_key};

-- attack: move_here
-- title: take the other tenant's row
-- verb: move
-- leak: rows
update {relation} set {tenant} = {own} where {other_key};

-- attack: move_all_here
-- title: take every row without looking at one, which no SELECT policy is asked about
-- verb: move
update {relation} set {tenant} = {own};

-- attack: delete_by_key
-- title: delete the other tenant's row
-- verb: delete
-- leak: rows
delete from {relation} where {other_key};

-- attack: delete_all
-- title: delete every row
-- verb: delete
delete from {relation};

-- attack: delete_returning
-- title: delete the other tenant's rows and read them
-- verb: returning
delete from {relation} where {other_key} returning *;

-- attack: writing_cte
-- title: change the other tenant's row inside a query
-- verb: cte
-- leak: rows
with r as (update {relation} set {set} where {other_key} returning 1) select count(*) from r;

-- attack: merge
-- title: change the other tenant's row by MERGE
-- verb: merge
-- leak: rows
-- reference: CVE-2023-39418
merge into {relation} r using (values (1)) v(n) on {other_key_r} when matched then update set {set};

-- attack: truncate
-- title: empty the table, which no policy filters
-- verb: truncate
-- leak: success
truncate {relation};

-- attack: trigger
-- title: put code into the table that runs as whoever writes next
-- verb: trigger
-- leak: success
create trigger attack before insert on {relation} for each row execute function pg_catalog.suppress_redundant_updates_trigger();

-- attack: open_table
-- title: turn row-level security off
-- verb: alter
-- leak: success
alter table {relation} disable row level security;

-- attack: foreign_key
-- title: learn by a foreign key whether the other tenant's row exists
-- verb: foreign key
-- leak: difference
-- for: foreign
insert into {relation} {insert_reference_other};
-- control:
insert into {relation} {insert_reference_unknown};

-- attack: unique
-- title: learn by a unique key whether the other tenant has a value
-- verb: unique
-- leak: difference
-- for: unique
insert into {relation} {insert_collision};
-- control:
insert into {relation} {insert_free};

-- attack: join_other
-- title: make oneself a member of the other tenant
-- verb: membership
-- leak: success
-- reference: OWASP API3:2023 Broken Object Property Level Authorization
insert into {relation} {insert_membership};

-- attack: promote_self
-- title: give oneself the highest role
-- verb: membership
-- leak: rows
-- reference: OWASP API3:2023 Broken Object Property Level Authorization
update {relation} set {promotion} where {own_membership};

-- attack: insert_own
-- title: add an own row, whose triggers must leave the other tenant's rows alone
-- verb: side effect
insert into {relation} {insert_own};

-- attack: update_own
-- title: change an own row, whose triggers must leave the other tenant's rows alone
-- verb: side effect
update {relation} set {change} where {own_key};

-- attack: delete_own
-- title: delete an own row, whose triggers and keys must leave the other tenant's rows alone
-- verb: side effect
delete from {relation} where {own_key};
