// Command bench measures VITAL against baselines on this machine: a private Postgres, the real binary,
// and a load generator of its own, all on loopback. docs/reference/bench.md has what it saw.
//
//	go run ./bench [scenario…] [--rounds N] [--seconds S] [--out DIR]
//	go run ./bench compare [OLD.json NEW.json]
//
// Every scenario takes turns with its baselines, round after round, and compares medians: on a shared
// machine a ratio within one run says something, a figure alone does not. No timing fails the run; a wrong answer does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// options are what the command line says.
type options struct {
	scenarios []string
	rounds    int
	slice     time.Duration // of one variant in one round
	out       string
	keep      bool
	lasting   time.Duration // of the scenarios that run once, 0 where nothing was asked for
	seed      uint64
	tenants   int     // of the larger database of scale and startup, and of those of mixed, saturation and signin; 0 for their own
	rate      float64 // of mixed, requests a second
	peers     []peerSpec
	log       io.Writer
}

// scenario is one question and how it is measured.
type scenario struct {
	name string
	asks string
	run  func(context.Context, *world) (*result, error)
}

// scenarios in the order they run; the first one needs the quietest server.
var scenarios = []scenario{
	{"context", "What does GET /v1/context cost beside its function and beside seven queries?", measureContext},
	{"waterfall", "How long until a client has its tenant's context, by seven queries in a row and by one request?", measureWaterfall},
	{"caching", "What does GET /v1/context from memory cost beside a handler that answers the same bytes?", measureCaching},
	{"loads", "What does it cost to record every load?", measureLoads},
	{"caching-scale", "How many reads does memory answer with 10,000 tenants, and what do their contexts take?", measureCachingScale},
	{"events", "How soon do clients hear of a write, and what does a stream that hears of nothing take?", measureEvents},
	{"notify", "What does telling of changes cost those who commit, and do they ever wait for each other in a circle?", measureNotify},
	{"access", "What does a tenant pay for the records of access that others are under?", measureAccess},
	{"statements", "How many statements does one GET /v1/context send?", measureStatements},
	{"rest", "What does GET /rest/v1/prompts cost beside its transaction in pgbench, and beside other servers?", measureRest},
	{"fairness", "What does a tenant notice of another that asks for 50 times its share?", measureFairness},
	{"lifecycle", "What do tenants notice while others are taken out, put back, erased and onboarded?", measureLifecycle},
	{"rls", "What do our policies cost beside the same query without any, and beside the assessment's?", measureRLS},
	{"flags", "What does evaluating flags over OFREP cost beside a handler that answers the same bytes?", measureFlags},
	{"flags-scale", "Do flags cost more with 10,000 flags and 100,000 tenants than with 100 of each?", measureFlagScale},
	{"scale", "Does a read or a write cost more with 1,000,000 tenants than with 1,000?", measureScale},
	{"startup", "How long does the server take to start, by the number of tenants?", measureStartup},
	{"mixed", "How long do users of 100,000 tenants wait, who ask for what applications ask for?", measureMixed},
	{"saturation", "What becomes of requests beyond what the server can do, and how soon is it over?", measureSaturation},
	{"signin", "What does signing in cost, and refreshing a session?", measureSignIn},
	{"replica", "What does a replica take off the primary, and does everybody see what they have named?", measureReplica},
	{"pooler", "What does a request cost through PgBouncer, and is every answer the tenant's?", measurePooler},
	{"checks", "How long does a check take, and does anybody wait for it?", measureChecks},
	{"prove", "How long does it take to attack every table?", measureProve},
	{"coherence", "Does anybody see what is wrong while instances, Redis and Postgres break?", measureCoherence},
	{"faults", "Do commands, reports, metrics, alerts and the dashboard name what goes wrong?", measureFaults},
	{"assessment-view", "What do a write and a read cost with more tenants, ours and the assessment's?", measureAssessmentView},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		exit(serveBare(os.Args[2:]))
		return
	}
	if len(os.Args) > 1 && os.Args[1] == neighbourCommand {
		exit(serveNeighbour(os.Args[2:]))
		return
	}
	if len(os.Args) > 1 && os.Args[1] == compareCommand {
		exit(compare(os.Args[2:], os.Stdout))
		return
	}
	o, err := parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{log: os.Stdout}
	set := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	seconds := set.Float64("seconds", 0.5, "how long each variant runs in a round; coherence runs once, for 240 unless this is given, faults for 60, mixed for 600, and each step of saturation takes 5")
	set.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "what coherence does when")
	set.IntVar(&o.tenants, "tenants", 0, "tenants of mixed, saturation and signin, and of the larger database of scale and startup, instead of their own number")
	set.Float64Var(&o.rate, "rate", 400, "requests a second of mixed")
	set.IntVar(&o.rounds, "rounds", 9, "how often each variant takes its turn")
	set.StringVar(&o.out, "out", filepath.Join("bench", "results"), "directory for JSON and plots")
	set.BoolVar(&o.keep, "keep", false, "keep the server's directory and logs")
	commands := set.StringArray("peer", nil, "another server for the scenario rest, as NAME=COMMAND with {url} {port} {secret} {database} {schema}")
	paths := set.StringArray("peer-path", nil, "what to ask it for, as NAME=/PATH with {database} {schema} {query}")
	set.Usage = func() {
		fmt.Fprintf(os.Stderr, "go run ./bench [scenario…]\n\n")
		for _, s := range scenarios {
			fmt.Fprintf(os.Stderr, "  %-16s %s\n", s.name, s.asks)
		}
		fmt.Fprintf(os.Stderr, "\n%s", set.FlagUsages())
	}
	if err := set.Parse(args); err != nil {
		return o, err
	}
	o.slice = time.Duration(*seconds * float64(time.Second))
	if set.Changed("seconds") {
		o.lasting = o.slice
	}
	o.scenarios = set.Args()
	if o.rounds < 1 || o.slice < 50*time.Millisecond {
		return o, errors.New("at least one round of 0.05 seconds")
	}
	for _, name := range o.scenarios {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == name }) {
			return o, fmt.Errorf("there is no scenario %q; --help lists them", name)
		}
	}
	var err error
	o.peers, err = parsePeers(*commands, *paths)
	return o, err
}

func run(ctx context.Context, o options) (err error) {
	started := time.Now()
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	about, err := w.environment(ctx)
	if err != nil {
		return err
	}
	about.print(o.log)
	for _, s := range scenarios {
		if len(o.scenarios) > 0 && !slices.Contains(o.scenarios, s.name) {
			continue
		}
		fmt.Fprintf(o.log, "\n%s\n%s\n", s.asks, strings.Repeat("-", len(s.asks)))
		result, err := s.run(ctx, w)
		if result == nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		result.Scenario, result.Asks, result.Environment = s.name, s.asks, about
		result.print(o.log)
		if err := errors.Join(err, result.save(o.out, started)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Fprintf(o.log, "\nall of it took %s; JSON and plots are in %s\n", time.Since(started).Round(time.Second), o.out)
	return nil
}
