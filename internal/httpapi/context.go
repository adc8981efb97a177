package httpapi

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

// getContext answers who the caller is, which tenants are theirs and how the one they act in is set up.
// The Vital-Tenant header names that one by id or slug.
func (s *Server) getContext(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	named, err := tenantHeader(r)
	if err != nil {
		return err
	}
	least, err := tenant.ParseVersion(s.config.DB, r.Header.Get("Vital-Min-Version"))
	if err != nil {
		return err
	}
	rq := requestOf(r.Context())
	rq.load.named = cmp.Or(named, caller.Tenant)
	started := time.Now()
	answer, hit, err := s.config.Contexts.Read(r.Context(), caller, named, least)
	if err != nil {
		return err
	}
	rq.tenant, rq.load.hit = answer.TenantID, hit
	values := [...]string{answer.ETag, answer.VersionText(), serverTiming(rq.authTook, hit, time.Since(started)), strconv.Itoa(answer.Len())}
	header := w.Header()
	header["Content-Type"] = contextType
	header["Etag"], header["Vital-Version"], header["Server-Timing"] = values[0:1:1], values[1:2:2], values[2:3:3]
	if matches(r.Header.Get("If-None-Match"), answer.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header["Content-Length"] = values[3:4:4]
	w.WriteHeader(http.StatusOK)
	_, _ = answer.WriteTo(w) // the caller may be gone
	return nil
}

var contextType = []string{"application/json"}

// serverTiming says how long who asks and what they get took, and whether that came from memory.
func serverTiming(auth time.Duration, hit bool, read time.Duration) string {
	from := ", db;dur="
	if hit {
		from = ", cache;dur="
	}
	b := append(make([]byte, 0, 64), "auth;dur="...)
	b = append(strconv.AppendFloat(b, milliseconds(auth), 'f', 3, 64), from...)
	return string(strconv.AppendFloat(b, milliseconds(read), 'f', 3, 64))
}

// tenantHeader returns the tenant the request names, "" when it names none.
func tenantHeader(r *http.Request) (string, error) {
	values := r.Header.Values("Vital-Tenant")
	if len(values) > 1 {
		return "", fault.New(fault.TenantReferenceInvalid, "The request has more than one Vital-Tenant header.", "Send one.")
	}
	if len(values) == 1 && strings.TrimSpace(values[0]) == "" {
		return "", fault.New(fault.TenantReferenceInvalid, "The Vital-Tenant header is empty.",
			"Name a tenant by id or slug, or leave the header out for the default one.")
	}
	return strings.TrimSpace(r.Header.Get("Vital-Tenant")), nil
}

// matches compares an If-None-Match header with etag, weakly, as RFC 9110 asks for reads.
func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}
