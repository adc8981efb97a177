package cli

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/report"
)

// gatesMeasured is how far back gates are measured.
const gatesMeasured = 7 * 24 * time.Hour

func (a *app) reportGatesCommand() *cobra.Command {
	var phase int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "gates", Short: "Show what must hold before a phase is over, and how it stands; exit 3 where something does not", Args: noArguments,
		Long: "Measures the gates over the last seven days. Those that cannot be measured are signed off with `vital report gates approve`.\n" +
			"Exit code 3 while one of them has not passed.",
		Example: "  vital report gates --phase 1\n  vital report gates approve week1_backup --by \"Ada\" --note \"restored on staging\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if phase != 0 && (phase < 1 || phase > len(report.Phases())) {
				return fault.New(fault.Usage, fmt.Sprintf("There is no phase %d.", phase), fmt.Sprintf("Name one from 1 to %d.", len(report.Phases())))
			}
			var all []report.Standing
			err := a.asService(cmd.Context(), "ReportGates", func(tx pgx.Tx) (err error) {
				until := time.Now()
				all, err = report.Gates(cmd.Context(), tx, reportFacts(), until.Add(-gatesMeasured), until)
				return err
			})
			if err != nil {
				return err
			}
			return a.reportGates(all, phase, asJSON)
		},
	}
	cmd.Flags().IntVar(&phase, "phase", 0, "look at one phase alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(a.gatesApproveCommand())
	return cmd
}

func (a *app) reportGates(all []report.Standing, phase int, asJSON bool) error {
	shown, open := []report.Standing{}, 0
	for _, g := range all {
		if phase == 0 || g.Phase == phase {
			shown = append(shown, g)
			if g.Status != report.Passed {
				open++
			}
		}
	}
	if asJSON {
		if err := a.printJSON(shown); err != nil {
			return err
		}
	} else {
		a.printGates(shown)
	}
	if open > 0 {
		return fault.New(fault.FindingsFound, plural(open, "gate")+" of "+fmt.Sprint(len(shown))+" have not passed.", "Below each stands what to do; docs/reference/report.md says what is measured.")
	}
	return nil
}

// printGates lists gates phase by phase: how each stands, what is measured, and what to do where it has not passed.
func (a *app) printGates(all []report.Standing) {
	out := a.streams.Out
	colours := map[report.GateStatus]string{report.Passed: green, report.Failed: red, report.Unknown: amber, report.Pending: dim}
	for _, phase := range report.Phases() {
		var of []report.Standing
		passed := 0
		for _, g := range all {
			if g.Phase == phase.Phase {
				of = append(of, g)
			}
			if g.Phase == phase.Phase && g.Status == report.Passed {
				passed++
			}
		}
		if len(of) == 0 {
			continue
		}
		fmt.Fprintln(out, paint(out, bold, fmt.Sprintf("Phase %d, %s: %d of %d passed", phase.Phase, phase.Name, passed, len(of))))
		for _, g := range of {
			fmt.Fprintf(out, "%s  %-24s  %s\n", paint(out, colours[g.Status], fmt.Sprintf("%-7s", g.Status)), g.Gate.Gate, g.Title)
			for _, line := range explained(g) {
				fmt.Fprintf(out, "%-35s%s\n", "", paint(out, dim, line))
			}
		}
	}
}

// explained is what stands below a gate: what is measured beside what is asked for, and what to do where that is not enough.
func explained(g report.Standing) (lines []string) {
	if now := g.Now(); now != "" {
		lines = append(lines, now)
	}
	switch {
	case g.Status == report.Passed:
	case g.Measure == "":
		lines = append(lines, "next: "+g.Next+", then vital report gates approve "+g.Gate.Gate)
	default:
		lines = append(lines, "target "+g.Target()+", next: "+g.Next)
	}
	return lines
}

func (a *app) gatesApproveCommand() *cobra.Command {
	var by, note string
	var withdraw bool
	cmd := &cobra.Command{
		Use: "approve GATE", Short: "Sign a gate off, or withdraw that; both are kept", Args: exactly("a gate"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.asService(cmd.Context(), "GateSign", func(tx pgx.Tx) error {
				return report.SignGate(cmd.Context(), tx, args[0], !withdraw, by, note)
			})
			if err != nil {
				return err
			}
			word := "signed off"
			if withdraw {
				word = "withdrawn"
			}
			fmt.Fprintf(a.streams.Out, "%s  %s by %s\n", args[0], paint(a.streams.Out, green, word), by)
			return nil
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who signs (required)")
	cmd.Flags().StringVar(&note, "note", "", "on what ground")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take it back")
	return cmd
}
