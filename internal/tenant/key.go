package tenant

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed key.sql
var keyText string

var keyQueries = database.ParseQueries(keyText)

// wrappedKey is a tenant's key as the database has it.
type wrappedKey struct {
	Tenant, ID  uuid.UUID
	KEK         string
	Wrapped     []byte
	DestroyedAt *time.Time
}

func readKey(ctx context.Context, tx pgx.Tx, query string, args ...any) (wrappedKey, error) {
	rows, err := tx.Query(ctx, keyQueries.Get(query), args...)
	if err != nil {
		return wrappedKey{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[wrappedKey])
}

// LiveKey returns the key of a tenant, which is made where there is none: of two that make one at once the first has made it. tx is an
// operator's. Errors: TenantNotFound, KeyUnavailable, KeyDamaged, StateConflict where the ring's current key was retired.
func LiveKey(ctx context.Context, tx pgx.Tx, ring *envelope.Ring, tenant uuid.UUID) (*envelope.Key, error) {
	found, err := readKey(ctx, tx, "LiveKey", tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		made := envelope.NewKey(tenant)
		kek, wrapped, err := ring.Wrap(made)
		if err != nil {
			return nil, err
		}
		var added bool
		if err := tx.QueryRow(ctx, keyQueries.Get("AddKey"), tenant, made.ID, kek, wrapped).Scan(&added); err != nil || added {
			return made, err
		}
		found, err = readKey(ctx, tx, "LiveKey", tenant)
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return ring.Unwrap(found.Tenant, found.ID, found.KEK, found.Wrapped)
}

// FindKey returns the key of a tenant by its id; the tenant need not exist any more. Errors: KeyUnavailable, KeyDamaged, KeyDestroyed, which
// says when.
func FindKey(ctx context.Context, tx pgx.Tx, ring *envelope.Ring, tenant, id uuid.UUID) (*envelope.Key, error) {
	found, err := readKey(ctx, tx, "OneKey", tenant, id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, fault.New(fault.KeyUnavailable, fmt.Sprintf("This database has no key %s of tenant %s.", id, tenant),
			"Take it over from the database that has it: vital keys export there, vital keys import here.")
	case err != nil:
		return nil, fmt.Errorf("read key: %w", err)
	case found.DestroyedAt != nil:
		return nil, fault.New(fault.KeyDestroyed, fmt.Sprintf("The key %s of tenant %s was destroyed on %s.", id, tenant, found.DestroyedAt.UTC().Format(time.RFC3339)),
			"What was sealed with it is erased, and nobody can open it any more.")
	}
	return ring.Unwrap(found.Tenant, found.ID, found.KEK, found.Wrapped)
}

// DestroyKeys destroys every key of a tenant, which is recorded in its audit log, and returns when that was; nil where it has never had one.
// tx is an operator's.
func DestroyKeys(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) (at *time.Time, err error) {
	return at, tx.QueryRow(ctx, keyQueries.Get("DestroyKeys"), tenant).Scan(&at)
}

// KEKUse is what one key-encryption key wraps.
type KEKUse struct {
	ID string `json:"id"`
	// Keys are the tenants' keys that it wraps.
	Keys int64 `json:"keys"`
	// Destroyed are those that it wrapped when they were destroyed: a backup from before has them, as long as it is kept.
	Destroyed int64      `json:"destroyed"`
	RetiredAt *time.Time `json:"retired_at"`
}

// CountKeys counts keys by what wraps them, retired key-encryption keys included. tx may read schema vital.
func CountKeys(ctx context.Context, tx pgx.Tx) ([]KEKUse, error) {
	rows, err := tx.Query(ctx, keyQueries.Get("CountKeys"))
	if err != nil {
		return nil, err
	}
	uses, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (use KEKUse, err error) {
		return use, row.Scan(&use.ID, &use.Keys, &use.Destroyed)
	})
	if err != nil {
		return nil, err
	}
	place := map[string]int{}
	for i, use := range uses {
		place[use.ID] = i
	}
	if rows, err = tx.Query(ctx, keyQueries.Get("RetiredKEKs")); err != nil {
		return nil, err
	}
	var id string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error {
		retired := at
		if i, found := place[id]; found {
			uses[i].RetiredAt = &retired
		} else {
			uses = append(uses, KEKUse{ID: id, RetiredAt: &retired})
		}
		return nil
	})
	return uses, err
}

// Rewrap is what wrapping anew came to.
type Rewrap struct {
	Keys int64
	// Unopened are those that the ring does not open, and Err the first reason.
	Unopened int64
	Err      error
}

// rewrapBatch is how many keys are wrapped anew in one transaction.
const rewrapBatch = 500

// RewrapKeys wraps with the ring's current key what is wrapped with another, in batches, each of which stays. What cannot be opened is left as
// it is. Errors: StateConflict where the current key was retired.
func RewrapKeys(ctx context.Context, service *postgres.Service, ring *envelope.Ring, progress func(done int64)) (Rewrap, error) {
	var total Rewrap
	for after, more := uuid.Nil, true; more; {
		err := service.AsService(ctx, "KeysRewrap", func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, keyQueries.Get("KeysToRewrap"), ring.Current(), after, rewrapBatch)
			if err != nil {
				return err
			}
			keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wrappedKey])
			if more = len(keys) == rewrapBatch; err != nil || len(keys) == 0 {
				return err
			}
			after = keys[len(keys)-1].Tenant
			return rewrap(ctx, tx, ring, keys, &total)
		})
		if err != nil {
			return total, err
		}
		progress(total.Keys)
	}
	return total, nil
}

func rewrap(ctx context.Context, tx pgx.Tx, ring *envelope.Ring, keys []wrappedKey, total *Rewrap) error {
	var tenants, ids, from []string
	var wrapped [][]byte
	for _, key := range keys {
		opened, err := ring.Unwrap(key.Tenant, key.ID, key.KEK, key.Wrapped)
		if err != nil {
			if total.Unopened++; total.Err == nil {
				total.Err = err
			}
			continue
		}
		_, anew, err := ring.Wrap(opened)
		if err != nil {
			return err
		}
		tenants, ids, from, wrapped = append(tenants, key.Tenant.String()), append(ids, key.ID.String()), append(from, key.KEK), append(wrapped, anew)
	}
	if len(ids) == 0 {
		return nil
	}
	var written int64
	if err := tx.QueryRow(ctx, keyQueries.Get("RewrapKeys"), tenants, ids, from, ring.Current(), wrapped).Scan(&written); err != nil {
		return err
	}
	total.Keys += written
	return nil
}

// RetireKEK says that a key-encryption key is to be thrown away, and returns how many keys still are wrapped with it: only 0 says that it may
// be. tx is an operator's.
func RetireKEK(ctx context.Context, tx pgx.Tx, id string) (live int64, err error) {
	return live, tx.QueryRow(ctx, keyQueries.Get("RetireKEK"), id).Scan(&live)
}
