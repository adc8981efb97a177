package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) flagsImportCommand() *cobra.Command {
	var reason string
	var apply, asJSON bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Show what a file in flagd's format would change, or with --apply change it", Args: exactly("a file, or - for standard input"),
		Long: "Makes and changes flags and evaluators so that they are those of the file, all or nothing. Without --apply it is tried and\n" +
			"undone, so what is shown is what would be done. Flags that are not in the file stay as they are. Metadata of the whole\n" +
			"file becomes that of each flag. What `vital flags export` writes comes back as it was.",
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := a.readFlagFile(args[0])
			if err != nil {
				return err
			}
			report, err := a.importFlags(cmd.Context(), source, reason, apply)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(struct {
					Applied bool `json:"applied"`
					*tenant.FlagImport
				}{apply, report})
			}
			a.printImport(report, apply)
			return nil
		},
	}
	cmd.Flags().BoolVar(&apply, "apply", false, "change it")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit log")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// readFlagFile reads a file in flagd's format, or standard input.
func (a *app) readFlagFile(name string) (feature.Source, error) {
	in := a.streams.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return feature.Source{}, fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be read.", name), "Name a file, or - for standard input.")
		}
		defer file.Close()
		in = file
	}
	return parseFlagFile(in)
}

// parseFlagFile reads flagd's format and refuses what would be lost.
func parseFlagFile(in io.Reader) (feature.Source, error) {
	file, err := feature.ParseFlagd(in)
	if err != nil {
		return feature.Source{}, fileFault(err)
	}
	var unknown feature.Problems
	for name := range file.Extra {
		unknown = append(unknown, feature.Problem{Path: "/" + name, Severity: feature.SeverityError, Message: "there is no such member"})
	}
	for _, flag := range file.Flags {
		for name := range flag.Extra {
			unknown = append(unknown, feature.Problem{Path: "/flags/" + flag.Key + "/" + name, Severity: feature.SeverityError, Message: "there is no such member"})
		}
	}
	if err := unknown.Err(); err != nil {
		return feature.Source{}, fileFault(err)
	}
	source, err := file.Source()
	if err != nil {
		return feature.Source{}, fileFault(err)
	}
	return source, nil
}

// fileFault names each place of a file that is not what it must be.
func fileFault(err error) error {
	var invalid *feature.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	f := fault.Wrap(err, fault.Invalid, "The file is not what flagd's format asks for.", "Mend each place; nothing was changed.")
	f.Detail = invalid.Error()
	return f
}

// errUndo ends a transaction that is not to be kept.
var errUndo = errors.New("undo")

// importFlags imports source, and undoes it unless it is to be applied.
func (a *app) importFlags(ctx context.Context, source feature.Source, reason string, apply bool) (report *tenant.FlagImport, err error) {
	err = a.asService(ctx, "FlagImport", func(tx pgx.Tx) (err error) {
		report, err = tenant.ImportFlags(ctx, tx, source, reason)
		if err == nil && !apply {
			return errUndo
		}
		return err
	})
	if errors.Is(err, errUndo) {
		err = nil
	}
	return report, err
}

func (a *app) printImport(report *tenant.FlagImport, applied bool) {
	var rows [][]string
	for _, e := range report.Evaluators {
		rows = append(rows, []string{"evaluator " + e.Name, madeOrChanged(e.Made), "", "", ""})
	}
	for _, f := range report.Flags {
		rows = append(rows, []string{f.Key, madeOrChanged(f.From == 0), fmt.Sprintf("%d -> %d", f.From, f.To), "", ""})
		if f.From == 0 {
			continue // everything in it is new
		}
		for _, d := range f.Changes {
			rows = append(rows, []string{"  " + d.Path, "", "", valueOrDash(d.Before), valueOrDash(d.After)})
		}
	}
	if len(rows) > 0 {
		a.printTable([]string{"flag", "is", "version", "before", "after"}, rows)
	}
	for _, p := range report.Problems {
		fmt.Fprintf(a.streams.Out, "%s  %s: %s; the flag gives PARSE_ERROR until there is\n", paint(a.streams.Out, amber, "warning"), p.Path, p.Message)
	}
	changed := len(report.Flags) + len(report.Evaluators)
	verdict := fmt.Sprintf("%d made or changed, %d as they are", changed, report.Unchanged)
	if !applied && changed > 0 {
		verdict = fmt.Sprintf("%d would be made or changed, %d are so already; nothing was changed: say --apply where it is meant", changed, report.Unchanged)
	}
	fmt.Fprintln(a.streams.Out, verdict)
}

func madeOrChanged(made bool) string {
	if made {
		return "new"
	}
	return "changed"
}

func (a *app) flagsExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Write all flags and evaluators in flagd's format",
		Long: "Writes all flags and evaluators in flagd's format, to a file or to standard output. What flagd has no word for stands in the\n" +
			"flags' metadata under vital.* names. The same flags always give the same bytes.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly("at most a file")(cmd, nil)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var flags tenant.Flags
			err := a.asService(cmd.Context(), "FlagExport", func(tx pgx.Tx) (err error) {
				flags, err = tenant.LoadFlags(cmd.Context(), tx)
				return err
			})
			if err != nil {
				return err
			}
			file, err := feature.NewFile(flags.Source)
			if err != nil {
				return err
			}
			text, err := file.Marshal()
			if err != nil {
				return fmt.Errorf("encode flags: %w", err)
			}
			if len(args) == 0 || args[0] == "-" {
				_, err = a.streams.Out.Write(text)
				return err
			}
			if err := os.WriteFile(args[0], text, 0o644); err != nil { //nolint:gosec // definitions are no secret
				return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be written.", args[0]), "Name another, or none for standard output.")
			}
			fmt.Fprintf(a.streams.Out, "%s written to %s\n", plural(len(file.Flags), "flag"), args[0])
			return nil
		},
	}
	return cmd
}
