package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/pgtest"
)

// strays lists what does not follow the rule of tenancy, as "table constraint"; a table that is not
// owned by a tenant is listed with nothing else about it.
const strays = `
with tables as (
  select c.oid, c.relname,
    exists (
      select from pg_attribute a
      join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indkey[0] = a.attnum
      where a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype and a.attnotnull
    ) as owned
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
), keys as (
  select t.relname, n.conname, n.contype, n.conrelid, n.confrelid,
    array(select a.attname::text from unnest(n.conkey) k join pg_attribute a on a.attrelid = n.conrelid and a.attnum = k) as own,
    array(select a.attname::text from unnest(n.confkey) k join pg_attribute a on a.attrelid = n.confrelid and a.attnum = k) as referenced
  from tables t join pg_constraint n on n.conrelid = t.oid
  where t.owned
)
select relname || ' ' from tables where not owned
union
select t.relname || ' ' || x.indexrelid::regclass::name
from tables t join pg_index i on i.indrelid = t.oid and i.indisunique
cross join lateral (select i.indexrelid) x
where t.owned and not exists (
  select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id' and a.attnum = any (i.indkey::int2[]))
union
select k.relname || ' ' || k.conname
from keys k join tables other on other.oid = k.confrelid and other.owned
where k.contype = 'f' and not 'tenant_id' = any (k.referenced)
union
select t.relname || ' ' || t.relname || '_tenant_id_fkey'
from tables t
where t.owned and not exists (
  select from keys k where k.conrelid = t.oid and k.contype = 'f'
    and k.own = '{tenant_id}' and k.confrelid = 'public.organizations'::regclass)
order by 1`

// foreignOwners lists references to a tenant's row that no check holds to the own or the platform tenant.
const foreignOwners = `
select n.conrelid::regclass || ' ' || a.attname
from pg_constraint n
join pg_attribute a on a.attrelid = n.conrelid and a.attnum = n.conkey[array_position(n.confkey,
  (select t.attnum from pg_attribute t where t.attrelid = n.confrelid and t.attname = 'tenant_id'))]
where n.contype = 'f' and n.connamespace = 'public'::regnamespace and a.attname <> 'tenant_id'
  and not exists (
    select from pg_constraint c
    where c.conrelid = n.conrelid and c.contype = 'c'
      and pg_get_constraintdef(c.oid) like format(
        '%%(%1$s = tenant_id) OR (%1$s = ''00000000-0000-0000-0000-000000000001''::uuid)%%', a.attname))`

func TestTenancy_EveryTableOrAnException(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	var excepted []string
	for _, e := range database.TenancyExceptions {
		require.NotEmpty(t, e.Reason, e.Table)
		excepted = append(excepted, e.Table+" "+e.Constraint)
	}
	require.ElementsMatch(t, excepted, column[string](t, conn, strays),
		"database/tenancy.go lists exactly what does not follow the rule")
	require.Empty(t, column[string](t, conn, foreignOwners))
	require.NotEmpty(t, column[string](t, conn, `select conname::text from pg_constraint where conname like '%own_or_platform'`))

	// The one table whose tenant column has another name follows the rule otherwise.
	require.True(t, one[bool](t, conn, `
		select a.attnotnull and a.attname = 'organization_id' from pg_index i
		join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
		where i.indrelid = 'organization_audit_log'::regclass and i.indisprimary`))
}

func TestTenancy_FindsWhatStrays(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	known := column[string](t, conn, strays)
	execute(t, conn, `
		create table unowned (id uuid primary key);
		create table late_key (id uuid, tenant_id uuid not null references organizations, primary key (id, tenant_id));
		create table loose (tenant_id uuid not null, id uuid not null unique, agent uuid, primary key (tenant_id, id));
		create table pointing (tenant_id uuid not null references organizations, id uuid not null references loose (id), primary key (tenant_id, id));
		create unique index stray_index on tools (name)`)
	require.ElementsMatch(t, append(known, "unowned ", "late_key ", "loose loose_id_key", "loose loose_tenant_id_fkey",
		"pointing pointing_id_fkey", "tools stray_index"), column[string](t, conn, strays))
	execute(t, conn, "alter table tools drop constraint tools_category_own_or_platform")
	require.Equal(t, []string{"tools category_tenant_id"}, column[string](t, conn, foreignOwners))
}

// uncommented lists tables, views, columns, types and functions of public and vital that nobody has
// described. A partition's columns are described where they are declared.
const uncommented = `
select c.oid::regclass::text from pg_class c
where c.relnamespace in ('public'::regnamespace, 'vital'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and obj_description(c.oid, 'pg_class') is null
union all
select c.oid::regclass || '.' || a.attname from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace in ('public'::regnamespace, 'vital'::regnamespace) and c.relkind in ('r', 'p') and not c.relispartition
  and col_description(c.oid, a.attnum) is null
union all
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace in ('public'::regnamespace, 'vital'::regnamespace) and obj_description(p.oid, 'pg_proc') is null
union all
select t.oid::regtype::text from pg_type t left join pg_class c on c.oid = t.typrelid
where t.typnamespace in ('public'::regnamespace, 'vital'::regnamespace) and (t.typtype in ('e', 'd') or c.relkind = 'c')
  and obj_description(t.oid, 'pg_type') is null
order by 1`

func TestSchema_EverythingIsDescribed(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	require.Empty(t, column[string](t, conn, uncommented))
	execute(t, conn, "comment on column agents.name is null; comment on function is_super_admin() is null; comment on table tools is null")
	require.Equal(t, []string{"agents.name", "is_super_admin()", "tools"}, column[string](t, conn, uncommented))
}
