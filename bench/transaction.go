package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed transaction.sql
var transactionText string

var transactionQueries = database.ParseQueries(transactionText)

// variantRun has clients do one thing for about as long as slice.
type variantRun = func(ctx context.Context, clients int, slice time.Duration) (sample, error)

// copyTransaction records what one GET sends the database and makes scripts of it: the very statements, one
// after the other and in one round trip.
func (s *restStage) copyTransaction(ctx context.Context, w *world, d *target) error {
	statements, err := w.transaction(ctx, d, func(address string) error {
		_, err := readRows(address, restPath, s.token, restRows)
		return err
	})
	if err != nil {
		return err
	}
	if len(statements) != 5 || strings.Contains(statements[3], "$1") {
		return fmt.Errorf("this is no transaction of one query without parameters: %q", statements)
	}
	s.statement = statements[len(statements)-2]
	statements[2] = strings.Replace(statements[2], "vital.accessed_tenant($1)", "vital.accessed_tenant(true)", 1) // rows are for members
	seal, err := newSealer(ctx, d)
	if err != nil {
		return err
	}
	s.direct, s.inOneGo, err = w.replayed(d, statements, "", seal(userID(someone), userID(-someone)))
	return err
}

// copyContext is copyTransaction of GET /v1/context, where nothing is in memory: each transaction is another user's.
func (w *world) copyContext(ctx context.Context, d *target, token string) (direct, inOneGo variantRun, err error) {
	statements, err := w.transaction(ctx, d, func(address string) error {
		_, err := readContext(address, token)
		return err
	}, forgetful)
	if err != nil {
		return nil, nil, err
	}
	if len(statements) != 4 || !strings.Contains(statements[2], "($1, $2)") {
		return nil, nil, fmt.Errorf("this is no transaction that reads a context: %q", statements)
	}
	statements[2] = strings.Replace(statements[2], "($1, $2)", "(null, null)", 1) // no document is known
	seal, err := newSealer(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	seals := make([]string, contextShape.tenants)
	for i := range seals {
		seals[i] = seal(userID(i+1), userID(-i-1))
	}
	if err := keepSeals(ctx, d, seals); err != nil {
		return nil, nil, err
	}
	statements[1] = strings.Replace(statements[1], ":p2", "("+transactionQueries.Get("SealOf")+")", 1)
	return w.replayed(d, statements, fmt.Sprintf("\\set n random(1, %d)\n", len(seals)), "none")
}

// keepSeals puts seals, of the first user and those that follow, where pgbench's login can look them up.
func keepSeals(ctx context.Context, d *target, seals []string) error {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, step := range []struct {
		query string
		args  []any
	}{{"Schema", nil}, {"SchemaGrant", nil}, {"Seals", []any{seals}}, {"SealsKey", nil}, {"SealsGrant", nil}} {
		if _, err := conn.Exec(ctx, transactionQueries.Get(step.query), step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.query, err)
		}
	}
	return nil
}

// transaction returns the statements that a server of d, with settings of its own, runs for one request.
func (w *world) transaction(ctx context.Context, d *target, request func(address string) error, settings ...string) ([]string, error) {
	lines, err := w.recorded(ctx, d, request, settings...)
	if err != nil {
		return nil, err
	}
	return transactionOf(lines)
}

// transactionOf returns the statements of the transaction in lines of the server's log: begin, Enter, what is asked,
// commit. Enter's parameters are as pgbench writes them.
func transactionOf(lines []string) ([]string, error) {
	var statements []string
	for _, line := range lines {
		statements = append(statements, line[len(statementLine.FindString(line)):])
	}
	if end := slices.Index(statements, "commit"); end >= 0 {
		statements = statements[:end+1]
	}
	if len(statements) < 3 || !strings.HasPrefix(statements[0], "begin") {
		return nil, fmt.Errorf("this is no transaction:\n%s", strings.Join(lines, "\n"))
	}
	statements[1] = strings.ReplaceAll(statements[1], "$", ":p")
	return statements, nil
}

// replayed are statements of a transaction run by pgbench, one after the other and in one round trip, for whom seal is, where the
// statements do not look for one themselves. before is what pgbench does before each.
func (w *world) replayed(d *target, statements []string, before, seal string) (direct, inOneGo variantRun, err error) {
	script := strings.Join(statements, ";\n") + ";\n"
	given := []string{"authenticated", seal, "10000", "bench"} // as Enter takes them
	if direct, err = w.pgbench(d.apiURL, "same", before+script, given...); err != nil {
		return nil, nil, err
	}
	inOneGo, err = w.pgbench(d.apiURL, "in-one-go", before+"\\startpipeline\n"+script+"\\endpipeline\n", given...)
	return direct, inOneGo, err
}

// newSealer seals identities that are good for a day, on any connection, as the server would.
func newSealer(ctx context.Context, d *target) (func(user, session uuid.UUID) string, error) {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var key string
	var inner, outer []byte
	if err := conn.QueryRow(ctx, transactionQueries.Get("SealKey")).Scan(&key, &inner, &outer); err != nil {
		return nil, errors.Join(errors.New("read the seal key"), err)
	}
	until := time.Now().Add(24 * time.Hour).Unix()
	return func(user, session uuid.UUID) string {
		message := fmt.Sprintf("1.%s.%s..authenticated.%s.%d.0", key, user, session, until)
		digest := sha256.Sum256(slices.Concat(inner, []byte(message)))
		mac := sha256.Sum256(slices.Concat(outer, digest[:]))
		return message + "." + hex.EncodeToString(mac[:])
	}, nil
}
