package httpapi

import (
	"fmt"
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
	started := time.Now()
	answer, err := tenant.ReadContext(r.Context(), s.config.DB, caller, named)
	if err != nil {
		return err
	}
	rq := requestOf(r.Context())
	rq.tenant = answer.TenantID
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("ETag", answer.ETag)
	header.Set("Vital-Version", answer.Version)
	header.Set("Server-Timing", fmt.Sprintf("auth;dur=%.3f, db;dur=%.3f", milliseconds(rq.authTook), milliseconds(time.Since(started))))
	if matches(r.Header.Get("If-None-Match"), answer.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set("Content-Length", strconv.Itoa(len(answer.Body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(answer.Body) // the caller may be gone
	return nil
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
	for _, candidate := range strings.Split(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}
