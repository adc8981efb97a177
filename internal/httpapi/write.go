package httpapi

import (
	"crypto/sha256"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

// writer is a route's change: body is the whole request body.
type writer func(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error)

// writeRoute is a route that writes, and what it is called where loads are recorded.
type writeRoute struct {
	operation func(huma.Registry) *huma.Operation
	name      string
	work      writer
}

// writeRoutes are the routes of our own that write. All other changes are functions of the database, under /rest/v1/rpc/.
func (s *Server) writeRoutes() []writeRoute {
	return []writeRoute{
		// Admins of the tenant, and super admins.
		{patchConfigOperation, "config.patch", s.patchConfig},
		{toggleFeatureOperation, "features.toggle", s.toggleFeature},
		{assignAgentOperation, "agents.assign", s.assignAgent},
		// Super admins.
		{moveLifecycleOperation, "lifecycle.move", s.moveLifecycle},
		{invalidateCacheOperation, "cache.invalidate", s.invalidateCache},
	}
}

// WriteRoutes are the routes of our own that write, as `PATCH /api/tenants/{id}/config`.
func WriteRoutes() (routes []string) {
	described := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for _, c := range (&Server{}).writeRoutes() {
		operation := c.operation(described)
		routes = append(routes, operation.Method+" "+operation.Path)
	}
	return routes
}

// write reads what all writes have in common, lets work make the change, and answers with the fresh row.
func (s *Server) write(work writer) callerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		change, err := changeOf(r, caller, body)
		if err != nil {
			return err
		}
		answer, err := work(r, change, body)
		if err != nil {
			return err
		}
		requestOf(r.Context()).tenant = answer.TenantID
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Vital-Version", answer.Version.Text(s.config.DB))
		if answer.ETag != "" {
			header.Set("ETag", answer.ETag)
		}
		if answer.Replayed {
			header.Set("Idempotent-Replayed", "true")
		}
		header.Set("Content-Length", strconv.Itoa(len(answer.Body)))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(answer.Body) // the caller may be gone
		return nil
	}
}

// changeOf reads who asks for which tenant, why, and under which key.
func changeOf(r *http.Request, caller identity.Caller, body []byte) (tenant.Write, error) {
	change := tenant.Write{Caller: caller, Tenant: r.PathValue("id"), Reason: r.Header.Get("Vital-Reason")}
	if len(change.Reason) > 1000 || !utf8.ValidString(change.Reason) {
		return change, fault.New(fault.Invalid, "The Vital-Reason header is too long or not UTF-8.", "Send at most 1000 bytes.")
	}
	if given := r.Header.Values("Content-Type"); len(given) > 0 {
		allowed := []string{"application/json"}
		if r.Method == http.MethodPatch {
			allowed = append(allowed, "application/merge-patch+json")
		}
		if kind, _, err := mime.ParseMediaType(given[0]); err != nil || !slices.Contains(allowed, kind) {
			return change, fault.New(fault.Invalid, "The body is of a type this route does not take.",
				"Send Content-Type: "+strings.Join(allowed, " or ")+".")
		}
	}
	var err error
	change.Key, change.Fingerprint, err = idempotency(r, body)
	return change, err
}

// idempotency returns the request's Idempotency-Key, "" without one, and what tells requests under one
// key apart: method, path and body.
func idempotency(r *http.Request, body []byte) (key string, fingerprint [sha256.Size]byte, err error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", fingerprint, nil
	}
	key = strings.TrimSpace(values[0])
	unprintable := strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(values) > 1 || key == "" || len(key) > 255 || unprintable {
		return "", fingerprint, fault.New(fault.Invalid, "The Idempotency-Key header is not one key.",
			"Send one of 1 to 255 printable ASCII characters, such as a UUID made for this request.")
	}
	hash := sha256.New()
	io.WriteString(hash, r.Method+"\n"+r.URL.EscapedPath()+"\n") //nolint:errcheck // a hash takes everything
	hash.Write(body)
	return key, [sha256.Size]byte(hash.Sum(nil)), nil
}

// patchConfig merges a JSON Merge Patch into the tenant's configuration.
func (s *Server) patchConfig(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error) {
	return tenant.PatchConfig(r.Context(), s.config.DB, change, tenant.ConfigPatch{
		Patch: body, IfMatch: strings.Join(r.Header.Values("If-Match"), ","),
	})
}

// toggleFeature sets a flag for the tenant, or takes it back to its default.
func (s *Server) toggleFeature(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error) {
	var asked tenant.FeatureToggle
	if err := tenant.Decode("feature_toggle", body, &asked); err != nil {
		return nil, err
	}
	return tenant.ToggleFeature(r.Context(), s.config.DB, change, asked)
}

// assignAgent gives the tenant an agent, or takes one away.
func (s *Server) assignAgent(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error) {
	var asked tenant.AgentAssignment
	if err := tenant.Decode("agent_assignment", body, &asked); err != nil {
		return nil, err
	}
	return tenant.ChangeAssignment(r.Context(), s.config.DB, change, asked)
}

// moveLifecycle approves, activates, suspends or archives the tenant.
func (s *Server) moveLifecycle(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error) {
	var asked tenant.LifecycleMove
	if err := tenant.Decode("lifecycle_move", body, &asked); err != nil {
		return nil, err
	}
	return tenant.MoveLifecycle(r.Context(), s.config.DB, change, asked)
}

// invalidateCache makes everything that keeps the tenant's context read it anew.
func (s *Server) invalidateCache(r *http.Request, change tenant.Write, body []byte) (*tenant.Written, error) {
	var asked tenant.CacheInvalidation
	if err := tenant.Decode("cache_invalidation", body, &asked); err != nil {
		return nil, err
	}
	return tenant.InvalidateCache(r.Context(), s.config.DB, change, asked)
}
