package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/tenant"
)

// The OpenFeature Remote Evaluation Protocol 0.3: what flags are worth to the caller's tenant. Which tenant that is
// comes from the credential alone; what a client says of tenant and user is overwritten.
const ofrepBase = "/ofrep/v1"

// inactivitySeconds is how long a hidden page should keep its event stream.
const inactivitySeconds = 120

func (s *Server) ofrepRoutes(mux *http.ServeMux) {
	mux.Handle("POST "+ofrepBase+"/evaluate/flags", s.loads("feature_flags", "feature_flags.bulk", s.ofrep(s.evaluateAll)))
	mux.Handle("POST "+ofrepBase+"/evaluate/flags/{key...}", s.loads("feature_flags", "feature_flags.single", s.ofrep(s.evaluateFlag)))
	mux.Handle("GET "+eventsPath, s.public(s.stream(s.openFlagEvents)))
}

// ofrep lets a user, or a server with a tenant's key, call h, and answers errors as OpenFeature's clients read them.
func (s *Server) ofrep(h func(http.ResponseWriter, *http.Request, tenant.CallerFlags) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["Cache-Control"] = privateNoCache
		header.Add("Vary", "Authorization, X-API-Key, Vital-Tenant")
		flags, err := s.callerFlags(r)
		if err == nil {
			if r.Header.Get("Vital-Min-Version") != "" {
				header.Set("Vital-Version", flags.Version().Text(s.config.DB))
			}
			err = h(w, r, flags)
		}
		if err != nil {
			s.failOFREP(w, r, err)
		}
	})
}

var (
	privateNoCache = []string{"private, no-cache"}
	jsonType       = []string{"application/json; charset=utf-8"}
)

func (s *Server) callerFlags(r *http.Request) (tenant.CallerFlags, error) {
	if key := r.Header.Get("X-Api-Key"); key != "" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+key) // OFREP's other way to say it
	}
	started := time.Now()
	caller, err := s.authenticate(r)
	if err != nil {
		return tenant.CallerFlags{}, err
	}
	named, err := tenantHeader(r)
	if err != nil {
		return tenant.CallerFlags{}, err
	}
	least, err := tenant.ParseVersion(s.config.DB, r.Header.Get("Vital-Min-Version"))
	if err != nil {
		return tenant.CallerFlags{}, err
	}
	preview, err := previews(r)
	if err != nil {
		return tenant.CallerFlags{}, err
	}
	rq := requestOf(r.Context())
	rq.user, rq.verified, rq.routine, rq.authTook = caller.UserID, true, true, time.Since(started)
	rq.load.named = cmp.Or(named, caller.Tenant)
	if err := s.admit(r, caller, named); err != nil {
		return tenant.CallerFlags{}, err
	}
	flags, err := s.config.Flags.Flags(r.Context(), caller, named, least)
	if err == nil {
		rq.tenant, rq.load.hit = flags.TenantID, rq.load.steps.none()
	}
	if preview {
		flags = flags.Preview()
	}
	return flags, err
}

// previews says whether flags are only looked at, which is no use of them. Who may, what they are worth, the validator and what a load is
// counted and throttled as are the same: the answer never depends on it, so no cache has to know of it. Misspelt it is refused, since a
// look would be counted without anybody noticing.
func previews(r *http.Request) (bool, error) {
	switch values := r.Header["Vital-Purpose"]; {
	case len(values) == 0:
		return false, nil
	case len(values) == 1 && values[0] == "preview":
		return true, nil
	}
	return false, fault.New(fault.Invalid, "The Vital-Purpose header is none that is known.",
		"Send `Vital-Purpose: preview` to look at flags without being counted, or leave the header out.")
}

// evaluateFlag answers what one flag is worth.
func (s *Server) evaluateFlag(w http.ResponseWriter, r *http.Request, flags tenant.CallerFlags) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	client, err := feature.ParseRequest(body)
	if err != nil {
		return err
	}
	result := flags.Evaluate(r.PathValue("key"), client, time.Now())
	status := http.StatusOK
	switch result.ErrorCode {
	case "":
	case feature.FlagNotFound:
		status = http.StatusNotFound
	case feature.General:
		status = http.StatusInternalServerError
	case feature.ParseError, feature.TypeMismatch, feature.InvalidContext:
		status = http.StatusBadRequest
	}
	writeOFREP(w, status, result.AppendJSON(make([]byte, 0, 256)))
	return nil
}

// evaluateAll answers what every flag is worth, or that nothing has changed since the client last asked; that is
// found out before any flag is evaluated.
func (s *Server) evaluateAll(w http.ResponseWriter, r *http.Request, flags tenant.CallerFlags) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	now := time.Now()
	// A client that is told that nothing has changed goes on with the stream it was told before.
	grant := grantEvents(flags.Caller, now)
	validator := flags.Validator(now, body, s.nameOf(grant))
	w.Header()["Etag"] = []string{validator}
	if header := r.Header["If-None-Match"]; len(header) > 0 && header[0] != "*" && matches(header[0], validator) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	client, err := feature.ParseRequest(body)
	if err != nil {
		return err
	}
	body = append(make([]byte, 0, 4096), `{"flags":[`...)
	first := true
	for result := range flags.EvaluateAll(client, now) {
		if !first {
			body = append(body, ',')
		}
		first = false
		body = result.AppendJSON(body)
	}
	body = append(body, `],"eventStreams":[{"type":"sse","endpoint":{"requestUri":`...)
	body = strconv.AppendQuote(body, eventsPath+"?token="+s.eventToken(eventsPath, flags.Caller, flags.TenantID, grant)+"&since="+flags.State(now))
	body = append(body, `},"inactivityDelaySec":`...)
	body = strconv.AppendInt(body, inactivitySeconds, 10)
	body = append(body, "}]}"...)
	writeOFREP(w, http.StatusOK, body)
	return nil
}

func writeOFREP(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may be gone
}

// ofrepFailure is an error as OpenFeature's clients read it; code, hint and request_id are those of every error.
type ofrepFailure struct {
	Key          string            `json:"key,omitempty"`
	ErrorCode    feature.ErrorCode `json:"errorCode"`
	ErrorDetails string            `json:"errorDetails"`
	Code         fault.Code        `json:"code"`
	Hint         string            `json:"hint,omitempty"`
	RequestID    string            `json:"request_id"`
}

func (s *Server) failOFREP(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.Wrap(err, fault.BodyTooLarge, "The body is larger than this server takes.", "Send less at once.")
	}
	rq := requestOf(r.Context())
	rq.err = err
	f := fault.From(err)
	failure := ofrepFailure{
		Key: r.PathValue("key"), ErrorCode: feature.General, ErrorDetails: strings.TrimSpace(f.Message + " " + f.Hint),
		Code: f.Code, Hint: f.Hint, RequestID: rq.id,
	}
	status, listed := statuses[f.Code]
	switch {
	case f.Code == fault.Invalid:
		status, failure.ErrorCode = http.StatusBadRequest, feature.InvalidContext
	case f.Code == fault.BadJSON:
		status, failure.ErrorCode = http.StatusBadRequest, feature.ParseError
	case f.Code == fault.TenantNotFound: // 404 is for flags
		status = http.StatusForbidden
	case !listed:
		status = http.StatusInternalServerError
	}
	header := w.Header()
	header.Del("ETag")
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", challenge(f.Code))
	}
	tellWhenToRetry(header, status, err)
	body, _ := json.Marshal(failure) // it is made of what JSON can hold
	writeOFREP(w, status, body)
}
