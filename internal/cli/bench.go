package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/signin"
)

func (a *app) benchCommand() *cobra.Command {
	return group("bench", "Fill a database with generated tenants, and ask a running server for what their users would",
		a.benchLoadCommand(), a.benchRunCommand())
}

// benchLoadFlags are those of `vital bench load`.
type benchLoadFlags struct {
	population.Shape

	password                    string
	beside, remove, yes, asJSON bool
}

func (a *app) benchLoadCommand() *cobra.Command {
	f := benchLoadFlags{Shape: population.Shape{Recorded: true}}
	cmd := &cobra.Command{
		Use: "load", Short: "Fill a database with generated tenants, or take them away again", Args: noArguments,
		Long: "Copies generated tenants into the database, with members, apps, flags, overrides, agents and prompts, as they would be if they\n" +
			"had been made one by one; the audit log says of each that it was generated. Ids are computed from numbers: tenant 7 is\n" +
			"always the same. The first member of a tenant is its admin, and a member of the next one as well.\n\n" +
			"It takes a login that may turn triggers off, as a superuser may. A database that has tenants other than the demo's is\n" +
			"refused unless --beside says that it is meant. What was broken off goes on where it was with the same numbers.",
		Example: "  vital bench load --tenants 100000\n  vital bench load --remove",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.benchLoad(cmd.Context(), t, &f) })
		},
	}
	set := cmd.Flags()
	set.IntVar(&f.Tenants, "tenants", 10_000, "how many tenants")
	set.IntVar(&f.Members, "members", 2, "members of each tenant")
	set.IntVar(&f.Apps, "apps", 4, "apps of each tenant")
	set.IntVar(&f.Flags, "flags", 20, "feature flags, of all tenants")
	set.IntVar(&f.Overrides, "overrides", 3, "flags each tenant overrides")
	set.IntVar(&f.Agents, "agents", 2, "agents of each tenant")
	set.IntVar(&f.Prompts, "prompts", 5, "prompts of each tenant")
	set.StringVar(&f.password, "password", "", "password of every member's account; without it nobody can sign in with one")
	set.BoolVar(&f.beside, "beside", false, "load beside tenants that are not generated")
	set.BoolVar(&f.remove, "remove", false, "take the generated tenants away, with all that was written for them")
	set.BoolVar(&f.yes, "yes", false, "with --remove: do not ask")
	set.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

// benchLoaded is what `vital bench load` has done.
type benchLoaded struct {
	Tenants int               `json:"tenants"` // that are there now
	Changed int               `json:"changed"` // that were made or taken away
	Seconds float64           `json:"seconds"`
	Shape   *population.Shape `json:"shape,omitempty"`
}

// benchLoad fills t's database.
func (a *app) benchLoad(ctx context.Context, t *target, f *benchLoadFlags) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := population.Find(ctx, conn)
	if err != nil {
		return err
	}
	if f.remove {
		return a.benchRemove(ctx, conn, f, found)
	}
	if found.Others > 0 && !f.beside {
		return fault.New(fault.StateConflict, fmt.Sprintf("This database has %s of its own.", plural(found.Others, "tenant")),
			"Load into a database of its own; --beside says that it is meant.")
	}
	if f.password != "" {
		if f.PasswordHash, err = signin.HashPassword(f.password); err != nil {
			return err
		}
	}
	told := a.pace("loading", found.Generated, f.Tenants)
	defer a.clearProgress()
	began := time.Now()
	if err := population.Load(ctx, conn, f.Shape, told); err != nil {
		return err
	}
	a.progress("")("taking statistics")
	if err := population.Settle(ctx, conn); err != nil {
		return err
	}
	a.clearProgress()
	done := benchLoaded{Tenants: f.Tenants, Changed: f.Tenants - found.Generated, Seconds: time.Since(began).Seconds(), Shape: &f.Shape}
	if f.asJSON {
		return a.printJSON(done)
	}
	fmt.Fprintf(a.streams.Out, "%s loaded in %s, %s in all; `vital bench run` asks for them, `vital bench load --remove` takes them away\n",
		plural(done.Changed, "tenant"), time.Since(began).Round(100*time.Millisecond), plural(done.Tenants, "tenant"))
	return nil
}

func (a *app) benchRemove(ctx context.Context, conn *pgx.Conn, f *benchLoadFlags, found population.Standing) error {
	if found.Shape == nil {
		if found.Generated > 0 {
			return fault.New(fault.StateConflict, "Generated tenants are there whose shape is not known.", "Load into another database.")
		}
		if f.asJSON {
			return a.printJSON(benchLoaded{})
		}
		fmt.Fprintln(a.streams.Out, "no generated tenants are there")
		return nil
	}
	if !f.yes {
		if err := a.confirm(fmt.Sprintf("Take %s away, with all that was written for them?", plural(found.Generated, "generated tenant"))); err != nil {
			return err
		}
	}
	told := a.pace("taking away", 0, found.Shape.Tenants)
	defer a.clearProgress()
	began := time.Now()
	if err := population.Remove(ctx, conn, found, func(left int) { told(found.Shape.Tenants - left) }); err != nil {
		return err
	}
	if err := population.Settle(ctx, conn); err != nil {
		return err
	}
	a.clearProgress()
	done := benchLoaded{Changed: found.Generated, Seconds: time.Since(began).Seconds()}
	if f.asJSON {
		return a.printJSON(done)
	}
	fmt.Fprintf(a.streams.Out, "%s taken away in %s\n", plural(done.Changed, "tenant"), time.Since(began).Round(100*time.Millisecond))
	return nil
}

// pace tells how many of all are done, how many that is a second, and how long the rest will take.
func (a *app) pace(what string, already, all int) func(done int) {
	began, progress := time.Now(), a.progress(what)
	return func(done int) {
		rate := float64(done-already) / time.Since(began).Seconds()
		if rate <= 0 {
			return
		}
		left := time.Duration(float64(all-done) / rate * float64(time.Second))
		progress(fmt.Sprintf("%d of %s, %.0f a second, %s left", done, plural(all, "tenant"), rate, left.Round(time.Second)))
	}
}
