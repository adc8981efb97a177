package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

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
	s.direct, s.inOneGo, err = w.replayed(ctx, d, statements)
	return err
}

// copyContext is copyTransaction of GET /v1/context, where nothing is in memory.
func (w *world) copyContext(ctx context.Context, d *target, token string) (direct, inOneGo variantRun, err error) {
	statements, err := w.transaction(ctx, d, func(address string) error {
		_, err := readContext(address, token)
		return err
	}, forgetful)
	if err != nil {
		return nil, nil, err
	}
	// Which changes the server has looked at is no part of what is compared.
	statements = slices.DeleteFunc(statements, func(text string) bool { return strings.HasPrefix(text, "select vital.require_position(") })
	if len(statements) != 4 || !strings.Contains(statements[2], "($1, $2)") {
		return nil, nil, fmt.Errorf("this is no transaction that reads a context: %q", statements)
	}
	statements[2] = strings.Replace(statements[2], "($1, $2)", "(null, null)", 1) // no document is known
	return w.replayed(ctx, d, statements)
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

// replayed are statements of a transaction run by pgbench for someone, one after the other and in one round trip.
func (w *world) replayed(ctx context.Context, d *target, statements []string) (direct, inOneGo variantRun, err error) {
	seal, err := sealFor(ctx, d, userID(someone), userID(-someone), time.Now().Add(24*time.Hour))
	if err != nil {
		return nil, nil, err
	}
	script := strings.Join(statements, ";\n") + ";\n"
	given := []string{"authenticated", seal, "10000", "bench"} // as Enter takes them
	if direct, err = w.pgbench(d.apiURL, "same", script, given...); err != nil {
		return nil, nil, err
	}
	inOneGo, err = w.pgbench(d.apiURL, "in-one-go", "\\startpipeline\n"+script+"\\endpipeline\n", given...)
	return direct, inOneGo, err
}

// sealFor seals an identity that is good until then, on any connection, as the server would.
func sealFor(ctx context.Context, d *target, user, session uuid.UUID, until time.Time) (string, error) {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var key string
	var inner, outer []byte
	if err := conn.QueryRow(ctx, restQueries.Get("SealKey")).Scan(&key, &inner, &outer); err != nil {
		return "", errors.Join(errors.New("read the seal key"), err)
	}
	message := fmt.Sprintf("1.%s.%s..authenticated.%s.%d.0", key, user, session, until.Unix())
	digest := sha256.Sum256(append(inner, message...))
	mac := sha256.Sum256(append(outer, digest[:]...))
	return message + "." + hex.EncodeToString(mac[:]), nil
}
