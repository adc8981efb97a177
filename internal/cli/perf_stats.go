package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) perfStatsCommand() *cobra.Command {
	var hours int
	var by string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stats", Short: "Show how loads of data fared: how many, how fast, from memory, failed", Args: noArguments,
		Long: "Counts the records of loads in query_performance, those of every tenant; what took the most time in all comes first.\n" +
			"Background jobs are no loads: by query and type they stand under their own names, in the other figures they are not.\n" +
			"Admins of a tenant see their own with get_query_performance_stats().",
		Example: "  vital perf stats --hours 1\n  vital perf stats --by tenant",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkHours(hours); err != nil {
				return err
			}
			var stats []perf.Statistic
			err := a.asService(cmd.Context(), "PerfStats", func(tx pgx.Tx) (err error) {
				until := time.Now()
				stats, err = perf.Statistics(cmd.Context(), tx, until.Add(-time.Duration(hours)*time.Hour), until.Add(time.Minute), by)
				return err
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.printJSON(stats)
			case len(stats) == 0:
				fmt.Fprintf(a.streams.Out, "No loads were recorded in the last %s.\n", plural(hours, "hour"))
			default:
				a.printStatistics(by, stats)
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&hours, "hours", 24, "how far back to look")
	cmd.Flags().StringVar(&by, "by", "query", "what to count by: "+strings.Join(perf.Labels, ", "))
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func checkHours(hours int) error {
	if hours < 1 || hours > 366*24 {
		return fault.New(fault.Usage, fmt.Sprintf("--hours %d is not between 1 and 8784.", hours), "Leave it out for a day.")
	}
	return nil
}

func (a *app) printStatistics(by string, stats []perf.Statistic) {
	out := a.streams.Out
	rows := make([][]string, len(stats))
	for i, s := range stats {
		label := s.Label
		if s.Tenant != nil {
			label = *s.Tenant
		}
		failed := percent(s.ErrorRate)
		if s.ErrorRate > 0 {
			failed = paint(out, red, failed)
		}
		rows[i] = []string{label, strconv.FormatInt(s.Loads, 10), millis(s.Avg), millis(s.P50), millis(s.P95), millis(s.P99), millis(s.Max), percent(s.CacheHitRate), failed}
	}
	a.printTable([]string{by, "loads", "avg ms", "p50", "p95", "p99", "max", "from memory", "failed"}, rows)
}

func percent(value float64) string { return strconv.FormatFloat(value, 'f', 1, 64) + " %" }

// millis are milliseconds with three digits that count.
func millis(value *float64) string {
	switch {
	case value == nil:
		return "-"
	case *value >= 100:
		return strconv.FormatFloat(*value, 'f', 0, 64)
	case *value >= 10:
		return strconv.FormatFloat(*value, 'f', 1, 64)
	}
	return strconv.FormatFloat(*value, 'f', 2, 64)
}

func (a *app) perfSlowCommand() *cobra.Command {
	var hours int
	var named string
	var which perf.Which
	var asJSON bool
	cmd := &cobra.Command{
		Use: "slow", Short: "List the loads that took longest, or those that failed", Args: noArguments,
		Long:    "Lists loads: what somebody asked for. What servers do by themselves, in background jobs, is listed with --jobs.",
		Example: "  vital perf slow --tenant pharma --hours 1\n  vital perf slow --failed\n  vital perf slow --jobs",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkHours(hours); err != nil {
				return err
			}
			if which.Limit < 1 || which.Limit > 10_000 {
				return fault.New(fault.Usage, fmt.Sprintf("--limit %d is not between 1 and 10000.", which.Limit), "Leave it out for 20.")
			}
			var records []perf.Record
			err := a.asService(cmd.Context(), "PerfSlow", func(tx pgx.Tx) (err error) {
				if named != "" {
					found, err := tenant.FindTenant(cmd.Context(), tx, named)
					if err != nil {
						return err
					}
					which.Tenant = &found
				}
				records, err = perf.Slowest(cmd.Context(), tx, time.Now().Add(-time.Duration(hours)*time.Hour), which)
				return err
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.printJSON(records)
			case len(records) == 0:
				fmt.Fprintf(a.streams.Out, "No such %s was recorded in the last %s.\n", kindOf(which), plural(hours, "hour"))
			default:
				a.printRecords(records)
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&hours, "hours", 24, "how far back to look")
	cmd.Flags().IntVar(&which.Limit, "limit", 20, "how many to list")
	cmd.Flags().StringVar(&named, "tenant", "", "list those of one tenant alone, by slug or id")
	cmd.Flags().BoolVar(&which.Failed, "failed", false, "list those that failed, the latest first")
	cmd.Flags().BoolVar(&which.Jobs, "jobs", false, "list what background jobs asked for, in place of loads")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func kindOf(which perf.Which) string {
	if which.Jobs {
		return "job"
	}
	return "load"
}

func (a *app) printRecords(records []perf.Record) {
	rows := make([][]string, len(records))
	for i, r := range records {
		code := "-"
		if r.Code != "" {
			code = paint(a.streams.Out, red, r.Code)
		}
		rows[i] = []string{r.At.UTC().Format("2006-01-02 15:04:05"), r.Name, millis(r.Duration), orDash(r.Tenant), orDash(r.User), code, cmp.Or(r.RequestID, "-")}
	}
	a.printTable([]string{"at", "query", "ms", "tenant", "user", "code", "request"}, rows)
}
