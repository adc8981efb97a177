package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// sealAudit seals audit rows that are old enough.
type sealAudit struct{}

// Kind is river's.
func (sealAudit) Kind() string { return "audit_seal" }

// sealer seals them, on a server that has a keyring; another leaves it to the next that is planned.
type sealer struct {
	river.WorkerDefaults[sealAudit]

	service *postgres.Service
	ring    func(context.Context) (*envelope.Ring, error)
	after   time.Duration
	log     *slog.Logger
}

// Work is river's.
func (s *sealer) Work(ctx context.Context, _ *river.Job[sealAudit]) error {
	if s.ring == nil || s.after == 0 {
		return nil
	}
	ring, err := s.ring(ctx)
	if err != nil {
		return err
	}
	sealed, err := tenant.SealAudit(ctx, s.service, tenant.AuditSeal{Ring: ring, Before: time.Now().Add(-s.after)})
	if sealed.Skipped > 0 {
		s.log.ErrorContext(ctx, "audit rows stay in clear: the keyring does not open their tenants' keys", "tenants", sealed.Skipped, "error", sealed.Err, "hint", "vital keys status")
	}
	return err
}
