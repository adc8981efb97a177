package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
	"github.com/vital-db/vital/internal/schema"
)

func (a *app) checkDriftCommand() *cobra.Command {
	var output findingsFlags
	var against string
	cmd := &cobra.Command{
		Use: "drift", Short: "Compare the database with what the migrations make", Args: noArguments,
		Long: "Compares the database, object by object, with one that is migrated from scratch beside it and dropped again: tables,\n" +
			"columns, keys, indexes, functions, triggers, policies, grants, owners, roles and their settings, and what is in no\n" +
			"schema: casts, operators, languages, event triggers, foreign servers. Each difference is named with what was expected,\n" +
			"what is, since when where the server knows, and the SQL that would undo it, which is never run. It takes a login that\n" +
			"may create databases. Differences of security or structure make the exit code 3; comments do not.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.validate(cmd); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.checkDrift(cmd.Context(), t, against, output.format) })
		},
	}
	output.register(cmd)
	cmd.Flags().StringVar(&against, "against", "", "operator's address of another database to compare with, instead of the migrations")
	return cmd
}

func (a *app) checkDrift(ctx context.Context, t *target, against, format string) error {
	drifts, err := a.findDrifts(ctx, t, against)
	if err != nil {
		return err
	}
	return a.reportDrifts(drifts, format)
}

// findDriftIfAllowed is the check of drift beside others: a login that may not create databases cannot be given a shadow, and that is
// a warning.
func (a *app) findDriftIfAllowed(ctx context.Context, t *target) (outcome, error) {
	drifts, err := a.findDrifts(ctx, t, "")
	found := outcome{lints: driftLints, looked: "no drift", findings: driftFindings(drifts)}
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Code == fault.PermissionDenied {
		found.findings = append(found.findings, isolation.Finding{
			Check: driftUnchecked.Name, Level: driftUnchecked.Level, Title: driftUnchecked.Title, Kind: driftUnchecked.Kind, Object: "database", Detail: refused.Message, Hint: refused.Hint, Doc: driftPage,
		})
		err = nil
	}
	return found, err
}

func (a *app) findDrifts(ctx context.Context, t *target, against string) ([]schema.Drift, error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	schemas, err := schema.Inventoried(ctx, conn)
	if err != nil {
		return nil, err
	}
	if against == "" {
		if err := requireMigrated(ctx, t.operatorURL); err != nil {
			return nil, err
		}
	}
	actual, err := schema.ReadInventory(ctx, conn, schemas)
	if err != nil {
		return nil, err
	}
	expected, err := a.expectedInventory(ctx, t, against, schemas)
	if err != nil {
		return nil, err
	}
	return schema.Compare(expected, actual), nil
}

// requireMigrated refuses a database that this binary's migrations have not all been applied to: what they would make
// would be called drift.
func requireMigrated(ctx context.Context, address string) error {
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: address})
	if err != nil {
		return err
	}
	entries, err := migrator.Status(ctx)
	if err != nil {
		return err
	}
	pending := len(slices.DeleteFunc(entries, func(e schema.Entry) bool { return e.Status == "applied" }))
	if pending > 0 {
		return fault.New(fault.SchemaBehind, plural(pending, "file")+" of this version's schema would change the database, which is no drift.",
			"Run vital migrate up first; vital migrate status lists them.")
	}
	return nil
}

// expectedInventory is what the database is compared with: another one, or what the migrations make.
func (a *app) expectedInventory(ctx context.Context, t *target, against string, schemas []string) (expected *schema.Inventory, err error) {
	read := func(conn *pgx.Conn) error {
		expected, err = schema.ReadInventory(ctx, conn, schemas)
		return err
	}
	if against == "" {
		err = a.withShadow(ctx, t, read)
		if err == nil {
			expected = expected.WithDeclaredRoles()
		}
		return expected, err
	}
	conn, err := pgx.Connect(ctx, against)
	if err != nil {
		return nil, fault.Wrap(err, fault.DatabaseUnavailable, "The database to compare with cannot be reached.", "Check --against.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = read(conn)
	return expected, err
}

// driftLints are the three severities as lints, for the formats of findings.
var driftLints = []isolation.Lint{
	{Name: "drift_" + string(schema.Security), Level: isolation.Error, Title: "What keeps tenants apart differs from what the migrations make", Kind: "object", Hint: driftHint, Page: driftPage},
	{Name: "drift_" + string(schema.Structure), Level: isolation.Error, Title: "The structure differs from what the migrations make", Kind: "object", Hint: driftHint, Page: driftPage},
	driftUnchecked,
	{Name: "drift_" + string(schema.Cosmetic), Level: isolation.Warning, Title: "A comment differs from what the migrations make", Kind: "object", Hint: driftHint, Page: driftPage},
}

// driftUnchecked is found where the check itself could not be run.
var driftUnchecked = isolation.Lint{Name: "drift_unchecked", Level: isolation.Warning, Title: "Drift could not be checked", Kind: "database", Page: driftPage}

const (
	driftPage = "docs/reference/drift.md"
	driftHint = "Read the SQL that would undo it before you run it."
)

func driftFindings(drifts []schema.Drift) []isolation.Finding {
	findings := make([]isolation.Finding, 0, len(drifts))
	for _, d := range drifts {
		lint := driftLints[slices.IndexFunc(driftLints, func(l isolation.Lint) bool { return l.Name == "drift_"+string(d.Severity) })]
		detail := d.Detail()
		if d.Repair != "" {
			detail += "; undone by " + onOneLine(d.Repair)
		}
		findings = append(findings, isolation.Finding{
			Check: lint.Name, Level: lint.Level, Title: lint.Title, Kind: d.Kind, Object: d.Object, Detail: detail, Hint: lint.Hint, Doc: driftPage,
		})
	}
	return findings
}

// onOneLine is SQL for formats whose findings are one line each. What stands on several may hold comments, which would hide
// the rest.
func onOneLine(text string) string {
	if strings.Contains(strings.TrimSpace(text), "\n") {
		return "what --format json has of it"
	}
	return text
}

func (a *app) reportDrifts(drifts []schema.Drift, format string) error {
	var err error
	switch format {
	case "text":
		a.printDrifts(drifts)
	case "json":
		err = a.printJSON(drifts)
	default:
		err = report.WriteFindings(a.streams.Out, format, report.Findings{Command: "check drift", Version: version(), Lints: driftLints, Findings: driftFindings(drifts)})
	}
	if err != nil {
		return err
	}
	failed := len(slices.DeleteFunc(slices.Clone(drifts), func(d schema.Drift) bool { return d.Severity == schema.Cosmetic }))
	if failed > 0 {
		return fault.New(fault.FindingsFound, plural(failed, "difference")+" must be mended.", "Read each repair before you run it; "+driftPage+" says what the severities mean.")
	}
	return nil
}

func (a *app) printDrifts(drifts []schema.Drift) {
	out := a.streams.Out
	if len(drifts) == 0 {
		fmt.Fprintf(out, "%s  no drift\n", paint(out, green, "ok"))
		return
	}
	colours := map[schema.Severity]string{schema.Security: red, schema.Structure: amber, schema.Cosmetic: dim}
	for _, d := range drifts {
		fmt.Fprintf(out, "%s  %s %s: %s\n", paint(out, colours[d.Severity], fmt.Sprintf("%-9s", d.Severity)), d.Kind, d.Object, d.Detail())
		if d.Repair != "" {
			text := strings.TrimSuffix(strings.TrimSpace(d.Repair), ";") + ";"
			fmt.Fprintf(out, "           %s\n", paint(out, dim, strings.ReplaceAll(text, "\n", "\n           ")))
			if d.Hazard != "" {
				fmt.Fprintf(out, "           %s\n", paint(out, amber, "-- "+d.Hazard))
			}
		}
	}
}
