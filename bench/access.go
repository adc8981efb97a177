package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed access.sql
var accessText string

var accessQueries = database.ParseQueries(accessText)

const (
	accessRegulated = 700 // the tenant under HIPAA
	accessClients   = 16
	accessOnePath   = "/rest/v1/prompts?select=id,title,body,description,category,version,status,updated_at&title=eq.Prompt%200007"

	nameAccessList     = "48 rows, asked whether reads are recorded"
	nameAccessListOff  = "48 rows, not asked"
	nameAccessOne      = "1 row, asked whether reads are recorded"
	nameAccessOneOff   = "1 row, not asked"
	nameAccessRecorded = "48 rows, of a tenant whose reads are recorded"
)

// measureAccess asks what a tenant that is not under HIPAA pays for others that are: beside the server one of the same source whose first
// statement only says in which tenant the caller is, as it was before there were records of access. Both have the same database.
func measureAccess(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.database(ctx, "bench_access", loadAccess(w))
	if err != nil {
		return nil, err
	}
	asking, err := w.serve(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, asking.stop()) }()
	without := *w
	if without.binary, err = w.buildUnasked(ctx); err != nil {
		return nil, err
	}
	other, err := without.serve(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, other.stop()) }()
	var variants, recorded []variant
	if err := errors.Join(
		w.addAccess(&variants, asking, nameAccessList, restPath, someone, restRows),
		w.addAccess(&variants, other, nameAccessListOff, restPath, someone, restRows),
		w.addAccess(&variants, asking, nameAccessOne, accessOnePath, someone, 1),
		w.addAccess(&variants, other, nameAccessOneOff, accessOnePath, someone, 1),
		w.addAccess(&recorded, asking, nameAccessRecorded, restPath, accessRegulated, restRows),
	); err != nil {
		return nil, err
	}
	variants[1].baseline, variants[3].baseline = true, true
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	// Alone: what it writes is dealt with after its turn, and would be in that of whoever is next.
	alone, err := interleave(ctx, w, recorded)
	if err != nil {
		return nil, err
	}
	return accessResult(append(all, alone...)), recordsThere(ctx, d)
}

// loadAccess fills the database, in which one tenant is under HIPAA.
func loadAccess(w *world) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(restShape)(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, restQueries.Get("Prompts"), restShape.tenants, restRows); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, accessQueries.Get("Regulate"), tenantID(accessRegulated))
		return err
	}
}

// addAccess adds a variant that asks a server for a user's rows, once they are known to come.
func (w *world) addAccess(variants *[]variant, server *process, name, path string, user, rows int) error {
	token, err := w.token(user)
	if err != nil {
		return err
	}
	if _, err := readRows(server.address, path, token, rows); err != nil {
		return err
	}
	*variants = append(*variants, variant{name, accessClients, false, w.accounted(server.cmd.Process.Pid, overHTTP(server.address, path, token))})
	return nil
}

// buildUnasked builds the server with another first statement.
func (w *world) buildUnasked(ctx context.Context) (string, error) {
	source, err := filepath.Abs(filepath.Join("internal", "postgres", "postgres.sql"))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	asks := database.ParseQueries(string(text)).Get("RequireAccess")
	changed := strings.Replace(string(text), strings.TrimSuffix(strings.TrimSpace(asks), ";"), strings.TrimSuffix(strings.TrimSpace(accessQueries.Get("Unasked")), ";"), 1)
	if changed == string(text) {
		return "", errors.New("the statement that asks whether reads are recorded is not where it was")
	}
	other, overlay, binary := filepath.Join(w.dir, "unasked.sql"), filepath.Join(w.dir, "overlay.json"), filepath.Join(w.dir, "vital-unasked")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{source: other}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(other, []byte(changed), 0o600), os.WriteFile(overlay, replaced, 0o600)); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-overlay", overlay, "-o", binary, "./cmd/vital")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build vital with another statement: %w\n%s", err, out)
	}
	return binary, nil
}

// recordsThere sees to it that the tenant under HIPAA has records, and nobody else any.
func recordsThere(ctx context.Context, d *target) error {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var own, others int
	if err := conn.QueryRow(ctx, accessQueries.Get("Records"), tenantID(accessRegulated)).Scan(&own, &others); err != nil {
		return err
	}
	if own == 0 || others > 0 {
		return fmt.Errorf("%d records of the tenant whose reads are recorded, and %d of others", own, others)
	}
	return nil
}

func accessResult(all []*series) *result {
	r := &result{Series: all}
	of := func(name string) sample { return r.find(name, accessClients).Median }
	r.note("Two servers of one database and one source; the one that is not asked has `%s` for its first statement.", strings.Join(strings.Fields(accessQueries.Get("Unasked")), " "))
	for _, c := range []struct{ what, asked, not string }{{"48 rows", nameAccessList, nameAccessListOff}, {"1 row", nameAccessOne, nameAccessOneOff}} {
		r.ratio(c.what+" a second, asked over not asked", atLeast, 0.98, of(c.asked).PerSecond/of(c.not).PerSecond)
		if of(c.not).cpu() > 0 {
			r.ratio("CPU of server and database for "+c.what+", asked over not asked", information, 0, of(c.asked).cpu()/of(c.not).cpu())
			r.ratio("us of Postgres for "+c.what+", asked less not asked", information, 0, of(c.asked).PostgresCPU-of(c.not).PostgresCPU)
		}
	}
	r.ratio("48 rows a second, recorded over not asked", information, 0, of(nameAccessRecorded).PerSecond/of(nameAccessListOff).PerSecond)
	return r
}
