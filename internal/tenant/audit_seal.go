package tenant

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// AuditSeal says what of the audit log is to be sealed.
type AuditSeal struct {
	Ring *envelope.Ring
	// Before is when a row must have been written; what is younger stays in clear.
	Before time.Time
	// Tenant narrows it to one; nil is all.
	Tenant *uuid.UUID
	// Progress is told how many rows were sealed so far. Defaults to nothing.
	Progress func(rows int64)
}

// SealedAudit is what sealing came to.
type SealedAudit struct {
	Rows int64
	// Skipped are tenants whose key this ring does not open, whose rows stay as they are, and Err the first reason.
	Skipped int
	Err     error
}

// sealBatch is how many rows are read at once; they may be large.
const sealBatch = 200

// SealAudit seals changes and reason of audit rows with their tenant's key, which is made where there is none, the oldest first, a
// transaction for each tenant of a batch. It may be run any number of times, also twice at once.
func SealAudit(ctx context.Context, service *postgres.Service, seal AuditSeal) (SealedAudit, error) {
	var total SealedAudit
	skipped := []string{}
	for {
		rows, err := seal.next(ctx, service, skipped)
		if err != nil || len(rows) == 0 {
			return total, err
		}
		written := int64(0)
		for _, batch := range byTenant(rows) {
			n, err := seal.rows(ctx, service, batch)
			switch code := fault.CodeOf(err); {
			case code == fault.KeyUnavailable || code == fault.KeyDamaged:
				skipped = append(skipped, batch[0].Tenant.String())
				if total.Skipped++; total.Err == nil {
					total.Err = err
				}
				written++ // what is left over is looked for without these
			case err != nil:
				return total, err
			default:
				total.Rows, written = total.Rows+n, written+n
			}
		}
		if seal.Progress != nil {
			seal.Progress(total.Rows)
		}
		if written == 0 {
			return total, nil // others were faster with every row of it: they go on
		}
	}
}

// unsealedRow is one in clear.
type unsealedRow struct {
	Tenant, ID      uuid.UUID
	Changes, Reason *string
	Salt            []byte
}

func (s AuditSeal) next(ctx context.Context, service *postgres.Service, skipped []string) (found []unsealedRow, err error) {
	err = service.AsService(ctx, "AuditUnsealed", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, auditQueries.Get("UnsealedRows"), s.Before, s.Tenant, skipped, sealBatch)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[unsealedRow])
		return err
	})
	return found, err
}

// byTenant divides rows.
func byTenant(rows []unsealedRow) (batches [][]unsealedRow) {
	slices.SortStableFunc(rows, func(a, b unsealedRow) int { return slices.Compare(a.Tenant[:], b.Tenant[:]) })
	for from, i := 0, 1; i <= len(rows); i++ {
		if i == len(rows) || rows[i].Tenant != rows[from].Tenant {
			batches = append(batches, rows[from:i])
			from = i
		}
	}
	return batches
}

// rows seals rows of one tenant.
func (s AuditSeal) rows(ctx context.Context, service *postgres.Service, rows []unsealedRow) (written int64, err error) {
	err = service.AsService(ctx, "AuditSeal", func(tx pgx.Tx) error {
		key, err := LiveKey(ctx, tx, s.Ring, rows[0].Tenant)
		if err != nil {
			return err
		}
		records, err := key.Records()
		if err != nil {
			return err
		}
		ids, sealed := make([]string, len(rows)), make([][]byte, len(rows))
		for i, row := range rows {
			ids[i], sealed[i] = row.ID.String(), records.Seal(row.ID, auditContent(row.Salt, row.Changes, row.Reason))
		}
		return tx.QueryRow(ctx, auditQueries.Get("SealRows"), key.Tenant, key.ID, ids, sealed).Scan(&written)
	})
	return written, err
}
