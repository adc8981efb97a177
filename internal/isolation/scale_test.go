package isolation_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// scaleCase is what a test reads of a lint's part of docs/reference/scale.md.
var scaleCase = regexp.MustCompile("(?s)```sql\n(.*?)```\n\nFound as\n\n```text\n(.*?)```\n\nNot found\n\n```sql\n(.*?)```\n")

// TestCheckScale_Page runs the cases of the page: what is bad is found exactly as it says, what is good is not, and has no
// error. Every lint has its part.
func TestCheckScale_Page(t *testing.T) { //nolint:tparallel // the cases share a connection
	t.Parallel()
	ctx := context.Background()
	conn := connectPlain(t, pgtest.New(t))
	setup := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(readFile(t, "checks.md"))[1]
	check := func(t *testing.T, text string) []isolation.Finding {
		t.Helper()
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(ctx)) }()
		_, err = tx.Exec(ctx, setup+text)
		require.NoError(t, err)
		scale, err := isolation.CheckScale(ctx, conn, strangers)
		require.NoError(t, err)
		return scale.Findings
	}
	page := readFile(t, "scale.md")
	sections := map[string]string{}
	for _, part := range strings.Split(page, "\n### ")[1:] {
		name, _, _ := strings.Cut(part, "\n")
		sections[name] = part
	}
	lints, err := isolation.ScaleLints()
	require.NoError(t, err)
	require.Len(t, sections, len(lints))
	for _, l := range lints {
		t.Run(l.Name, func(t *testing.T) {
			section := sections[l.Name]
			require.Contains(t, section, "Level: **"+string(l.Level)+"**. ")
			require.Equal(t, "docs/reference/scale.md#"+l.Name, l.Doc())
			parts := scaleCase.FindStringSubmatch(section)
			if l.Name == "scale_sequential_scan" {
				require.Nil(t, parts) // what was counted is not rolled back: TestCheckScale_Counted
				return
			}
			require.NotNil(t, parts, "a lint without cases")
			var found strings.Builder
			for _, f := range check(t, parts[1]) {
				if f.Check == l.Name && f.Object != "public.tenants" {
					found.WriteString(f.Object + ": " + f.Detail + "\n")
				}
			}
			if os.Getenv("VITAL_UPDATE") != "" {
				page = strings.Replace(page, section, strings.Replace(section, "```text\n"+parts[2]+"```", "```text\n"+found.String()+"```", 1), 1)
				require.NoError(t, os.WriteFile(reference+"scale.md", []byte(page), 0o600))
				parts[2] = found.String()
			}
			require.NotEmpty(t, found.String(), "the bad case is not found")
			require.Equal(t, parts[2], found.String())
			for _, f := range check(t, parts[3]) {
				require.False(t, f.Check == l.Name && f.Object != "public.tenants", "%+v", f)
				require.NotEqual(t, isolation.Error, f.Level, "%+v", f)
			}
		})
	}
}

// TestCheckScale_CleanInstall: our own schema has notices alone, those that docs/reference/scale.md says it has.
func TestCheckScale_CleanInstall(t *testing.T) {
	t.Parallel()
	scale, err := isolation.CheckScale(context.Background(), pgtest.New(t).Connect(t), isolation.VitalScope())
	require.NoError(t, err)
	got := map[string]int{}
	for _, f := range scale.Findings {
		require.Equal(t, isolation.Notice, f.Level, "%+v", f)
		got[f.Check]++
	}
	require.Equal(t, map[string]int{
		"scale_foreign_key_to_coordinator": 9, "scale_foreign_key_elsewhere": 2, "scale_foreign_key_to_shards": 1,
		"scale_policy_subquery": 5, "scale_trigger": 8, "scale_function_on_workers": 6,
	}, got)

	var distributed, coordinator []string
	for _, p := range scale.Tables {
		name, public := strings.CutPrefix(p.Table, "public.")
		switch {
		case !public:
			require.Equal(t, isolation.Coordinator, p.Place, p.Table)
		case p.Place == isolation.Distributed:
			distributed = append(distributed, name)
		default:
			require.Equal(t, isolation.Coordinator, p.Place, p.Table)
			coordinator = append(coordinator, name)
		}
	}
	require.Equal(t, database.Distributed, distributed, "a table of ours that is in no list is taken for an application's")
	require.Equal(t, database.OnCoordinator, coordinator)
}

// TestCheckScale_Application: an application's tables beside ours are told apart, and held to the rule.
func TestCheckScale_Application(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `create table public.invoices (tenant_id uuid not null references public.organizations, id uuid primary key, agent_id uuid);
		create table public.countries (code text primary key)`)
	scale, err := isolation.CheckScale(context.Background(), d.Connect(t), isolation.VitalScope())
	require.NoError(t, err)
	require.Subset(t, scale.Tables, []isolation.Placed{{"public.invoices", isolation.Distributed}, {"public.countries", isolation.Reference}})
	found := map[string]string{}
	for _, f := range scale.Findings {
		if f.Object == "public.invoices" || f.Object == "public.countries" {
			found[f.Check+" "+f.Object] = f.Detail
		}
	}
	require.Equal(t, map[string]string{
		"scale_primary_key public.invoices":                "invoices_pkey: PRIMARY KEY (id) lacks tenant_id; alter table public.invoices drop constraint invoices_pkey, add primary key (tenant_id, id)",
		"scale_index public.invoices":                      "tenant_id; create index concurrently on public.invoices (tenant_id)",
		"scale_foreign_key_to_coordinator public.invoices": "invoices_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES public.organizations(id); alter table public.invoices drop constraint invoices_tenant_id_fkey",
		"scale_table_without_tenant public.countries":      "a reference table on every server: select create_reference_table('public.countries')",
	}, found)
}

// TestCheckScale_Counted: what only shows in statistics and sizes.
func TestCheckScale_Counted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := connectPlain(t, pgtest.New(t))
	exec := func(text string) {
		t.Helper()
		_, err := conn.Exec(ctx, text)
		require.NoError(t, err)
	}
	find := func(name string) []string {
		t.Helper()
		scale, err := isolation.CheckScale(ctx, conn, isolation.Scope{Schemas: []string{"public"}, TenantColumns: []string{"tenant_id"}, Roles: []string{"anon"}, Logins: []string{"web"}})
		require.NoError(t, err)
		var found []string
		for _, f := range scale.Findings {
			if f.Check == name {
				found = append(found, f.Object+": "+f.Detail)
			}
		}
		return found
	}
	exec(`create table docs (tenant_id uuid, id int, primary key (tenant_id, id))`)
	exec(`insert into docs select gen_random_uuid(), g from generate_series(1, 10000) g`)
	scan(t, conn, 98) // the key's index took one
	require.Empty(t, find("scale_sequential_scan"))
	scan(t, conn, 1)
	require.Regexp(t, `^public\.docs: 100 times since .*, 9900 rows each time, of 10000$`, find("scale_sequential_scan")[0])

	require.Empty(t, find("scale_autovacuum"))
	exec(`update pg_class set reltuples = 2e7 where oid = 'docs'::regclass`)
	require.Equal(t, []string{"public.docs: 4000000 of 20000000 rows may be dead first (autovacuum_vacuum_scale_factor = 0.2); " +
		"alter table public.docs set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01)"}, find("scale_autovacuum"))
	exec(`alter table public.docs set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01)`)
	require.Empty(t, find("scale_autovacuum"), "what it says mends it")
}

// scan reads docs as a whole so many times, and has it counted.
func scan(t *testing.T, conn *pgx.Conn, times int) {
	t.Helper()
	for range times {
		_, err := conn.Exec(context.Background(), "select count(*) filter (where id > 0) from docs")
		require.NoError(t, err)
	}
	_, err := conn.Exec(context.Background(), "select pg_stat_force_next_flush()")
	require.NoError(t, err)
}
