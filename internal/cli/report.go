package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/report"
)

func (a *app) reportCommand() *cobra.Command {
	return group("report", "Report how the work stands: week by week, and gate by gate", a.reportWeeklyCommand(), a.reportGatesCommand())
}

// reportFacts are what reports are told of this program.
func reportFacts() report.Facts { return report.Facts{WriteRoutes: httpapi.WriteRoutes()} }

func (a *app) reportWeeklyCommand() *cobra.Command {
	var week, format, file string
	cmd := &cobra.Command{
		Use: "weekly", Short: "Print the report of a week, filled from what was measured", Args: noArguments,
		Long: "Prints the report that was kept when the week was over, else what is measured of it now: its status by rule, key figures against\n" +
			"the week before, blockers with what to do next, and how the mitigation of each risk stands. A server makes and keeps the\n" +
			"report of each week by itself.",
		Example: "  vital report weekly\n  vital report weekly --week 2026-W48 --format html --out week.html",
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := weeklyFormat(format)
			if err != nil {
				return err
			}
			now := time.Now()
			if week == "" {
				week = report.WeekOf(now)
			}
			var made *report.Weekly
			err = a.asService(cmd.Context(), "ReportWeekly", func(tx pgx.Tx) (err error) {
				made, err = report.ReadWeekly(cmd.Context(), tx, reportFacts(), week, now)
				return err
			})
			if err != nil {
				return err
			}
			return a.writeReport(file, func(out io.Writer) error { return write(out, made) })
		},
	}
	cmd.Flags().StringVar(&week, "week", "", "the ISO week, as 2026-W48 (default: this one)")
	cmd.Flags().StringVar(&format, "format", "markdown", "markdown, html or json")
	cmd.Flags().StringVar(&file, "out", "", "file to write it to instead")
	return cmd
}

func weeklyFormat(format string) (func(io.Writer, *report.Weekly) error, error) {
	switch format {
	case "markdown":
		return report.WriteWeeklyMarkdown, nil
	case "html":
		return report.WriteWeeklyHTML, nil
	case "json":
		return report.WriteWeeklyJSON, nil
	}
	return nil, fault.New(fault.Usage, fmt.Sprintf("There is no format %q.", format), "Name markdown, html or json.")
}

// writeReport writes to a file where one is named; nothing is left of it where writing fails.
func (a *app) writeReport(file string, write func(io.Writer) error) error {
	if file == "" {
		return write(a.streams.Out)
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be written.", file), "Name another with --out.")
	}
	fmt.Fprintf(a.streams.Err, "written to %s\n", file)
	return nil
}
