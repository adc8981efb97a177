package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) tenantCommand() *cobra.Command {
	return group("tenant", "List, make and move tenants, as an operator",
		a.tenantListCommand(), a.tenantShowCommand(), a.tenantCreateCommand(),
		a.tenantMoveCommand("approve", "Let a pending tenant serve its members"),
		a.tenantMoveCommand("suspend", "Stop a tenant from serving its members, at once"),
		a.tenantMoveCommand("activate", "Let a suspended tenant serve its members again"),
		a.tenantMoveCommand("archive", "Disable a suspended tenant for good; its data is kept"),
		a.tenantMissingCommand(), a.tenantTemplateCommand(), a.tenantHistoryCommand(),
		a.tenantExportCommand(), a.tenantDiffCommand(), a.tenantRestoreCommand(), a.tenantCloneCommand(), a.tenantEraseCommand(), a.tenantHoldCommand(),
		a.tenantEnterCommand(), a.tenantLeaveCommand(), a.tenantEntriesCommand(),
	)
}

func (a *app) tenantListCommand() *cobra.Command {
	var filter tenant.OrganizationFilter
	var page int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List tenants by name", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if page < 1 || filter.Limit < 1 || filter.Limit > 1000 {
				return fault.New(fault.Usage, "There is no such page.", "--page counts from 1, --limit goes from 1 to 1000.")
			}
			filter.Offset = (page - 1) * filter.Limit
			return a.tenantList(cmd.Context(), filter, page, asJSON)
		},
	}
	cmd.Flags().StringVar(&filter.Search, "search", "", "part of the name or slug")
	cmd.Flags().StringVar(&filter.State, "state", "", "pending, active, suspended or archived")
	cmd.Flags().IntVar(&page, "page", 1, "which page")
	cmd.Flags().IntVar(&filter.Limit, "limit", 50, "tenants a page")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tenantList(ctx context.Context, filter tenant.OrganizationFilter, page int, asJSON bool) error {
	var list []tenant.Organization
	var total int64
	err := a.asService(ctx, "OrganizationList", func(tx pgx.Tx) (err error) {
		list, total, err = tenant.ListOrganizations(ctx, tx, filter)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(map[string]any{"tenants": list, "total": total, "page": page, "limit": filter.Limit})
	}
	rows := make([][]string, len(list))
	for i, o := range list {
		rows[i] = []string{o.Slug, o.Name, o.Type, a.paintWord(o.State), o.Tier, orDash(o.Parent), fmt.Sprint(o.Members), o.CreatedAt.Format("2006-01-02")}
	}
	a.printTable([]string{"slug", "name", "type", "state", "tier", "parent", "members", "created"}, rows)
	if pages := (total + int64(filter.Limit) - 1) / int64(filter.Limit); pages > 1 || page > 1 {
		fmt.Fprintln(a.streams.Out, paint(a.streams.Out, dim, fmt.Sprintf("page %d of %d, %d tenants", page, pages, total)))
	}
	return nil
}

func (a *app) tenantShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show TENANT", Short: "Show a tenant: state, configuration, apps, limits and how much of them is used", Args: exactly("a tenant's slug or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var detail tenant.OrganizationDetail
			err := a.inTenant(cmd.Context(), "OrganizationShow", args[0], func(tx pgx.Tx, id uuid.UUID) (err error) {
				detail, err = tenant.ShowOrganization(cmd.Context(), tx, id)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(detail)
			}
			a.printTenant(detail)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printTenant(d tenant.OrganizationDetail) {
	out := a.streams.Out
	fmt.Fprintf(out, "%s  %s\n\n", paint(out, bold, d.Name), a.paintWord(d.State))
	facts := [][]string{
		{"id", d.ID.String()}, {"slug", d.Slug}, {"key", d.Key}, {"type", d.Type}, {"tier", d.Tier},
		{"parent", orDash(d.Parent)}, {"members", fmt.Sprint(d.Members)}, {"created", d.CreatedAt.Format("2006-01-02 15:04")},
	}
	if d.Approval != nil {
		facts = append(facts, []string{"approved", sayApproval(d.Approval)})
	}
	if d.Settings == nil {
		facts = append(facts, []string{"configuration", paint(out, red, "missing")})
	} else {
		facts = append(facts, []string{"look", compact(d.Settings.UI)}, []string{"features", strings.Join(d.Settings.Features, ", ")},
			[]string{"apps enabled", strings.Join(d.Settings.Apps, ", ")},
			[]string{"agent tiers", strings.Trim(fmt.Sprint(d.Settings.Tiers), "[]")}, []string{"compliance", compact(d.Settings.Compliance)})
	}
	a.printTable([]string{"tenant", ""}, facts)
	fmt.Fprintln(out)
	rows := make([][]string, len(d.Limits))
	for i, l := range d.Limits {
		rows[i] = []string{l.Name, orDash(l.Used), orDash(l.Allowed)}
	}
	a.printTable([]string{"limit", "used", "of"}, rows)
	fmt.Fprintln(out)
	rows = make([][]string, len(d.Apps))
	for i, app := range d.Apps {
		rows[i] = []string{app.Key, app.Name, app.Route, yesNo(app.Visible), yesNo(app.Enabled)}
	}
	a.printTable([]string{"app", "name", "route", "visible", "enabled"}, rows)
}

// sayApproval says who approved a tenant, when and why.
func sayApproval(approval *tenant.Approval) string {
	who := "the login " + orDash(approval.Login)
	switch {
	case approval.Email != nil:
		who = *approval.Email
	case approval.By != nil:
		who = "the user " + approval.By.String()
	}
	said := approval.At.Format("2006-01-02 15:04") + " by " + who
	if approval.Reason != nil {
		said += ": " + *approval.Reason
	}
	return said
}

// compact is a value as one line of JSON.
func compact(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return string(text)
}

func (a *app) tenantCreateCommand() *cobra.Command {
	var wanted tenant.NewOrganization
	var owner, parent string
	var from onboardFlags
	cmd := &cobra.Command{
		Use:   "create --name NAME --slug SLUG --type TYPE --owner EMAIL | --from FILE",
		Short: "Make a tenant with what its template says and an owner, or all those of a file",
		Long: "Makes a tenant with the configuration, apps and overrides of its template, and its owner's membership, in one\n" +
			"transaction. The owner is a known user.\n\n" +
			"With --from, makes the tenants of a file and changes those that are there, by tenant_key, all or nothing: organization,\n" +
			"owner, members, configuration, apps, flag overrides, agents. What is so already is not written, so the same file again\n" +
			"changes nothing; what it does not mention is left alone. --dry-run does it and takes it back, and shows the difference.\n" +
			"docs/how-to/onboard.md has the form and an example; `vital tenant template` what new tenants start with.",
		Example: `  vital tenant create --name "Acme Health" --slug acme --type digital_health --owner ada@acme.test
  vital tenant create --from tenants.yaml --dry-run
  vital tenant create --from tenants.yaml --invitations invitations.jsonl --reason "signed on 1 March"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := from.check(cmd); err != nil {
				return err
			}
			if from.file != "" {
				from.reason = wanted.Reason
				return a.onboard(cmd.Context(), from)
			}
			if wanted.Name == "" || wanted.Slug == "" || wanted.Type == "" || owner == "" {
				return fault.New(fault.Usage, "A tenant takes a name, a slug, a type and an owner.", "Give --name, --slug, --type and --owner, or a file with --from.")
			}
			return a.tenantCreate(cmd.Context(), wanted, owner, parent)
		},
	}
	cmd.Flags().StringVar(&wanted.Name, "name", "", "name to show")
	cmd.Flags().StringVar(&wanted.Slug, "slug", "", "short name: lower-case letters, digits and hyphens")
	cmd.Flags().StringVar(&wanted.Type, "type", "", "digital_health, pharmaceuticals, or a kind of your own")
	cmd.Flags().StringVar(&owner, "owner", "", "e-mail address of the user who owns it")
	cmd.Flags().StringVar(&wanted.Key, "key", "", "stable key for imports; without it, the slug")
	cmd.Flags().StringVar(&wanted.Tier, "tier", "standard", "free, standard, professional or enterprise")
	cmd.Flags().StringVar(&parent, "parent", "", "tenant it is part of, by slug or id")
	cmd.Flags().StringVar(&wanted.Template, "template", "", "template to start with; without it, that of the type")
	cmd.Flags().BoolVar(&wanted.Pending, "pending", false, "have it await approval")
	cmd.Flags().StringVar(&wanted.Reason, "reason", "", "why, for the audit log")
	from.register(cmd.Flags())
	return cmd
}

func (a *app) tenantCreate(ctx context.Context, wanted tenant.NewOrganization, owner, parent string) error {
	var id uuid.UUID
	err := a.asService(ctx, "OrganizationCreate", func(tx pgx.Tx) (err error) {
		if wanted.Owner, err = tenant.FindUser(ctx, tx, owner); err != nil {
			return err
		}
		if parent != "" {
			found, err := tenant.FindTenant(ctx, tx, parent)
			if err != nil {
				return err
			}
			wanted.Parent = &found
		}
		id, err = tenant.CreateOrganization(ctx, tx, wanted)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "tenant %s made: %s\n", wanted.Slug, id)
	return nil
}

func (a *app) tenantMoveCommand(action, short string) *cobra.Command {
	var reason, by string
	var yes bool
	cmd := &cobra.Command{
		Use: action + " TENANT --reason REASON", Short: short, Args: exactly("a tenant's slug or id"),
		Long: short + ". A tenant goes from pending to active, between active\nand suspended, and from suspended to archived.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			if action == "archive" && !yes {
				if err := a.confirm(fmt.Sprintf("Archive %s for good? This cannot be undone.", args[0])); err != nil {
					return err
				}
			}
			var state string
			err := a.inTenant(cmd.Context(), "OrganizationMove", args[0], func(tx pgx.Tx, id uuid.UUID) (err error) {
				if by != "" {
					if err := tenant.ActFor(cmd.Context(), tx, by); err != nil {
						return err
					}
				}
				state, err = tenant.ChangeState(cmd.Context(), tx, id, action, reason)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "tenant %s is %s\n", args[0], a.paintWord(state))
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	cmd.Flags().StringVar(&by, "by", "", "super admin in whose name, by address or id; without it the audit log has the login alone")
	if action == "archive" {
		cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	}
	return cmd
}
