package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

const rulesHeader = `-- owner: vital_definer
--
-- A rule for each column of schema public, as a fresh install has it. Written by make schema, never by hand. Rules that an operator
-- has added for columns of their own stay.
insert into public.schema_validation_rules as r (table_name, column_name, data_type, is_nullable, has_default, is_primary_key, is_foreign_key, is_indexed, row_security)
values
`

const rulesFooter = `
on conflict (table_name, column_name) do update
set data_type = excluded.data_type, is_nullable = excluded.is_nullable, has_default = excluded.has_default, is_primary_key = excluded.is_primary_key,
  is_foreign_key = excluded.is_foreign_key, is_indexed = excluded.is_indexed, row_security = excluded.row_security
where (r.data_type, r.is_nullable, r.has_default, r.is_primary_key, r.is_foreign_key, r.is_indexed, r.row_security) is distinct from
  (excluded.data_type, excluded.is_nullable, excluded.has_default, excluded.is_primary_key, excluded.is_foreign_key, excluded.is_indexed, excluded.row_security);
`

// rules are the rows that a fresh install asks for: an index where a tenant's rows, or a key, are looked up by the column, and
// row security once a table, by the column that says whose a row is.
const rules = `
select string_agg(format('  (%L, %L, %L, %s, %s, %s, %s, %s, %s)', c.table_name, c.column_name, c.data_type, (c.is_nullable = 'YES')::text,
    (c.column_default is not null or c.is_identity = 'YES')::text, p.is::text, f.is::text, i.is::text, (c.column_name = o.name)::text), E',\n' order by c.table_name, c.ordinal_position)
from information_schema.columns c
join pg_class s on s.oid = format('public.%I', c.table_name)::regclass and s.relkind in ('r', 'p')
join pg_attribute a on a.attrelid = s.oid and a.attname = c.column_name
cross join lateral (select exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'p' and a.attnum = any (n.conkey)) as is) p
cross join lateral (select exists (select from pg_constraint n where n.conrelid = s.oid and n.contype = 'f' and a.attnum = any (n.conkey)) as is) f
cross join lateral (select exists (select from pg_index x where x.indrelid = s.oid and x.indkey[0] = a.attnum and x.indpred is null) as is) i
cross join lateral (
  select b.attname::text as name
  from pg_attribute b
  join pg_index k on k.indrelid = s.oid and k.indisprimary and b.attnum = any (k.indkey)
  where b.attrelid = s.oid
  order by b.attname in ('tenant_id', 'organization_id') desc, b.attname = 'id' desc, b.attnum
  limit 1
) o
where c.table_schema = 'public'`

// TestSchemaRules_Committed: the rules cannot fall behind what the migrations make.
func TestSchemaRules_Committed(t *testing.T) {
	t.Parallel()
	fresh := rulesHeader + one[string](t, pgtest.New(t).Connect(t), rules) + rulesFooter
	path := filepath.Join(repository(t), "database", "objects", "rules", "schema_validation_rules.sql")
	if os.Getenv("VITAL_UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	if string(committed) != fresh {
		require.Fail(t, "the rules differ from a fresh install", "run make schema and review its diff\nfirst difference: %s", firstDifference(string(committed), fresh))
	}
}

// TestValidateSchema: each status, by a column that is made to deserve it.
func TestValidateSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	const violations = "select table_name || '.' || column_name || ' ' || status || ': ' || issue from validate_schema() where status <> 'OK'"
	require.Empty(t, column[string](t, conn, violations))
	require.Equal(t, one[int](t, conn, "select count(*)::int from information_schema.columns c join information_schema.tables t using (table_schema, table_name) where table_schema = 'public' and table_type = 'BASE TABLE'"),
		one[int](t, conn, "select count(*)::int from validate_schema()"), "a rule for each column")
	require.Empty(t, column[string](t, conn, "select table_name from validate_multitenancy_schema()"))

	for text, want := range map[string]string{
		"alter table tools drop column implementation_type cascade":                        "tools.implementation_type MISSING: Column does not exist",
		"alter table agents alter column name type varchar(300)":                           "agents.name TYPE_MISMATCH: Expected text, got character varying",
		"alter table agents alter column name drop not null":                               "agents.name NULLABLE_MISMATCH: Nullable mismatch: must not allow null",
		"alter table agents alter column description set not null":                         "agents.description NULLABLE_MISMATCH: Nullable mismatch: must allow null",
		"alter table agents alter column id drop default":                                  "agents.id DEFAULT_MISMATCH: Has no default",
		"alter table profiles drop constraint profiles_tenant_id_fkey":                     "profiles.tenant_id KEY_MISMATCH: Has no foreign key",
		"alter table schema_validation_rules drop constraint schema_validation_rules_pkey": "schema_validation_rules.id KEY_MISMATCH: Is not part of the primary key; No valid index begins with it",
		"drop index idx_profiles_tenant_id":                                                "profiles.tenant_id INDEX_MISMATCH: No valid index begins with it",
		"alter table prompts no force row level security":                                  "prompts.tenant_id RLS_MISMATCH: Row-level security of its table is not both enabled and forced",
	} {
		execute(t, conn, "begin; "+text)
		require.Equal(t, []string{want}, column[string](t, conn, violations), text)
		execute(t, conn, "rollback")
	}
	execute(t, conn, "begin; alter table prompts disable row level security")
	require.Equal(t, []string{"prompts tenant_id RLS_MISMATCH"}, column[string](t, conn, "select concat_ws(' ', table_name, column_name, issue) from validate_multitenancy_schema()"))
	execute(t, conn, "rollback; begin; delete from schema_validation_rules")
	_, err := conn.Exec(t.Context(), "select from validate_schema()")
	requireState(t, err, "VT205")
	execute(t, conn, "rollback")

	// The document's own rules, as its INSERT has them, are among ours; what it has nullable and its own check of data forbids is not.
	for _, rule := range []string{
		"organizations tenant_type character varying", "organizations tenant_key character varying", "organizations is_active boolean", "tools tenant_id uuid",
		"tools implementation_type text", "tools category text", "agents tenant_id uuid", "prompts tenant_id uuid", "knowledge tenant_id uuid",
		"chat_sessions tenant_id uuid", "personas tenant_id uuid", "jobs_to_be_done tenant_id uuid",
	} {
		require.Equal(t, "OK", one[string](t, conn, "select status from validate_schema() where concat_ws(' ', table_name, column_name, expected_type) = $1", rule), rule)
	}
}

// TestValidateSchema_Callers: members are refused, an operator's rules of their own are held too, and no right to a column is needed.
func TestValidateSchema_Callers(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	execute(t, conn, "insert into schema_validation_rules (table_name, column_name, data_type, is_nullable) values ('agents', 'mood', 'text', true)")
	execute(t, conn, "set role service_role")
	require.Equal(t, []string{"agents.mood"}, column[string](t, conn, "select table_name || '.' || column_name from validate_schema() where status = 'MISSING'"))
	execute(t, conn, "reset role; set role authenticated")
	for _, name := range []string{"validate_schema", "validate_multitenancy_schema"} {
		_, err := conn.Exec(t.Context(), "select from "+name+"()")
		requireState(t, err, "VT110")
	}
	execute(t, conn, "reset role")
	require.NotContains(t, strings.Join(column[string](t, conn, "select unnest(proacl)::text from pg_proc where proname like 'validate%schema'"), " "), "anon=")
}
