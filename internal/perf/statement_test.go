package perf_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
)

func TestStatements_MissingExtension(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	_, err := perf.Statements(t.Context(), d.Connect(t), 10)
	require.Equal(t, fault.ExtensionMissing, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Hint, "CREATE EXTENSION pg_stat_statements")
	d.Exec(t, "create extension pg_stat_statements")
	_, err = perf.Statements(t.Context(), d.Connect(t), 10)
	require.Equal(t, fault.ExtensionMissing, fault.CodeOf(err), "made, and its library not loaded")
	require.Contains(t, fault.From(err).Hint, "shared_preload_libraries")
}

func TestStatements(t *testing.T) {
	t.Parallel()
	server, err := localpg.Open(t.Context(), localpg.Config{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Settings: map[string]string{"shared_preload_libraries": "pg_stat_statements", "fsync": "off", "shared_buffers": "16MB"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop(t.Context())) }()
	conn, err := pgx.Connect(t.Context(), server.SuperuserURL("postgres"))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, text := range []string{
		`create schema "Odd one"; create extension pg_stat_statements schema "Odd one"`,
		"create table t as select n from generate_series(1, 1000) n",
		"create role r password 'secret-word'",
		"select count(*) from t where n = 4711", "select count(*) from t where n = 4712",
	} {
		_, err := conn.Exec(t.Context(), text)
		require.NoError(t, err)
	}
	found, err := perf.Statements(t.Context(), conn, 100)
	require.NoError(t, err)
	var counted *perf.Statement
	for i, s := range found {
		require.NotContains(t, s.Text, "secret-word")
		require.NotContains(t, s.Text, "471")
		if strings.HasPrefix(s.Text, "select count(*) from t") {
			counted = &found[i]
		}
		if i > 0 {
			require.LessOrEqual(t, s.TotalMS, found[i-1].TotalMS)
		}
	}
	require.NotNil(t, counted)
	require.EqualValues(t, 2, counted.Calls, "values are left out, so they are one")
	require.EqualValues(t, 2, counted.Rows)
	ratio, known := counted.HitRatio()
	require.True(t, known)
	require.Positive(t, ratio)
	one, err := perf.Statements(t.Context(), conn, 1)
	require.NoError(t, err)
	require.Len(t, one, 1)
}

func TestWithoutValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"select * from t where a = $1":                      "select * from t where a = $1",
		"alter role r password 'it''s secret'":              "alter role r password ?",
		`select "It 1" from t where b = E'\'x' and c = 1.5`: `select "It 1" from t where b = ? and c = ?`,
		"set x = 'y' -- for Ada":                            "set x = ?  ",
		"select $tag$ secret $tag$, x'ff', b'01'":           "select ?, ?, ?",
		"create role r password 'not closed":                "(a statement that cannot be shown without its values)",
		"select 'é', 1":                                     "select ?, ?",
	} {
		require.Equal(t, want, perf.WithoutValues(text))
	}
}
