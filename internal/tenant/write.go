package tenant

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed write.sql
var writeText string

var writeQueries = database.ParseQueries(writeText)

// Write is a change somebody asks for.
type Write struct {
	Caller identity.Caller
	// Tenant is the one acted in, by id or slug.
	Tenant string
	// Reason says why, for the audit log; may be empty.
	Reason string
	// Key is the request's Idempotency-Key, "" for none; Fingerprint is what tells its requests apart.
	Key         string
	Fingerprint [32]byte
}

// Written is the answer to a write, as it was first given.
type Written struct {
	TenantID uuid.UUID
	// Version is that of the caller's context once the write is committed.
	Version Version
	// ETag is a strong validator of Body, "" where none makes sense.
	ETag string
	// Body is the fresh row.
	Body []byte
	// Replayed says that the write was done before, under the same key.
	Replayed bool
}

// standing is what the caller is in the tenant they act in.
type standing struct {
	tenantID   *uuid.UUID
	role       *string
	superAdmin *bool
	state      *string
}

func (s standing) isSuperAdmin() bool { return s.superAdmin != nil && *s.superAdmin }

// steps are what tells one write from another: who may, and what is done.
type steps struct {
	name string
	may  func(standing) error
	do   func(context.Context, *postgres.Tx, uuid.UUID) (body []byte, etag string, err error)
}

// run does a write in one transaction: who is it, may they, was it done before; the change itself; its
// audit rows and versions, so that the answer carries the new one; the answer, kept under its key.
func (w Write) run(ctx context.Context, db *postgres.DB, s steps) (*Written, error) {
	if w.Caller.UserID == uuid.Nil {
		return nil, fault.New(fault.UserRequired, "A signed-in user is required here.",
			"Send the access token of a user; an API key alone stands for nobody.")
	}
	reference, err := Reference(w.Caller, w.Tenant)
	if err != nil {
		return nil, err
	}
	var answer *Written
	var seen postgres.Observed
	err = db.Transact(ctx, w.Caller, reference, s.name, func(tx *postgres.Tx) error {
		answer = &Written{}
		tx.Observe(&seen)
		return w.transact(ctx, tx, s, answer)
	})
	if err != nil {
		return nil, err
	}
	answer.Version = answer.Version.At(seen.Position)
	return answer, nil
}

func (w Write) transact(ctx context.Context, tx *postgres.Tx, s steps, answer *Written) error {
	var who standing
	err := tx.QueryRow(ctx, writeQueries.Get("Enter"), w.Reason).Scan(nil, &who.tenantID, &who.role, &who.superAdmin, &who.state)
	if err != nil {
		return err
	}
	if who.tenantID == nil {
		return errNoTenant()
	}
	if err := s.may(who); err != nil {
		return err
	}
	answer.TenantID = *who.tenantID
	if w.Key != "" {
		if done, err := w.replay(ctx, tx, answer); done || err != nil {
			return err
		}
	}
	if answer.Body, answer.ETag, err = s.do(ctx, tx, *who.tenantID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, writeQueries.Get("Settle")); err != nil {
		return err
	}
	var version string
	if err := tx.QueryRow(ctx, writeQueries.Get("Version")).Scan(&version); err != nil {
		return err
	}
	if answer.Version, err = ParseCounters(version); err != nil {
		return err
	}
	if w.Key == "" {
		return nil
	}
	headers := map[string]string{"Vital-Version": version, "ETag": answer.ETag}
	_, err = tx.Exec(ctx, writeQueries.Get("Store"), w.Key, statusOK, headers, answer.Body)
	return err
}

// statusOK is what the table of kept answers says of each: faults get another status above, and are never
// kept.
const statusOK = 200

// replay fills answer with what was answered before under the same key, and says whether there was
// something.
func (w Write) replay(ctx context.Context, tx *postgres.Tx, answer *Written) (bool, error) {
	var claimed bool
	var same *bool
	var status *int
	var headers map[string]string
	err := tx.QueryRow(ctx, writeQueries.Get("Claim"), w.Key, w.Fingerprint[:]).Scan(&claimed, &same, &status, &headers, &answer.Body)
	if err != nil || claimed {
		return false, err
	}
	if same == nil || !*same {
		return true, fault.New(fault.IdempotencyMismatch, "This Idempotency-Key was used for another request.",
			"Use a new key for a new request, and the same one only to repeat the very same request.")
	}
	if status == nil {
		return true, fault.New(fault.Conflict, "A request with this Idempotency-Key has no answer yet.", "Try again shortly.")
	}
	answer.ETag, answer.Replayed = headers["ETag"], true
	answer.Version, err = ParseCounters(headers["Vital-Version"])
	return true, err
}

// errNoTenant is what a stranger gets, whether the tenant exists or not; vital.build_context says the
// same.
func errNoTenant() error {
	return fault.New(fault.TenantNotFound, "There is no such tenant, or you are not a member of it.",
		"Check the id or slug in the address; the tenants of your context are those you may name.")
}

// states are the errors of a tenant that does not serve its members.
var states = map[string]struct {
	code          fault.Code
	message, hint string
}{
	"pending":   {fault.TenantPending, "This tenant awaits approval.", "An operator has to approve it first."},
	"suspended": {fault.TenantSuspended, "This tenant is suspended.", "Ask the operator of the platform why; they can activate it again."},
	"archived":  {fault.TenantArchived, "This tenant is archived.", "Its data is kept, but nobody changes it any more."},
}

// serves refuses members of a tenant that is not active, and everybody in an archived one.
func (s standing) serves() error {
	state := *s.state
	if refused, found := states[state]; found && (!s.isSuperAdmin() || state == "archived") {
		return fault.New(refused.code, refused.message, refused.hint)
	}
	return nil
}

// mayAdminister lets owners and admins of an active tenant, and super admins.
func mayAdminister(s standing) error {
	if err := s.serves(); err != nil {
		return err
	}
	if s.isSuperAdmin() || *s.role == "owner" || *s.role == "admin" {
		return nil
	}
	return fault.New(fault.PermissionDenied, "Only admins of the tenant may do this.", "Ask an owner or admin of the tenant.")
}

// mayOperate lets super admins, whatever the tenant's state.
func mayOperate(s standing) error {
	if s.isSuperAdmin() {
		return nil
	}
	if err := s.serves(); err != nil {
		return err
	}
	return fault.New(fault.PermissionDenied, "Only operators of the platform may do this.", "Ask a super admin.")
}

// FeatureToggle sets a flag for the tenant, or with Enabled null takes it back to its default.
type FeatureToggle struct {
	FlagKey string         `json:"flag_key"`
	Enabled *bool          `json:"enabled"`
	Config  map[string]any `json:"config"`
	Reason  string         `json:"reason"`
}

// ToggleFeature does t and answers with the flag as the tenant now has it.
func ToggleFeature(ctx context.Context, db *postgres.DB, w Write, t FeatureToggle) (*Written, error) {
	w.Reason = reason(t.Reason, w.Reason)
	return w.run(ctx, db, steps{"FeatureToggle", mayAdminister, func(ctx context.Context, tx *postgres.Tx, _ uuid.UUID) (body []byte, _ string, err error) {
		err = tx.QueryRow(ctx, writeQueries.Get("FeatureToggle"), t.FlagKey, t.Enabled, t.Config, orNull(w.Reason)).Scan(&body)
		return body, "", err
	}})
}

// AgentAssignment is an agent to assign to the tenant, or with Action unassign to take away.
type AgentAssignment struct {
	AgentID  uuid.UUID      `json:"agent_id"`
	TenantID *uuid.UUID     `json:"agent_tenant_id"`
	Config   map[string]any `json:"config"`
	Action   string         `json:"action"`
	Reason   string         `json:"reason"`
}

// ChangeAssignment does a and answers with the assignment, or with whose it no longer is. TenantID is the
// agent's owner; without it the tenant's own agent is meant, else the platform's.
func ChangeAssignment(ctx context.Context, db *postgres.DB, w Write, a AgentAssignment) (*Written, error) {
	w.Reason = reason(a.Reason, w.Reason)
	return w.run(ctx, db, steps{"AgentAssign", mayAdminister, func(ctx context.Context, tx *postgres.Tx, tenant uuid.UUID) (body []byte, _ string, err error) {
		if a.Action == "unassign" {
			_, err = tx.Exec(ctx, writeQueries.Get("AgentUnassign"), a.AgentID, a.TenantID)
			return fmt.Appendf(nil, `{"tenant_id": %q, "agent_id": %q, "is_enabled": false}`, tenant, a.AgentID), "", err
		}
		err = tx.QueryRow(ctx, writeQueries.Get("AgentAssign"), a.AgentID, a.TenantID, a.Config).Scan(&body)
		return body, "", err
	}})
}

// LifecycleMove is approve, activate, suspend or archive.
type LifecycleMove struct {
	Action string `json:"action"`
	Reason string `json:"reason"`
}

// MoveLifecycle does m and answers with the organization. A move its state does not allow is a
// state_conflict that names those it does.
func MoveLifecycle(ctx context.Context, db *postgres.DB, w Write, m LifecycleMove) (*Written, error) {
	w.Reason = reason(m.Reason, w.Reason)
	return w.run(ctx, db, steps{"LifecycleMove", mayOperate, func(ctx context.Context, tx *postgres.Tx, tenant uuid.UUID) (body []byte, _ string, err error) {
		err = tx.QueryRow(ctx, writeQueries.Get("LifecycleMove"), tenant, m.Action, orNull(w.Reason)).Scan(&body)
		return body, "", err
	}})
}

// CacheInvalidation names a tenant, or the key its context is cached under.
type CacheInvalidation struct {
	Key    string `json:"key"`
	Tenant string `json:"tenant"`
	Reason string `json:"reason"`
}

// InvalidateCache makes everything that keeps the tenant's context read it anew.
func InvalidateCache(ctx context.Context, db *postgres.DB, w Write, c CacheInvalidation) (*Written, error) {
	w.Reason = reason(c.Reason, w.Reason)
	w.Tenant = c.Tenant
	if c.Key != "" {
		w.Tenant = strings.TrimSuffix(strings.TrimPrefix(c.Key, "tenant:"), ":config")
	}
	return w.run(ctx, db, steps{"CacheInvalidate", mayOperate, func(ctx context.Context, tx *postgres.Tx, tenant uuid.UUID) ([]byte, string, error) {
		_, err := tx.Exec(ctx, writeQueries.Get("CacheInvalidate"), tenant)
		return fmt.Appendf(nil, `{"tenant_id": %q, "key": "tenant:%s:config"}`, tenant, tenant), "", err
	}})
}

// reason is the body's, else the header's.
func reason(body, header string) string {
	if body != "" {
		return body
	}
	return header
}
