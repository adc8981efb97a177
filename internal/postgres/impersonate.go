package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// impersonationTimeout bounds each statement an operator's tool runs as somebody else.
const impersonationTimeout = "30000"

// Impersonate makes tx the caller's, acting in tenant (an id, a slug, or "" for their default), as InTenant
// would: role, sealed identity, search path and timeouts, local to the transaction. Rolled back to a
// savepoint, or at its end, tx is the operator's again.
// It is for operators' tools on a connection of their own and adds no power: the connection must be able to
// read the seal key and to take on the role, which whoever can might do by hand.
func Impersonate(ctx context.Context, tx pgx.Tx, caller identity.Caller, tenant string) error {
	seal := ""
	if caller.UserID != uuid.Nil || caller.SessionID != uuid.Nil {
		var s sealer
		if err := s.load(ctx, tx); err != nil {
			return fault.Wrap(err, fault.SealKeyUnavailable, "The key that seals identities cannot be read.",
				"Log in as a superuser, or as whoever migrates this database.")
		}
		var pid uint32
		var started time.Time
		if err := tx.QueryRow(ctx, queries.Get("MeetTransaction")).Scan(&pid, &started); err != nil {
			return translate(ctx, fmt.Errorf("meet transaction: %w", err))
		}
		seal = s.seal(caller, tenant, started, pid)
	}
	_, err := tx.Exec(ctx, queries.Get("Enter"), string(caller.Role), seal, impersonationTimeout, requestID(ctx))
	var pgErr *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pgErr) && pgErr.Code == "22023":
		return fault.Wrap(err, fault.NotFound, fmt.Sprintf("There is no role %s.", caller.Role), "Requests run as anon or authenticated.")
	case errors.As(err, &pgErr) && pgErr.Code == "42501":
		return fault.Wrap(err, fault.PermissionDenied, fmt.Sprintf("This login may not become %s.", caller.Role),
			"Log in as a superuser, or as a member of that role.")
	}
	return translate(ctx, fmt.Errorf("enter as %s: %w", caller.Role, err))
}

// VerifiesIdentity reports whether the database knows sealed identities: where it does not, Impersonate
// has nothing to seal for.
func VerifiesIdentity(ctx context.Context, tx pgx.Tx) (verifies bool, err error) {
	err = tx.QueryRow(ctx, queries.Get("VerifiesIdentity")).Scan(&verifies)
	return verifies, translate(ctx, err)
}

// RequireMember refuses whom tx is made of when they are no member of the tenant they act in, as Work.Member does.
func RequireMember(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, queries.Get("RequireMember"))
	return translate(ctx, err)
}
