What a request tries to leave behind on its connection for the next one, which is another tenant's. Each is sent
through the server's own pool, of one connection; then the other tenant asks, and everything it could tell of its
session must be what it was before.

-- attack: leave_search_path
-- title: leave a search path that finds other things
-- verb: setting
set search_path = pg_temp, pg_catalog;

-- attack: leave_settings
-- title: leave settings that change what SQL means and how it is shown
-- verb: setting
set datestyle = 'German, DMY';
set timezone = 'Asia/Kathmandu';
set bytea_output = escape;
set extra_float_digits = -15;
set standard_conforming_strings = off;
set transform_null_equals = on;
set client_encoding = 'LATIN1';

-- attack: leave_timeout
-- title: leave a timeout that no statement keeps
-- verb: setting
set statement_timeout = 1;
set lock_timeout = 1;
set idle_in_transaction_session_timeout = 1;

-- attack: leave_row_security
-- title: leave row-level security turned off
-- verb: setting
set row_security = off;

-- attack: leave_read_only
-- title: leave a session that cannot write
-- verb: setting
set session characteristics as transaction isolation level serializable, read only;

-- attack: leave_role
-- title: leave another role
-- verb: role
commit;
set role anon;

-- attack: leave_identity
-- title: leave the own identity for whoever comes next
-- verb: identity
select pg_catalog.set_config('vital.context', pg_catalog.current_setting('vital.context'), false);

-- attack: leave_identity_after_commit
-- title: leave the own identity behind the end of the transaction
-- verb: identity
select pg_catalog.set_config('test.marker', pg_catalog.current_setting('vital.context'), false);
commit;
select pg_catalog.set_config('vital.context', pg_catalog.current_setting('test.marker'), false);

-- attack: leave_marker
-- title: leave a message
-- verb: setting
select pg_catalog.set_config('test.marker', 'left behind', false);

-- attack: replace_statements
-- title: forget the statements that the server has prepared, and put others under their names
-- verb: prepare
-- reference: CVE-2024-10976
deallocate all;
prepare begin as select 'replaced';
prepare v000000000000000000000000 as select 'replaced';

-- attack: leave_temporary
-- title: leave a temporary table under the name of a real one
-- verb: temporary
create temporary table {relation_name} (id pg_catalog.uuid);

-- attack: leave_advisory_lock
-- title: leave a lock that outlives the transaction
-- verb: lock
select pg_catalog.pg_advisory_lock(42);

-- attack: leave_listen
-- title: leave an ear on what others are told
-- verb: notify
listen vital_change;
listen mine;
commit;

-- attack: leave_cursor
-- title: leave a cursor open, with the own rows in it
-- verb: cursor
declare kept cursor with hold for select * from {relation};
commit;

-- attack: leave_transaction
-- title: leave a transaction open
-- verb: transaction
commit;
begin isolation level serializable read only;
savepoint left_open;

-- attack: leave_by_error
-- title: leave settings behind an error
-- verb: setting
commit;
set timezone = 'Asia/Kathmandu';
set role anon;
begin;
select 1 / 0;

-- attack: leave_copy
-- title: leave the connection in the midst of a COPY
-- verb: copy
copy {relation} from stdin;
