package tenant

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed find.sql
var findText string

var findQueries = database.ParseQueries(findText)

// FindUser returns the user with that address, for an operator. It is user_unknown when there is none.
func FindUser(ctx context.Context, tx pgx.Tx, email string) (uuid.UUID, error) {
	return find(ctx, tx, "UserByEmail", email, fault.New(fault.UserUnknown, fmt.Sprintf("There is no user with the address %s.", email),
		"Addresses are those of the table users."))
}

// FindUserByReference is FindUser for an address or an id.
func FindUserByReference(ctx context.Context, tx pgx.Tx, reference string) (uuid.UUID, error) {
	return find(ctx, tx, "UserByReference", reference, fault.New(fault.UserUnknown, fmt.Sprintf("There is no user %s.", reference),
		"Name one by address or id, as in the table users."))
}

// FindTenant returns the tenant with that slug or id, for an operator. It is tenant_not_found when
// there is none.
func FindTenant(ctx context.Context, tx pgx.Tx, reference string) (uuid.UUID, error) {
	return find(ctx, tx, "TenantByReference", reference, fault.New(fault.TenantNotFound, fmt.Sprintf("There is no tenant %s.", reference),
		"Name it by slug or id, as in the table organizations."))
}

func find(ctx context.Context, tx pgx.Tx, query, value string, missing error) (id uuid.UUID, err error) {
	err = tx.QueryRow(ctx, findQueries.Get(query), value).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, missing
	}
	return id, err
}
