package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) flagsScheduleCommand() *cobra.Command {
	var named, reason, at string
	var remove bool
	cmd := &cobra.Command{
		Use: "schedule KEY FIELD=VALUE... --at TIME", Short: "Have a flag, or a tenant's override, changed at a time", Args: fieldArguments,
		Long: "Has fields changed at a time, by a server that runs then. A time is a span from now (30m, 48h) or RFC 3339; a date alone\n" +
			"is its beginning, UTC.\n" + fieldHelp,
		Example: "  vital flags schedule new_dashboard default_enabled=true --at 2030-01-01T08:00:00Z --reason launch\n" +
			"  vital flags schedule new_dashboard --tenant pharma --remove --at 720h --reason \"the trial ends\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := parseFields(args[1:], remove, named)
			if err != nil {
				return err
			}
			runAt, err := parseTime(at)
			if err != nil {
				return err
			}
			var id uuid.UUID
			err = a.ofFlags(cmd.Context(), "FlagSchedule", named, func(tx pgx.Tx, tenantID *uuid.UUID) (err error) {
				id, err = tenant.ScheduleFlag(cmd.Context(), tx, tenant.FlagTarget{Key: args[0], Tenant: tenantID}, changes, runAt, reason)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "flag %s changes at %s UTC: %s\n", args[0], date(runAt), id)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().StringVar(&at, "at", "", "when")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit log")
	cmd.Flags().BoolVar(&remove, "remove", false, "take the tenant's override away")
	return cmd
}

// parseTime reads a span from now, a time or a date.
func parseTime(text string) (time.Time, error) {
	if span, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(span), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault.New(fault.Usage, fmt.Sprintf("%q is no time.", text), "Give --at a span from now as 48h, or a time as 2030-01-01T08:00:00Z.")
}

func (a *app) flagsChangesCommand() *cobra.Command {
	var named string
	var all, asJSON bool
	cmd := &cobra.Command{
		Use: "changes", Short: "List scheduled changes of flags, or of a tenant's overrides", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var changes []tenant.FlagChange
			err := a.ofFlags(cmd.Context(), "FlagChangeList", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				changes, err = tenant.ListFlagChanges(cmd.Context(), tx, id, all)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(changes)
			}
			rows := make([][]string, len(changes))
			for i, c := range changes {
				rows[i] = []string{c.ID.String(), c.Key, date(c.RunAt), a.paintWord(c.Status), changesOrRemove(c.Changes), orDash(c.Author), orDash(c.Reason), orDash(c.Error)}
			}
			a.printTable([]string{"id", "flag", "at", "status", "changes", "by", "reason", "error"}, rows)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().BoolVar(&all, "all", false, "those that were made, failed or cancelled too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func changesOrRemove(changes json.RawMessage) string {
	if string(changes) == "null" {
		return "remove"
	}
	return string(changes)
}

func (a *app) flagsCancelCommand() *cobra.Command {
	var named, reason string
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Cancel a scheduled change that was not made yet", Args: exactly("a change's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fault.New(fault.Usage, fmt.Sprintf("%q is no id of a change.", args[0]), "See vital flags changes.")
			}
			err = a.ofFlags(cmd.Context(), "FlagChangeCancel", named, func(tx pgx.Tx, tenantID *uuid.UUID) error {
				return tenant.CancelFlagChange(cmd.Context(), tx, tenantID, id, reason)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "change %s is cancelled\n", id)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}
