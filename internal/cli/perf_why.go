package cli

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/perf"
)

func (a *app) perfWhyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "why REQUEST_ID", Short: "Say why a load failed or was slow: which step, for whom else, since when, and what was changed before", Args: exactly("a request id"),
		Long: "Reads the record of a request's load. The id is that of X-Request-Id, of an error's request_id, or of a line of the log.\n" +
			"Loads that failed or took longer than VITAL_SLOW_QUERY are always recorded, others in part.",
		Example: "  vital perf why 4bf92f3577b34da6",
		RunE: func(cmd *cobra.Command, args []string) error {
			var lines []perf.Lineage
			err := a.asService(cmd.Context(), "PerfWhy", func(tx pgx.Tx) (err error) {
				lines, err = perf.Why(cmd.Context(), tx, args[0], a.config.SlowQuery)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(lines)
			}
			for i := range lines {
				if i > 0 {
					fmt.Fprintln(a.streams.Out)
				}
				a.printLineage(&lines[i])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printLineage(line *perf.Lineage) {
	out, load := a.streams.Out, &line.Load
	colour := map[string]string{"failed": red, "slow": amber, "well": green}[line.Verdict]
	fmt.Fprintf(out, "%s  %s for %s in %s at %s, %s ms", paint(out, colour, fmt.Sprintf("%-7s", line.Verdict)), load.Name,
		ofUser(load), ofTenant(load), second(load.At), millis(load.Duration))
	switch {
	case load.CacheHit:
		fmt.Fprintln(out, " from memory")
	case line.Typical != nil:
		fmt.Fprintf(out, " (typically %s)\n", millis(line.Typical))
	default:
		fmt.Fprintln(out)
	}
	if load.Code != "" {
		fmt.Fprintf(out, "         %s: %s\n", load.Code, load.Message)
	}
	for i, step := range load.Steps {
		took := float64(step.Micros) / 1000
		outcome := paint(out, green, "ok")
		if step.Code != "" {
			outcome = paint(out, red, step.Code)
		}
		fmt.Fprintf(out, "%-7s  %-24s %9s ms  %s\n", heading("steps", i), step.Name, millis(&took), outcome)
	}
	for i, text := range reaches(line) {
		fmt.Fprintf(out, "%-7s  %s\n", heading("reach", i), text)
	}
	for i, c := range line.Before {
		reason := ""
		if c.Reason != nil {
			reason = fmt.Sprintf("  %q", *c.Reason)
		}
		what := c.What
		if c.Times > 1 {
			what += fmt.Sprintf(" ×%d", c.Times)
		}
		fmt.Fprintf(out, "%-7s  %s  %-9s  %s  %s%s\n", heading("before", i), second(c.At), c.Kind, what, orDash(c.Who), reason)
	}
	if line.Since != nil && len(line.Before) == 0 {
		fmt.Fprintln(out, "before   nothing was changed in the day before it began")
	}
}

// heading stands before the first of several lines.
func heading(text string, i int) string {
	if i > 0 {
		return ""
	}
	return text
}

// reaches says whom it concerns, and since when.
func reaches(line *perf.Lineage) (lines []string) {
	for _, r := range line.Reach {
		if r.Scope != line.Scope || r.Since == nil {
			continue
		}
		whom := map[string]string{"user": "this user alone", "tenant": "the whole tenant", "everybody": "everybody"}[r.Scope]
		lines = append(lines, fmt.Sprintf("%s, since %s: %s of %s in %s", whom, second(*r.Since),
			plural(int(r.Loads), "load"), plural(int(r.Users), "user"), plural(int(r.Tenants), "tenant")))
		if r.LastGood != nil {
			lines = append(lines, "the last that fared well was at "+second(*r.LastGood))
		} else {
			lines = append(lines, "none has fared well in the week before")
		}
		if r.NextGood != nil {
			lines = append(lines, "they fare well again since "+second(*r.NextGood))
		}
	}
	return lines
}

func second(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }

func ofUser(load *perf.Told) string {
	switch {
	case load.User != nil:
		return *load.User
	case load.UserID != nil:
		return load.UserID.String()
	}
	return "nobody"
}

// ofTenant is the tenant a load ran in, or the user's own where it failed before that was known.
func ofTenant(load *perf.Told) string {
	if load.Tenant != nil && (*load.Tenant != "platform" || load.Success || load.UserTenant == nil) {
		return *load.Tenant
	}
	if load.UserTenant != nil {
		return "no tenant yet (by default " + *load.UserTenant + ")"
	}
	return load.TenantID.String()
}
