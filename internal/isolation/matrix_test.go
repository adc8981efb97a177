package isolation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// TestMatrix runs every cell of matrix for real, as the server would.
func TestMatrix(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	cells := parse(t, matrix)
	b.requireComplete(t, cells)
	for _, r := range relations {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range columns {
				b.check(t, actor{name, tenantA}, r, cells.of(r.name, name))
			}
		})
	}
}

// TestMatrix_OtherTenant turns the tables: who is a viewer of A is an owner in B, and acting there sees
// of B what an owner of A sees of A.
func TestMatrix_OtherTenant(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	cells := parse(t, matrix)
	for _, r := range relations {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			b.check(t, actor{"viewer", tenantB}, r, cells.of(r.name, "owner"))
			b.check(t, actor{"outsider", tenantB}, r, cells.of(r.name, "owner"))
			b.check(t, actor{"super", platform}, r, cells.of(r.name, "super"))
			b.check(t, actor{"admin", "00000000-0000-0000-0000-00000000dead"}, r, cells.of(r.name, "outsider"))
		})
	}
}

// commands in the order of their lines.
var commands = []string{"select", "insert", "update", "delete"}

// columns of the matrix.
var columns = []string{"anon", "outsider", "viewer", "member", "admin", "owner", "super", "service"}

// expectations are the words of a matrix by relation, command and column.
type expectations map[[3]string]string

// words are those of one caller, by command.
type words map[string]string

func parse(t *testing.T, text string) expectations {
	t.Helper()
	cells := expectations{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "relation" {
			continue
		}
		require.Len(t, fields, 2+len(columns), line)
		for i, name := range columns {
			cell := [3]string{fields[0], fields[1], name}
			require.NotContains(t, cells, cell, "stated twice")
			cells[cell] = fields[2+i]
		}
	}
	return cells
}

func (e expectations) of(relation, column string) words {
	of := words{}
	for _, command := range commands {
		of[command] = e[[3]string{relation, command, column}]
	}
	return of
}

// requireComplete holds the matrix to the catalog: no relation missing, none that does not exist.
func (b *bundle) requireComplete(t *testing.T, cells expectations) {
	t.Helper()
	rows, err := b.super.Query(context.Background(), `
		select relname::text from pg_class
		where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by 1`)
	require.NoError(t, err)
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var stated, described []string
	for cell := range cells {
		stated = append(stated, cell[0])
	}
	for _, r := range relations {
		described = append(described, r.name)
		for _, command := range commands {
			require.NotEmpty(t, cells.of(r.name, "anon")[command], "%s %s", r.name, command)
		}
	}
	slices.Sort(stated)
	slices.Sort(described)
	require.Equal(t, there, slices.Compact(stated), "the matrix and schema public name different relations")
	require.Equal(t, there, described, "the fixture and schema public name different relations")
}

// check holds what a can do with r to what the matrix says.
func (b *bundle) check(t *testing.T, a actor, r relation, of words) {
	t.Helper()
	b.checkRows(t, a, r, of["select"], "select "+r.key+" from public."+r.name+" r", true)
	b.checkInsert(t, a, r, of["insert"])
	// First without naming a column: such a statement asks the policies of its own command alone.
	b.checkRows(t, a, r, of["update"], "update public."+r.name+" set "+r.set, false)
	b.checkRows(t, a, r, of["delete"], "delete from public."+r.name, false)
	if readable := of["select"] != "denied"; readable && of["update"] != "denied" {
		b.checkRows(t, a, r, of["update"], "update public."+r.name+" r set "+r.set+" returning "+r.key, true)
	}
	if readable := of["select"] != "denied"; readable && of["delete"] != "denied" {
		b.checkRows(t, a, r, of["delete"], "delete from public."+r.name+" r returning "+r.key, true)
	}
	if r.tenant != "" {
		b.checkMove(t, a, r, of["update"])
	}
}

// checkRows runs a statement and compares the rows it reached with the word's: which ones where it
// returns them, else how many.
func (b *bundle) checkRows(t *testing.T, a actor, r relation, word, text string, returns bool) {
	t.Helper()
	got := b.try(a, text)
	if word == "denied" {
		requireDenied(t, got.err, "%s: %s", a.name, text)
		return
	}
	require.NoError(t, got.err, "%s: %s", a.name, text)
	want := b.reach(t, a, r, word)
	require.Equal(t, int64(len(want)), got.affected, "%s: %s", a.name, text)
	if returns {
		slices.Sort(got.keys)
		require.Equal(t, want, got.keys, "%s: %s", a.name, text)
	}
}

// checkInsert tries a row of each tenant, of the caller and of somebody else.
func (b *bundle) checkInsert(t *testing.T, a actor, r relation, word string) {
	t.Helper()
	self, somebody := users[a.name], users["suspended"]
	if self == "" {
		self = users["member"]
	}
	for _, tenant := range []string{tenantA, tenantB, platform} {
		for _, user := range []string{self, somebody} {
			text := "insert into public." + r.name + " " + r.values(tenant, user)
			got := b.try(a, text)
			switch new := (row{tenants: []string{tenant}, user: user}); {
			case word == "denied":
				requireDenied(t, got.err, "%s: %s", a.name, text)
			case b.covers(t, a, new, word):
				requireLetThrough(t, got.err, "%s: %s", a.name, text)
			default:
				requireViolation(t, got.err, "%s: %s", a.name, text)
			}
		}
	}
}

// checkMove tries to give every row in reach to another tenant, and to take every row there is.
func (b *bundle) checkMove(t *testing.T, a actor, r relation, word string) {
	t.Helper()
	elsewhere := tenantB
	if a.tenant == tenantB {
		elsewhere = tenantA
	}
	give := "update public." + r.name + " set " + r.tenant + " = '" + elsewhere + "'"
	take := "update public." + r.name + " set " + r.tenant + " = '" + a.tenant + "'"
	switch word {
	case "denied":
		requireDenied(t, b.try(a, give).err, "%s: %s", a.name, give)
		requireDenied(t, b.try(a, take).err, "%s: %s", a.name, take)
	case "all":
		requireLetThrough(t, b.try(a, give).err, "%s: %s", a.name, give)
	case "none":
		b.checkRows(t, a, r, word, give, false)
		b.checkRows(t, a, r, word, take, false)
	default:
		requireViolation(t, b.try(a, give).err, "%s: %s", a.name, give)
		b.checkRows(t, a, r, word, take, false)
	}
}

// reach returns the keys of the rows a word stands for, sorted.
func (b *bundle) reach(t *testing.T, a actor, r relation, word string) []string {
	t.Helper()
	keys := []string{}
	for _, known := range b.known[r.name] {
		if b.covers(t, a, known, word) {
			keys = append(keys, known.key)
		}
	}
	slices.Sort(keys)
	return keys
}

// covers says whether a word lets a reach a row.
func (b *bundle) covers(t *testing.T, a actor, of row, word string) bool {
	t.Helper()
	own, self := slices.Contains(of.tenants, a.tenant), of.user == users[a.name]
	switch word {
	case "none":
		return false
	case "own":
		return own
	case "shared":
		return own || slices.Contains(of.tenants, platform)
	case "self":
		return self
	case "private":
		return own && self
	case "own+self":
		return own || self
	case "mine":
		return slices.Contains(b.memberOf(t, a), of.tenants[0])
	case "active":
		return of.active
	case "all":
		return true
	}
	require.Fail(t, "the matrix has an unknown word", word)
	return false
}

// memberOf returns the tenants a is an active member of.
func (b *bundle) memberOf(t *testing.T, a actor) []string {
	t.Helper()
	switch a.name {
	case "suspended":
		return nil
	case "outsider":
		return []string{tenantB}
	case "super":
		return []string{platform}
	}
	return []string{tenantA, tenantB}
}

// stateOf returns the SQLSTATE and the message of an error of the database.
func stateOf(err error) (code, message string) {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code, pgErr.Message
	}
	return "", ""
}

func requireDenied(t *testing.T, err error, format string, args ...any) {
	t.Helper()
	require.Errorf(t, err, format, args...)
	code, message := stateOf(err)
	if code == "55000" {
		require.Containsf(t, message, "view", format, args...) // it takes no rows from anybody
		return
	}
	require.Equalf(t, "42501", code, format, args...)
	require.Containsf(t, message, "permission denied", format, args...)
}

func requireViolation(t *testing.T, err error, format string, args ...any) {
	t.Helper()
	require.Errorf(t, err, format, args...)
	code, message := stateOf(err)
	require.Equalf(t, "42501", code, format+": %v", append(args, err)...)
	require.Containsf(t, message, "row-level security", format, args...)
}

// requireLetThrough wants a statement the policies did not stop. They are asked before any constraint is,
// so a duplicate has passed them.
func requireLetThrough(t *testing.T, err error, format string, args ...any) {
	t.Helper()
	if code, _ := stateOf(err); code != "23505" && code != "23514" {
		require.NoErrorf(t, err, format, args...)
	}
}
