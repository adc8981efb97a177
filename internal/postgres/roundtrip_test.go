package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// TestInTenant_OneRoundTrip counts at the wire: a warm request says everything in one turn, and of what
// it says one statement is the caller's, by the name it was prepared under.
func TestInTenant_OneRoundTrip(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	const insert = "insert into public.prompts (tenant_id, title) values ($1, $2) returning title"
	const around = 6 // begin, commit, reset role, close all, unlisten, reset all
	for _, c := range []struct {
		why   string
		turns int
		more  int // statements
		work  func() *postgres.Work
	}{
		{"a read", 1, 0, func() *postgres.Work {
			work := &postgres.Work{Name: "Test"}
			work.Query(readAgents, collect)
			return work
		}},
		{"a read that tells", 1, 1, func() *postgres.Work {
			work := &postgres.Work{Name: "Test", Observe: true}
			work.Query(readAgents, collect)
			return work
		}},
		{"a write nobody reads from", 1, 0, func() *postgres.Work {
			work := &postgres.Work{Name: "Test", Writes: true}
			work.Query(insert, nil, tenantB, "T")
			return work
		}},
		{"a write whose reader may refuse it", 2, 0, func() *postgres.Work {
			work := &postgres.Work{Name: "Test", Writes: true}
			work.Query(insert, collect, tenantB, "T")
			return work
		}},
	} {
		require.NoError(t, db.InTenant(context.Background(), bob, "", c.work())) // warms up
		for range 3 {
			p.reset()
			require.NoError(t, db.InTenant(context.Background(), bob, "", c.work()))
			got := p.heard(t)
			require.Equal(t, c.turns, got.turns, c.why)
			require.Equal(t, c.turns, got.synced, c.why)
			require.Equal(t, around+2+c.more, got.executed, c.why)
			require.Equal(t, []string{"commit"}, got.parsed, "%s: all else is prepared already", c.why)
		}
	}
}

// TestInTenant_SeveralStatements: however many statements, it stays one turn, and they share a snapshot
// of who is asking.
func TestInTenant_SeveralStatements(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	run := func() (answers [][]string) {
		work := &postgres.Work{Name: "Test"}
		for range 20 {
			work.Query(readAgents, func(rows pgx.Rows) error {
				got, err := pgx.CollectRows(rows, pgx.RowTo[string])
				answers = append(answers, got)
				return err
			})
		}
		require.NoError(t, db.InTenant(context.Background(), bob, "", work))
		return answers
	}
	run()
	p.reset()
	answers := run()
	require.Len(t, answers, 20)
	for _, answer := range answers {
		require.Equal(t, []string{"agent of B"}, answer)
	}
	require.Equal(t, 1, p.heard(t).turns)
}

// collect reads everything and keeps nothing.
func collect(rows pgx.Rows) error {
	_, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

// TestInTenant_LeastIsKnown: a connection is not asked whether its server has come to a position that it has told already.
func TestInTenant_LeastIsKnown(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	read := func(least postgres.LSN, observe bool) int {
		work := &postgres.Work{Name: "Test", Least: least, Observe: observe}
		work.Query(readAgents, collect)
		p.reset()
		require.NoError(t, db.InTenant(context.Background(), bob, "", work))
		return p.heard(t).executed
	}
	read(b.position(), true) // warms up
	b.exec("select pg_logical_emit_message(false, 'test', 'the log goes on')")
	least := b.position()
	asked := read(least, false)
	require.Equal(t, asked, read(least, false), "nobody has told")
	require.Equal(t, asked+1, read(least, true))
	require.Equal(t, asked-1, read(least, false))
	b.exec("select pg_logical_emit_message(false, 'test', 'and on')")
	require.Equal(t, asked, read(b.position(), false), "further than it has told")
}
