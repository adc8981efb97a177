package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
)

// reloadChannel is what is notified when the schema has changed, as for PostgREST.
const reloadChannel = "pgrst"

// restFlags are those of vital rest.
type restFlags struct {
	listen, basePath, anonymous, secret, audience, txEnd string
	preRequest, rootFunction                             string
	schemas, searchPath                                  []string
	aggregates, plans, timing                            bool
	maxRows                                              int64
}

func (a *app) restCommand() *cobra.Command {
	var f restFlags
	cmd := &cobra.Command{
		Use:   "rest --database-url U --schemas A,B --anon-role R --jwt-secret S",
		Short: "Serve the PostgREST dialect alone over any database",
		Long: "Serves a database's schemas as PostgREST does: the role a token names, its claims in request.jwt.claims,\n" +
			"and the database's own policies. The login of --database-url must be allowed to become the roles. Nothing is\n" +
			"sealed: VITAL's own tenants are served by `vital serve`.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveDialect(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "", "address to serve on (VITAL_LISTEN, default 127.0.0.1:8080)")
	flags.StringVar(&f.basePath, "base-path", "/", "path the dialect begins at")
	flags.StringSliceVar(&f.schemas, "schemas", []string{"public"}, "schemas to expose; the first serves requests that name none")
	flags.StringSliceVar(&f.searchPath, "extra-search-path", []string{"public"}, "further schemas to look names up in")
	flags.StringVar(&f.anonymous, "anon-role", "", "role of requests without a token; without it they are refused")
	flags.StringVar(&f.secret, "jwt-secret", "", "secret that verifies tokens (VITAL_JWT_SECRET)")
	flags.StringVar(&f.audience, "jwt-aud", "", "audience that tokens with one must name")
	flags.StringVar(&f.txEnd, "tx-end", "commit", "commit, commit-allow-override, rollback or rollback-allow-override")
	flags.StringVar(&f.preRequest, "pre-request", "", "function to call at the start of every transaction, as schema.name")
	flags.StringVar(&f.rootFunction, "root-function", "", "function that answers at the root instead of the description")
	flags.BoolVar(&f.aggregates, "aggregates", false, "allow aggregate functions in select")
	flags.BoolVar(&f.plans, "plans", false, "answer application/vnd.pgrst.plan with execution plans")
	flags.BoolVar(&f.timing, "server-timing", false, "send Server-Timing")
	flags.Int64Var(&f.maxRows, "max-rows", 0, "most rows of an answer, and of each relation embedded; 0 is no bound")
	return cmd
}

func (a *app) serveDialect(ctx context.Context, f restFlags) error {
	config, err := f.config()
	if err != nil {
		return err
	}
	if a.config.DatabaseURL == "" {
		return fault.New(fault.Usage, "This serves a database of your own.", "Name it with --database-url.")
	}
	if f.secret == "" {
		f.secret = a.config.JWTSecret
	}
	listener, err := a.listen(ctx, f.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	a.tuneCollector()
	db, err := postgres.OpenPlain(ctx, postgres.Config{URL: a.config.DatabaseURL, MaxConns: a.config.DatabaseConns, Log: a.log})
	if err != nil {
		return err
	}
	defer db.Close()
	config.ReadCatalog, config.Log = db.Read, a.log
	engine := rest.New(config)
	if err := engine.Load(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	defer stop()
	go engine.Follow(background)
	go db.Listen(background, reloadChannel, func(string) { engine.Reload() }, func(time.Time) {}, func() {})
	server := httpapi.NewHTTPServer(httpapi.NewDialect(httpapi.DialectConfig{
		Engine: engine, DB: db, BasePath: f.basePath, Log: a.log,
		Tokens: rest.NewTokenVerifier([]byte(f.secret), f.audience, f.anonymous),
	}))
	fmt.Fprintf(a.streams.Out, "ready http://%s\n", listener.Addr())
	return a.serveUntilDone(ctx, server, listener)
}

// config checks the flags against each other.
func (f *restFlags) config() (rest.Config, error) {
	config := rest.Config{
		Schemas: f.schemas, SearchPath: f.searchPath, Aggregates: f.aggregates, Plans: f.plans, Timing: f.timing,
		MaxRows: f.maxRows, RootFunction: f.rootFunction, ShowCredentials: true,
	}
	if len(f.schemas) == 0 {
		return config, fault.New(fault.Usage, "There is no schema to expose.", "Name at least one with --schemas.")
	}
	switch f.txEnd {
	case "commit":
	case "commit-allow-override":
		config.TxOverride = true
	case "rollback":
		config.RollbackAll = true
	case "rollback-allow-override":
		config.RollbackAll, config.TxOverride = true, true
	default:
		return config, fault.New(fault.Usage, fmt.Sprintf("--tx-end does not take %q.", f.txEnd),
			"It is commit, commit-allow-override, rollback or rollback-allow-override.")
	}
	if f.preRequest != "" {
		var ok bool
		if config.PreRequest.Schema, config.PreRequest.Name, ok = strings.Cut(f.preRequest, "."); !ok {
			return config, fault.New(fault.Usage, "--pre-request takes a function with its schema.", "As api.check_request.")
		}
	}
	return config, nil
}
