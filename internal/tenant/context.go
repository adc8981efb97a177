// Package tenant is what the product is about: a user's context in a tenant, and later everything that
// belongs to one. It speaks SQL through internal/postgres and knows nothing of HTTP.
package tenant

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"regexp"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed context.sql
var contextText string

var contextQueries = database.ParseQueries(contextText)

// Context is the answer to who a user is, which tenants are theirs and how the one they act in is set
// up, as the database wrote it.
type Context struct {
	TenantID uuid.UUID
	// Version changes with everything the body is made of: global.tenant.membership.self.
	Version string
	// Body is the JSON object {user, organization, membership, tenants, config, version}.
	Body []byte
	// ETag is a strong validator of Body, quoted.
	ETag string
}

// ReadContext returns the context of caller in the tenant they name (an id, a slug, or "" for the
// token's tenant claim and then the user's default). It is one round trip and one statement.
//
// Errors: user_required without a user; user_unknown, user_without_profile, user_without_organization,
// membership_missing, tenant_pending, tenant_suspended, tenant_archived, tenant_unconfigured, each naming
// the step that failed; tenant_not_found alike for a tenant that does not exist and one the user is no
// member of.
func ReadContext(ctx context.Context, db *postgres.DB, caller identity.Caller, tenant string) (*Context, error) {
	if caller.UserID == uuid.Nil {
		return nil, fault.New(fault.UserRequired, "A signed-in user is required here.",
			"Send the access token of a user; an API key alone stands for nobody.")
	}
	reference, err := Reference(caller, tenant)
	if err != nil {
		return nil, err
	}
	var answer Context
	work := &postgres.Work{Name: "ContextRead"}
	work.Query(contextQueries.Get("ContextRead"), func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&answer.TenantID, &answer.Version, &answer.Body); err != nil {
				return err
			}
		}
		work.Tenant = answer.TenantID
		return rows.Err()
	})
	if err := db.InTenant(ctx, caller, reference, work); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(answer.Body)
	answer.ETag = `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	return &answer, nil
}

// referencePattern is an id or a slug: nothing else may reach the sealed context.
var referencePattern = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]+(-[a-z0-9]+)*)$`)

// Reference returns the tenant a request acts in: the one it names, else the one its token names, else
// "" for the user's default. It refuses what can be neither an id nor a slug.
func Reference(caller identity.Caller, named string) (string, error) {
	if named == "" {
		named = caller.Tenant
	}
	if id, err := uuid.Parse(named); err == nil && len(named) == 36 {
		return id.String(), nil
	}
	if named != "" && (len(named) > 100 || !referencePattern.MatchString(named)) {
		return "", fault.New(fault.TenantReferenceInvalid, "The tenant is named by neither an id nor a slug.",
			"A slug is lower-case letters, digits and single hyphens, as in organizations.slug.")
	}
	return named, nil
}
