What a tenant tries to read of another tenant's rows. An attack is a block under `-- attack:`; its
comment says what it is (title), what it counts as (verb), what about its result would be a leak beside
the other tenant's values turning up in it (leak: rows, success, difference), and where it is known from
(reference). Placeholders in braces are filled from the catalog and from the rows made for the attack; an
attack with one that cannot be filled does not apply to the relation.

-- attack: select_all
-- title: read the whole relation
-- verb: select
-- reference: OWASP API1:2023 Broken Object Level Authorization
select * from {relation} limit 1000;

-- attack: select_by_tenant
-- title: read by the other tenant's id
-- verb: select
-- leak: rows
-- reference: OWASP API1:2023 Broken Object Level Authorization
select * from {relation} where {tenant} = {other} limit 10;

-- attack: select_by_key
-- title: read one row by its key
-- verb: select
-- leak: rows
-- reference: OWASP API1:2023 Broken Object Level Authorization
select * from {relation} where {other_key};

-- attack: select_not_mine
-- title: read whatever is neither mine nor shared
-- verb: select
-- leak: rows
select * from {relation} where {tenant}::text <> all (array[{shared}]) limit 10;

-- attack: count_by_key
-- title: count
-- verb: count
-- leak: rows
select count(*) from {relation} where {other_key};

-- attack: exists_by_key
-- title: ask whether a row exists
-- verb: exists
-- leak: rows
select exists (select from {relation} where {other_key});

-- attack: aggregate
-- title: gather values
-- verb: aggregate
select string_agg(r::text, ' ') from (select * from {relation} limit 1000) r;

-- attack: join
-- title: join a list of keys to the relation
-- verb: join
-- leak: rows
select r.* from (values (1)) v(n) join {relation} r on {other_key_r};

-- attack: scalar_subquery
-- title: read from a subquery
-- verb: subquery
-- leak: rows
select (select r::text from {relation} r where {other_key_r} limit 1);

-- attack: common_table_expression
-- title: read from a WITH that is not inlined
-- verb: cte
-- leak: rows
with r as materialized (select * from {relation}) select * from r where {other_key};

-- attack: cursor
-- title: read through a cursor
-- verb: cursor
-- leak: rows
declare attack cursor for select * from {relation} where {other_key};
fetch all from attack;

-- attack: copy_to
-- title: copy the relation out
-- verb: copy
copy (select * from {relation} limit 1000) to stdout;

-- attack: row_lock
-- title: lock the other tenant's row
-- verb: lock
-- leak: rows
select 1 from {relation} where {other_key} for key share;

-- attack: prepared
-- title: run a prepared statement that was planned as somebody else
-- verb: prepare
-- leak: rows
-- reference: CVE-2024-10976, CVE-2023-2455
-- before: prepare attack as select * from {relation} where {other_key}
execute attack;
execute attack;

-- attack: prepared_as_other
-- title: run a prepared statement that the other tenant has run
-- verb: prepare
-- leak: rows
-- reference: CVE-2024-10976
-- before: as other: prepare attack as select * from {relation} where {other_key}; execute attack; execute attack
execute attack;
execute attack;

-- attack: text_in_error
-- title: make a cast fail on the other tenant's value
-- verb: error
select count(*) from {relation} where {other_key} and ({text_column} || 'x')::int = 1;

-- attack: division_oracle
-- title: make an error depend on whether the row is there
-- verb: error
-- leak: difference
-- reference: CVE-2017-7484
select 1 from {relation} where {other_key} and 1 / (case when {text_column} is null then 1 else 0 end) = 1;
-- control:
select 1 from {relation} where {unknown_key} and 1 / (case when {text_column} is null then 1 else 0 end) = 1;

-- attack: explain_analyze
-- title: see in a plan how many rows were there
-- verb: explain
-- leak: difference
-- risk: PostgreSQL shows to whoever may run EXPLAIN how many rows an index found before a policy was asked
explain (analyze, costs off, timing off, summary off) select * from {relation} where {other_key};
-- control:
explain (analyze, costs off, timing off, summary off) select * from {relation} where {unknown_key};

-- attack: statistics
-- title: read the planner's statistics
-- verb: statistics
-- reference: CVE-2025-8713
select most_common_vals::text, histogram_bounds::text from pg_catalog.pg_stats where schemaname = {schema_name} and tablename = {relation_name};

-- attack: row_security_off
-- title: turn row-level security off for the transaction
-- verb: setting
set local row_security = off;
select * from {relation} where {other_key};

-- attack: materialized
-- title: read a materialized view, which no policy filters
-- verb: select
-- leak: success
-- for: materialized view
select * from {relation} limit 0;

-- attack: shadowed_membership
-- title: put memberships of one's own making in front of those that functions look up
-- verb: temporary
-- leak: rows
-- reference: CVE-2018-1058
create temporary table {membership_shadow};
select * from {relation} where {other_key};
