What a caller may do with its own tenant's row, by trying. The answers are compared with those of before a
change, or of another day.

-- name: select
select 1 from {relation} where {own_key};

-- name: count
select count(*) from {relation};

-- name: select every column
select * from {relation} limit 0;

-- name: insert
insert into {relation} {insert_own};

-- name: update
update {relation} set {set} where {own_key};

-- name: update all
-- It looks at no column, so it takes this one privilege alone.
update {relation} set {any_set};

-- name: delete
delete from {relation};

-- name: truncate
truncate {relation};

-- name: privileges
-- A view that takes no rows refuses before it asks for the privilege.
select concat_ws(' ', has_table_privilege({view}, 'select'), has_table_privilege({view}, 'insert'),
  has_table_privilege({view}, 'update'), has_table_privilege({view}, 'delete'));
