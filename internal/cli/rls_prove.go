package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/report"
)

// subjectFlags say what is attacked.
type subjectFlags struct {
	tenantColumn, config string
	schemas              []string
	copied, mutants      bool
	overHTTP             bool
}

func (f *subjectFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenantColumn, "tenant-column", "", "column that names a row's tenant")
	cmd.Flags().StringVar(&f.config, "config", "", "YAML file that describes the database")
	cmd.Flags().StringArrayVar(&f.schemas, "schema", nil, "schema that requests reach; may be repeated")
	cmd.Flags().BoolVar(&f.copied, "copy", false, "attack a copy of the database instead, which is dropped afterwards")
	cmd.Flags().BoolVar(&f.overHTTP, "http", false, "attack this binary's server over HTTP as well, in a database made for it")
	cmd.Flags().BoolVar(&f.mutants, "mutants", false, "break a copy in hundreds of ways too, and see that each is noticed (minutes)")
}

// proveFlags say what is attacked, and how the result is shown.
type proveFlags struct {
	subjectFlags

	format, scripts, pgtap string
	asJSON                 bool
}

// proveFormats are how a proof is shown.
var proveFormats = append([]string{"text", "html"}, report.FindingsFormats...)

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
			if flags.asJSON && !cmd.Flags().Changed("format") {
				flags.format = "json"
			}
			if !slices.Contains(proveFormats, flags.format) || flags.asJSON && flags.format != "json" {
				return fault.New(fault.Usage, fmt.Sprintf("There is no format %q here.", flags.format), "Choose "+strings.Join(proveFormats, ", ")+"; --json is json.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.rlsProve(cmd.Context(), t, flags) })
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.format, "format", "text", strings.Join(proveFormats, ", "))
	cmd.Flags().StringVar(&flags.scripts, "scripts", "", "directory to write a script to for each leak: SQL, or curl")
	cmd.Flags().StringVar(&flags.pgtap, "pgtap", "", "file to write the attacks to as a pgTAP script")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON, as --format json")
	return cmd
}

// subject is what the flags say of the database: VITAL's own where they say nothing and it is installed.
func (f subjectFlags) subject(ctx context.Context, conn *pgx.Conn) (*isolation.Subject, error) {
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
	proof, err := a.prove(ctx, t, flags.subjectFlags)
	if err != nil {
		return err
	}
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if flags.scripts != "" {
		if err := writeScripts(flags.scripts, proof); err != nil {
			return err
		}
	}
	if flags.pgtap != "" {
		if err := writeFile(flags.pgtap, "pgtap", proof.WritePgTAP); err != nil {
			return err
		}
	}
	if err := a.writeProof(ctx, conn, proof, flags.format); err != nil {
		return err
	}
	return proofFault(proof)
}

func connectOperator(ctx context.Context, t *target) (*pgx.Conn, error) {
	conn, err := postgres.ConnectPaced(ctx, t.operatorURL, t.niceRatio)
	if err != nil {
		return nil, fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	return conn, nil
}

// prove attacks what flags say: the database, then this binary's server, and then the attacks themselves on
// mutants. What came of it is kept in VITAL's own database.
func (a *app) prove(ctx context.Context, t *target, flags subjectFlags) (*isolation.Proof, error) {
	proof, err := a.proveSQL(ctx, t, flags)
	if err == nil && flags.overHTTP {
		err = a.proveHTTP(ctx, t, proof)
		proof.Seconds = time.Since(proof.Started).Seconds()
	}
	if err != nil {
		return proof, err
	}
	if err := keepProof(ctx, t, flags, proof); err != nil {
		a.log.Warn("the proof was not kept", "error", err, "hint", "vital.check_runs is written as service_role: the login must be a member")
	}
	return proof, nil
}

func (a *app) proveSQL(ctx context.Context, t *target, flags subjectFlags) (*isolation.Proof, error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if flags.overHTTP {
		if err := mayMakeScratch(ctx, conn); err != nil {
			return nil, err
		}
	}
	subject, err := flags.subject(ctx, conn)
	if err != nil {
		return nil, err
	}
	var proof *isolation.Proof
	attack := func(conn *pgx.Conn) error {
		defer a.clearProgress()
		proof, err = isolation.Prove(ctx, conn, subject, a.progress("attacking as"))
		return err
	}
	if !flags.copied {
		if err := attack(conn); err != nil || !flags.mutants {
			return proof, err
		}
	}
	assumed, err := subject.Describe(ctx, conn)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(ctx); err != nil { // who is connected stands in the way of a copy
		return nil, fmt.Errorf("disconnect: %w", err)
	}
	err = a.withCopy(ctx, t, subject.Schemas, func(conn *pgx.Conn) error {
		if flags.copied {
			if err := attack(conn); err != nil {
				return err
			}
			proof.Assumed = assumed
		}
		if !flags.mutants {
			return nil
		}
		defer a.clearProgress()
		progress := a.progress("mutant")
		mutation, err := isolation.Mutate(ctx, conn, subject, nil, func(done, total int) { progress(fmt.Sprintf("%d of %d", done, total)) })
		proof.Mutation = mutation
		return err
	})
	return proof, err
}

// clearProgress takes the last line of progress away.
func (a *app) clearProgress() {
	if isTerminal(a.streams.Err) {
		fmt.Fprint(a.streams.Err, "\r\x1b[K")
	}
}

func (a *app) writeProof(ctx context.Context, conn *pgx.Conn, proof *isolation.Proof, format string) error {
	switch format {
	case "text":
		a.printProof(proof)
		return nil
	case "json":
		return a.printJSON(proof)
	case "html":
		certificate, err := certify(ctx, conn, proof)
		if err != nil {
			return err
		}
		return report.WriteCertificateHTML(a.streams.Out, certificate)
	default:
		rules, findings, err := proof.Rules()
		if err != nil {
			return err
		}
		return report.WriteFindings(a.streams.Out, format, report.Findings{Command: "rls prove", Version: version(), Lints: rules, Findings: findings})
	}
}

// writeFile makes the file that flag named and fills it. It is there under its name once it is whole.
func writeFile(name, flag string, write func(io.Writer) error) error {
	path := name
	if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() { // else it is a device or a pipe
		path += ".partial"
	}
	file, err := os.Create(path)
	if err != nil {
		return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file of --%s cannot be written.", flag), "Name one in a directory you may write to.")
	}
	err = errors.Join(write(file), file.Close())
	if err == nil && path != name {
		err = os.Rename(path, name)
	}
	if err == nil {
		return nil
	}
	if path != name {
		_ = os.Remove(path) // half of it is worth nothing
	}
	return fault.Wrap(err, fault.OutputFailed, fmt.Sprintf("The file of --%s could not be written whole.", flag), "See that there is room where it is to be, or name another place.")
}

// proofFault is what makes the exit code 3, or nil.
func proofFault(proof *isolation.Proof) error {
	if leaks := proof.Count(isolation.Leaked); leaks > 0 {
		return fault.New(fault.FindingsFound, plural(leaks, "attack")+" got through.", "`vital rls prove --scripts DIR` writes SQL that shows each again.")
	}
	for _, f := range proof.Findings {
		if f.Level == isolation.Error {
			return fault.New(fault.FindingsFound, "No attack got through, but a lint found an error.", "See `vital check rls`.")
		}
	}
	if m := proof.Mutation; m != nil && len(m.Survivors()) > 0 {
		return fault.New(fault.FindingsFound, plural(len(m.Survivors()), "mutant")+" went unnoticed.", "Each is a gap in the attacks: describe the database with --config, or look at what it changes.")
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
	fmt.Fprintf(out, "%s %s, PostgreSQL %s, schema %s\n", paint(out, bold, "Attacked"), p.Database, p.Server, p.Fingerprint[:12])
	for _, assumption := range p.Assumed {
		fmt.Fprintf(out, "%s  %s\n", paint(out, amber, "assumed"), assumption)
	}
	a.printStandings(p)
	var verbs []string
	for _, verb := range slices.Sorted(maps.Keys(p.Verbs)) {
		verbs = append(verbs, fmt.Sprintf("%s %d", verb, p.Verbs[verb]))
	}
	fmt.Fprintf(out, "\n%s %d by %s, by verb:\n%s\n\n", paint(out, bold, "attacks"), len(p.Results)-p.Count(isolation.Untried), plural(len(p.Callers), "caller"), inLines(verbs))
	a.printResults(p, isolation.Leaked, red)
	a.printRisks(p)
	a.printResults(p, isolation.Untried, amber)
	colour := green
	if p.Count(isolation.Leaked) > 0 {
		colour = red
	}
	fmt.Fprintf(out, "%s in %.1f s; %s\n", paint(out, colour, plural(p.Count(isolation.Leaked), "leak")), p.Seconds, plural(len(p.Findings), "lint finding"))
	if p.Mutation != nil {
		a.printMutation(p.Mutation)
	}
}

// printMutation is a table of what noticed the mutants, by kind, and those that nothing noticed.
func (a *app) printMutation(m *isolation.Mutation) {
	out := a.streams.Out
	noticed := map[string]map[string]int{}
	for _, mutant := range m.Mutants {
		if noticed[mutant.Kind] == nil {
			noticed[mutant.Kind] = map[string]int{}
		}
		noticed[mutant.Kind][mutant.KilledBy]++
	}
	var rows [][]string
	for _, kind := range slices.Sorted(maps.Keys(noticed)) {
		row := []string{kind}
		for _, by := range []string{"attack", "right", "lint", ""} {
			cell := fmt.Sprint(noticed[kind][by])
			switch {
			case cell == "0":
				cell = "-"
			case by == "":
				cell = paint(out, red, cell)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(out)
	a.printTable([]string{"mutants", "by attack", "by right", "by lint", "unnoticed"}, rows)
	for _, mutant := range m.Survivors() {
		fmt.Fprintf(out, "%s  %s: %s\n       %s\n", paint(out, red, "unnoticed"), mutant.Kind, mutant.Name, paint(out, dim, mutant.DDL))
	}
	for _, mutant := range m.Failed {
		fmt.Fprintf(out, "%s  %s: %s: %s\n", paint(out, amber, "not made"), mutant.Kind, mutant.Name, mutant.Evidence)
	}
	killed, colour := len(m.Mutants)-len(m.Survivors()), green
	if killed < len(m.Mutants) {
		colour = red
	}
	fmt.Fprintf(out, "%s in %.0f s\n", paint(out, colour, fmt.Sprintf("%d of %d mutants noticed", killed, len(m.Mutants))), m.Seconds)
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

// inLines joins words by commas into indented lines that fit a terminal.
func inLines(words []string) string {
	const width = 96
	var b strings.Builder
	line := 0
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		if line == 0 || line+1+len(word) > width {
			if line > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("  ")
			line = 1
		}
		b.WriteString(" " + word)
		line += 1 + len(word)
	}
	return b.String()
}

// printRisks lists each risk once, with all that it is about.
func (a *app) printRisks(p *isolation.Proof) {
	var order []string
	objects, evidence := map[string][]string{}, map[string]string{}
	for _, r := range p.Results {
		if r.Outcome != isolation.AtRisk {
			continue
		}
		if objects[r.Title] == nil {
			order, evidence[r.Title] = append(order, r.Title), r.Evidence
		}
		if !slices.Contains(objects[r.Title], r.Object) {
			objects[r.Title] = append(objects[r.Title], r.Object)
		}
	}
	out := a.streams.Out
	for _, title := range order {
		fmt.Fprintf(out, "%s  %s:\n%s\n       %s\n", paint(out, amber, "risk"), title, inLines(objects[title]), paint(out, dim, evidence[title]))
	}
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
