package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// explainFlags say who asks for what.
type explainFlags struct {
	as, tenant, command, role string
	settings                  []string
	asJSON                    bool
}

func (a *app) rlsExplainCommand() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain TABLE ROW --as USER",
		Short: "Say why somebody may or may not see or change a row: each policy, its value, and what decided",
		Long: "Becomes the caller as a request does, evaluates each policy of the table on that very row with the caller's rights,\n" +
			"and says what decided. Then it runs the command itself on the row, as the caller, and compares. All of it happens in\n" +
			"one transaction that is rolled back. It takes an operator's login: the row is found behind the policies.\n\n" +
			"ROW is the row's id, or column=value,column=value. --command insert asks whether the caller could insert this very row.\n" +
			"In a database without VITAL, --role and --set say who asks: --set request.jwt.claims='{\"sub\":\"…\"}'.",
		Example: "  vital rls explain agents 3b1f… --as ada@digital-health.vital.test\n" +
			"  vital rls explain agents tenant_id=…,id=… --as dana@pharma.vital.test --tenant digital-health --command update",
		Args: exactly("a table", "a row"),
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := parseSettings(flags.settings)
			if err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error {
				return a.rlsExplain(cmd.Context(), t, isolation.Question{Table: args[0], Row: args[1], Command: flags.command, Settings: settings}, flags)
			})
		},
	}
	cmd.Flags().StringVar(&flags.as, "as", "", "who asks: a user's e-mail address or id, or anon")
	cmd.Flags().StringVar(&flags.tenant, "tenant", "", "tenant they act in, by slug or id; without it, the user's default")
	cmd.Flags().StringVar(&flags.command, "command", "select", "select, insert, update or delete")
	cmd.Flags().StringVar(&flags.role, "role", "", "database role, authenticated unless --as anon")
	cmd.Flags().StringArrayVar(&flags.settings, "set", nil, "name=value of a setting that policies read; may be repeated")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func parseSettings(given []string) ([]postgres.Setting, error) {
	var settings []postgres.Setting
	for _, one := range given {
		name, value, isPair := strings.Cut(one, "=")
		if !isPair || name == "" {
			return nil, fault.New(fault.Usage, fmt.Sprintf("--set %s is not name=value.", one), "Say for example --set app.tenant_id=42.")
		}
		settings = append(settings, postgres.Setting{Name: name, Value: value})
	}
	return settings, nil
}

func (a *app) rlsExplain(ctx context.Context, t *target, q isolation.Question, flags explainFlags) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := a.resolveCaller(ctx, conn, t, &q, flags); err != nil {
		return err
	}
	explained, err := isolation.Explain(ctx, conn, q)
	if err != nil {
		return err
	}
	if flags.asJSON {
		err = a.printJSON(explained)
	} else {
		a.printExplanation(explained)
	}
	if err != nil || explained.Trial.Agreement != "disagrees" {
		return err
	}
	hint := "Please report it with the output above and the table's policies."
	if len(explained.Trial.Triggers) > 0 {
		hint = "A trigger may change the row before the policies are asked: " + strings.Join(explained.Trial.Triggers, ", ") + ". If none does, please report it."
	}
	return fault.New(fault.Internal, fmt.Sprintf("The policies say %s, the command itself was %s.", verdictWord(explained), explained.Trial.Outcome), hint)
}

// resolveCaller finds the user and the tenant that are named.
func (a *app) resolveCaller(ctx context.Context, conn *pgx.Conn, t *target, q *isolation.Question, flags explainFlags) error {
	var ours bool
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		ours, err = postgres.VerifiesIdentity(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	q.Caller.Role = identity.Authenticated
	if flags.as == "anon" {
		q.Caller = identity.Anonymous()
	}
	if flags.role != "" {
		q.Caller.Role = identity.Role(flags.role)
	}
	switch named := flags.as != "" && flags.as != "anon" || flags.tenant != ""; {
	case !ours && named:
		return fault.New(fault.Usage, "This database has no VITAL, so it knows no user and no tenant of that name.",
			"Say who asks with --role and --set name=value.")
	case ours && flags.as == "" && flags.role == "":
		return fault.New(fault.Usage, "This takes somebody who asks.", "Name one with --as EMAIL, or --as anon.")
	case !named:
		return nil
	}
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return err
	}
	defer service.Close()
	return service.AsService(ctx, "ExplainCaller", func(tx pgx.Tx) (err error) {
		if flags.as != "" && flags.as != "anon" {
			if q.Caller.UserID, err = tenant.FindUserByReference(ctx, tx, flags.as); err != nil {
				return err
			}
		}
		if flags.tenant != "" {
			q.Tenant, err = tenant.FindTenant(ctx, tx, flags.tenant)
		}
		return err
	})
}

// verdictWord is the verdict in a word.
func verdictWord(e *isolation.Explanation) string {
	switch {
	case e.Command == "select" && e.Verdict.Allowed:
		return "visible"
	case e.Command == "select":
		return "not visible"
	case e.Verdict.Allowed:
		return "allowed"
	}
	return "not allowed"
}

// explainLine prints one line under the name of what it says.
func (a *app) explainLine(name, format string, args ...any) {
	fmt.Fprintf(a.streams.Out, "%s%s\n", paint(a.streams.Out, dim, fmt.Sprintf("%-11s", name)), fmt.Sprintf(format, args...))
}

func (a *app) printExplanation(e *isolation.Explanation) {
	line := a.explainLine
	key := make([]string, len(e.Key))
	for i, k := range e.Key {
		key[i] = k.Column + "=" + k.Value
	}
	line("row", "%s %s", paint(a.streams.Out, bold, e.Table), strings.Join(key, ","))
	if e.RowTenant != nil {
		line("", "of tenant %s", e.RowTenant.Slug)
	}
	line("command", "%s", e.Command)
	line("caller", "%s", describeCaller(e.Caller))
	for _, s := range e.Caller.Settings {
		line("", "%s = %s", s.Name, s.Value)
	}
	switch p := e.Privilege; {
	case !p.Granted:
		line("privilege", "%s  %s", paint(a.streams.Out, red, "missing"), p.Missing)
	case len(p.Columns) > 0:
		line("privilege", "%s  on the columns %s", paint(a.streams.Out, green, "granted"), strings.Join(p.Columns, ", "))
	default:
		line("privilege", "%s", paint(a.streams.Out, green, "granted"))
	}
	line("security", "%s", describeSecurity(e.RowSecurity))
	policies := slices.Clone(e.Policies)
	slices.SortStableFunc(policies, func(one, other isolation.ExplainedPolicy) int { // those that are asked first
		return strings.Compare(yesNo(other.Applies), yesNo(one.Applies))
	})
	for i, p := range policies {
		a.printPolicy(map[bool]string{true: "policies"}[i == 0], p)
	}
	if len(policies) == 0 {
		line("policies", "none")
	}
	a.printVerdict(e)
}

func (a *app) printVerdict(e *isolation.Explanation) {
	line := a.explainLine
	fmt.Fprintln(a.streams.Out)
	colour := red
	if e.Verdict.Allowed {
		colour = green
	}
	line("verdict", "%s: %s", paint(a.streams.Out, colour, verdictWord(e)), e.Verdict.Reason)
	for _, note := range e.Verdict.Notes {
		line("", "%s", note)
	}
	tried := e.Trial.Outcome
	switch {
	case e.Trial.Error != "" && tried == "allowed":
		tried += ", then stopped by a constraint: " + e.Trial.Error
	case e.Trial.Error != "":
		tried += ": " + e.Trial.Error
	}
	colour = map[string]string{"agrees": green, "disagrees": red, "inconclusive": amber}[e.Trial.Agreement]
	line("tried", "%s (%s, and undone)", tried, paint(a.streams.Out, colour, e.Trial.Agreement))
}

func describeCaller(c isolation.ExplainedCaller) string {
	if c.UserID == nil {
		return "role " + string(c.Role)
	}
	text := fmt.Sprintf("%s (%s), role %s", c.Email, c.UserID, c.Role)
	if c.SuperAdmin {
		text += ", super admin"
	}
	if c.Tenant == nil {
		return text + ", in no tenant"
	}
	text += fmt.Sprintf(", in tenant %s (%s)", c.Tenant.Slug, c.Tenant.State)
	switch {
	case c.Tenant.Role == "":
		text += ", no member of it"
	case c.Tenant.Status != "active":
		text += fmt.Sprintf(" as %s (%s)", c.Tenant.Role, c.Tenant.Status)
	default:
		text += " as " + c.Tenant.Role
	}
	return text
}

func describeSecurity(r isolation.RowSecurity) string {
	switch {
	case !r.Applies:
		return "not asked: " + r.Why
	case r.Forced:
		return "enabled, forced"
	}
	return "enabled, not forced on the owner"
}

func (a *app) printPolicy(name string, p isolation.ExplainedPolicy) {
	kind := "permissive"
	if !p.Permissive {
		kind = "restrictive"
	}
	head := fmt.Sprintf("%s  %s for %s to %s", p.Name, kind, p.Command, strings.Join(p.Roles, ", "))
	name = fmt.Sprintf("%-11s", name)
	if !p.Applies {
		fmt.Fprintln(a.streams.Out, paint(a.streams.Out, dim, fmt.Sprintf("%s- %s; not asked: %s", name, head, p.Why)))
		return
	}
	fmt.Fprintf(a.streams.Out, "%s* %s\n", paint(a.streams.Out, dim, name), head)
	for _, c := range p.Clauses {
		fmt.Fprintf(a.streams.Out, "             %s %s %s\n", a.truth(c.Value), c.Kind, paint(a.streams.Out, dim, "("+c.Step+")"))
		a.printPart(c.ClausePart, "               ")
	}
}

func (a *app) printPart(p isolation.ClausePart, indent string) {
	if p.Operator != "" {
		for i, inner := range p.Parts {
			joint := ""
			if i > 0 {
				joint = p.Operator + " "
			}
			fmt.Fprintf(a.streams.Out, "%s%s%s\n", indent, joint, a.truth(inner.Value))
			a.printPart(inner, indent+"  ")
		}
		return
	}
	fmt.Fprintf(a.streams.Out, "%s%s\n", indent, p.Expression)
	if p.Error != "" {
		fmt.Fprintf(a.streams.Out, "%s  %s\n", indent, paint(a.streams.Out, red, p.Error))
	}
	for _, t := range p.Terms {
		values := make([]string, len(t.Values))
		for i, v := range t.Values {
			values[i] = "null"
			if v != nil {
				values[i] = *v
			}
		}
		if t.More {
			values = append(values, "…")
		}
		if len(values) == 0 {
			values = []string{"no row"}
		}
		fmt.Fprintf(a.streams.Out, "%s  %s = %s\n", indent, t.Expression, paint(a.streams.Out, bold, strings.Join(values, ", ")))
	}
}

func (a *app) truth(value isolation.Truth) string {
	colour := amber
	switch value {
	case isolation.True:
		colour = green
	case isolation.False, isolation.Null, isolation.Failed:
		colour = red
	case isolation.Unknown:
	}
	return paint(a.streams.Out, colour, fmt.Sprintf("%-5s", value))
}
