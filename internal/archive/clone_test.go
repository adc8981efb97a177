package archive_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
)

var (
	anyID    = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyEmail = regexp.MustCompile(`[\w.+-]+@[\w.-]+`)
)

// TestClone: a masked copy has no id of the tenant's, nobody's address and nobody's words, and fits together.
func TestClone(t *testing.T) {
	t.Parallel()
	d, conn, _ := setUpRestore(t)
	d.Exec(t, `update agents a set metadata = jsonb_build_object('see', 'agent ' || b.id::text, b.id::text, array[b.id]), description = E'ask\tada@acme.test or \\bob@acme.test\u0001eve@acme.test, ünal@acme.test'
			from agents b where a.slug = 'acme-1' and b.slug = 'acme-2';
		create table app.visits (tenant_id uuid not null references organizations, id uuid default gen_random_uuid(), agent uuid not null, first_name varchar(40) not null, home_address text not null, born_on_birthday date, remarks jsonb not null default '{}',
			colour text, primary key (tenant_id, id), foreign key (tenant_id, agent) references agents (tenant_id, id));
		insert into app.visits (tenant_id, agent, first_name, home_address, born_on_birthday, remarks, colour) select tenant_id, id, 'Grace', '1 Main Street', '1906-12-09', '{"said": "hello"}', 'red' from agents where slug like 'acme-%';`)
	then, source, rest := openOf(t, conn, acme), hashes(t, conn, acme), hashes(t, conn, bolt)
	ada := uuid.MustParse("a0000000-0000-4000-8000-000000000001")
	made, err := archive.Clone{Archive: then, Slug: "sandbox", Owner: &ada, Reason: "to try"}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, source, hashes(t, conn, acme), "the tenant is as it was")

	copied := openOf(t, conn, made.Tenant)
	known := map[string]bool{"00000000-0000-0000-0000-000000000001": true, ada.String(): true, "f0000000-0000-4000-8000-000000000001": true, "f0000000-0000-4000-8000-000000000002": true}
	theirs := map[string]bool{}
	for name, text := range contents(t, then.Dir()) {
		if strings.HasPrefix(name, "tables/") {
			for _, id := range anyID.FindAllString(text, -1) {
				theirs[id] = !known[id]
			}
		}
	}
	rows := map[string]int64{}
	for _, file := range copied.Tables {
		rows[file.String()] = file.Rows
		if file.TenantColumn == "" {
			continue // the owner's own account
		}
		text := contents(t, copied.Dir())[file.File]
		for _, id := range anyID.FindAllString(text, -1) {
			require.False(t, theirs[id], "%s has the id %s of the tenant", file, id)
		}
		for _, address := range anyEmail.FindAllString(text, -1) {
			require.True(t, strings.HasSuffix(address, "@masked.invalid"), "%s: %s", file, address)
		}
		for _, word := range []string{"Lovelace", "Call dana", "Grace", "Main Street", "1906", "hello"} {
			require.NotContains(t, text, word, file.String())
		}
	}
	for _, file := range then.Tables {
		switch file.String() {
		case "public.users", "public.profiles", "public.user_tenants", "public.organization_audit_log", "public.invitations", "public.tool_usage_log", "public.query_performance":
		default:
			require.Equal(t, file.Rows, rows[file.String()], file.String())
		}
	}
	require.EqualValues(t, 1, rows["public.user_tenants"], "nobody but the owner")
	require.EqualValues(t, 1, rows["public.organization_audit_log"], "one row says what was done")
	visits := contents(t, copied.Dir())["tables/app.visits.jsonl.gz"]
	require.Contains(t, visits, `"colour": "red"`)
	require.Contains(t, visits, `"first_name": "Person `)
	require.Equal(t, rest, hashes(t, conn, bolt))
}

// TestClone_As: a tenant made of an archive has the members who are still there, and everything as it was but ids.
func TestClone_As(t *testing.T) {
	t.Parallel()
	d, conn, _ := setUpRestore(t)
	d.Exec(t, "update agents set metadata = jsonb_build_object('see', (select id from agents where slug = 'acme-2')) where slug = 'acme-1'")
	then := openOf(t, conn, acme)
	made, err := archive.Clone{Archive: then, Slug: "acme-then", Reason: "to look"}.Run(t.Context(), conn)
	require.NoError(t, err)
	var members, sees int
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from user_tenants where tenant_id = $1", made.Tenant).Scan(&members))
	require.Equal(t, 2, members)
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from agents a join agents b on b.id = (a.metadata ->> 'see')::uuid where a.tenant_id = $1 and b.tenant_id = $1", made.Tenant).Scan(&sees))
	require.Equal(t, 1, sees, "what a document refers to is the copy's")
	var title string
	require.NoError(t, conn.QueryRow(t.Context(), "select title from chat_sessions where tenant_id = $1", made.Tenant).Scan(&title))
	require.Equal(t, "Call dana@both.test", title)
	for slug, want := range map[string]fault.Code{"acme-then": fault.Conflict, "Not a slug": fault.Invalid} {
		_, err := archive.Clone{Archive: then, Slug: slug, Reason: "x"}.Run(t.Context(), conn)
		require.Equal(t, want, fault.CodeOf(err), slug)
	}
}

// TestCompare: what has become of rows is told, column by column.
func TestCompare(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	compare := func(tables ...string) (map[string]archive.Difference, map[string][]archive.RowDifference) {
		rows := map[string][]archive.RowDifference{}
		differences, _, err := archive.Comparison{Archive: then, Tenant: acme, Tables: tables, Each: func(table archive.Table, row archive.RowDifference) error {
			rows[table.String()] = append(rows[table.String()], row)
			return nil
		}}.Run(t.Context(), conn)
		require.NoError(t, err)
		found := map[string]archive.Difference{}
		for _, d := range differences {
			found[d.Table] = d
		}
		return found, rows
	}
	differences, rows := compare()
	require.Empty(t, rows)
	require.Greater(t, len(differences), 15)
	d.Exec(t, damage)
	differences, rows = compare()
	require.Equal(t, archive.Difference{Table: "public.agents", Added: 1, Removed: 1}, differences["public.agents"])
	require.Equal(t, archive.Difference{Table: "app.notes", Added: 1, Removed: 1}, differences["app.notes"])
	require.Len(t, rows["public.agents"], 2)
	require.Len(t, rows["app.invoices"], 2)
	changed := rows["app.invoices"][0]
	require.Equal(t, "changed", changed.Change)
	columns := map[string]string{}
	for _, c := range changed.Columns {
		columns[c.Column] = string(c.Then) + " -> " + string(c.Now)
	}
	require.Equal(t, map[string]string{"amount": "0.10000000000000000000001 -> 7", "document": "null -> {}", "rate": `"NaN" -> 1`}, columns)
	differences, _ = compare("agents")
	require.Len(t, differences, 1)
}
