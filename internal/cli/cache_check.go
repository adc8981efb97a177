package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// cacheCheckFlags say what is compared, how often and for how long.
type cacheCheckFlags struct {
	servers            []string
	lasts, every, late time.Duration
	sample             int
	asJSON             bool
}

func (a *app) cacheCheckCommand() *cobra.Command {
	var flags cacheCheckFlags
	cmd := &cobra.Command{
		Use: "check", Short: "Compare what servers and Redis remember with the database; exit code 3 when it is not the same", Args: noArguments,
		Long: "Compares contexts that running servers answer, and tenants' documents in Redis (VITAL_REDIS_URL), with what the\n" +
			"database has, again and again. What is remembered may be older than the database for a moment (behind), never for\n" +
			"longer than --within, and never another at the same version: both are violations. What changed while it was compared\n" +
			"(moved) says nothing. Garbage in Redis is used by no server, and is no violation.\n\n" +
			"The rate is that of comparisons without a violation. Where there was none, it is what the number of comparisons allows\n" +
			"to say with 95 % confidence: n without a violation show a rate of at least 1 - 3/n.\n\n" +
			"Contexts are asked for as members, drawn from all tenants, with tokens that this command signs (see vital token); it\n" +
			"writes nothing, and can run beside real traffic. --for 0 goes on until it is interrupted.",
		Example: "  vital cache check --server http://10.0.0.1:8080 --server http://10.0.0.2:8080 --for 1m",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.every < time.Millisecond || flags.lasts < 0 || flags.late < 0 || flags.sample < 1 || flags.sample > 10_000 {
				return fault.New(fault.Usage, "These are no bounds of a check.", "--every is at least 1ms, --sample from 1 to 10000, and no span is negative.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.checkCaches(cmd.Context(), t, flags) })
		},
	}
	registerServers(cmd, &flags.servers)
	cmd.Flags().DurationVar(&flags.lasts, "for", 10*time.Second, "how long it goes on; 0 until it is interrupted")
	cmd.Flags().DurationVar(&flags.every, "every", 100*time.Millisecond, "pause between two rounds")
	cmd.Flags().DurationVar(&flags.late, "within", 2*time.Second, "how long something may be older than the database")
	cmd.Flags().IntVar(&flags.sample, "sample", 20, "how many are compared in a round, of each server and of Redis")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// checked is what comparing one source came to.
type checked struct {
	Source  string `json:"source"`
	Samples int    `json:"samples"`
	// Remembered were answered from a server's memory; Failed were not answered.
	Remembered int `json:"remembered"`
	Failed     int `json:"failed"`
	tenant.Coherence
	MaxBehindMS float64 `json:"max_behind_ms"`
	// Rate is that of comparisons without a violation, or what is known of it at least where there was none.
	Rate float64 `json:"rate"`
	// AtLeast says that Rate is a bound.
	AtLeast bool `json:"at_least"`
	Nines   int  `json:"nines"`
}

// coherenceSource is something whose memory is compared with the database.
type coherenceSource interface {
	// round compares some of it.
	round(ctx context.Context) error
	// result is what it came to so far.
	result() checked
}

func (a *app) checkCaches(ctx context.Context, t *target, flags cacheCheckFlags) error {
	addresses, err := a.servers(flags.servers)
	if err != nil {
		return err
	}
	opened, err := a.openComparison(ctx, t, addresses, flags)
	if err != nil {
		return err
	}
	defer opened.close()
	sources := opened.sources
	failed := a.compare(ctx, sources, flags)
	results := make([]checked, len(sources))
	judged, violations := 0, 0
	for i, source := range sources {
		results[i] = source.result().rated()
		judged += results[i].Judged()
		violations += results[i].Violations
	}
	if failed != nil && !isDone(ctx, failed) {
		return failed
	}
	if flags.asJSON {
		if err := a.printJSON(results); err != nil {
			return err
		}
	} else {
		a.printChecked(results)
	}
	switch {
	case violations > 0:
		return fault.New(fault.FindingsFound, plural(violations, "comparison")+" found what the database does not have.",
			"`vital cache invalidate` makes it read anew; data that was changed behind the database's triggers is the usual cause.")
	case judged == 0:
		return fault.New(fault.NotFound, "Nothing could be compared: there is no member, nothing in Redis, or everything was changing.", "Give it longer with --for.")
	}
	return nil
}

// comparison is what is compared, and what is to be closed behind it.
type comparison struct {
	sources []coherenceSource
	closers []func()
}

func (c *comparison) close() {
	for _, end := range slices.Backward(c.closers) {
		end()
	}
}

// openComparison opens what is compared: every server, and Redis where one is configured.
func (a *app) openComparison(ctx context.Context, t *target, addresses []string, flags cacheCheckFlags) (c *comparison, err error) {
	c = &comparison{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL, Log: a.log})
	if err != nil {
		return c, err
	}
	c.closers = append(c.closers, service.Close)
	if a.config.RedisURL != "" {
		if err := a.openRedisSource(ctx, t, c, flags); err != nil {
			return c, err
		}
	}
	issuer, err := a.tokenIssuer(t)
	if err != nil {
		return c, err
	}
	members := &memberPool{service: service, size: 10 * flags.sample}
	for _, address := range addresses {
		source := newServerSource(address, service, issuer, members, flags)
		c.closers = append(c.closers, source.client.CloseIdleConnections)
		if err := source.meet(ctx); err != nil {
			return c, err
		}
		c.sources = append(c.sources, source)
	}
	return c, nil
}

// redisReach is how long Redis may take to be reached at first.
const redisReach = 3 * time.Second

func (a *app) openRedisSource(ctx context.Context, t *target, c *comparison, flags cacheCheckFlags) error {
	db, err := postgres.Open(ctx, postgres.Config{URL: t.apiURL, ServiceURL: t.serviceURL, MaxConns: 1, Log: a.log})
	if err != nil {
		return err
	}
	c.closers = append(c.closers, db.Close)
	shared, err := tenant.OpenShared(db, tenant.SharedConfig{URL: a.config.RedisURL, Log: a.log})
	if err != nil {
		return err
	}
	c.closers = append(c.closers, shared.Close)
	for until := time.Now().Add(redisReach); shared.Stat().Down; {
		if time.Now().Before(until) && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond) // it is tried again
			continue
		}
		return fault.New(fault.ServerUnreachable, "The Redis at VITAL_REDIS_URL is not reached.", "Check the address and that it runs; leave it out to compare servers alone.")
	}
	c.sources = append(c.sources, &redisSource{check: shared.Check(flags.sample, flags.late)})
	return nil
}

// redisSource is what servers share in Redis.
type redisSource struct {
	mu      sync.Mutex
	check   *tenant.SharedCheck
	failing int
}

func (s *redisSource) round(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check.Look(ctx); err != nil && ctx.Err() == nil {
		s.failing++ // it may come back
	}
	return nil
}

func (s *redisSource) result() checked {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := checked{Source: "redis", Failed: s.failing, Coherence: s.check.Coherence}
	c.Samples = c.Judged() + c.Moved + c.Failed
	return c
}

// compare runs rounds of all sources beside each other until it is time, and returns what stopped it before.
func (a *app) compare(ctx context.Context, sources []coherenceSource, flags cacheCheckFlags) error {
	until := context.Background() // nothing new begins then
	if flags.lasts > 0 {
		var cancel context.CancelFunc
		until, cancel = context.WithTimeout(until, flags.lasts)
		defer cancel()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make([]error, len(sources))
	var running sync.WaitGroup
	for i, source := range sources {
		running.Go(func() {
			for until.Err() == nil && ctx.Err() == nil {
				if err := source.round(ctx); err != nil && ctx.Err() == nil {
					failed[i] = err
					stop()
					return
				}
				select {
				case <-ctx.Done():
				case <-until.Done():
				case <-time.After(flags.every):
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	a.watch(done, sources, flags)
	return errors.Join(failed...)
}

// watch tells how it goes until done: on a terminal every second, and now and then where it goes on for ever.
func (a *app) watch(done <-chan struct{}, sources []coherenceSource, flags cacheCheckFlags) {
	pause, begin, end := time.Second, "\r", "\x1b[K"
	if !isTerminal(a.streams.Err) {
		if flags.lasts > 0 {
			<-done
			return
		}
		pause, begin, end = 10*time.Second, "", "\n"
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-done:
			if begin != "" {
				fmt.Fprint(a.streams.Err, begin+end)
			}
			return
		case <-tick.C:
			fmt.Fprint(a.streams.Err, begin+progress(sources)+end)
		}
	}
}

func progress(sources []coherenceSource) string {
	samples, behind, violations, failed := 0, 0, 0, 0
	for _, source := range sources {
		c := source.result()
		samples, behind, violations, failed = samples+c.Samples, behind+c.Behind, violations+c.Violations, failed+c.Failed
	}
	text := fmt.Sprintf("%d compared, %d behind, %s", samples, behind, plural(violations, "violation"))
	if failed > 0 {
		text += fmt.Sprintf(", %d not answered", failed)
	}
	return text
}

// rated is c with its rate.
func (c checked) rated() checked {
	c.MaxBehindMS = math.Round(float64(c.MaxBehind.Microseconds())/100) / 10
	if c.Examples == nil {
		c.Examples = []string{}
	}
	n := c.Judged()
	if n == 0 {
		return c
	}
	missed := float64(c.Violations)
	if c.AtLeast = c.Violations == 0; c.AtLeast {
		missed = math.Min(3, float64(n)) // the rule of three
	}
	c.Rate = 1 - missed/float64(n)
	if c.Rate > 0 {
		c.Nines = int(math.Floor(-math.Log10(missed/float64(n)) + 1e-9))
	}
	return c
}

// rateText is c's rate for a person.
func (c checked) rateText() string {
	if c.Judged() == 0 {
		return "nothing compared"
	}
	words := [...]string{"no nines", "one nine", "two nines", "three nines", "four nines", "five nines", "six nines", "seven nines"}
	nines := words[min(c.Nines, len(words)-1)]
	// No more digits than say something, and never rounded up to all.
	digits := max(2, c.Nines)
	scale := math.Pow10(digits)
	text := fmt.Sprintf("%.*f %%, %s", digits, math.Floor(c.Rate*100*scale+1e-6)/scale, nines)
	if c.AtLeast {
		return "at least " + text
	}
	return text
}

func (a *app) printChecked(results []checked) {
	out := a.streams.Out
	rows := make([][]string, len(results))
	for i, c := range results {
		behind := fmt.Sprint(c.Behind)
		if c.MaxBehind > 0 {
			behind += fmt.Sprintf(" (max %.0f ms)", math.Ceil(c.MaxBehindMS))
		}
		violations := paint(out, green, "0")
		if c.Violations > 0 {
			violations = paint(out, red, fmt.Sprint(c.Violations))
		}
		remembered := "-"
		if c.Source != "redis" {
			remembered = fmt.Sprint(c.Remembered)
		}
		rows[i] = []string{c.Source, fmt.Sprint(c.Samples), remembered, fmt.Sprint(c.Equal), fmt.Sprint(c.Moved), behind, fmt.Sprint(c.Garbage), fmt.Sprint(c.Failed), violations, c.rateText()}
	}
	a.printTable([]string{"source", "samples", "from memory", "equal", "moved", "behind", "garbage", "failed", "violations", "rate"}, rows)
	for _, c := range results {
		a.printExamples(out, c)
	}
}

func (a *app) printExamples(out io.Writer, c checked) {
	for _, example := range c.Examples {
		fmt.Fprintf(out, "%s  %s: %s\n", paint(out, red, "violation"), c.Source, strings.TrimSpace(example))
	}
	if more := c.Violations - len(c.Examples); more > 0 && len(c.Examples) > 0 {
		fmt.Fprintf(out, "           %s: and %d more\n", c.Source, more)
	}
}
