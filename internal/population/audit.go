package population

import (
	"time"

	"github.com/vital-db/vital/internal/tenant"
)

var auditColumns = []string{
	"organization_id", "id", "seq", "action", "actor_role", "database_role", "entity", "entity_id", "created_at", "salt", "commitment", "previous_hash", "hash",
}

// generatedAction is what the audit log says of a generated tenant instead of that it was created.
const generatedAction = "generated"

// entry is the first row of tenant n's audit chain. It says that the tenant was generated, and holds nothing that would be sealed.
func (l *loader) entry(n int) tenant.ChainStart {
	return tenant.FirstAuditRow(tenant.ChainStart{
		Tenant: TenantID(n), ID: hashed("audit", n), Action: generatedAction, Role: l.role, Entity: "organizations", EntityID: TenantID(n), At: l.at,
		Salt: hashed("salt", n),
	})
}

func (l *loader) audited(n int, add func(...any)) error {
	e := l.entry(n)
	salt := [16]byte(e.Salt)
	add(id(e.Tenant), id(e.ID), int64(1), e.Action, e.Role, e.Role, e.Entity, id(e.EntityID), e.At, salt[:], e.Commitment, e.PreviousHash, e.Hash)
	return nil
}

// now is a moment as the database keeps it.
func now() time.Time { return time.Now().Truncate(time.Microsecond) }
