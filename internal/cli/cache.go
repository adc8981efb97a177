package cli

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) cacheCommand() *cobra.Command {
	return group("cache", "Show, invalidate and check what servers and Redis remember", a.cacheStatsCommand(), a.cacheInvalidateCommand(), a.cacheCheckCommand())
}

func (a *app) cacheInvalidateCommand() *cobra.Command {
	var all bool
	var reason string
	cmd := &cobra.Command{
		Use: "invalidate TENANT|--all", Short: "Make every server and Redis read a tenant anew", Args: atMost("a tenant's slug or id"),
		Long: "Makes every server and Redis read what they remember of a tenant anew, or with --all everything of every tenant,\n" +
			"flags too. Changes are heard of by themselves: this is for data that was changed behind the database's triggers.\n" +
			"It raises one version in the database, however many tenants there are, and is audited.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if all == (len(args) == 1) {
				return fault.New(fault.Usage, "This takes a tenant, or --all.", "Name a tenant by slug or id, or say --all to invalidate everything.")
			}
			if all {
				if err := a.asService(ctx, "CachesInvalidate", func(tx pgx.Tx) error { return tenant.InvalidateAll(ctx, tx, reason) }); err != nil {
					return err
				}
				fmt.Fprintln(a.streams.Out, "everything is read anew, of every tenant")
				return nil
			}
			err := a.inTenant(ctx, "CacheInvalidate", args[0], func(tx pgx.Tx, id uuid.UUID) error { return tenant.Invalidate(ctx, tx, id, reason) })
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s is read anew\n", args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything of every tenant; servers read much at once then")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

// serverTime bounds what a server is asked for.
const serverTime = 10 * time.Second

// servers are the addresses of running servers: those given, else where this configuration serves.
func (a *app) servers(given []string) ([]string, error) {
	if len(given) == 0 {
		return []string{"http://" + dialable(a.config.Listen)}, nil
	}
	addresses := make([]string, len(given))
	for i, text := range given {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fault.New(fault.Usage, fmt.Sprintf("%q is not the address of a server.", text), "Write it as http://127.0.0.1:8080, as vital serve prints it.")
		}
		addresses[i] = strings.TrimSuffix(text, "/")
	}
	return addresses, nil
}

// dialable is the address to reach what listens on address from this machine.
func dialable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)
}

// errServer says that a server could not be asked.
func errServer(err error, address string) error {
	return fault.Wrap(err, fault.ServerUnreachable, fmt.Sprintf("The server at %s is not reached.", address),
		"Start it with `vital up` or `vital serve`, or name another with --server http://host:port.")
}

func serverClient() *http.Client {
	return &http.Client{
		Timeout:       serverTime,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
