package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

const work = "select pg_sleep(0.02)"

func connectPaced(t *testing.T, ratio float64) (*pgx.Conn, *postgres.Pace) {
	t.Helper()
	conn, err := postgres.ConnectPaced(t.Context(), pgtest.New(t).URL, ratio)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn, postgres.PaceOf(conn)
}

func TestPace_RestsBehindEachStatement(t *testing.T) {
	t.Parallel()
	conn, pace := connectPaced(t, 10)
	began := time.Now()
	_, err := conn.Exec(t.Context(), work)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 220*time.Millisecond)
	require.Zero(t, pace.Owed())
}

// TestPace_WaitsForTheEnd: while it rests, nothing is locked by it.
func TestPace_WaitsForTheEnd(t *testing.T) { //nolint:tparallel // its cases share a connection
	t.Parallel()
	conn, pace := connectPaced(t, 3)
	for name, end := range map[string]func(pgx.Tx) error{
		"commit":   func(tx pgx.Tx) error { return tx.Commit(t.Context()) },
		"rollback": func(tx pgx.Tx) error { return tx.Rollback(t.Context()) },
		"after an error": func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "select 1 / 0")
			require.ErrorContains(t, err, "division by zero")
			return tx.Rollback(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			require.NoError(t, err)
			for range 2 {
				_, err = tx.Exec(t.Context(), work)
				require.NoError(t, err)
			}
			require.GreaterOrEqual(t, pace.Owed(), 120*time.Millisecond)
			require.NoError(t, end(tx))
			require.Zero(t, pace.Owed())
		})
	}
}

func TestPace_RestsInsideWhereItMay(t *testing.T) {
	t.Parallel()
	conn, pace := connectPaced(t, 3)
	pace.RestInside(true)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), work)
	require.NoError(t, err)
	require.Zero(t, pace.Owed())
	pace.Work(t.Context(), func() {
		_, err = tx.Conn().PgConn().Exec(t.Context(), work).ReadAll()
	})
	require.NoError(t, err)
	require.Zero(t, pace.Owed())
	require.NoError(t, tx.Rollback(t.Context()))
}

// TestPace_BetweenRows: a statement that goes on and on rests before its end.
func TestPace_BetweenRows(t *testing.T) {
	t.Parallel()
	conn, pace := connectPaced(t, 5)
	rows, err := conn.Query(t.Context(), "select pg_sleep(0.01)")
	require.NoError(t, err)
	require.True(t, rows.Next())
	began := time.Now()
	pace.Breathe(t.Context())
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
	rows.Close()
	require.NoError(t, rows.Err())
}

func TestPace_Never(t *testing.T) {
	t.Parallel()
	conn, pace := connectPaced(t, 0)
	require.Nil(t, pace)
	_, err := conn.Exec(t.Context(), work)
	require.NoError(t, err)
	pace.RestInside(true)
	pace.Breathe(t.Context())
	done := false
	pace.Work(t.Context(), func() { done = true })
	require.True(t, done)
}
