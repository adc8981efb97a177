package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

// matrixFlags say what is shown, and how.
type matrixFlags struct {
	format, out    string
	schemas, roles []string
	asJSON         bool
}

func (a *app) rlsMatrixCommand() *cobra.Command {
	var flags matrixFlags
	cmd := &cobra.Command{
		Use: "matrix", Short: "Show who can do what: every relation, function, sequence and role, by command", Args: noArguments,
		Long: "Reads from the catalog what each role may do to every relation, function and sequence, and which policies decide:\n" +
			"allowed (no row filter), row-filtered (row-level security decides on each row) or denied. Works on any database\n" +
			"from PostgreSQL 15 on, and changes nothing. --format html writes one page a reviewer can read.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.asJSON && !cmd.Flags().Changed("format") {
				flags.format = "json"
			}
			if !slices.Contains([]string{"text", "json", "html"}, flags.format) || flags.asJSON && flags.format != "json" {
				return fault.New(fault.Usage, fmt.Sprintf("There is no format %q here.", flags.format), "Choose text, json or html; --json is json.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.rlsMatrix(cmd.Context(), t, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.format, "format", "text", "text, json or html")
	cmd.Flags().StringVar(&flags.out, "out", "", "file to write instead of standard output")
	cmd.Flags().StringArrayVar(&flags.schemas, "schema", nil, "only this schema; may be repeated")
	cmd.Flags().StringArrayVar(&flags.roles, "role", nil, "only this role, PUBLIC for everybody; may be repeated")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) rlsMatrix(ctx context.Context, t *target, flags matrixFlags) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	matrix, err := isolation.ReadMatrix(ctx, conn, flags.schemas, flags.roles)
	if err != nil {
		return err
	}
	if flags.out == "" {
		return a.writeMatrix(matrix, flags.format)
	}
	file, err := os.Create(flags.out)
	if err != nil {
		return fault.Wrap(err, fault.Usage, "The file of --out cannot be written.", "Name a file in a directory you may write to.")
	}
	into := *a
	into.streams.Out = file
	err = into.writeMatrix(matrix, flags.format)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

func (a *app) writeMatrix(m *isolation.Matrix, format string) error {
	switch format {
	case "json":
		return a.printJSON(m)
	case "html":
		return report.WriteMatrixHTML(a.streams.Out, m)
	default:
		a.printMatrix(m)
		return nil
	}
}

// printMatrix writes a table for each kind of object, and the figures.
func (a *app) printMatrix(m *isolation.Matrix) {
	fmt.Fprintf(a.streams.Out, "%s of %s, PostgreSQL %s\n", paint(a.streams.Out, bold, "Who can do what"), m.Database, m.Server)
	fmt.Fprintf(a.streams.Out, "%s every row   %s rows that policies admit   - nothing   * on some columns only, named below\n",
		paint(a.streams.Out, amber, "S"), paint(a.streams.Out, green, "s"))
	fmt.Fprintln(a.streams.Out, "s select   i insert   u update   d delete   after a +: T truncate   R references   G trigger   M maintain")
	fmt.Fprintln(a.streams.Out, "of a function x execute; of a sequence u usage   s select   w update; of a schema u usage   c create")
	objects := m.Objects()
	a.printObjects(m, "relation", objects, (*isolation.Object).IsRelation)
	a.printColumns(m)
	a.printObjects(m, "function", objects, (*isolation.Object).IsFunction)
	a.printObjects(m, "sequence", objects, func(o *isolation.Object) bool { return o.Kind == "sequence" })
	a.printObjects(m, "schema", objects, func(o *isolation.Object) bool { return o.Kind == "schema" })
	a.printFigures(m.Figures)
}

// printObjects writes the objects that are wanted as a table by role. Roles that reach none of them are
// named below it instead of taking a column each.
func (a *app) printObjects(m *isolation.Matrix, title string, all []isolation.Object, wanted func(*isolation.Object) bool) {
	var objects []*isolation.Object
	reaches := map[string]bool{}
	for i := range all {
		if !wanted(&all[i]) {
			continue
		}
		objects = append(objects, &all[i])
		for role, cells := range all[i].Cells {
			reaches[role] = reaches[role] || slices.ContainsFunc(cells, func(c *isolation.Cell) bool { return c.Access != isolation.Denied })
		}
	}
	if len(objects) == 0 {
		return
	}
	header, nothing := []string{title, objectTrait(title)}, []string{}
	if header[1] == "" {
		header = header[:1]
	}
	for _, role := range m.Roles {
		if reaches[role.Name] {
			header = append(header, role.Name)
		} else {
			nothing = append(nothing, role.Name)
		}
	}
	var rows [][]string
	for _, o := range objects {
		row := []string{shorten(o.Name, 72)}
		if objectTrait(title) != "" {
			row = append(row, trait(o))
		}
		for _, role := range header[len(row):] {
			row = append(row, a.glyphs(o, o.Cells[role]))
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(a.streams.Out)
	a.printTableAs(text.FormatDefault, header, rows)
	if len(nothing) > 0 {
		fmt.Fprintf(a.streams.Out, "%s %s\n", paint(a.streams.Out, dim, "nothing of these:"), strings.Join(nothing, ", "))
	}
}

// objectTrait names what is told of such objects beside their name.
func objectTrait(title string) string {
	return map[string]string{"relation": "rls", "function": "runs as"}[title]
}

func trait(o *isolation.Object) string {
	switch {
	case o.IsTable():
		return o.RowSecurity
	case o.IsFunction():
		return o.RunsAs + " " + o.Volatility
	case o.RunsAs != "":
		return "view, " + o.RunsAs
	default:
		return o.Kind
	}
}

var letters = map[string]string{
	"select": "s", "insert": "i", "update": "u", "delete": "d", "truncate": "T", "references": "R", "trigger": "G", "maintain": "M",
	"execute": "x", "usage": "u", "create": "c",
}

// glyphs are the cells of one role on o: a letter for each command, a capital where it reaches every row.
func (a *app) glyphs(o *isolation.Object, cells []*isolation.Cell) string {
	var b strings.Builder
	beside, some := "", ""
	for _, c := range cells {
		letter := letters[c.Command]
		if o.Kind == "sequence" && c.Command == "update" {
			letter = "w"
		}
		switch {
		case letter == strings.ToUpper(letter): // not about rows
			if c.Access != isolation.Denied {
				beside += letter
			}
		case c.Access == isolation.Denied:
			b.WriteString(paint(a.streams.Out, dim, "-"))
		case c.Access == isolation.RowFiltered:
			b.WriteString(paint(a.streams.Out, green, letter))
		case o.IsRelation():
			b.WriteString(paint(a.streams.Out, amber, strings.ToUpper(letter)))
		default:
			b.WriteString(letter)
		}
		if c.Columns != nil {
			some = "*"
		}
	}
	if beside != "" {
		beside = "+" + beside
	}
	return b.String() + some + beside
}

// printColumns names the columns where a privilege is on some alone.
func (a *app) printColumns(m *isolation.Matrix) {
	var rows [][]string
	for _, c := range m.Cells {
		if c.Columns != nil {
			rows = append(rows, []string{c.Object, c.Role, c.Command, strings.Join(c.Columns, ", ")})
		}
	}
	if len(rows) > 0 {
		fmt.Fprintln(a.streams.Out)
		a.printTable([]string{"* relation", "role", "command", "on these columns only"}, rows)
	}
}

func (a *app) printFigures(f isolation.Figures) {
	commands := []string{"select", "insert", "update", "delete", "all"}
	var rows [][]string
	for _, s := range append(slices.Clone(f.Schemas), f.Total) {
		var by []string
		for _, command := range commands {
			by = append(by, fmt.Sprint(s.ByCommand[command]))
		}
		if s.Schema == "" {
			s.Schema = "total"
		}
		rows = append(rows, []string{
			s.Schema, fmt.Sprint(s.Relations), fmt.Sprint(s.Unfiltered), fmt.Sprint(s.Tables), fmt.Sprint(s.RowSecurity), fmt.Sprint(s.Forced), fmt.Sprint(s.Decided), fmt.Sprint(s.Policies),
			strings.Join(by, " / "), fmt.Sprint(s.Functions), fmt.Sprint(s.Definer),
		})
	}
	fmt.Fprintln(a.streams.Out)
	a.printTable([]string{"figures", "relations", "unfiltered", "tables", "rls on", "forced", "decided", "policies", "s / i / u / d / all", "functions", "definer"}, rows)
	rows = nil
	for _, r := range f.Roles {
		rows = append(rows, []string{r.Role, fmt.Sprint(r.Relations), fmt.Sprint(r.RowFiltered), fmt.Sprint(r.Functions)})
	}
	fmt.Fprintln(a.streams.Out)
	a.printTable([]string{"role", "relations reached", "all of them row-filtered", "functions"}, rows)
	if f.Assessment != nil {
		fmt.Fprintf(a.streams.Out, "\nThe assessment asked for %d policies and row-level security on %d tables; schema public has %d on %d.\n",
			f.Assessment.PoliciesWanted, f.Assessment.TablesWanted, f.Assessment.Policies, f.Assessment.Tables)
	}
}

// shorten cuts text to width characters, with an ellipsis for what is gone.
func shorten(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return text
}
