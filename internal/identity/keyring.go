package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

const (
	// fetchTimeout bounds one fetch, and so how long a request with an unknown key can wait.
	fetchTimeout = 5 * time.Second
	// askInterval is the least time between two fetches that requests cause, whatever kids they name.
	askInterval = 10 * time.Second
	// firstRetry is the pause after a failed scheduled fetch; it doubles up to the refresh interval.
	firstRetry   = time.Second
	maxJWKSBytes = 512 << 10
	maxRedirects = 3
)

// keySetSource returns the issuer's published keys as a JWKS document. Fetching a URL is one; the embedded
// sign-in reads its own from the database.
type keySetSource func(ctx context.Context) ([]byte, error)

// keyring holds the issuer's published keys. Keys once fetched go on serving while the issuer cannot
// be reached: an outage there must not sign everybody out here, and a forger gains nothing by it.
type keyring struct {
	source  keySetSource
	from    string // names the source in the log
	log     *slog.Logger
	now     func() time.Time
	every   time.Duration
	current atomic.Pointer[keySet] // nil until the first fetch succeeds
	started atomic.Bool

	mu      sync.Mutex
	flight  *flight   // the fetch under way, which everybody shares
	asked   time.Time // when a request last caused a fetch
	lastErr error     // of the last fetch
}

type flight struct {
	done chan struct{}
	err  error // set before done closes
}

func newKeyring(config Config) (*keyring, error) {
	k := &keyring{source: config.JWKS, from: "own keys", log: config.Log, now: config.Now, every: config.JWKSRefresh}
	if config.JWKS != nil {
		return k, nil
	}
	u, err := parseJWKSURL(config.JWKSURL)
	if err != nil {
		return nil, err
	}
	k.source, k.from = fetchFrom(u, config.HTTPClient), u.Host
	return k, nil
}

func parseJWKSURL(raw string) (*url.URL, error) {
	const hint = "Set VITAL_JWKS_URL to an address such as https://<project>.supabase.co/auth/v1/.well-known/jwks.json"
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, fault.New(fault.ConfigInvalid, "The JWKS address is not a URL.", hint)
	}
	if u.User != nil {
		return nil, fault.New(fault.ConfigInvalid, "The JWKS address holds a user name or password; signing keys are public.", hint)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fault.New(fault.ConfigInvalid,
			"The JWKS address must start with https (http is allowed on this machine only): whoever can change the answer can sign tokens.", hint)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameHost keeps the trust in one place: the configured host speaks for the issuer, and no other.
func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errors.New("the redirect leads to another host")
	}
	return nil
}

// find returns the key a header names. For one that is not known it fetches the set again, which is
// how a rotated key is accepted at once; see askInterval for what a stranger can do with that.
func (k *keyring) find(ctx context.Context, h header) (verificationKey, error) {
	key, err := k.current.Load().find(h)
	if !errors.Is(err, errUnknownKey) {
		return key, err
	}
	if err := k.ask(ctx); err != nil {
		return verificationKey{}, err
	}
	set := k.current.Load()
	if set == nil {
		return verificationKey{}, fault.Wrap(k.lastError(), fault.SigningKeysDown,
			"The issuer's signing keys cannot be fetched, so the access token cannot be checked.",
			"Try again in a few seconds. Operators: the server's log says why; check VITAL_JWKS_URL, or the database with the embedded sign-in.")
	}
	key, err = set.find(h)
	if errors.Is(err, errUnknownKey) {
		return verificationKey{}, fault.New(fault.TokenUnknownKey, "The access token is signed with a key the issuer does not publish.",
			"Sign in again. If the issuer changed its keys just now, try again in ten seconds.")
	}
	return key, err
}

// ask waits for a fetch: the one under way, or a new one if requests caused none lately. It returns a
// fault only when ctx ends; whether the fetch helped is seen in current.
func (k *keyring) ask(ctx context.Context) error {
	k.mu.Lock()
	f := k.flight
	if f == nil {
		since := k.now().Sub(k.asked)
		if !k.asked.IsZero() && since >= 0 && since < askInterval {
			k.mu.Unlock()
			return nil
		}
		k.asked = k.now()
		f = k.takeOff(ctx)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return waitEnded(ctx.Err())
	}
}

func waitEnded(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.RequestTimeout, "The request ran out of time while the issuer's signing keys were fetched.",
			"Try again in a few seconds.")
	}
	return fault.Wrap(err, fault.RequestCancelled, "The request was cancelled while the issuer's signing keys were fetched.",
		"Nothing was done; send it again if it is still wanted.")
}

// refresh is the scheduled fetch: it joins the one under way, else starts one, without the limit.
func (k *keyring) refresh(ctx context.Context) error {
	k.mu.Lock()
	f := k.flight
	if f == nil {
		f = k.takeOff(ctx)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeOff starts the one fetch; the caller holds mu. The fetch outlives the request that caused it,
// because others wait for it too.
func (k *keyring) takeOff(ctx context.Context) *flight {
	f := &flight{done: make(chan struct{})}
	k.flight = f
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	go func() {
		defer cancel()
		set, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		f.err, k.lastErr, k.flight = err, err, nil
		if err == nil {
			k.install(ctx, set)
		} else {
			k.log.WarnContext(ctx, "fetch signing keys", "from", k.from, "error", err,
				"serving_earlier_keys", k.current.Load() != nil)
		}
		close(f.done)
	}()
	return f
}

// install makes a set current if it differs. The caller holds mu, so generations only grow.
func (k *keyring) install(ctx context.Context, set *keySet) {
	old := k.current.Load()
	if old != nil && old.print == set.print {
		return
	}
	set.generation = 1
	if old != nil {
		set.generation = old.generation + 1
	}
	k.current.Store(set)
	k.log.InfoContext(ctx, "signing keys changed", "from", k.from, "keys", len(set.keys))
	if len(set.skipped) > 0 || len(set.keys) == 0 {
		k.log.WarnContext(ctx, "signing keys left out", "from", k.from, "usable", len(set.keys), "left_out", set.skipped)
	}
}

func (k *keyring) lastError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lastErr
}

func (k *keyring) fetch(ctx context.Context) (*keySet, error) {
	body, err := k.source(ctx)
	if err != nil {
		return nil, err
	}
	return decodeKeySet(body)
}

// fetchFrom is the source that asks u, with a copy of client that follows no redirect to another host.
func fetchFrom(u *url.URL, client *http.Client) keySetSource {
	own := http.Client{Timeout: 2 * fetchTimeout}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = sameHost
	return func(ctx context.Context) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, fmt.Errorf("make request: %w", err)
		}
		req.Header.Set("Accept", "application/jwk-set+json, application/json")
		resp, err := own.Do(req)
		if err != nil {
			// Without the address the client puts in front: its query may hold a key.
			var withURL *url.Error
			if errors.As(err, &withURL) {
				err = withURL.Err
			}
			return nil, fmt.Errorf("send request: %w", err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the issuer answered with status %d", resp.StatusCode)
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKSBytes+1))
		if err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		if len(body) > maxJWKSBytes {
			return nil, fmt.Errorf("the answer is larger than %d KiB", maxJWKSBytes>>10)
		}
		return body, nil
	}
}

func (k *keyring) start(ctx context.Context) {
	if k.started.Swap(true) {
		return
	}
	err := k.refresh(ctx)
	go k.run(ctx, err)
}

// run refreshes until ctx ends. After a failure it comes back soon, then ever more slowly.
func (k *keyring) run(ctx context.Context, err error) {
	retry := firstRetry
	for {
		wait := k.every
		if err != nil {
			wait = min(retry, k.every)
			retry = 2 * wait
		} else {
			retry = firstRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			err = k.refresh(ctx)
		}
	}
}
