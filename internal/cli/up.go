package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) upCommand() *cobra.Command {
	var listen string
	var noDemo bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a private Postgres, migrate it, make three demo tenants, and serve",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.up(cmd.Context(), listen, !noDemo)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address to serve on (VITAL_LISTEN, default 127.0.0.1:8080)")
	cmd.Flags().BoolVar(&noDemo, "no-demo", false, "make no demo tenants")
	return cmd
}

// up is the whole product on one machine.
func (a *app) up(ctx context.Context, listen string, demo bool) error {
	started := time.Now()
	listener, err := a.listen(ctx, listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	t, err := a.privateTarget(ctx, localpg.Open)
	if err != nil {
		if isDone(ctx, err) {
			return nil
		}
		return err
	}
	if demo {
		if err := makeDemo(ctx, t); err != nil {
			return errors.Join(err, t.close(ctx))
		}
	}
	err = a.serve(ctx, t, listener, func(address string) {
		a.log.Info("ready", "took", time.Since(started), "first_start", t.private.Initialised())
		a.welcome(address, demo)
	})
	return errors.Join(err, t.close(ctx))
}

func makeDemo(ctx context.Context, t *target) error {
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return err
	}
	defer service.Close()
	return service.AsService(ctx, "DemoCreate", func(tx pgx.Tx) error { return tenant.CreateDemo(ctx, tx) })
}

// welcome prints the address and what to try next.
func (a *app) welcome(address string, demo bool) {
	out := a.streams.Out
	fmt.Fprintf(out, "ready %s\n", address)
	if !demo {
		return
	}
	vital := os.Args[0]
	if a.config.DataDir != defaultDataDir(env.ToMap(a.environ)) {
		vital += " --data-dir " + a.config.DataDir
	}
	fmt.Fprintf(out, `
Sign in as a demo user by a token, in another terminal:

  TOKEN=$(%s token --user ada@digital-health.vital.test)
  curl -s -H "Authorization: Bearer $TOKEN" %s/v1/context

  ada@digital-health.vital.test   admin of digital-health
  ben@digital-health.vital.test   member of digital-health
  cyd@pharma.vital.test           admin of pharma
  dana@pharma.vital.test          member of pharma and of digital-health: add -H "Vital-Tenant: digital-health"
  admin@platform.vital.test       super admin of the platform

Ctrl-C stops the server and its Postgres.
`, vital, address)
}
