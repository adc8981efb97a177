package cache

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Scope is what has a version in vital.versions: a kind (tenant, membership, self, session or global) and whose.
type Scope struct {
	Kind string
	Key  uuid.UUID // zero for global
}

// Tenant is the kind of scope that a tenant's row, configuration, apps and overrides have.
const Tenant = "tenant"

// Global is the scope of what belongs to no tenant: flag definitions.
var Global = Scope{Kind: "global"}

// Change is a scope and the version it has reached.
type Change struct {
	Scope
	Version int64
	// Age is how long ago the transaction began that changed it, where it was just looked up.
	Age time.Duration
}

// parseChange reads a notification: kind:key:version.
func parseChange(payload string) (Change, bool) {
	kind, rest, _ := strings.Cut(payload, ":")
	key, number, _ := strings.Cut(rest, ":")
	id, err := uuid.Parse(key)
	version, wrong := strconv.ParseInt(number, 10, 64)
	return Change{Scope: Scope{strings.Clone(kind), id}, Version: version}, err == nil && wrong == nil && len(kind) < 32
}
