package httpapi

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	eventsPath        = ofrepBase + "/events"
	contextEventsPath = "/v1/context/events"
	// tokenStep is how often an event token changes; it is good for one to two steps. Within one it stays the same,
	// so that a client that asks again keeps its stream.
	tokenStep = 5 * time.Minute
	// heartbeat keeps a quiet stream from being taken for a dead one.
	heartbeat = 15 * time.Second
	// eventTime is how long a client may take to take an event.
	eventTime = 10 * time.Second
	// againFirst is the pause before a stream that could not look at what has changed looks again; it doubles up to
	// againLast.
	againFirst, againLast = 250 * time.Millisecond, 8 * time.Second
	// maxStreams bounds the streams of one server, and maxStreamsOfOne those of one user or key there, so that nobody
	// takes all.
	maxStreams      = 50_000
	maxStreamsOfOne = 500
)

// eventGrant is what the URL of an event stream grants: until when it may be opened, and when the stream ends, in
// Unix seconds, the latter 0 for never.
type eventGrant struct{ expires, ends int64 }

func grantEvents(who identity.Caller, now time.Time) eventGrant {
	g := eventGrant{expires: now.Truncate(tokenStep).Add(2 * tokenStep).Unix()}
	if limit := who.ExpiresAt; !limit.IsZero() { // of the caller's own token
		g.ends = limit.Unix()
		g.expires = min(g.expires, g.ends)
	}
	return g
}

// nameOf tells g from others, without the work of signing it.
func (s *Server) nameOf(g eventGrant) []byte {
	b := strconv.AppendInt(make([]byte, 0, 64), g.expires, 10)
	b = strconv.AppendInt(append(b, '.'), g.ends, 10)
	return append(append(b, '.'), s.config.DB.SigningKey()...)
}

// eventToken lets an EventSource, which can send no header, open the stream of one caller in one tenant at one path,
// and nothing else. Each time a stream begins or tells of a change, the database is asked again whether the caller may.
func (s *Server) eventToken(path string, who identity.Caller, tenantID uuid.UUID, g eventGrant) string {
	payload := strings.Join([]string{
		who.UserID.String(), who.SessionID.String(), string(who.Role), tenantID.String(), strconv.Itoa(int(who.Rights)),
		strconv.FormatInt(g.ends, 10), strconv.FormatInt(g.expires, 10),
	}, ".")
	mac := s.config.DB.Sign("events of "+path, payload)
	return base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + base64.RawURLEncoding.EncodeToString(mac[:])
}

// parseEventToken returns whose stream at path a token opens, and in which tenant.
func (s *Server) parseEventToken(path, token string, now time.Time) (caller identity.Caller, tenantID string, err error) {
	refused := fault.New(fault.TokenMalformed, "The token of this event stream is not valid, or no longer.",
		"Ask again for the address of the stream.")
	text, signature, _ := strings.Cut(token, ".")
	payload, wrong := base64.RawURLEncoding.DecodeString(text)
	mac, bad := base64.RawURLEncoding.DecodeString(signature)
	if wrong != nil || bad != nil {
		return caller, "", refused
	}
	want := s.config.DB.Sign("events of "+path, string(payload))
	parts := strings.Split(string(payload), ".")
	if !hmac.Equal(mac, want[:]) || len(parts) != 7 {
		return caller, "", refused
	}
	numbers := make([]int64, 3)
	for i, part := range []string{parts[4], parts[5], parts[6]} {
		numbers[i], _ = strconv.ParseInt(part, 10, 64) // signed as a number
	}
	if numbers[2] < now.Unix() {
		return caller, "", refused
	}
	caller = identity.Caller{Role: identity.Role(parts[2]), Rights: identity.Rights(numbers[0])}
	caller.UserID, _ = uuid.Parse(parts[0])
	caller.SessionID, _ = uuid.Parse(parts[1])
	if numbers[1] != 0 {
		caller.ExpiresAt = time.Unix(numbers[1], 0)
	}
	return caller, parts[3], nil
}

// streams counts what is open, and whose it is.
type streams struct {
	mu  sync.Mutex
	all int
	of  map[uuid.UUID]int
}

var openStreams streams

// count is how many there are.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// open takes a place for one more stream of a user or key, unless there is none.
func (s *streams) open(who uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || s.of[who] >= maxStreamsOfOne {
		return false
	}
	if s.of == nil {
		s.of = map[uuid.UUID]int{}
	}
	s.all++
	s.of[who]++
	return true
}

func (s *streams) close(who uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[who]--; s.of[who] == 0 {
		delete(s.of, who)
	}
}

// followed is something that changes, as one caller may see it.
type followed interface {
	// State names what it is now.
	State(now time.Time) string
	// Versions are those of all that it is made of.
	Versions() []cache.Change
	// Ends is when it changes by itself, and it is asked again whether the caller may see it; zero for never.
	Ends() time.Time
	// again looks again, if the caller still may.
	again(ctx context.Context) (followed, error)
	// event tells the client of state id.
	event(id string) string
}

// stream serves the events of what open finds for the caller of the request's token.
func (s *Server) stream(open func(context.Context, identity.Caller, string) (followed, uuid.UUID, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		header := w.Header()
		header["Cache-Control"] = []string{"no-store"}
		caller, named, err := s.listener(r)
		if err != nil {
			return err
		}
		if err := s.admit(r, caller, named); err != nil {
			return err
		}
		what, tenantID, err := open(r.Context(), caller, named)
		if err != nil {
			return err
		}
		rq := requestOf(r.Context())
		rq.user, rq.tenant = caller.UserID, tenantID
		who := caller.UserID
		if who == uuid.Nil {
			who = caller.SessionID // a key's
		}
		if !openStreams.open(who) {
			return fault.New(fault.PoolExhausted, "This server has too many event streams, or too many of yours.", "Close some, or poll.")
		}
		defer openStreams.close(who)
		ctx := s.asTenant(r.Context(), rq)
		if !caller.ExpiresAt.IsZero() {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, caller.ExpiresAt)
			defer cancel()
		}
		out := eventStream{w: w, control: http.NewResponseController(w), last: r.Header.Get("Last-Event-ID")}
		if out.last == "" {
			out.last = r.URL.Query().Get("since")
		}
		header["Content-Type"] = []string{"text/event-stream"}
		header["X-Accel-Buffering"] = []string{"no"} // or a proxy would keep events back
		w.WriteHeader(http.StatusOK)
		s.follow(ctx, &out, what)
		return nil
	}
}

// listener is who opens a stream, and for which tenant: by the token in its address, or like any other request.
func (s *Server) listener(r *http.Request) (caller identity.Caller, named string, err error) {
	query := r.URL.Query()
	if query.Has("token") || r.Header.Get("Authorization") == "" && r.Header.Get("Apikey") == "" {
		return s.parseEventToken(r.URL.Path, query.Get("token"), time.Now())
	}
	if caller, err = s.authenticate(r); err == nil {
		named, err = tenantHeader(r)
	}
	return caller, named, err
}

// follow tells of changes until ctx ends, the caller may no longer hear of them, or is gone. None of these is told:
// the client's next request is answered why.
func (s *Server) follow(ctx context.Context, out *eventStream, what followed) {
	changes := s.config.Changes.Subscribe(what.Versions()...)
	defer func() { changes.Close() }()
	if out.begin(what) != nil {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	ranOut := newAlarm(what.Ends())
	defer func() { ranOut.Stop() }()
	var later <-chan time.Time // when to look again, where the database had no time
	wait := againFirst
	for {
		look := false
		select {
		case <-ctx.Done():
			return
		case <-s.config.Closing:
			return
		case <-beat.C: // also for what runs out without a change
			if out.send(":\n\n") != nil {
				return
			}
		case <-changes.C:
			look = true
		case <-later:
			look = true
		case <-ranOut.C:
			now, err := what.again(ctx)
			switch {
			case err == nil:
				ranOut = newAlarm(now.Ends())
			case busy(err):
				ranOut = newAlarm(time.Now().Add(againFirst))
			default:
				return
			}
		}
		if look {
			now, err := what.again(ctx)
			switch {
			case busy(err):
				later, wait = time.After(wait+rand.N(wait)), min(2*wait, againLast) //nolint:gosec // no secret: not all at once
				continue
			case err != nil:
				return
			}
			later, wait, what = nil, againFirst, now
			ranOut.Stop()
			ranOut = newAlarm(what.Ends())
			changes.Close()
			changes = s.config.Changes.Subscribe(what.Versions()...)
		}
		if out.tell(what) != nil {
			return
		}
	}
}

// newAlarm goes off at a time, a moment late so that the database thinks so too; never where it is zero.
func newAlarm(at time.Time) *time.Timer {
	if at.IsZero() {
		return time.NewTimer(math.MaxInt64)
	}
	return time.NewTimer(max(0, time.Until(at)) + 100*time.Millisecond)
}

// busy says that err is no word on whether the caller may listen: another time it is another.
func busy(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.PoolExhausted || code == fault.DatabaseUnavailable || code == fault.TenantOverLimit
}

// followedFlags are a caller's flags.
type followedFlags struct {
	tenant.CallerFlags
	of *tenant.Evaluator
}

func (f followedFlags) again(ctx context.Context) (followed, error) {
	flags, err := f.of.Flags(ctx, f.Caller, f.TenantID.String(), tenant.Version{})
	return followedFlags{flags, f.of}, err
}

// Ends is when the caller's entry into the tenant does.
func (f followedFlags) Ends() time.Time { return f.Until }

// event asks the client to evaluate again.
func (followedFlags) event(id string) string {
	return fmt.Sprintf("id: %s\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\"%s\"}\n\n", id, id)
}

// openFlagEvents tells a client when its flags have to be evaluated again.
func (s *Server) openFlagEvents(ctx context.Context, caller identity.Caller, named string) (followed, uuid.UUID, error) {
	flags, err := s.config.Flags.Flags(ctx, caller, named, tenant.Version{})
	if err != nil {
		return nil, uuid.Nil, err
	}
	return followedFlags{flags, s.config.Flags}, flags.TenantID, nil
}

// followedContext is what tells a caller's context from others. It does not keep the context: there may be very many
// streams, and memory is bounded elsewhere.
type followedContext struct {
	of       *tenant.Contexts
	caller   identity.Caller
	tenantID uuid.UUID
	state    string
	versions []cache.Change
	until    time.Time // it changes by itself then; zero for never
}

func (s *Server) followContext(read tenant.Context, caller identity.Caller) followedContext {
	return followedContext{s.config.Contexts, caller, read.TenantID, contextState(read), read.Versions, read.Until}
}

// contextState is the version, and what tells a change of another tenant in the list of memberships.
func contextState(c tenant.Context) string {
	return c.Version.Counters() + "-" + strings.Trim(c.ETag, `"`)[:8]
}

func (c followedContext) State(now time.Time) string {
	if !c.until.IsZero() && !now.Before(c.until) {
		return c.state + "-" + c.until.UTC().Format("150405") // something has run out since
	}
	return c.state
}

func (c followedContext) Versions() []cache.Change { return c.versions }

// Ends is when something of it runs out.
func (c followedContext) Ends() time.Time { return c.until }

func (c followedContext) again(ctx context.Context) (followed, error) {
	read, _, err := c.of.Read(ctx, c.caller, c.tenantID.String(), tenant.Version{})
	if err == nil {
		c.state, c.versions, c.until = contextState(read), read.Versions, read.Until
	}
	return c, err
}

// event names the version there is to read.
func (followedContext) event(id string) string {
	version, _, _ := strings.Cut(id, "-")
	return fmt.Sprintf("id: %s\nevent: context\ndata: {\"version\":\"%s\"}\n\n", id, version)
}

// openContextEvents tells a client when its context is another.
func (s *Server) openContextEvents(ctx context.Context, caller identity.Caller, named string) (followed, uuid.UUID, error) {
	read, _, err := s.config.Contexts.Read(ctx, caller, named, tenant.Version{})
	if err != nil {
		return nil, uuid.Nil, err
	}
	return s.followContext(read, caller), read.TenantID, nil
}

// eventsAddress is where a client's stream is.
type eventsAddress struct {
	URL       string    `json:"url" doc:"Path and query of the stream, for an EventSource"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it can be opened; a stream that is open goes on until the access token expires"`
}

// postContextEvents answers where the stream of the caller's context is: an EventSource can send no header, and an
// access token belongs into no address.
func (s *Server) postContextEvents(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	named, err := tenantHeader(r)
	if err != nil {
		return err
	}
	read, _, err := s.config.Contexts.Read(r.Context(), caller, named, tenant.Version{})
	if err != nil {
		return err
	}
	requestOf(r.Context()).tenant = read.TenantID
	grant := grantEvents(caller, time.Now())
	return writeJSON(w, eventsAddress{
		URL:       contextEventsPath + "?token=" + s.eventToken(contextEventsPath, caller, read.TenantID, grant) + "&since=" + contextState(read),
		ExpiresAt: time.Unix(grant.expires, 0).UTC(),
	})
}

// eventStream writes events to a client who must keep up.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    string // what the client last knew of
}

func (e *eventStream) send(text string) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventTime)); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}

// begin names the state, so that a client who comes back names it, and tells of it unless the client knows it.
func (e *eventStream) begin(what followed) error {
	id := what.State(time.Now())
	if id == e.last {
		return e.send("retry: 1000\nid: " + id + "\n\n")
	}
	e.last = id
	return e.send("retry: 1000\n" + what.event(id))
}

// tell tells of a state that is not what the client last knew of.
func (e *eventStream) tell(what followed) error {
	id := what.State(time.Now())
	if id == e.last {
		return nil
	}
	e.last = id
	return e.send(what.event(id))
}
