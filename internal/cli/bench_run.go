package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/traffic"
)

// benchRunFlags are those of `vital bench run`.
type benchRunFlags struct {
	server, mix, password     string
	rate, exponent            float64
	duration, warmup, timeout time.Duration
	users, connections        int
	seed                      uint64
	thisServer, insecure      bool
	asJSON                    bool
}

func (a *app) benchRunCommand() *cobra.Command {
	var f benchRunFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Ask a running server for what users of the generated tenants would, at a constant rate", Args: noArguments,
		Long: "Asks a server for a mix of contexts, rows and flags, as users of the tenants `vital bench load` made: tenants are drawn by\n" +
			"Zipf's law, their members evenly. Requests are due at a constant rate, whatever becomes of those before, and timed from\n" +
			"the moment they were due. --rate 0 asks as fast as answers come, on every connection: that finds the most a server does.\n\n" +
			"Its access tokens are signed as `vital token` signs them, so it takes the secret and the database of the server. It\n" +
			"writes rows (insert) and sessions (signin, refresh), which `vital bench load --remove` takes away. It asks no server but\n" +
			"--server, and one that is not on this machine only with --yes-this-server. An answer that is neither what was asked for\n" +
			"nor a refusal (429, 503) makes the exit code 1.",
		Example: "  vital bench run --rate 500 --duration 1m\n  vital bench run --mix context=9,list=1 --rate 0 --connections 32 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.benchRun(cmd.Context(), t, &f) })
		},
	}
	set := cmd.Flags()
	set.StringVar(&f.server, "server", "http://127.0.0.1:8080", "the server to ask")
	set.BoolVar(&f.thisServer, "yes-this-server", false, "ask --server although it is not on this machine")
	set.BoolVar(&f.insecure, "insecure", false, "do not verify the certificate of an https server")
	set.Float64Var(&f.rate, "rate", 200, "requests a second, 0 for as many as are answered")
	set.DurationVar(&f.duration, "duration", 30*time.Second, "for how long")
	set.DurationVar(&f.warmup, "warmup", 2*time.Second, "for how long at the beginning nothing is counted, besides")
	set.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long after it was due a user waits for an answer")
	set.IntVar(&f.users, "users", 0, "how many different users ask at most, 0 for all that were loaded")
	set.IntVar(&f.connections, "connections", 256, "connections, and so requests under way at once, at most")
	set.Float64Var(&f.exponent, "zipf", 1.1, "exponent of Zipf's law: the higher, the fewer tenants make most of the traffic")
	set.StringVar(&f.mix, "mix", "", "what is asked for, as KIND=SHARE,…: context, unchanged, list, single, insert, flag, flags, signin, refresh")
	set.StringVar(&f.password, "password", "", "password the users were loaded with; without it nobody signs in")
	set.Uint64Var(&f.seed, "seed", 1, "what is asked for by whom")
	set.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func (f *benchRunFlags) validate() error {
	switch {
	case f.rate < 0 || f.rate > 1e6:
		return fault.New(fault.Usage, fmt.Sprintf("--rate %g is out of range.", f.rate), "It is 0 to 1,000,000.")
	case f.duration <= 0 || f.warmup < 0 || f.timeout <= 0:
		return fault.New(fault.Usage, "--duration and --timeout are longer than nothing.", "Write 30s, or 5m.")
	case f.connections < 1 || f.connections > 20_000:
		return fault.New(fault.Usage, fmt.Sprintf("--connections %d is out of range.", f.connections), "It is 1 to 20000.")
	case f.exponent <= 0 || f.exponent > 10:
		return fault.New(fault.Usage, fmt.Sprintf("--zipf %g is out of range.", f.exponent), "It is more than 0, and at most 10.")
	}
	return nil
}

// place is where the server is, by its address: one that is not on this machine only where it is meant.
func (f *benchRunFlags) place() (address string, settings *tls.Config, err error) {
	u, err := url.Parse(f.server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return "", nil, fault.New(fault.Usage, fmt.Sprintf("--server %q is no server.", f.server), "It has the form http://127.0.0.1:8080.")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if !isLoopback(u.Hostname()) && !f.thisServer {
		return "", nil, fault.New(fault.Usage, fmt.Sprintf("%s is not on this machine.", u.Hostname()), "Say --yes-this-server where it is yours to put under load.")
	}
	if u.Scheme == "https" {
		settings = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: f.insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // where it was asked for
	}
	return net.JoinHostPort(u.Hostname(), port), settings, nil
}

// isLoopback says whether host is this machine, by its name alone: a resolver may say anything.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (a *app) benchRun(ctx context.Context, t *target, f *benchRunFlags) error {
	if err := f.validate(); err != nil {
		return err
	}
	address, settings, err := f.place()
	if err != nil {
		return err
	}
	people, err := a.benchPeople(ctx, t, f, address)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if conn, err := dialer.DialContext(ctx, "tcp", address); err != nil {
		return fault.Wrap(err, fault.ServerUnreachable, fmt.Sprintf("There is no server at %s.", f.server), "Start one, or name its address with --server.")
	} else if err := conn.Close(); err != nil {
		return err
	}
	live := a.benchLive(f)
	report, err := traffic.Run(ctx, traffic.Config{
		Address: address, TLS: settings, Steps: []traffic.Step{{Rate: f.rate, Lasting: f.warmup + f.duration}}, Warmup: f.warmup, Connections: f.connections,
		Timeout: f.timeout, Seed: f.seed, Next: people.Next, Each: live,
	})
	a.clearProgress()
	if err != nil {
		return err
	}
	return a.printBench(f, report)
}

// benchPeople are the users of the generated tenants in t's database.
func (a *app) benchPeople(ctx context.Context, t *target, f *benchRunFlags, address string) (*traffic.People, error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := population.Find(ctx, conn)
	if err != nil {
		return nil, err
	}
	if !found.Whole() {
		return nil, fault.New(fault.StateConflict, "The generated tenants are not there, or not all of them.", "`vital bench load` makes them.")
	}
	issuer, err := a.tokenIssuer(t)
	if err != nil {
		return nil, err
	}
	crowd := traffic.Crowd{
		Shape: *found.Shape, Users: f.users, Exponent: f.exponent, Address: address, Password: f.password,
		Issue: func(n int) (string, error) {
			return issuer.Issue(identity.Grant{
				UserID: population.UserID(n), Email: population.Email(n), Role: identity.Authenticated, SessionID: uuid.New(), TTL: traffic.TokenTTL,
			})
		},
	}
	if f.mix != "" {
		if crowd.Mix, err = traffic.ParseMix(f.mix); err != nil {
			return nil, err
		}
	}
	return traffic.NewPeople(crowd)
}

// benchLive shows each second what came of it.
func (a *app) benchLive(f *benchRunFlags) func(traffic.Outcome) {
	progress := a.progress("asking")
	began, told := time.Now(), time.Now()
	var answered, refused, failed int
	var slowest time.Duration
	return func(o traffic.Outcome) {
		switch {
		case o.Err != nil:
			failed++
		case o.Reply.Status == 429 || o.Reply.Status == 503:
			refused++
		default:
			answered++
			slowest = max(slowest, o.Took)
		}
		if since := time.Since(told); since >= time.Second {
			progress(fmt.Sprintf("%s of %s: %.0f answered a second, %d refused, %d without an answer, slowest %s", time.Since(began).Round(time.Second),
				f.warmup+f.duration, float64(answered)/since.Seconds(), refused, failed, slowest.Round(100*time.Microsecond)))
			told, answered, refused, failed, slowest = time.Now(), 0, 0, 0, 0
		}
	}
}

func (a *app) printBench(f *benchRunFlags, report *traffic.Report) error {
	all, kinds := report.All(), report.Kinds()
	if f.asJSON {
		if err := a.printJSON(struct {
			Server   string         `json:"server"`
			Rate     float64        `json:"rate"`
			Seconds  float64        `json:"seconds"`
			Lateness float64        `json:"sent_late_p99_ms"`
			All      traffic.Kind   `json:"all"`
			Kinds    []traffic.Kind `json:"kinds"`
		}{f.server, f.rate, f.duration.Seconds(), report.Lateness(), all, kinds}); err != nil {
			return err
		}
		return benchFault(all)
	}
	var rows [][]string
	for _, k := range append(kinds, all) {
		rows = append(rows, []string{
			k.Kind, fmt.Sprint(k.Count), fmt.Sprintf("%.1f", k.PerSecond), milliseconds(k.P50), milliseconds(k.P95), milliseconds(k.P99), milliseconds(k.P999), milliseconds(k.Max),
			fmt.Sprint(k.Refused), fmt.Sprint(k.Failed + k.Unsent),
		})
	}
	a.printTable([]string{"kind", "requests", "answered/s", "p50", "p95", "p99", "p99.9", "max", "refused", "failed"}, rows)
	fmt.Fprintf(a.streams.Out, "timed from when each was due; sent late by %s at p99\n", milliseconds(report.Lateness()))
	return benchFault(all)
}

// benchFault is what of a run was no measurement.
func benchFault(all traffic.Kind) error {
	if all.Failed+all.Unsent == 0 {
		return nil
	}
	return fault.New(fault.ServerUnreachable, fmt.Sprintf("%d of %d requests got no answer, or another than they were for: %v.", all.Failed+all.Unsent, all.Count, all.Statuses),
		"The server's log names each; --connections and --timeout bound what can be under way.")
}
