package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) memberCommand() *cobra.Command {
	var named string
	cmd := group("member", "List, invite, change and remove a tenant's members, as an operator",
		a.memberListCommand(&named), a.memberInviteCommand(&named), a.memberRoleCommand(&named), a.memberRemoveCommand(&named))
	cmd.PersistentFlags().StringVar(&named, "tenant", "", "the tenant, by slug or id")
	return cmd
}

func (a *app) memberListCommand(named *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --tenant TENANT", Short: "List members and open invitations", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var members []tenant.Member
			err := a.inTenant(cmd.Context(), "MemberList", *named, func(tx pgx.Tx, id uuid.UUID) (err error) {
				members, err = tenant.ListMembers(cmd.Context(), tx, id)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(members)
			}
			rows := make([][]string, len(members))
			for i, m := range members {
				rows[i] = []string{m.Email, orDash(m.Name), m.Role, a.paintWord(m.Status), m.Since.Format("2006-01-02")}
			}
			a.printTable([]string{"email", "name", "role", "status", "since"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) memberInviteCommand(named *string) *cobra.Command {
	var role string
	var expires time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "invite EMAIL --tenant TENANT", Short: "Invite an address; prints the token, this once", Args: exactly("an e-mail address"),
		Long: "Invites an address and prints the token to send there. Whoever signs in with that address accepts with it\n" +
			"(accept_invitation). An open invitation of the same address is taken back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var made tenant.Invitation
			err := a.inTenant(cmd.Context(), "MemberInvite", *named, func(tx pgx.Tx, id uuid.UUID) (err error) {
				made, err = tenant.InviteMember(cmd.Context(), tx, id, args[0], role, expires)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(made)
			}
			fmt.Fprintf(a.streams.Out, "%s is invited to %s as %s until %s\ntoken %s\n",
				made.Email, *named, made.Role, made.ExpiresAt.Format(time.RFC3339), made.Token)
			return nil
		},
	}
	cmd.Flags().StringVar(&role, "role", "member", "owner, admin, member or viewer")
	cmd.Flags().DurationVar(&expires, "expires", 7*24*time.Hour, "how long it can be accepted, at most 720h")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) memberRoleCommand(named *string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "role EMAIL ROLE --tenant TENANT", Short: "Give a member another role", Args: exactly("a member's e-mail address", "a role"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.ofMember(cmd.Context(), "MemberChangeRole", *named, args[0], func(tx pgx.Tx, tenantID, userID uuid.UUID) error {
				return tenant.ChangeMemberRole(cmd.Context(), tx, tenantID, userID, args[1], reason)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s is %s of %s\n", args[0], args[1], *named)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

func (a *app) memberRemoveCommand(named *string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "remove EMAIL --tenant TENANT", Short: "End a membership", Args: exactly("a member's e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.ofMember(cmd.Context(), "MemberRemove", *named, args[0], func(tx pgx.Tx, tenantID, userID uuid.UUID) error {
				return tenant.RemoveMember(cmd.Context(), tx, tenantID, userID, reason)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s is no member of %s any more\n", args[0], *named)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

// ofMember is inTenant where the command names a member by address.
func (a *app) ofMember(ctx context.Context, name, reference, email string, fn func(tx pgx.Tx, tenantID, userID uuid.UUID) error) error {
	return a.inTenant(ctx, name, reference, func(tx pgx.Tx, tenantID uuid.UUID) error {
		members, err := tenant.ListMembers(ctx, tx, tenantID)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.UserID != nil && strings.EqualFold(m.Email, email) {
				return fn(tx, tenantID, *m.UserID)
			}
		}
		return fault.New(fault.NotFound, fmt.Sprintf("%s is no member of %s.", email, reference), "See vital member list.")
	})
}
