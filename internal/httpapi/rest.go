package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	restBase = "/rest/v1"
	// maxURLBytes is the longest URL that is answered; a list of 2,000 ids fits.
	maxURLBytes = 128 << 10
	// streamStall is how long a client may take for the next streamPart of an answer that is streamed, and
	// streamTime for all of it: meanwhile a connection of the database, which others wait for, waits for them.
	streamStall = 5 * time.Second
	streamTime  = 50 * time.Second
	streamPart  = 64 << 10
	// streamBuffer is how much of a streamed answer the system may hold back. It tells of room when a third is free: of the
	// 4 MiB it would take, a client of 200 kB a second needs six seconds for that, and would seem to stand still.
	streamBuffer = 256 << 10
)

// rest answers /rest/v1/ in the PostgREST dialect. Without a token the caller is anonymous: the database says
// what that may see. Errors have the shape its clients expect.
func (s *Server) rest() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "private, no-cache")
		header.Add("Vary", "Authorization, Apikey, Vital-Tenant, Accept, Prefer, Range")
		if err := s.serveRest(w, r); err != nil {
			requestOf(r.Context()).err = err
			failRest(w, err)
		}
	})
}

func (s *Server) serveRest(w http.ResponseWriter, r *http.Request) error {
	started := time.Now()
	caller, err := s.restCaller(r)
	if err != nil {
		return err
	}
	named, err := tenantHeader(r)
	if err != nil {
		return err
	}
	reference, err := tenant.Reference(caller, named)
	if err != nil {
		return err
	}
	least, err := tenant.ParseVersion(s.config.DB, r.Header.Get("Vital-Min-Version"))
	if err != nil {
		return err
	}
	rq := requestOf(r.Context())
	rq.user, rq.verified, rq.authTook = caller.UserID, caller.Role != identity.Anon, time.Since(started)
	rq.load.named = reference
	if err := s.admit(r, caller, named); err != nil {
		return err
	}
	session := rest.Session{
		Role: string(caller.Role), Authenticated: caller.Role != identity.Anon, Sealed: true, Recorded: true,
		Run: func(ctx context.Context, work *postgres.Work) error {
			work.Member, work.Verify = named != "", true
			err := s.config.DB.InTenant(ctx, caller, reference, work)
			rq.tenant = work.Tenant
			return err
		},
	}
	if caller.Role == identity.ServiceRole {
		session.Run, session.Sealed = s.config.DB.Run, false
	}
	run := session.Run
	session.Run = func(ctx context.Context, work *postgres.Work) error {
		rq.load.ofDialect(work)
		return run(ctx, work)
	}
	session.Run = versioned(s.config.DB, session.Run, r.Header.Get("Vital-Min-Version") != "", least, w.Header())
	if err := serveDialect(s.config.Rest, session, restBase, w, r); err != nil {
		return err
	}
	if r.URL.Path == restBase+"/rpc/set_default_tenant" {
		s.warm(r.Context(), caller)
	}
	return nil
}

// versioned has run show at least what the caller has seen, and tell how far in the log it was: of every write, and of
// the reads of who asks for it by naming a version. An answer that is streamed has begun before that is known. A
// replica may answer a read unless the caller has seen counters alone, which it cannot tell.
func versioned(db *postgres.DB, run func(context.Context, *postgres.Work) error, asked bool, least tenant.Version, header http.Header) func(context.Context, *postgres.Work) error {
	return func(ctx context.Context, work *postgres.Work) error {
		work.Observe = asked || work.Writes
		least.Bound(work)
		if err := run(ctx, work); err != nil {
			return err
		}
		if work.Position != 0 {
			header.Set("Vital-Version", tenant.Version{}.At(work.Position).Text(db))
		}
		return nil
	}
}

// restCaller is who asks; nobody, where there is neither a token nor a key.
func (s *Server) restCaller(r *http.Request) (identity.Caller, error) {
	if len(r.Header.Values("Authorization")) == 0 && r.Header.Get("Apikey") == "" {
		return identity.Anonymous(), nil
	}
	return s.authenticate(r)
}

// serveDialect hands a request below base to the engine.
func serveDialect(engine *rest.Engine, session rest.Session, base string, w http.ResponseWriter, r *http.Request) error {
	if len(r.RequestURI) > maxURLBytes {
		return &rest.Error{
			Status: http.StatusRequestURITooLong, Code: string(fault.URLTooLong), Message: "The URL is longer than this server takes.",
			Hint: fmt.Sprintf("Up to %d bytes are answered: send a shorter list at a time, or call a function with POST.", maxURLBytes),
		}
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), strings.TrimSuffix(base, "/"))
	return engine.Serve(r.Context(), &rest.Request{
		Method: r.Method, Path: path, RawQuery: r.URL.RawQuery, Header: textproto.MIMEHeader(r.Header), Body: r.Body,
	}, session, restResponder{w})
}

// restResponder sends the engine's answers.
type restResponder struct{ w http.ResponseWriter }

func (o restResponder) Begin(status int, header textproto.MIMEHeader) io.Writer {
	maps.Copy(o.w.Header(), http.Header(header))
	o.w.WriteHeader(status)
	return o.w
}

// Stream is Begin for rows that are still on their way from the database.
func (o restResponder) Stream(status int, header textproto.MIMEHeader) io.Writer {
	return newStreamWriter(o.w, o.Begin(status, header), streamTime)
}

// streamWriter gives up on a client that does not take what it is sent.
type streamWriter struct {
	to         io.Writer
	connection *http.ResponseController
	stall      time.Duration
	ends       time.Time
}

// newStreamWriter sends what is written to body as the answer of w, within lasts.
func newStreamWriter(w http.ResponseWriter, body io.Writer, lasts time.Duration) *streamWriter {
	if out, ours := w.(*response); ours {
		out.boundBuffer(streamBuffer)
	}
	return &streamWriter{to: body, connection: http.NewResponseController(w), stall: streamStall, ends: time.Now().Add(lasts)}
}

func (w *streamWriter) Write(p []byte) (written int, err error) {
	for part := range slices.Chunk(p, streamPart) {
		until := time.Now().Add(w.stall)
		if w.ends.Before(until) {
			until = w.ends
		}
		_ = w.connection.SetWriteDeadline(until) // the server's own still holds where there is none
		n, err := w.to.Write(part)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// failRest answers with err as clients of PostgREST read it. When an answer is on its way already, the
// connection is cut: nothing else tells the client that the rest is missing.
func failRest(w http.ResponseWriter, err error) {
	if out, ok := w.(*response); ok && out.status != 0 {
		panic(http.ErrAbortHandler)
	}
	answer := restError(err)
	header := w.Header()
	for name, value := range answer.Header {
		header.Set(name, value)
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	header.Set("Proxy-Status", "PostgREST; error="+answer.Code)
	tellWhenToRetry(header, answer.Status, err)
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(answer) // it is made of what JSON can hold
	text := strings.TrimSuffix(body.String(), "\n")
	header.Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, text) // the caller may be gone
}

// restError is err in the dialect's shape: faults keep their code, message and hint.
func restError(err error) *rest.Error {
	var known *rest.Error
	if errors.As(err, &known) {
		return known
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.Wrap(err, fault.BodyTooLarge, "The body is larger than this server takes.", "Send less at once.")
	}
	f := fault.From(err)
	answer := &rest.Error{Status: http.StatusInternalServerError, Code: string(f.Code), Message: f.Message, Hint: f.Hint}
	if status, listed := statuses[f.Code]; listed {
		answer.Status = status
	}
	if f.Detail != "" {
		answer.Details = f.Detail
	}
	if answer.Status == http.StatusUnauthorized {
		answer.Header = map[string]string{"WWW-Authenticate": challenge(f.Code)}
	}
	return answer
}
