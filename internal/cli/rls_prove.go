package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
)

// proveFlags say what is attacked, and how the result is shown.
type proveFlags struct {
	tenantColumn, config, scripts string
	schemas                       []string
	asJSON, overHTTP              bool
}

func (a *app) rlsProveCommand() *cobra.Command {
	var flags proveFlags
	cmd := &cobra.Command{
		Use: "prove", Short: "Attack the database as a hostile tenant; exit code 3 when something leaks", Args: noArguments,
		Long: "Makes two tenants with users and a row of each table, and lets every kind of caller of the one try to read, change,\n" +
			"find out about or become the other. All of it happens in one transaction that is always rolled back. For each table\n" +
			"and command it says what holds: proved (each policy implies that the row is the caller's own), tested (attacked in\n" +
			"vain) or unknown. Works on any database from PostgreSQL 15 on whose tables have a column for their tenant; what\n" +
			"cannot be guessed there is described by --config (docs/reference/isolation.md). Takes a superuser, or a role with\n" +
			"BYPASSRLS that may take on the roles of requests.\n\n" +
			"With --http also this binary's server: it is installed into a database of its own on the same server, served on a\n" +
			"free port of 127.0.0.1, attacked as its clients would, and dropped. Takes a superuser.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.rlsProve(cmd.Context(), t, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.tenantColumn, "tenant-column", "", "column that names a row's tenant")
	cmd.Flags().StringVar(&flags.config, "config", "", "YAML file that describes the database")
	cmd.Flags().StringArrayVar(&flags.schemas, "schema", nil, "schema that requests reach; may be repeated")
	cmd.Flags().StringVar(&flags.scripts, "scripts", "", "directory to write a script to for each leak: SQL, or curl")
	cmd.Flags().BoolVar(&flags.overHTTP, "http", false, "attack over HTTP as well, in a database made for it")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// subject is what the flags say of the database: VITAL's own where they say nothing and it is installed.
func (f proveFlags) subject(ctx context.Context, conn *pgx.Conn) (*isolation.Subject, error) {
	s := &isolation.Subject{}
	switch {
	case f.config != "":
		file, err := os.Open(f.config)
		if err != nil {
			return nil, fault.Wrap(err, fault.Usage, "The file of --config cannot be read.", "Name a YAML file.")
		}
		defer file.Close()
		if s, err = isolation.ParseSubject(file); err != nil {
			return nil, err
		}
	case f.tenantColumn == "" && len(f.schemas) == 0:
		scope, err := isolation.FindScope(ctx, conn, isolation.Scope{})
		if err != nil {
			return nil, err
		}
		if scope.Vital {
			return isolation.VitalSubject()
		}
	}
	if f.tenantColumn != "" {
		s.TenantColumn = f.tenantColumn
	}
	if len(f.schemas) > 0 {
		s.Schemas = f.schemas
	}
	return s, nil
}

func (a *app) rlsProve(ctx context.Context, t *target, flags proveFlags) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if flags.overHTTP {
		if err := mayMakeScratch(ctx, conn); err != nil {
			return err
		}
	}
	subject, err := flags.subject(ctx, conn)
	if err != nil {
		return err
	}
	proof, err := isolation.Prove(ctx, conn, subject, a.progress("attacking as"))
	if err != nil {
		return err
	}
	if flags.overHTTP {
		if err := a.proveHTTP(ctx, t, proof); err != nil {
			return err
		}
		proof.Seconds = time.Since(proof.Started).Seconds()
	}
	if flags.scripts != "" {
		if err := writeScripts(flags.scripts, proof); err != nil {
			return err
		}
	}
	if flags.asJSON {
		if err := a.printJSON(proof); err != nil {
			return err
		}
	} else {
		a.printProof(proof)
	}
	if leaks := proof.Count(isolation.Leaked); leaks > 0 {
		return fault.New(fault.FindingsFound, plural(leaks, "attack")+" got through.", "--scripts DIR writes what shows each again.")
	}
	for _, f := range proof.Findings {
		if f.Level == isolation.Error {
			return fault.New(fault.FindingsFound, "No attack got through, but a lint found an error.", "See `vital check rls`.")
		}
	}
	return nil
}

// progress tells a person at a terminal what is going on; a pipe is told nothing.
func (a *app) progress(what string) func(string) {
	if !isTerminal(a.streams.Err) {
		return func(string) {}
	}
	return func(of string) {
		fmt.Fprintf(a.streams.Err, "\r\x1b[K%s", paint(a.streams.Err, dim, what+" "+of+" …"))
	}
}

// writeScripts writes one file for each leak, named by what it shows.
func writeScripts(dir string, p *isolation.Proof) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fault.Wrap(err, fault.Usage, "The directory of --scripts cannot be made.", "Name one in a directory you may write to.")
	}
	n := 0
	for _, r := range p.Results {
		if r.Outcome != isolation.Leaked {
			continue
		}
		n++
		kind := "sql"
		if r.Family == "http" {
			kind = "sh"
		}
		name := fmt.Sprintf("%03d-%s-%s.%s", n, r.Attack, strings.NewReplacer("/", "_", " ", "_", "(", "_", ")", "", "{", "", "}", "").Replace(r.Object), kind)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(r.Script), 0o600); err != nil {
			return fault.Wrap(err, fault.Usage, "A script cannot be written.", "Check the directory of --scripts.")
		}
	}
	return nil
}

func (a *app) printProof(p *isolation.Proof) {
	out := a.streams.Out
	if isTerminal(a.streams.Err) {
		fmt.Fprint(a.streams.Err, "\r\x1b[K")
	}
	fmt.Fprintf(out, "%s %s, PostgreSQL %s, schema %s\n", paint(out, bold, "Attacked"), p.Database, p.Server, p.Fingerprint[:12])
	for _, assumption := range p.Assumed {
		fmt.Fprintf(out, "%s  %s\n", paint(out, amber, "assumed"), assumption)
	}
	a.printStandings(p)
	var verbs []string
	for _, verb := range slices.Sorted(maps.Keys(p.Verbs)) {
		verbs = append(verbs, fmt.Sprintf("%s %d", verb, p.Verbs[verb]))
	}
	fmt.Fprintf(out, "\n%s %d by %s: %s\n", paint(out, bold, "attacks"), len(p.Results)-p.Count(isolation.Untried), plural(len(p.Callers), "caller"), strings.Join(verbs, ", "))
	a.printResults(p, isolation.Leaked, red)
	a.printResults(p, isolation.AtRisk, amber)
	a.printResults(p, isolation.Untried, amber)
	colour := green
	if p.Count(isolation.Leaked) > 0 {
		colour = red
	}
	fmt.Fprintf(out, "%s in %.1f s; %s\n", paint(out, colour, plural(p.Count(isolation.Leaked), "leak")), p.Seconds, plural(len(p.Findings), "lint finding"))
}

// printStandings is a table of what holds, by relation and command.
func (a *app) printStandings(p *isolation.Proof) {
	var rows [][]string
	for i := 0; i+3 < len(p.Standings); i += 4 {
		row := []string{p.Standings[i].Relation}
		for _, s := range p.Standings[i : i+4] {
			colour := map[string]string{isolation.Proved: green, isolation.Tested: dim, isolation.Untested: amber, isolation.Open: red}[s.Level]
			row = append(row, paint(a.streams.Out, colour, s.Level))
		}
		rows = append(rows, row)
	}
	a.printTable([]string{"relation", "select", "insert", "update", "delete"}, rows)
}

// printResults lists what ended as outcome, once for each attack, object and evidence.
func (a *app) printResults(p *isolation.Proof, outcome isolation.Outcome, colour string) {
	type key struct{ attack, object string }
	callers := map[key][]string{}
	var order []key
	evidence := map[key]string{}
	for _, r := range p.Results {
		if r.Outcome != outcome {
			continue
		}
		k := key{r.Title, r.Object}
		if callers[k] == nil {
			order, evidence[k] = append(order, k), r.Evidence
		}
		if !slices.Contains(callers[k], r.Caller) {
			callers[k] = append(callers[k], r.Caller)
		}
	}
	for _, k := range order {
		fmt.Fprintf(a.streams.Out, "%s  %s: %s, as %s\n       %s\n", paint(a.streams.Out, colour, string(outcome)), k.object, k.attack,
			strings.Join(callers[k], ", "), paint(a.streams.Out, dim, evidence[k]))
	}
}
