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

// copyTransaction records what one GET sends the database and makes scripts of it: the very statements, one
// after the other and in one round trip.
func (s *restStage) copyTransaction(ctx context.Context, w *world, d *target) error {
	lines, err := w.recorded(ctx, d, func(address string) error {
		_, err := readRows(address, restPath, s.token, restRows)
		return err
	})
	if err != nil {
		return err
	}
	statements, err := transactionOf(lines)
	if err != nil {
		return err
	}
	seal, err := sealFor(ctx, d, userID(someone), userID(-someone), time.Now().Add(24*time.Hour))
	if err != nil {
		return err
	}
	s.statement = statements[len(statements)-2]
	script := strings.Join(statements, ";\n") + ";\n"
	given := []string{"authenticated", seal, "10000", "bench"} // as Enter takes them
	if s.direct, err = w.pgbench(d.apiURL, "same", script, given...); err != nil {
		return err
	}
	s.inOneGo, err = w.pgbench(d.apiURL, "in-one-go", "\\startpipeline\n"+script+"\\endpipeline\n", given...)
	return err
}

// transactionOf returns the statements of the transaction in lines of the server's log: begin, Enter, the
// identity, the query, commit. Parameters are as pgbench writes them.
func transactionOf(lines []string) ([]string, error) {
	var statements []string
	for _, line := range lines {
		statements = append(statements, line[len(statementLine.FindString(line)):])
	}
	if end := slices.Index(statements, "commit"); end >= 0 {
		statements = statements[:end+1]
	}
	if len(statements) != 5 || !strings.HasPrefix(statements[0], "begin") || strings.Contains(statements[3], "$1") {
		return nil, fmt.Errorf("this is no transaction of one query without parameters:\n%s", strings.Join(lines, "\n"))
	}
	statements[1] = strings.ReplaceAll(statements[1], "$", ":p")
	return statements, nil
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
