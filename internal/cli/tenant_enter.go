package cli

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/tenant"
)

// superAdmin is who --as names, else the only one there is.
func superAdmin(cmd *cobra.Command, tx pgx.Tx, named string) (uuid.UUID, string, error) {
	if named == "" {
		return tenant.TheSuperAdmin(cmd.Context(), tx)
	}
	id, err := tenant.FindUserByReference(cmd.Context(), tx, named)
	return id, named, err
}

func (a *app) tenantEnterCommand() *cobra.Command {
	var as, reason string
	var span time.Duration
	cmd := &cobra.Command{
		Use: "enter TENANT --reason REASON", Short: "Let a super admin into a tenant they are no member of, for a time", Args: exactly("a tenant's slug or id"),
		Long: "Lets a super admin act in a tenant they are no member of, for a time, after which it ends by itself. The tenant's\n" +
			"admins see who is in, why and until when, and can end it; it stands in the tenant's audit log. Where\n" +
			"vital.settings.break_glass_required is on, super admins act in such tenants in no other way.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			var who string
			var until time.Time
			err := a.inTenant(cmd.Context(), "EntryMake", args[0], func(tx pgx.Tx, id uuid.UUID) error {
				user, named, err := superAdmin(cmd, tx, as)
				if err != nil {
					return err
				}
				who = named
				until, err = tenant.EnterTenant(cmd.Context(), tx, id, user, reason, span)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s may act in %s until %s\n", who, args[0], until.UTC().Format(time.RFC3339))
			return nil
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "super admin who enters, by address or id; the only one where there is one")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the tenant to read")
	cmd.Flags().DurationVar(&span, "for", time.Hour, "how long, up to vital.settings.break_glass_longest")
	return cmd
}

func (a *app) tenantLeaveCommand() *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: "leave TENANT", Short: "End a super admin's entry into a tenant before its time", Args: exactly("a tenant's slug or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var who string
			err := a.inTenant(cmd.Context(), "EntryEnd", args[0], func(tx pgx.Tx, id uuid.UUID) error {
				user, named, err := superAdmin(cmd, tx, as)
				if err != nil {
					return err
				}
				who = named
				return tenant.LeaveTenant(cmd.Context(), tx, id, user, reason)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s has left %s\n", who, args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "super admin who is in, by address or id; the only one where there is one")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

func (a *app) tenantEntriesCommand() *cobra.Command {
	var past, asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use: "entries [TENANT]", Short: "List which super admins are in a tenant, or in any, why and until when", Args: atMost("a tenant's slug or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var entries []tenant.Entry
			err := a.asService(cmd.Context(), "EntryList", func(tx pgx.Tx) (err error) {
				var of *uuid.UUID
				if len(args) == 1 {
					id, err := tenant.FindTenant(cmd.Context(), tx, args[0])
					if err != nil {
						return err
					}
					of = &id
				}
				entries, err = tenant.ListEntries(cmd.Context(), tx, of, past, limit)
				return err
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.printJSON(entries)
			}
			a.printEntries(entries)
			return nil
		},
	}
	cmd.Flags().BoolVar(&past, "past", false, "those that are over, too")
	cmd.Flags().IntVar(&limit, "limit", 50, "most entries")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printEntries(entries []tenant.Entry) {
	rows := make([][]string, len(entries))
	for i, e := range entries {
		who := e.UserID.String()
		if e.User != nil {
			who = *e.User
		}
		state := "over"
		switch {
		case e.Open:
			state = a.paintWord("active")
		case e.EndedAt != nil:
			state = "ended " + e.EndedAt.UTC().Format("15:04:05")
		}
		rows[i] = []string{e.Tenant, who, e.EnteredAt.UTC().Format("2006-01-02 15:04:05"), e.Until.UTC().Format("2006-01-02 15:04:05"), state, e.Reason}
	}
	a.printTable([]string{"tenant", "user", "entered", "until", "state", "reason"}, rows)
}
