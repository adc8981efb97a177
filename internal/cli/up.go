package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
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
	greeting := greeting{demo: demo}
	if demo {
		if greeting.passwords, err = a.makeDemo(ctx, t); err != nil {
			return errors.Join(err, t.close(ctx))
		}
	}
	if a.config.JWKSURL == "" {
		if greeting.anonKey, err = a.defaultKey(ctx, t, identity.Anon); err != nil {
			return errors.Join(err, t.close(ctx))
		}
	}
	err = a.serve(ctx, t, listener, func(address string) {
		a.log.Info("ready", "took", time.Since(started), "first_start", t.private.Initialised())
		a.welcome(address, greeting)
	})
	return errors.Join(err, t.close(ctx))
}

// demoUsers are those of tenant.CreateDemo, and what they are.
var demoUsers = [][2]string{
	{"ada@digital-health.vital.test", "admin of digital-health"},
	{"ben@digital-health.vital.test", "member of digital-health"},
	{"cyd@pharma.vital.test", "admin of pharma"},
	{"dana@pharma.vital.test", "member of pharma and of digital-health"},
	{"admin@platform.vital.test", "super admin of the platform"},
}

// makeDemo makes the demo tenants and users. It returns the passwords of those who had none: all at the
// first start, none later.
func (a *app) makeDemo(ctx context.Context, t *target) (map[string]string, error) {
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return nil, err
	}
	defer service.Close()
	err = service.AsService(ctx, "DemoCreate", func(tx pgx.Tx) error { return tenant.CreateDemo(ctx, tx) })
	if err != nil || a.config.JWKSURL != "" {
		return nil, err
	}
	emails := make([]string, len(demoUsers))
	for i, user := range demoUsers {
		emails[i] = user[0]
	}
	return signin.GivePasswords(ctx, service, emails)
}

// greeting is what up has to say once it serves.
type greeting struct {
	demo      bool
	passwords map[string]string
	anonKey   string // "" where an external issuer rules
}

// welcome prints the address and what to try next.
func (a *app) welcome(address string, g greeting) {
	out := a.streams.Out
	fmt.Fprintf(out, "ready %s\n", address)
	vital := os.Args[0]
	if a.config.DataDir != defaultDataDir(env.ToMap(a.environ)) {
		vital += " --data-dir " + a.config.DataDir
	}
	if g.demo {
		fmt.Fprintln(out)
		a.printDemoUsers(g.passwords)
		if len(g.passwords) == 0 && g.anonKey != "" {
			fmt.Fprintf(out, "\nTheir passwords were printed at the first start. Make another: %s user password EMAIL\n", vital)
		}
	}
	if g.anonKey != "" {
		fmt.Fprintf(out, `
Sign in to the console at %[1]s/console/, or with supabase-js:

  const supabase = createClient('%[1]s', '%[2]s')
  await supabase.auth.signInWithPassword({ email, password })
`, address, g.anonKey)
	}
	if g.demo {
		fmt.Fprintf(out, `
Or try it with a token, in another terminal:

  TOKEN=$(%s token --user ada@digital-health.vital.test)
  curl -s -H "Authorization: Bearer $TOKEN" %s/v1/context
`, vital, address)
	}
	fmt.Fprint(out, "\nCtrl-C stops the server and its Postgres.\n")
}

// printDemoUsers prints who there is, with the passwords that were made just now.
func (a *app) printDemoUsers(passwords map[string]string) {
	header := []string{"demo user", "password", "is"}
	if len(passwords) == 0 {
		header = []string{"demo user", "is"}
	}
	rows := make([][]string, len(demoUsers))
	for i, user := range demoUsers {
		rows[i] = []string{user[0], user[1]}
		if len(passwords) > 0 {
			rows[i] = []string{user[0], cmp.Or(passwords[user[0]], "(as before)"), user[1]}
		}
	}
	a.printTable(header, rows)
}
