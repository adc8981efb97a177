package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// backend is what we know of the server process behind one connection, and the statements prepared
// there. It lives in the connection's CustomData.
type backend struct {
	pid        uint32        // 0 where a pooler stands between
	clock      time.Duration // the database's clock minus ours
	statements map[string]string
}

// maxStatements bounds the prepared statements of one connection; more run unnamed.
const maxStatements = 256

// meetBackend runs once on every new connection: whether it is direct, and what the clock there says.
func meetBackend(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	var there time.Time
	before := time.Now()
	if err := conn.QueryRow(ctx, queries.Get("MeetBackend")).Scan(&pid, &there); err != nil {
		return fmt.Errorf("meet backend: %w", err)
	}
	here := before.Add(time.Since(before) / 2)
	b := &backend{clock: there.Sub(here), statements: map[string]string{}}
	if pid == conn.PgConn().PID() {
		b.pid = pid
	}
	conn.PgConn().CustomData()["backend"] = b
	return nil
}

func backendOf(conn *pgx.Conn) *backend {
	return conn.PgConn().CustomData()["backend"].(*backend) //nolint:forcetypeassert // set by meetBackend on every connection
}

// statement returns what to queue for text on this connection: the name of a prepared statement, made
// if need be, or text itself. Names are random, so SQL in a tenant's transaction can't know which to
// replace, and the function that would list them is revoked.
func (b *backend) statement(ctx context.Context, conn *pgx.Conn, text string) (string, error) {
	if name, prepared := b.statements[text]; prepared {
		return name, nil
	}
	if len(b.statements) >= maxStatements {
		return text, nil
	}
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	name := "v" + hex.EncodeToString(random[:])
	if _, err := conn.Prepare(ctx, name, text); err != nil {
		return "", fmt.Errorf("prepare: %w", err)
	}
	b.statements[text] = name
	return name, nil
}

// forget makes the connection as new: nothing a foreign function left behind outlives it.
func (b *backend) forget(ctx context.Context, conn *pgx.Conn) error {
	b.statements = map[string]string{}
	if err := conn.DeallocateAll(ctx); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "discard all")
	return err
}
