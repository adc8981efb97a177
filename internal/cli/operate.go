package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// asService runs fn in one transaction as service_role on the database the command works on.
func (a *app) asService(ctx context.Context, name string, fn func(pgx.Tx) error) error {
	return a.withTarget(ctx, func(t *target) error {
		service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
		if err != nil {
			return err
		}
		defer service.Close()
		return service.AsService(ctx, name, fn)
	})
}

// inTenant is asService where the command names a tenant, which is looked up first.
func (a *app) inTenant(ctx context.Context, name, reference string, fn func(tx pgx.Tx, tenantID uuid.UUID) error) error {
	if reference == "" {
		return fault.New(fault.Usage, "This takes a tenant.", "Name one with --tenant SLUG.")
	}
	return a.asService(ctx, name, func(tx pgx.Tx) error {
		id, err := tenant.FindTenant(ctx, tx, reference)
		if err != nil {
			return err
		}
		return fn(tx, id)
	})
}

// niceRatioFlag is of commands that go through the whole of a tenant.
const niceRatioFlag = "nice-ratio"

func registerNiceRatio(cmd *cobra.Command) {
	cmd.Flags().Float64(niceRatioFlag, postgres.DefaultNiceRatio, "rest that many times as long as each statement took, so that others notice little; 0 for never")
}

// takeNiceRatio notes how a command's connections rest, where it says so.
func (a *app) takeNiceRatio(cmd *cobra.Command) error {
	if cmd.Flags().Lookup(niceRatioFlag) == nil {
		return nil
	}
	ratio, err := cmd.Flags().GetFloat64(niceRatioFlag)
	if err != nil || !(ratio >= 0 && ratio <= 1000) { // nor NaN
		return fault.New(fault.Usage, "--"+niceRatioFlag+" is a number from 0 to 1000.", fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	}
	a.niceRatio = ratio
	return nil
}

// exactly refuses any other number of arguments as a usage error that names what is wanted.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return fault.New(fault.Usage, fmt.Sprintf("%q takes %s.", cmd.CommandPath(), strings.Join(names, " and ")),
			fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	}
}

// needReason refuses an empty --reason.
func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fault.New(fault.Usage, "This takes a reason; the audit log keeps it.", `Give one with --reason "…".`)
	}
	return nil
}

// confirm asks before something that cannot be undone. Where nobody can answer, it refuses.
func (a *app) confirm(question string) error {
	in, ok := a.streams.In.(*os.File)
	if !ok || !isTerminal(in) {
		return fault.New(fault.Usage, question+" Nobody is there to ask.", "Say --yes where it is meant.")
	}
	fmt.Fprintf(a.streams.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read answer: %w", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return fault.New(fault.RequestCancelled, "Nothing was changed.", "Answer y to go on.")
	}
	return nil
}

// paintWord colours a state or a status for its weight.
func (a *app) paintWord(word string) string {
	switch word {
	case "active", "HEALTHY", "assigned":
		return paint(a.streams.Out, green, word)
	case "pending", "suspended", "invited", "DEGRADED", "DEPRECATED", "deprecated", "off":
		return paint(a.streams.Out, amber, word)
	case "archived", "UNHEALTHY":
		return paint(a.streams.Out, red, word)
	default:
		return paint(a.streams.Out, dim, word)
	}
}

// orDash is what a table shows for nothing.
// atMost takes one argument or none.
func atMost(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return fault.New(fault.Usage, fmt.Sprintf("%q takes %s, or none.", cmd.CommandPath(), name), fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	}
}

func orDash[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}

func yesNo(value bool) string {
	if value {
		return "yes"
	}
	return "no"
}
