package cli

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

func (a *app) dbCommand() *cobra.Command {
	return group("db", "Reach the database as its operator",
		&cobra.Command{
			Use: "url", Short: "Print the operator's database address, password included", Args: noArguments,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return a.withTarget(cmd.Context(), func(t *target) error {
					fmt.Fprintln(a.streams.Out, t.operatorURL)
					return nil
				})
			},
		},
		&cobra.Command{
			Use: "psql [-- ARGS…]", Short: "Open psql on the database as its operator",
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.withTarget(cmd.Context(), func(t *target) error { return a.psql(cmd.Context(), t, args) })
			},
		},
	)
}

// withTarget runs fn with the database open, and stops a private server that was started for it.
func (a *app) withTarget(ctx context.Context, fn func(*target) error) (err error) {
	t, err := a.openTarget(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closed := t.close(ctx); err == nil {
			err = closed
		}
	}()
	t.niceRatio = a.niceRatio
	return fn(t)
}

func (a *app) psql(ctx context.Context, t *target, args []string) error {
	program := "psql"
	if bin, err := localpg.FindBinDir(a.config.PGBin); err == nil {
		if found, err := exec.LookPath(filepath.Join(bin, "psql")); err == nil {
			program = found
		}
	}
	address, err := url.Parse(t.operatorURL)
	if err != nil {
		return fmt.Errorf("parse operator url: %w", err)
	}
	// The password goes by the environment: arguments are visible to every user of the machine.
	password, _ := address.User.Password()
	address.User = url.User(address.User.Username())
	psql := exec.CommandContext(ctx, program, append([]string{address.String()}, args...)...)
	psql.Env = append(slices.Clone(a.environ), "PGPASSWORD="+password)
	psql.Stdin, psql.Stdout, psql.Stderr = a.streams.In, a.streams.Out, a.streams.Err
	if err := psql.Run(); err != nil {
		return fault.Wrap(err, fault.Internal, "psql ended with an error.", "Its own message stands above; is psql installed (postgresql-client)?")
	}
	return nil
}
