package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// perfExplainFlags say whose statement is explained, and what of it.
type perfExplainFlags struct {
	explainFlags
	timeout time.Duration
	runs    int
	inner   bool
}

// maxRuns bounds --runs.
const maxRuns = 100

func (a *app) perfExplainCommand() *cobra.Command {
	var flags perfExplainFlags
	cmd := &cobra.Command{
		Use:   "explain context|QUERY --as USER",
		Short: "Run a statement as somebody's requests do, and show what the database did, what policies add, and what it cost",
		Long: "Runs EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS) of a statement with the caller's role and identity, under their\n" +
			"policies, and shows its plan: rows expected and met, time and share of each step, and which conditions are the\n" +
			"policies'. context is the statement by which a server reads the user's context, with the plans of the statements within\n" +
			"its functions. QUERY is one SELECT, INSERT, UPDATE, DELETE or MERGE, or - for standard input.\n\n" +
			"A SELECT is then timed in turns with the same identity in a role that no policy binds. A write is not: it would lock\n" +
			"rows of other tenants. All of it happens in one transaction that is rolled back; sequences alone keep what was drawn.\n" +
			"It takes an operator's login. Plans within functions take a superuser's.\n\n" +
			"In a database without VITAL, --role and --set say who asks: --set request.jwt.claims='{\"sub\":\"…\"}'.",
		Example: "  vital perf explain context --as ada@digital-health.vital.test\n" +
			"  vital perf explain \"select name from agents order by name\" --as dana@pharma.vital.test --tenant digital-health\n" +
			"  vital perf explain - --as ben@digital-health.vital.test --json <query.sql",
		Args: exactly("the word context, a statement, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := parseSettings(flags.settings)
			if err != nil {
				return err
			}
			if flags.timeout < time.Millisecond || flags.runs < 0 || flags.runs > maxRuns {
				return fault.New(fault.Usage, "--timeout or --runs is out of range.", fmt.Sprintf("A timeout is at least 1ms; runs are 0 to %d.", maxRuns))
			}
			q := perf.Question{Text: args[0], Settings: settings, Timeout: flags.timeout, Runs: flags.runs}
			if err := a.readStatement(&q); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.perfExplain(cmd.Context(), t, q, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.as, "as", "", "who asks: a user's e-mail address or id, or anon")
	cmd.Flags().StringVar(&flags.tenant, "tenant", "", "tenant they act in, by slug or id; without it, the user's default")
	cmd.Flags().StringVar(&flags.role, "role", "", "database role, authenticated unless --as anon")
	cmd.Flags().StringArrayVar(&flags.settings, "set", nil, "name=value of a setting that policies read; may be repeated")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 30*time.Second, "bound of each run")
	cmd.Flags().IntVar(&flags.runs, "runs", 5, "how often it is timed with and without policies; 0 for not at all")
	cmd.Flags().BoolVar(&flags.inner, "inner", false, "show the plans of the statements within functions, too; of context they are shown always")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// contextWord stands for the statement by which a server reads a context.
const contextWord = "context"

// readStatement fills in the statement, and refuses what is none before any database is asked.
func (a *app) readStatement(q *perf.Question) error {
	switch q.Text {
	case contextWord:
		q.Text, q.Args = tenant.ContextStatement()
		return nil
	case "-":
		text, err := io.ReadAll(io.LimitReader(a.streams.In, 1<<20))
		if err != nil {
			return fmt.Errorf("read statement: %w", err)
		}
		q.Text = string(text)
	}
	_, err := perf.ParseStatement(q.Text)
	return err
}

func (a *app) perfExplain(ctx context.Context, t *target, q perf.Question, flags perfExplainFlags) error {
	notices := &perf.Notices{}
	config, err := pgx.ParseConfig(t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.ConfigInvalid, "The database URL cannot be read.", "It has the form postgres://user:password@host:port/database.")
	}
	config.OnNotice = notices.Take
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))

	var who isolation.Question
	if err := a.resolveCaller(ctx, conn, t, &who, flags.explainFlags); err != nil {
		return err
	}
	q.Caller, q.Notices = who.Caller, notices
	if who.Tenant != uuid.Nil {
		q.Tenant = who.Tenant.String()
	}
	isContext := len(q.Args) > 0
	q.Member = !isContext && q.Caller.UserID != uuid.Nil // the context's function says itself who is none
	if isContext {
		if err := requireVital(ctx, conn); err != nil {
			return err
		}
	}
	explained, err := perf.Explain(ctx, conn, q)
	if err != nil {
		return err
	}
	if flags.asJSON {
		return a.printJSON(explained)
	}
	a.printQueryPlan(explained, flags, isContext)
	return nil
}

func requireVital(ctx context.Context, conn *pgx.Conn) error {
	var ours bool
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		ours, err = postgres.VerifiesIdentity(ctx, tx)
		return err
	})
	if err == nil && !ours {
		return fault.New(fault.Usage, "This database has no VITAL, and so no context.", "Give the statement itself.")
	}
	return err
}
