package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
)

// diffFlags say what is compared, and how it is shown.
type diffFlags struct {
	then   thenFlags
	tables []string
	limit  int
	asJSON bool
}

func (a *app) tenantDiffCommand() *cobra.Command {
	var flags diffFlags
	cmd := &cobra.Command{
		Use: "diff TENANT --from ARCHIVE|BACKUP|TIME", Short: "Compare a tenant with what it was; exit code 3 when it is not the same", Args: exactly("a tenant's slug or id"),
		Long: "Compares every row of a tenant with an archive of it, or with a backup of the database, and prints for each table how\n" +
			"many were added, removed and changed since, and then the rows: column, then and now. A backup is read in a server that is\n" +
			"made for it and thrown away. Nothing is changed. Accounts are not compared, and records (the audit log, usage), which\n" +
			"only ever grow, where --table names them.",
		Example: "  vital tenant diff acme --from acme-2026-11-30\n  vital tenant diff acme --from 2026-11-30T22:00:00Z --table agents",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.then.check(); err != nil {
				return err
			}
			if flags.limit < 0 {
				return fault.New(fault.Usage, "There are no fewer than no rows.", "--limit 0 shows all of them.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.tenantDiff(cmd.Context(), t, args[0], flags) })
		},
	}
	flags.then.register(cmd)
	cmd.Flags().StringSliceVar(&flags.tables, "table", nil, "only these tables, as schema.name; public is understood")
	cmd.Flags().IntVar(&flags.limit, "limit", 20, "rows to show of each table; 0 for all")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON, with as many rows")
	registerNiceRatio(cmd)
	return cmd
}

// tableDifference is a table's difference with as many of its rows as are shown.
type tableDifference struct {
	archive.Difference
	Rows []archive.RowDifference `json:"rows"`
}

func (a *app) tenantDiff(ctx context.Context, t *target, reference string, flags diffFlags) error {
	return a.withThen(ctx, t, flags.then, reference, func(then *archive.Archive, id uuid.UUID) error {
		rows := map[string][]archive.RowDifference{}
		progress := a.progress("comparing")
		comparison := archive.Comparison{
			Archive: then, Tenant: id, Tables: flags.tables,
			Progress: func(table string, number, of int) { progress(fmt.Sprintf("%s, table %d of %d", table, number, of)) },
			Each: func(table archive.Table, row archive.RowDifference) error {
				shown := rows[table.String()]
				if flags.limit == 0 || len(shown) < flags.limit {
					rows[table.String()] = append(shown, row)
				}
				return nil
			},
		}
		conn, err := connectOperator(ctx, t)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		differences, notes, err := comparison.Run(ctx, conn)
		a.clearProgress()
		if err != nil {
			return err
		}
		if flags.asJSON {
			err = a.printTenantDifferencesJSON(then, differences, rows, notes)
		} else {
			a.printTenantDifferences(then, differences, rows, notes)
		}
		for _, d := range differences {
			if err == nil && !d.Same() {
				return fault.New(fault.FindingsFound, "The tenant is not as it was.", "`vital tenant restore` puts it back; --dry-run shows what that would do.")
			}
		}
		return err
	})
}

func (a *app) printTenantDifferencesJSON(then *archive.Archive, differences []archive.Difference, rows map[string][]archive.RowDifference, notes []string) error {
	tables := []tableDifference{}
	for _, d := range differences {
		tables = append(tables, tableDifference{d, append([]archive.RowDifference{}, rows[d.Table]...)})
	}
	return a.printJSON(map[string]any{"tenant": then.Tenant, "then": then.MadeAt, "tables": tables, "notes": append([]string{}, notes...)})
}

func (a *app) printTenantDifferences(then *archive.Archive, differences []archive.Difference, rows map[string][]archive.RowDifference, notes []string) {
	out := a.streams.Out
	var counts, changes [][]string
	for _, d := range differences {
		if d.Same() {
			continue
		}
		counts = append(counts, []string{d.Table, fmt.Sprint(d.Added), fmt.Sprint(d.Removed), fmt.Sprint(d.Changed)})
		for _, row := range rows[d.Table] {
			changes = append(changes, differenceRows(d.Table, row)...)
		}
		if more := d.Added + d.Removed + d.Changed - int64(len(rows[d.Table])); more > 0 {
			changes = append(changes, []string{d.Table, fmt.Sprintf("… %d more", more), "", "", "--limit 0 shows all"})
		}
	}
	for _, note := range notes {
		a.note(note)
	}
	if len(counts) == 0 {
		fmt.Fprintf(out, "%s  %s is as it was at %s: %s\n", paint(out, green, "ok"), then.Tenant.Slug, then.MadeAt.Format("2006-01-02 15:04:05 MST"), plural(len(differences), "table"))
		return
	}
	a.printTable([]string{"table", "added", "removed", "changed"}, counts)
	if len(changes) > 0 {
		fmt.Fprintln(out)
		a.printTable([]string{"table", "row", "column", "then", "now"}, changes)
	}
}

// differenceRows are the lines that show what has become of a row.
func differenceRows(table string, row archive.RowDifference) [][]string {
	var key []string
	for _, k := range row.Key {
		if value := k.Now; k.Column != "tenant_id" {
			if value == nil {
				value = k.Then
			}
			key = append(key, strings.Trim(string(value), `"`))
		}
	}
	name := strings.Join(key, " ")
	if row.Change != "changed" {
		then, now := "there", "-"
		if row.Change == "added" {
			then, now = "-", "there"
		}
		return [][]string{{table, name, describe(row), then, now}}
	}
	var lines [][]string
	for _, c := range row.Columns {
		lines = append(lines, []string{table, name, c.Column, shortValue(c.Then), shortValue(c.Now)})
	}
	return lines
}

// describe says which row it is, where it has something that people call it by.
func describe(row archive.RowDifference) string {
	for _, name := range []string{"slug", "name", "title", "app_key", "role"} {
		for _, c := range row.Columns {
			if c.Column != name {
				continue
			}
			if c.Now != nil {
				return name + " " + shortValue(c.Now)
			}
			return name + " " + shortValue(c.Then)
		}
	}
	return "(row)"
}

const widestValue = 48

// shortValue is a value for a table: on one line, and cut where it is long.
func shortValue(value json.RawMessage) string {
	return shorten(strings.ReplaceAll(string(value), "\n", " "), widestValue)
}
