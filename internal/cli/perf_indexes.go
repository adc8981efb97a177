package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/report"
)

const (
	plansPage = "docs/reference/plans.md"
	// policyUnindexed is the lint that says the same of policies.
	policyUnindexed = "policy_column_unindexed"
)

// contextTables are those whose indexes are listed where no table is named: the context is read from them.
var contextTables = []string{"users", "profiles", "organizations", "tenant_configurations", "tenant_apps", "tenant_feature_flags"}

// indexLints are the kinds of findings as lints. What is missing must be mended, what is too much costs, and whether
// what is unused may go only its operator can judge: a replica may read it.
var indexLints = []isolation.Lint{
	{Name: perf.ForeignKeyUnindexed, Level: isolation.Error, Title: "A foreign key that no index begins with", Kind: "constraint", Page: plansPage,
		Hint: "CREATE INDEX CONCURRENTLY: without one, deleting or changing a row that is referenced reads the whole table."},
	{Name: policyUnindexed, Level: isolation.Error, Title: "A policy compares a column no index begins with", Kind: "policy",
		Hint: "CREATE INDEX CONCURRENTLY: without one every request reads the whole table, all tenants' rows."},
	{Name: perf.IndexInvalid, Level: isolation.Error, Title: "An index that was not completed", Kind: "index", Page: plansPage,
		Hint: "Drop it and make it again."},
	{Name: perf.IndexDuplicate, Level: isolation.Warning, Title: "Two indexes that are the same", Kind: "index", Page: plansPage, Hint: "Drop one: each is kept up by every write."},
	{Name: perf.IndexRedundant, Level: isolation.Warning, Title: "An index whose work another does", Kind: "index", Page: plansPage, Hint: "Drop it, unless it is much smaller and read much."},
	{Name: perf.IndexUnused, Level: isolation.Risk, Title: "An index that nothing has read", Kind: "index", Page: plansPage,
		Hint: "Look at the replicas, which count for themselves, and at what runs once a month, before you drop it."},
}

func (a *app) perfIndexesCommand() *cobra.Command {
	var output findingsFlags
	var schemas, tables []string
	cmd := &cobra.Command{
		Use: "indexes", Short: "Look for indexes that are missing, double, or read by nobody; exit code 3 when one is missing", Args: noArguments,
		Long: "Looks for foreign keys and policies that no index begins with, indexes that were not completed, indexes that do the\n" +
			"same as another, and those that nothing has read since the statistics were reset. What is missing makes the exit code 3.\n" +
			"Each finding has the statements that would mend it; they are never run. It takes an operator's login, and looks at the\n" +
			"tables which that owns, in any database.\n\n" +
			"As text it then lists the indexes of the tables a context is read from, or those of --table. JSON has all.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.validate(cmd); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.perfIndexes(cmd.Context(), t, schemas, tables, output.format) })
		},
	}
	output.register(cmd)
	cmd.Flags().StringArrayVar(&schemas, "schema", nil, "schema to look at, all without; may be repeated")
	cmd.Flags().StringArrayVar(&tables, "table", nil, "table whose indexes are listed; may be repeated")
	return cmd
}

func (a *app) perfIndexes(ctx context.Context, t *target, schemas, tables []string, format string) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := perf.Indexes(ctx, conn, schemas)
	if err != nil {
		return err
	}
	if err := a.findUnindexedPolicies(ctx, conn, schemas, found); err != nil {
		return err
	}
	switch format {
	case "text":
		err = a.printIndexes(found, tables)
	case "json":
		err = a.printJSON(found)
	default:
		err = report.WriteFindings(a.streams.Out, format, report.Findings{Command: "perf indexes", Version: version(), Lints: indexLints, Findings: indexFindings(found)})
	}
	if err != nil {
		return err
	}
	return outcome{findings: indexFindings(found)}.fault("Each has the statement that makes the index, to be read and run by you; " + plansPage + " says what the kinds mean.")
}

// findUnindexedPolicies adds what the lint says of policies. Where tenancy cannot be guessed there is nothing to hold
// them against, and that is said.
func (a *app) findUnindexedPolicies(ctx context.Context, conn *pgx.Conn, schemas []string, found *perf.IndexReport) error {
	scope, err := isolation.FindScope(ctx, conn, isolation.Scope{Schemas: schemas})
	if err != nil && fault.CodeOf(err) != fault.Internal {
		fmt.Fprintf(a.streams.Err, "%s  policies were not looked at: %s\n", paint(a.streams.Err, dim, "scope"), fault.From(err).Message)
		return nil
	}
	if err != nil {
		return err
	}
	policies, err := isolation.CheckFor(ctx, conn, scope, policyUnindexed)
	if err != nil {
		return err
	}
	for _, p := range policies {
		name, columns, _ := strings.Cut(p.Detail, ": ")
		quoted := strings.Split(columns, ", ")
		for i, c := range quoted {
			quoted[i] = pgx.Identifier{c}.Sanitize()
		}
		found.Findings = append(found.Findings, perf.IndexFinding{
			Kind: policyUnindexed, Table: p.Object, Object: name, Detail: "compares " + columns + ", which no index begins with",
			Repair: []string{fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", p.Object, strings.Join(quoted, ", "))},
		})
	}
	return nil
}

func indexLint(kind string) isolation.Lint {
	return indexLints[slices.IndexFunc(indexLints, func(l isolation.Lint) bool { return l.Name == kind })]
}

func indexFindings(found *perf.IndexReport) []isolation.Finding {
	findings := make([]isolation.Finding, 0, len(found.Findings))
	for _, f := range found.Findings {
		lint := indexLint(f.Kind)
		detail := f.Detail
		if len(f.Repair) > 0 {
			detail += "; mended by " + strings.Join(f.Repair, " ")
		}
		findings = append(findings, isolation.Finding{
			Check: lint.Name, Level: lint.Level, Title: lint.Title, Kind: lint.Kind, Object: f.Table + "." + unqualified(f.Object), Detail: detail, Hint: lint.Hint, Doc: lint.Doc(),
		})
	}
	return findings
}

// unqualified is an index's name without its schema, which is its table's.
func unqualified(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func (a *app) printIndexes(found *perf.IndexReport, tables []string) error {
	out := a.streams.Out
	colours := map[isolation.Level]string{isolation.Error: red, isolation.Warning: amber, isolation.Risk: dim}
	words := map[isolation.Level]string{isolation.Error: "missing", isolation.Warning: "costs", isolation.Risk: "unused"}
	for _, lint := range indexLints {
		first := true
		for _, f := range found.Findings {
			if f.Kind != lint.Name {
				continue
			}
			if first {
				fmt.Fprintf(out, "%s  %s: %s\n         %s\n", paint(out, colours[lint.Level], fmt.Sprintf("%-7s", words[lint.Level])), lint.Name, lint.Title, paint(out, dim, lint.Hint))
				first = false
			}
			size := ""
			if f.Bytes > 0 {
				size = ", " + inBytes(f.Bytes)
			}
			fmt.Fprintf(out, "         - %s: %s: %s%s\n", f.Table, unqualified(f.Object), f.Detail, size)
			for _, r := range f.Repair {
				fmt.Fprintf(out, "           %s\n", paint(out, dim, r))
			}
		}
	}
	since := "the statistics began"
	if found.Since != nil {
		since = found.Since.UTC().Format("2006-01-02 15:04 MST")
	}
	fmt.Fprintf(out, "indexes: %d; reads are counted since %s, on this server alone\n", len(found.Indexes), since)
	return a.printIndexList(found, tables)
}

// printIndexList lists the indexes of tables, those a context is read from where none is named.
func (a *app) printIndexList(found *perf.IndexReport, tables []string) error {
	named := len(tables) > 0
	if !named {
		tables = contextTables
	}
	var rows [][]string
	for _, i := range found.Indexes {
		if !slices.ContainsFunc(tables, func(t string) bool {
			return t == i.Schema+"."+i.Table || t == i.Table && (named || i.Schema == "public")
		}) {
			continue
		}
		kind := ""
		switch {
		case i.IsPrimary:
			kind = "primary"
		case i.IsUnique:
			kind = "unique"
		}
		columns := strings.Join(i.Columns, ", ")
		if i.Predicate != "" {
			columns += " where " + i.Predicate
		}
		rows = append(rows, []string{i.Schema + "." + i.Table, i.Name, kind, columns, inBytes(i.Bytes), fmt.Sprint(i.Scans)})
	}
	if len(rows) == 0 && named {
		return fault.New(fault.NotFound, "None of these tables has an index here.", "Name them as schema.table, or leave --table out.")
	}
	if len(rows) > 0 {
		fmt.Fprintln(a.streams.Out)
		a.printTable([]string{"table", "index", "", "columns", "size", "reads"}, rows)
	}
	return nil
}

func inBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
