package erasure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Request is an erasure as operators see it: who wants it, who agreed, and where it stands.
type Request struct {
	ID          uuid.UUID  `json:"id"`
	Subject     string     `json:"subject"`
	SubjectID   uuid.UUID  `json:"subject_id"`
	Reason      string     `json:"reason"`
	State       string     `json:"state"` // requested, approved, running, finished or cancelled
	RequestedBy string     `json:"requested_by"`
	RequestedAt time.Time  `json:"requested_at"`
	NotBefore   time.Time  `json:"not_before"`
	ApprovedBy  *string    `json:"approved_by"`
	ApprovedAt  *time.Time `json:"approved_at"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	CancelledBy *string    `json:"cancelled_by"`
	CancelledAt *time.Time `json:"cancelled_at"`
	OnHold      bool       `json:"on_hold"`
	Clean       *bool      `json:"clean"` // whether its certificate says that nothing is left
}

// Open says whether it is yet to come to an end.
func (r Request) Open() bool { return r.State != "finished" && r.State != "cancelled" }

// List returns all erasures, the latest first.
func List(ctx context.Context, tx pgx.Tx) ([]Request, error) {
	rows, err := tx.Query(ctx, requestQueries.Get("List"))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Request])
}

// Get returns one erasure, by its id or that of its subject: the one that is open, else the latest. It is not_found when there is none.
func Get(ctx context.Context, tx pgx.Tx, id uuid.UUID) (Request, error) {
	all, err := List(ctx, tx)
	if err != nil {
		return Request{}, err
	}
	var latest *Request
	for i, r := range all {
		if r.ID == id || r.SubjectID == id && r.Open() {
			return r, nil
		}
		if r.SubjectID == id && latest == nil {
			latest = &all[i]
		}
	}
	if latest == nil {
		return Request{}, fault.New(fault.NotFound, "There is no such erasure.", "See `vital erasure list`.")
	}
	return *latest, nil
}

// Ask asks for an erasure, and returns its id.
func Ask(ctx context.Context, tx pgx.Tx, subject string, id uuid.UUID, reason string) (filed uuid.UUID, err error) {
	err = tx.QueryRow(ctx, requestQueries.Get("File"), subject, id, reason).Scan(&filed)
	return filed, err
}

// Approve agrees to an erasure that somebody else asked for.
func Approve(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	_, err := tx.Exec(ctx, requestQueries.Get("Approve"), id)
	return err
}

// Cancel calls an erasure off that has not begun.
func Cancel(ctx context.Context, tx pgx.Tx, id uuid.UUID, reason string) error {
	_, err := tx.Exec(ctx, requestQueries.Get("Cancel"), id, reason)
	return err
}

// Hold puts a tenant on legal hold, or lifts that.
func Hold(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, held bool, reason string) error {
	_, err := tx.Exec(ctx, requestQueries.Get("Hold"), tenant, held, reason)
	return err
}

// Waits are how long tenants and users wait until they may be erased.
func Waits(ctx context.Context, tx pgx.Tx) (tenants, users time.Duration, err error) {
	var seconds [2]float64
	err = tx.QueryRow(ctx, requestQueries.Get("Waits")).Scan(&seconds[0], &seconds[1])
	return time.Duration(seconds[0] * float64(time.Second)), time.Duration(seconds[1] * float64(time.Second)), err
}

// SetWait sets how long tenants, or users, wait.
func SetWait(ctx context.Context, tx pgx.Tx, subject string, wait time.Duration, reason string) error {
	_, err := tx.Exec(ctx, requestQueries.Get("SetWait"), subject, wait.Seconds(), reason)
	return err
}

// Kept is the certificate of an erasure as the database has it. It is not_found before the erasure is finished.
func Kept(ctx context.Context, tx pgx.Tx, id uuid.UUID) (text string, signature []byte, err error) {
	err = tx.QueryRow(ctx, requestQueries.Get("Certificate"), id).Scan(&text, &signature)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "This erasure has no certificate.", "It gets one when it is finished: `vital erasure list`.")
	}
	if err != nil {
		return "", nil, fmt.Errorf("read certificate: %w", err)
	}
	return text, signature, nil
}
