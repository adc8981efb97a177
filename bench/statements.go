package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// measureStatements reads the server's own log of one request.
func measureStatements(ctx context.Context, w *world) (*result, error) {
	d, err := w.contextDatabase(ctx)
	if err != nil {
		return nil, err
	}
	token, err := w.token(someone)
	if err != nil {
		return nil, err
	}
	lines, err := w.recorded(ctx, d, func(address string) error {
		_, err := readContext(address, token)
		return err
	}, forgetful)
	if err != nil {
		return nil, err
	}
	return statementsResult(lines), nil
}

// recorded returns what a server of d, with settings of its own, sends the database for one request.
func (w *world) recorded(ctx context.Context, d *target, request func(address string) error, settings ...string) (lines []string, err error) {
	if err := w.superuser(ctx, d, "alter database "+d.name+" set log_statement = 'all'"); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, w.superuser(context.WithoutCancel(ctx), d, "alter database "+d.name+" reset log_statement"))
	}()
	p, err := w.serve(ctx, d, settings...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	log := filepath.Join(w.dir, "data", "postgres.log")
	for range 2 { // the first one connects and prepares
		before, err := os.Stat(log)
		if err != nil {
			return nil, err
		}
		if err := request(p.address); err != nil {
			return nil, err
		}
		time.Sleep(200 * time.Millisecond) // the log is written behind the answer
		if lines, err = statementsSince(log, before.Size(), "vital_api@"+d.name); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func (w *world) superuser(ctx context.Context, d *target, statement string) error {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

var statementLine = regexp.MustCompile(`^\S+ \S+ \S+ \[\d+\] (\S+) LOG:  (?:execute [^:]+|statement): `)

// statementsSince returns what login sent since offset, each statement on one line and without its
// parameters, one of which is the sealed identity.
func statementsSince(path string, offset int64, login string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []string
	ours := false
	for line := range bytes.Lines(content[min(offset, int64(len(content))):]) {
		text, _, _ := strings.Cut(strings.TrimRight(string(line), "\n"), " -- ") // a comment would end what is one line here
		m := statementLine.FindStringSubmatch(text)
		switch {
		case m != nil:
			ours = m[1] == login
			if ours {
				found = append(found, text)
			}
		case strings.HasPrefix(text, "\t") && ours:
			found[len(found)-1] += " " + strings.TrimSpace(text)
		default:
			ours = false
		}
	}
	return found, nil
}

// frame is the part of a transaction that is there whatever is asked: begin and enter before, commit and
// what scrubs the session behind it.
var frame = regexp.MustCompile(`: (begin |select pg_catalog\.set_config\('role'|commit$|reset role$|close all$|unlisten \*$|reset all$)`)

func statementsResult(lines []string) *result {
	r := &result{}
	own := 0
	for _, line := range lines {
		if !frame.MatchString(line) {
			own++
		}
		r.note("%s", line)
	}
	r.note("%d of these %d lines open the transaction, commit it and scrub the session; all go out in one network round trip.", len(lines)-own, len(lines))
	r.ratio("statements beside the frame of the transaction", exactly, 1, float64(own))
	return r
}
