package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// statuses is the one place where a fault becomes an HTTP status. What is not listed is 500.
var statuses = map[fault.Code]int{
	fault.TokenMissing:            http.StatusUnauthorized,
	fault.TokenMalformed:          http.StatusUnauthorized,
	fault.TokenExpired:            http.StatusUnauthorized,
	fault.TokenNotYetValid:        http.StatusUnauthorized,
	fault.TokenBadSignature:       http.StatusUnauthorized,
	fault.TokenAlgorithm:          http.StatusUnauthorized,
	fault.TokenUnknownKey:         http.StatusUnauthorized,
	fault.TokenWrongAudience:      http.StatusUnauthorized,
	fault.TokenWrongIssuer:        http.StatusUnauthorized,
	fault.TokenBadClaims:          http.StatusUnauthorized,
	fault.SigningKeysDown:         http.StatusServiceUnavailable,
	fault.UserRequired:            http.StatusUnauthorized,
	fault.SessionRevoked:          http.StatusUnauthorized,
	fault.APIKeyInvalid:           http.StatusUnauthorized,
	fault.SignInOff:               http.StatusNotFound,
	fault.InvalidCredentials:      http.StatusBadRequest,
	fault.SignupDisabled:          http.StatusUnprocessableEntity,
	fault.InviteNotFound:          http.StatusUnprocessableEntity,
	fault.WeakPassword:            http.StatusUnprocessableEntity,
	fault.SamePassword:            http.StatusUnprocessableEntity,
	fault.ValidationFailed:        http.StatusBadRequest,
	fault.BadJSON:                 http.StatusBadRequest,
	fault.EmailExists:             http.StatusUnprocessableEntity,
	fault.EmailNotConfirmed:       http.StatusBadRequest,
	fault.UserNotFound:            http.StatusNotFound,
	fault.UserBanned:              http.StatusBadRequest,
	fault.NotAdmin:                http.StatusForbidden,
	fault.OTPExpired:              http.StatusForbidden,
	fault.SessionNotFound:         http.StatusForbidden,
	fault.SessionExpired:          http.StatusBadRequest,
	fault.RefreshTokenNotFound:    http.StatusBadRequest,
	fault.RefreshTokenAlreadyUsed: http.StatusBadRequest,
	fault.OverRequestRateLimit:    http.StatusTooManyRequests,
	fault.PermissionDenied:        http.StatusForbidden,
	fault.OriginNotAllowed:        http.StatusForbidden,
	fault.UserUnknown:             http.StatusForbidden,
	fault.UserWithoutProfile:      http.StatusConflict,
	fault.UserWithoutOrganization: http.StatusConflict,
	fault.MembershipMissing:       http.StatusForbidden,
	fault.TenantNotFound:          http.StatusNotFound,
	fault.TenantReferenceInvalid:  http.StatusBadRequest,
	fault.TenantPending:           http.StatusForbidden,
	fault.TenantSuspended:         http.StatusForbidden,
	fault.TenantArchived:          http.StatusForbidden,
	fault.TenantUnconfigured:      http.StatusConflict,
	fault.NotFound:                http.StatusNotFound,
	fault.MethodNotAllowed:        http.StatusMethodNotAllowed,
	fault.TenantOverLimit:         http.StatusTooManyRequests,
	fault.BodyTooLarge:            http.StatusRequestEntityTooLarge,
	fault.URLTooLong:              http.StatusRequestURITooLong,
	fault.RowTooLarge:             http.StatusUnprocessableEntity,
	fault.Invalid:                 http.StatusUnprocessableEntity,
	fault.Conflict:                http.StatusConflict,
	fault.ReadOnly:                http.StatusConflict,
	fault.AccessNotRecorded:       http.StatusServiceUnavailable,
	fault.EntryRequired:           http.StatusForbidden,
	fault.StateConflict:           http.StatusConflict,
	fault.LimitExceeded:           http.StatusConflict,
	fault.InvitationInvalid:       http.StatusNotFound,
	fault.LastOwner:               http.StatusConflict,
	fault.AppendOnly:              http.StatusForbidden,
	fault.PreconditionFailed:      http.StatusPreconditionFailed,
	fault.VersionNotReached:       http.StatusPreconditionFailed,
	fault.IdempotencyMismatch:     http.StatusUnprocessableEntity,
	fault.PrerequisiteInvalid:     http.StatusUnprocessableEntity,
	fault.RequestCancelled:        statusClientClosedRequest,
	fault.RequestTimeout:          http.StatusGatewayTimeout,
	fault.StatementTimeout:        http.StatusGatewayTimeout,
	fault.DatabaseUnavailable:     http.StatusServiceUnavailable,
	fault.DatabaseFull:            http.StatusServiceUnavailable,
	fault.PoolExhausted:           http.StatusServiceUnavailable,
	fault.SchemaBehind:            http.StatusServiceUnavailable,
	fault.SchemaAhead:             http.StatusServiceUnavailable,
}

// statusClientClosedRequest is what proxies log for a caller who went away; nobody reads the answer.
const statusClientClosedRequest = 499

// problem is an error as RFC 9457 has it, with what our clients need beside it.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	Hint      string `json:"hint"`
	RequestID string `json:"request_id"`
	// Errors name each place of a document that is not what it must be.
	Errors tenant.Faults `json:"errors,omitempty" nullable:"false"`
}

// writeError answers with err as a problem, unless an answer is already on its way. The cause stays in
// the log.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.Wrap(err, fault.BodyTooLarge, "The body is larger than this server takes.", "Send less at once.")
	}
	rq := requestOf(r.Context())
	rq.err = err
	f := fault.From(err)
	status, listed := statuses[f.Code]
	if !listed {
		status = http.StatusInternalServerError
	}
	if out, ok := w.(*response); ok && out.status != 0 {
		return // too late to say so; the log line does
	}
	header := w.Header()
	header.Del("ETag")
	header.Del("Vital-Version")
	header.Set("Content-Type", "application/problem+json")
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store")
	}
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", challenge(f.Code))
	}
	tellWhenToRetry(header, status, err)
	answer := problem{
		Type: "urn:vital:error:" + string(f.Code), Title: f.Message, Status: status, Detail: f.Detail,
		Code: string(f.Code), Hint: f.Hint, RequestID: rq.id,
	}
	errors.As(f, &answer.Errors)
	w.WriteHeader(status)
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false) // hints show <token> as it is meant; nosniff keeps it from being a page
	_ = body.Encode(answer)   // the caller may be gone
}

// challenge is the WWW-Authenticate value of RFC 6750.
func challenge(code fault.Code) string {
	if code == fault.TokenMissing || code == fault.UserRequired {
		return `Bearer realm="vital"`
	}
	return `Bearer realm="vital", error="invalid_token", error_description="` + string(code) + `"`
}

// notFound answers what no route matches: 405 where another method would, else 404.
func (s *Server) notFound(mux *http.ServeMux) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
				w.Header().Add("Allow", method)
			}
		}
		if w.Header().Get("Allow") != "" {
			return fault.New(fault.MethodNotAllowed, "This path does not take that method.", "The Allow header names those it takes.")
		}
		return fault.New(fault.NotFound, "There is nothing at this path.", "See docs/reference for the routes of this server.")
	}
}
