package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/vital-db/vital/internal/fault"
)

// ownStates are the SQLSTATEs our own functions raise. Their message and hint are written for the
// caller and are passed on as they are.
var ownStates = map[string]fault.Code{
	"VT001": fault.SealRejected,
	"VT002": fault.SealExpired,
	"VT003": fault.SessionRevoked,
	"VT100": fault.UserRequired,
	"VT101": fault.UserUnknown,
	"VT102": fault.UserWithoutProfile,
	"VT103": fault.UserWithoutOrganization,
	"VT104": fault.TenantNotFound,
	"VT105": fault.MembershipMissing,
	"VT106": fault.TenantPending,
	"VT107": fault.TenantSuspended,
	"VT108": fault.TenantArchived,
	"VT109": fault.TenantUnconfigured,
	"VT110": fault.PermissionDenied,
	"VT201": fault.AppendOnly,
	"VT202": fault.Invalid,
	"VT203": fault.StateConflict,
	"VT204": fault.LimitExceeded,
	"VT205": fault.NotFound,
	"VT206": fault.InvitationInvalid,
	"VT207": fault.LastOwner,
	"VT208": fault.PreconditionFailed,
	"VT209": fault.PrerequisiteInvalid,
	"VT210": fault.VersionNotReached,
	"VT301": fault.AccessNotRecorded,
	"VT302": fault.EntryRequired,
}

// States that are more than an answer: they decide who answers.
const (
	stateNotReached = "VT210"
	stateTimeout    = "57014"
)

// translate turns an error of the driver or the database into a fault. It is the one place that reads
// SQLSTATEs. A database message is never passed on unless our own functions wrote it: it may quote a
// row.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		return fault.Cancelled(cause, err)
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return translateState(pgErr)
	}
	if isTooLarge(err) {
		return fault.Wrap(err, fault.RowTooLarge, fmt.Sprintf("A row of the answer, with what is embedded in it, is larger than %d MiB.", maxRowBytes>>20),
			"Select less of it, or bound what is embedded with a limit.")
	}
	var unread unreadError
	if errors.As(err, &unread) && unread.lost {
		return unavailable(err)
	}
	var connectErr *pgconn.ConnectError
	var netErr net.Error
	if errors.As(err, &connectErr) || errors.As(err, &netErr) || pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) || connectionLost(err) {
		return unavailable(err)
	}
	return err
}

func translateState(pgErr *pgconn.PgError) error {
	if code, ours := ownStates[pgErr.Code]; ours {
		return fault.Wrap(pgErr, code, pgErr.Message, pgErr.Hint)
	}
	switch class := pgErr.Code[:min(2, len(pgErr.Code))]; {
	case pgErr.Code == stateTimeout:
		return fault.Wrap(pgErr, fault.StatementTimeout, "The query took longer than it may.",
			"Narrow it with filters or a limit.")
	case pgErr.Code == "53300", pgErr.Code == "57P01", pgErr.Code == "57P02", pgErr.Code == "57P03", class == "08":
		return unavailable(pgErr)
	case pgErr.Code == "53100":
		return fault.Wrap(pgErr, fault.DatabaseFull, "The database has no room left on its disk.", "Nothing was changed. Try again once its operator has made room.")
	case pgErr.Code == "42501":
		return fault.Wrap(pgErr, fault.PermissionDenied, "Your role may not do this.",
			"Sign in as somebody who may, or ask an admin of the tenant.")
	case pgErr.Code == "25006":
		return fault.Wrap(pgErr, fault.ReadOnly, "A reading request may not write.", "Use a writing method.")
	case class == "23", class == "40":
		return fault.Wrap(pgErr, fault.Conflict, "The change conflicts with what is stored.",
			"Read the current state and try again.")
	case class == "22":
		return fault.Wrap(pgErr, fault.Invalid, "A value is not what the column takes.", "Check types and formats.")
	default:
		return pgErr
	}
}

// isTooLarge says that the server sent a row that is not taken.
func isTooLarge(err error) bool {
	var exceeded *pgproto3.ExceededMaxBodyLenErr
	return errors.As(err, &exceeded)
}

func unavailable(err error) error {
	return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.",
		"Nothing was changed. Try again shortly; operators see the cause in the log and at /readyz.")
}

// unsettled tells a writer whose connection was lost that nobody knows whether the commit came through.
func unsettled(err error) error {
	return fault.Wrap(err, fault.DatabaseUnavailable, "The connection was lost while the change was being stored.",
		"It may or may not have been kept: read the current state before you try again.")
}

// DeniedBy says what in the database refused a statement, a policy or a missing privilege; "" if err is
// nothing of the kind.
func DeniedBy(err error) string {
	var pgErr *pgconn.PgError
	switch {
	case !errors.As(err, &pgErr) || pgErr.Code != "42501":
		return ""
	case strings.Contains(pgErr.Message, "row-level security"):
		return "policy"
	default:
		return "privilege"
	}
}

// OwnFault is err as a fault where VITAL's own functions raised it, with their message and hint; else nil. It is for
// operators' tools that run statements after Impersonate and show what else the database says themselves.
func OwnFault(err *pgconn.PgError) error {
	if code, ours := ownStates[err.Code]; ours {
		return fault.Wrap(err, code, err.Message, err.Hint)
	}
	return nil
}
