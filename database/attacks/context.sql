What a tenant tries in order to be somebody else: SQL injected into its own transaction. Each runs once
for a relation the tenant can read.

-- attack: reset_role
-- title: go back to the login's own rights
-- verb: role
reset role;
select * from {relation} where {other_key};

-- attack: set_role
-- title: take on a role that bypasses the policies
-- verb: role
-- leak: success
-- for: privileged role
-- unsealed: requests arrive on a login that may become it, as PostgREST's does, and every statement may say so
set local role {role};

-- attack: forge_identity
-- title: run what makes an identity, for the other tenant
-- verb: identity
-- leak: rows
-- unsealed: a setting says who the caller is, and every statement may change a setting
{identity_other};
select * from {relation} where {other_key};

-- attack: forge_claims
-- title: write the claims that PostgREST would
-- verb: identity
-- leak: rows
-- unsealed: a setting says who the caller is, and every statement may change a setting
select set_config('request.jwt.claims', {claims_other}, true) is null where false;
set local "request.jwt.claims" = {claims_other};
select * from {relation} where {other_key};

-- attack: replay_identity
-- title: bring along an identity of the other tenant that is {replay_name}
-- verb: identity
-- leak: rows
-- for: replay
select pg_catalog.set_config({replay_setting}, {replay}, true) is null where false;
select * from {relation} where {other_key};

-- attack: reset_identity
-- title: forget who I am
-- verb: identity
reset all;
select * from {relation} where {other_key};

-- attack: escape_transaction
-- title: keep a change of identity beyond a savepoint
-- verb: identity
savepoint inner_attack;
reset all;
release savepoint inner_attack;
select * from {relation} where {other_key};

-- attack: advisory_lock
-- title: block others by a lock on a number
-- verb: lock
-- leak: success
-- sealed only: true
select pg_catalog.pg_advisory_xact_lock(42);

-- attack: other_sessions
-- title: read what other sessions run
-- verb: activity
-- leak: success
-- sealed only: true
select pg_catalog.count(*) from pg_catalog.pg_stat_get_activity(null);

-- attack: row_statistics
-- title: learn from the server's counters how much others write
-- verb: statistics
-- leak: success
-- sealed only: true
select pg_catalog.pg_stat_get_live_tuples(c.oid) from pg_catalog.pg_class c where c.relname = {relation_name};

-- attack: relation_size
-- title: learn from a table's size how much others have
-- verb: statistics
-- leak: success
-- sealed only: true
select pg_catalog.pg_relation_size(c.oid) from pg_catalog.pg_class c where c.relname = {relation_name};

-- attack: locks
-- title: see which rows others lock
-- verb: activity
-- leak: success
-- sealed only: true
select count(*) from pg_catalog.pg_locks;

-- attack: sequence_value
-- title: learn from a sequence how much others add
-- verb: sequence
-- leak: success
-- for: sequence
-- sealed only: true
select last_value from {sequence};

-- attack: set_sequence
-- title: set a sequence that others draw from; only asked for, since no rollback would undo it
-- verb: sequence
-- leak: rows
-- for: sequence
-- unsealed: whoever may do so makes the next inserts of all tenants fail, and reads nothing by it
select 1 where pg_catalog.has_sequence_privilege({sequence_name}, 'UPDATE');

-- attack: temporary_shadow
-- title: put a temporary table in front of a name
-- verb: temporary
-- leak: success
-- sealed only: true
create temporary table attack_shadow (id int);

-- attack: own_function
-- title: make a function in a schema that others look into
-- verb: create
-- leak: success
create function public.attack() returns int language sql as 'select 1';

-- attack: large_object
-- title: hide data where no policy looks
-- verb: large object
-- leak: success
-- sealed only: true
select pg_catalog.lo_create(0);

-- attack: server_files
-- title: read the server's files
-- verb: file
-- leak: success
select pg_catalog.pg_read_file('PG_VERSION');

-- attack: listen
-- title: hear what others are told
-- verb: notify
listen vital_change;
select pg_catalog.pg_notify('vital_change', 'attack');
