Drifts made by hand, each with what must be found and nothing else: severity | kind | object | aspect. What is given is there before, and expected.

-- drift: row-level security switched off
-- finds: security | table | public.agents | row security
alter table public.agents disable row level security;

-- drift: row-level security no longer forced
-- finds: security | table | public.agents | forced row security
alter table public.agents no force row level security;

-- drift: policy dropped
-- finds: security | policy | personas_select_member on public.personas |
drop policy personas_select_member on public.personas;

-- drift: policy added
-- finds: security | policy | everybody on public.agents |
create policy everybody on public.agents for select to authenticated using (true);

-- drift: policy whose USING became true
-- finds: security | policy | personas_select_member on public.personas | using
alter policy personas_select_member on public.personas using (true);

-- drift: policy whose WITH CHECK became true
-- finds: security | policy | tenant_apps_insert_admin on public.tenant_apps | with check
alter policy tenant_apps_insert_admin on public.tenant_apps with check (true);

-- drift: policy for more roles
-- finds: security | policy | personas_select_member on public.personas | roles
alter policy personas_select_member on public.personas to authenticated, anon;

-- drift: policy renamed
-- finds: security | policy | personas_select_member on public.personas |
-- finds: security | policy | renamed on public.personas |
alter policy personas_select_member on public.personas rename to renamed;

-- drift: restrictive policy added
-- finds: security | policy | narrow on public.prompts |
create policy narrow on public.prompts as restrictive for all to authenticated using (false);

-- drift: table granted to anon
-- finds: security | privilege | SELECT on table public.agents to anon |
grant select on public.agents to anon;

-- drift: table granted to everybody
-- finds: security | privilege | SELECT on table public.agents to public |
grant select on public.agents to public;

-- drift: grant taken away
-- finds: security | privilege | INSERT on table public.agents to authenticated |
revoke insert on public.agents from authenticated;

-- drift: grant that may be passed on
-- finds: security | privilege | SELECT on table public.agents to authenticated |
grant select on public.agents to authenticated with grant option;

-- drift: one column granted
-- finds: security | privilege | SELECT on table public.agents.system_prompt to anon |
grant select (system_prompt) on public.agents to anon;

-- drift: truncate granted
-- finds: security | privilege | TRUNCATE on table public.prompts to authenticated |
grant truncate on public.prompts to authenticated;

-- drift: internals granted to tenants
-- finds: security | privilege | SELECT on table vital.seal_keys to authenticated |
grant select on vital.seal_keys to authenticated;

-- drift: function executable by everybody
-- finds: security | privilege | EXECUTE on function public.is_super_admin() to public |
grant execute on function public.is_super_admin() to public;

-- drift: function no longer executable
-- finds: security | privilege | EXECUTE on function public.is_super_admin() to authenticated |
revoke execute on function public.is_super_admin() from authenticated;

-- drift: sequence granted
-- finds: security | privilege | USAGE on sequence vital.migrations_id_seq to authenticated |
grant usage on sequence vital.migrations_id_seq to authenticated;

-- drift: everybody may create in public
-- finds: security | privilege | CREATE on schema public to public |
grant create on schema public to public;

-- drift: everybody may make temporary tables
-- finds: security | privilege | TEMPORARY on database this one to authenticated |
do $$ begin execute format('grant temporary on database %I to authenticated', current_database()); end $$;

-- drift: system function opened
-- finds: security | privilege | EXECUTE on function pg_terminate_backend(integer,bigint) to authenticated |
grant execute on function pg_catalog.pg_terminate_backend(integer, bigint) to authenticated;

-- drift: default privilege for anon
-- finds: security | default privilege | SELECT on new tables of vital_owner in public to anon |
alter default privileges for role vital_owner in schema public grant select on tables to anon;

-- drift: new functions executable by everybody
-- finds: security | default privilege | EXECUTE on new functions of vital_owner to public |
alter default privileges for role vital_owner grant execute on functions to public;

-- drift: function whose body was replaced
-- finds: security | function | public.is_super_admin() | body
do $$ begin execute replace(pg_get_functiondef('public.is_super_admin()'::regprocedure), (select prosrc from pg_proc where oid = 'public.is_super_admin()'::regprocedure), ' begin return true; end '); end $$;

-- drift: definer became invoker
-- finds: security | function | public.is_super_admin() | security
alter function public.is_super_admin() security invoker;

-- drift: invoker became definer
-- finds: security | function | public.get_user_tenant_id() | security
alter function public.get_user_tenant_id() security definer;

-- drift: search_path of a definer lost
-- finds: security | function | public.is_super_admin() | settings
alter function public.is_super_admin() reset all;

-- drift: search_path of a definer led elsewhere
-- finds: security | function | public.is_super_admin() | settings
alter function public.is_super_admin() set search_path = public;

-- drift: leakproof
-- finds: security | function | public.get_user_tenant_id() | leakproof
alter function public.get_user_tenant_id() leakproof;

-- drift: volatility
-- finds: structure | function | public.get_user_tenant_id() | volatility
alter function public.get_user_tenant_id() volatile;

-- drift: strict
-- finds: structure | function | public.get_user_tenant_id() | strict
alter function public.get_user_tenant_id() strict;

-- drift: parallel
-- finds: structure | function | public.get_user_tenant_id() | parallel
alter function public.get_user_tenant_id() parallel unsafe;

-- drift: function given away
-- finds: security | function | public.get_user_tenant_id() | owner
alter function public.get_user_tenant_id() owner to vital_definer;

-- drift: function added
-- finds: security | function | public.backdoor() |
create function public.backdoor() returns setof public.agents language sql security definer as 'select * from public.agents';
revoke execute on function public.backdoor() from public;

-- drift: function dropped
-- finds: security | function | public.stale_feature_flags(p_days integer) |
drop function public.stale_feature_flags(integer);

-- drift: overload added
-- finds: security | function | public.is_super_admin(integer) |
create function public.is_super_admin(integer) returns boolean language sql as 'select true';

-- drift: audit trigger disabled
-- finds: security | trigger | agents_audit on public.agents | enabled
alter table public.agents disable trigger agents_audit;

-- drift: audit trigger dropped
-- finds: security | trigger | agents_audit on public.agents |
drop trigger agents_audit on public.agents;

-- drift: trigger that fires always
-- finds: security | trigger | agents_touch on public.agents | enabled
alter table public.agents enable always trigger agents_touch;

-- drift: trigger for less
-- finds: security | trigger | agents_touch on public.agents | definition
drop trigger agents_touch on public.agents;
create trigger agents_touch before insert on public.agents for each row execute function vital.touch_updated_at();

-- drift: trigger added
-- finds: security | trigger | spy on public.agents |
create trigger spy after insert on public.agents for each row execute function vital.touch_updated_at();

-- drift: rule added
-- finds: security | rule | hide on public.prompts |
create rule hide as on delete to public.prompts do instead nothing;

-- drift: view that reads as its owner
-- finds: security | view | public.query_performance_log | options
alter view public.query_performance_log reset (security_invoker);

-- drift: view with another query
-- finds: security | view | public.query_performance_log | definition
do $$ begin execute 'create or replace view public.query_performance_log with (security_invoker = true) as ' || regexp_replace(pg_get_viewdef('public.query_performance_log'), ';\s*$', '') || ' limit 5'; end $$;

-- drift: view added
-- finds: security | view | public.all_agents |
create view public.all_agents as select * from public.agents;

-- drift: table given away
-- finds: security | table | public.prompts | owner
alter table public.prompts owner to vital_definer;

-- drift: schema given away
-- finds: security | schema | vital | owner
alter schema vital owner to vital_definer;

-- drift: table added
-- finds: structure | table | public.notes |
create table public.notes (id uuid primary key, body text default '' check (body <> ''));

-- drift: table dropped
-- finds: structure | table | public.personas |
-- finds: security | constraint | jobs_to_be_done_persona_tenant_id_persona_id_fkey on public.jobs_to_be_done |
drop table public.personas cascade;

-- drift: table unlogged
-- finds: structure | table | public.tenant_feature_flag_usage | persistence
alter table public.tenant_feature_flag_usage set unlogged;

-- drift: storage parameter
-- finds: structure | table | public.prompts | options
alter table public.prompts set (fillfactor = 50);

-- drift: replica identity
-- finds: structure | table | public.prompts | replica identity
alter table public.prompts replica identity full;

-- drift: column dropped
-- finds: structure | column | public.prompts.metadata |
-- finds: security | constraint | prompts_metadata_check on public.prompts |
alter table public.prompts drop column metadata;

-- drift: column added
-- finds: structure | column | public.prompts.extra |
alter table public.prompts add column extra text;

-- drift: column of another type
-- finds: structure | column | public.agents.tier | type
alter table public.agents alter column tier type bigint;

-- drift: column renamed
-- finds: structure | column | public.agents.model |
-- finds: structure | column | public.agents.llm |
alter table public.agents rename column model to llm;

-- drift: column that may be null
-- finds: structure | column | public.agents.tags | not null
alter table public.agents alter column tags drop not null;

-- drift: column that may not be null
-- finds: structure | column | public.agents.owner_id | not null
alter table public.agents alter column owner_id set not null;

-- drift: default dropped
-- finds: structure | column | public.agents.tier | default
alter table public.agents alter column tier drop default;

-- drift: default changed
-- finds: structure | column | public.agents.tier | default
alter table public.agents alter column tier set default 2;

-- drift: collation
-- finds: structure | column | public.agents.category | collation
alter table public.agents alter column category type text collate "C";

-- drift: check dropped
-- finds: security | constraint | agents_tier_check on public.agents |
alter table public.agents drop constraint agents_tier_check;

-- drift: check widened
-- finds: security | constraint | agents_tier_check on public.agents | definition
alter table public.agents drop constraint agents_tier_check;
alter table public.agents add constraint agents_tier_check check (tier > 0);

-- drift: check not validated
-- finds: security | constraint | agents_tier_check on public.agents | validated
alter table public.agents drop constraint agents_tier_check;
alter table public.agents add constraint agents_tier_check check (tier >= 1 and tier <= 9) not valid;

-- drift: foreign key dropped
-- finds: security | constraint | agents_tenant_id_fkey on public.agents |
alter table public.agents drop constraint agents_tenant_id_fkey;

-- drift: foreign key that cascades
-- finds: security | constraint | prompts_tenant_id_fkey on public.prompts | definition
alter table public.prompts drop constraint prompts_tenant_id_fkey;
alter table public.prompts add constraint prompts_tenant_id_fkey foreign key (tenant_id) references public.organizations (id) on delete cascade;

-- drift: unique key dropped
-- finds: structure | constraint | agents_tenant_id_slug_key on public.agents |
alter table public.agents drop constraint agents_tenant_id_slug_key cascade;

-- drift: index dropped
-- finds: structure | index | public.idx_users_organization_id |
drop index public.idx_users_organization_id;

-- drift: index added
-- finds: structure | index | public.prompts_title |
create index prompts_title on public.prompts (title);

-- drift: index that became partial
-- finds: structure | index | public.idx_users_email | definition
drop index public.idx_users_email;
create index idx_users_email on public.users (email) where email is not null;

-- drift: index left invalid
-- finds: structure | index | public.idx_users_email | valid
update pg_catalog.pg_index set indisvalid = false where indexrelid = 'public.idx_users_email'::regclass;

-- drift: sequence that counts otherwise
-- finds: structure | sequence | vital.river_notification_id_seq | numbers
alter sequence vital.river_notification_id_seq increment 5;

-- drift: label added
-- finds: structure | enum | public.org_lifecycle_state | labels
alter type public.org_lifecycle_state add value 'frozen';

-- drift: attribute of a composite type
-- finds: structure | column | vital.membership.since |
alter type vital.membership add attribute since timestamptz;

-- drift: domain added
-- finds: structure | domain | public.slug |
create domain public.slug as text check (value <> '');

-- drift: comment lost
-- finds: cosmetic | comment | table public.agents |
comment on table public.agents is null;

-- drift: comment changed
-- finds: cosmetic | comment | table public.agents |
comment on table public.agents is 'something else';

-- drift: published to a stranger
-- finds: security | publication | leak |
create publication leak for table public.agents;

-- drift: event trigger disabled
-- finds: security | event trigger | vital_notify_catalog | enabled
alter event trigger vital_notify_catalog disable;

-- drift: setting of the database
-- finds: security | setting | row_security of this database |
do $$ begin execute format('alter database %I set row_security = off', current_database()); end $$;

-- drift: setting of a role
-- finds: security | setting | search_path of all databases for vital_api |
alter role vital_api set search_path = vital;

-- drift: role that policies do not bind
-- finds: security | role | vital_api | row security
alter role vital_api bypassrls;

-- drift: role that is a superuser
-- finds: security | role | vital_service | superuser
alter role vital_service superuser;

-- drift: role that may log in
-- finds: security | role | vital_definer | login
alter role vital_definer login;

-- drift: role that inherits
-- finds: security | role | vital_api | inherit
alter role vital_api inherit;

-- drift: login that may become the service role
-- finds: security | membership | vital_api in service_role |
grant service_role to vital_api;

-- drift: membership taken away
-- finds: security | membership | vital_api in anon |
revoke anon from vital_api;

-- drift: membership that may be passed on
-- finds: security | membership | vital_api in authenticated |
grant authenticated to vital_api with admin option;

-- drift: access of a role's setting granted
-- finds: security | parameter privilege | SET on parameter session_replication_role to authenticated |
grant set on parameter session_replication_role to authenticated;

-- drift: event trigger of somebody else's
-- given: create schema elsewhere; create function elsewhere.watch() returns event_trigger language plpgsql as 'begin end'
-- finds: security | event trigger | watch |
create event trigger watch on ddl_command_end execute function elsewhere.watch();

-- drift: function that all call without naming a schema
-- finds: security | function | pg_catalog.trusted(text) |
create function pg_catalog.trusted(text) returns boolean language sql as 'select true';

-- drift: cast added
-- finds: security | cast | text as uuid |
create cast (text as uuid) with inout as assignment;

-- drift: cast that is made unasked
-- given: create cast (text as uuid) with inout as assignment
-- finds: security | cast | text as uuid | definition
drop cast (text as uuid);
create cast (text as uuid) with inout as implicit;

-- drift: cast dropped
-- given: create cast (text as uuid) with inout as assignment
-- finds: security | cast | text as uuid |
drop cast (text as uuid);

-- drift: operator added
-- finds: security | operator | public.===(uuid,uuid) |
create operator public.=== (function = pg_catalog.uuid_eq, leftarg = uuid, rightarg = uuid);

-- drift: operator that all use without naming a schema
-- finds: security | operator | =(uuid,text) |
-- finds: security | function | pg_catalog.uuid_is(uuid, text) |
create function pg_catalog.uuid_is(uuid, text) returns boolean language sql immutable as 'select true';
create operator pg_catalog.= (function = pg_catalog.uuid_is, leftarg = uuid, rightarg = text);

-- drift: operator that runs something else
-- given: create operator public.=== (function = pg_catalog.uuid_eq, leftarg = uuid, rightarg = uuid, commutator = operator(public.===), hashes)
-- finds: security | operator | public.===(uuid,uuid) | definition
drop operator public.=== (uuid, uuid);
create operator public.=== (function = pg_catalog.uuid_ne, leftarg = uuid, rightarg = uuid, commutator = operator(public.===), hashes);

-- drift: operator given away
-- given: create operator public.!!! (function = pg_catalog.int4um, rightarg = integer)
-- finds: security | operator | public.!!!(NONE,integer) | owner
alter operator public.!!! (none, integer) owner to vital_definer;

-- drift: operator class added
-- finds: security | operator class | public.odd using btree |
-- finds: security | operator family | public.odd using btree |
create operator class public.odd for type uuid using btree as operator 1 <, operator 3 =, function 1 uuid_cmp(uuid, uuid);

-- drift: operator class of another family
-- given: create operator family public.other using btree; create operator class public.odd for type uuid using btree as operator 1 <, operator 3 =, function 1 uuid_cmp(uuid, uuid)
-- finds: security | operator class | public.odd using btree | definition
-- finds: security | operator family member | operator 1 (uuid, uuid) of public.odd using btree |
-- finds: security | operator family member | operator 3 (uuid, uuid) of public.odd using btree |
-- finds: security | operator family member | function 1 (uuid, uuid) of public.odd using btree |
-- finds: security | operator family member | operator 1 (uuid, uuid) of public.other using btree |
-- finds: security | operator family member | operator 3 (uuid, uuid) of public.other using btree |
-- finds: security | operator family member | function 1 (uuid, uuid) of public.other using btree |
drop operator class public.odd using btree;
create operator class public.odd for type uuid using btree family public.other as operator 1 <, operator 3 =, function 1 uuid_cmp(uuid, uuid);

-- drift: operator in a family that PostgreSQL brings
-- finds: security | operator family member | operator 1 (uuid, text) of pg_catalog.uuid_ops using btree |
-- finds: security | operator | public.<<<(uuid,text) |
-- finds: security | function | public.before(uuid, text) |
create function public.before(uuid, text) returns boolean language sql immutable as 'select true';
revoke execute on function public.before(uuid, text) from public;
create operator public.<<< (function = public.before, leftarg = uuid, rightarg = text);
alter operator family pg_catalog.uuid_ops using btree add operator 1 public.<<< (uuid, text);

-- drift: language added
-- finds: security | language | plhandmade |
create trusted language plhandmade handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator;

-- drift: language that everybody may write
-- given: create language plhandmade handler plpgsql_call_handler validator plpgsql_validator
-- finds: security | language | plhandmade | trusted
create or replace trusted language plhandmade handler plpgsql_call_handler validator plpgsql_validator;

-- drift: language taken from everybody
-- finds: security | privilege | USAGE on language plpgsql to public |
revoke usage on language plpgsql from public;

-- drift: access method of a table
-- finds: security | access method | elsewhere |
-- finds: structure | table | public.prompts | access method
create access method elsewhere type table handler heap_tableam_handler;
alter table public.prompts set access method elsewhere;

-- drift: transform added
-- finds: security | transform | for integer language sql |
-- finds: security | function | public.as_read(internal) |
create function public.as_read(internal) returns integer language internal strict immutable as 'int4recv';
revoke execute on function public.as_read(internal) from public;
create transform for integer language sql (to sql with function public.as_read(internal));

-- drift: conversion added
-- finds: security | conversion | public.rewritten |
create default conversion public.rewritten for 'LATIN1' to 'UTF8' from pg_catalog.iso8859_1_to_utf8;

-- drift: collation added
-- finds: structure | collation | public.plain |
create collation public.plain (locale = 'C');

-- drift: collation that sorts otherwise
-- given: create collation public.plain (locale = 'C')
-- finds: structure | collation | public.plain | definition
drop collation public.plain;
create collation public.plain (locale = 'POSIX');

-- drift: extended statistics added
-- finds: structure | statistics | public.model_tier |
create statistics public.model_tier (dependencies) on model, tier from public.agents;

-- drift: extended statistics dropped
-- given: create statistics public.model_tier (dependencies) on model, tier from public.agents
-- finds: structure | statistics | public.model_tier |
drop statistics public.model_tier;

-- drift: extended statistics of more
-- given: create statistics public.model_tier (dependencies) on model, tier from public.agents
-- finds: structure | statistics | public.model_tier | target
alter statistics public.model_tier set statistics 1000;

-- drift: text search configuration added
-- finds: structure | text search configuration | public.terms |
create text search configuration public.terms (copy = pg_catalog.english);

-- drift: text search configuration that leaves words out
-- given: create text search configuration public.terms (copy = pg_catalog.english)
-- finds: structure | text search configuration | public.terms | definition
alter text search configuration public.terms drop mapping for word;

-- drift: text search dictionary added
-- finds: structure | text search dictionary | public.stems |
create text search dictionary public.stems (template = pg_catalog.snowball, language = english);

-- drift: text search template added
-- finds: security | text search template | public.plain |
create text search template public.plain (lexize = dsimple_lexize);

-- drift: text search parser added
-- finds: security | text search parser | public.plain |
create text search parser public.plain (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);

-- drift: foreign-data wrapper added
-- finds: security | foreign-data wrapper | outward |
create foreign data wrapper outward no handler options (token 'hunter2');

-- drift: foreign server added
-- given: create foreign data wrapper outward
-- finds: security | foreign server | elsewhere |
create server elsewhere foreign data wrapper outward options (host 'elsewhere.test', password 'hunter2');

-- drift: foreign server that became another
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward options (host 'elsewhere.test', password 'hunter2')
-- finds: security | foreign server | elsewhere | options
alter server elsewhere options (set host 'nowhere.test');

-- drift: foreign server with another secret
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward options (host 'elsewhere.test', password 'hunter2')
-- finds: security | foreign server | elsewhere | option values
alter server elsewhere options (set password 'hunter3');

-- drift: foreign server granted
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward
-- finds: security | privilege | USAGE on foreign server elsewhere to authenticated |
grant usage on foreign server elsewhere to authenticated;

-- drift: foreign-data wrapper granted
-- given: create foreign data wrapper outward
-- finds: security | privilege | USAGE on foreign data wrapper outward to authenticated |
grant usage on foreign data wrapper outward to authenticated;

-- drift: user mapping added
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward
-- finds: security | user mapping | of vital_api on elsewhere |
create user mapping for vital_api server elsewhere options (user 'ada', password 'hunter2');

-- drift: user mapping with another secret
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward; create user mapping for public server elsewhere options (password 'hunter2')
-- finds: security | user mapping | of public on elsewhere | option values
alter user mapping for public server elsewhere options (set password 'hunter3');

-- drift: user mapping that says more
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward; create user mapping for public server elsewhere
-- finds: security | user mapping | of public on elsewhere | options
-- finds: security | user mapping | of public on elsewhere | option values
alter user mapping for public server elsewhere options (password 'hunter2');

-- drift: foreign table that shows another
-- given: create foreign data wrapper outward; create server elsewhere foreign data wrapper outward; create foreign table public.theirs (id uuid) server elsewhere options (table_name 'one')
-- finds: security | foreign table | public.theirs | options
alter foreign table public.theirs options (set table_name 'two');

-- drift: subscription added
-- finds: security | subscription | inflow |
create subscription inflow connection 'host=elsewhere.test password=hunter2' publication everything with (connect = false, create_slot = false, slot_name = none, enabled = false);
