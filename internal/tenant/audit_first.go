package tenant

import (
	"time"

	"github.com/google/uuid"
)

// ChainStart is the first row of an audit chain, one that has no content.
type ChainStart struct {
	Tenant, ID, EntityID uuid.UUID
	Action, Role, Entity string // the database role is who acted
	At                   time.Time
	Salt                 uuid.UUID

	Commitment, PreviousHash, Hash []byte
}

// FirstAuditRow is e as the first row of its chain, with the hashes that the database would have given it: for tenants that are
// copied, and not made row by row.
func FirstAuditRow(e ChainStart) ChainStart {
	entityID := e.EntityID.String()
	r := auditRow{
		tenant: e.Tenant, seq: 1, id: e.ID, action: e.Action, databaseRole: e.Role, actorRole: &e.Role, entity: &e.Entity, entityID: &entityID,
		createdAt: e.At.UnixMicro(), salt: e.Salt[:], previousHash: make([]byte, 32),
	}
	r.commitment = r.commit()
	e.Commitment, e.PreviousHash, e.Hash = r.commitment, r.previousHash, r.auditHash()
	return e
}
