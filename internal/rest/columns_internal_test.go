package rest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// oddValues are expressions of every type whose text is turned into JSON here.
var oddValues = []string{
	`1::smallint`, `(-2147483648)::int`, `9223372036854775807::bigint`, `0::int`,
	`1.50::numeric`, `'-0.001'::numeric`, `'NaN'::numeric`, `'Infinity'::numeric`, `'-Infinity'::numeric`, `1e30::numeric`,
	`1.5::real`, `'NaN'::real`, `1e-7::float8`, `1e300::float8`, `'Infinity'::float8`, `'-Infinity'::float8`, `-0.0::float8`,
	`true`, `false`, `null::text`, `null::int`, `null::json`,
	`''::text`, `'plain'::text`, `E'quote " back \\ slash / tab \t nl \n cr \r bs \b ff \f'::text`, `E'\x01\x1f\x7f'::text`,
	`'é 漢字 🎬  '::text`, `'<script>&amp;'::text`, `'padded'::char(10)`, `'v'::varchar(5)`,
	`'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid`,
	`'{"a": 1,  "b":[1,2]}'::json`, `'{"b": 1,  "a":null}'::jsonb`, `'"text"'::jsonb`, `'null'::json`,
	`'2026-11-25'::date`, `'0044-03-15 BC'::date`, `'infinity'::date`, `'-infinity'::date`, `'12345-01-02'::date`,
	`'2026-11-25 02:30:35'::timestamp`, `'2026-11-25 02:30:35.783502'::timestamp`, `'0044-03-15 01:02:03 BC'::timestamp`,
	`'infinity'::timestamp`, `'12345-01-02 03:04:05.6'::timestamp`,
	`'2026-11-25 02:30:35.5+00'::timestamptz`, `'2026-11-25 02:30:35-07'::timestamptz`, `'-infinity'::timestamptz`,
	`'0044-03-15 01:02:03+00 BC'::timestamptz`, `'1900-01-01 00:00:00+00'::timestamptz`,
}

// TestAppendJSON: what is made of a value here is what the database makes of it, in every time zone.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	for _, zone := range []string{"UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Amsterdam", "+05:45", "-11"} {
		_, err := conn.Exec(context.Background(), "select set_config('timezone', $1, false)", zone)
		require.NoError(t, err)
		for _, expression := range oddValues {
			requireSameJSON(t, conn, zone+" "+expression, "select v, to_json(v) from (select "+expression+" as v) s")
		}
	}
}

func requireSameJSON(t *testing.T, conn *pgx.Conn, why, statement string) {
	t.Helper()
	result := conn.PgConn().ExecParams(context.Background(), statement, nil, nil, nil, nil)
	if !result.NextRow() {
		_, err := result.Close()
		require.NoError(t, err, why)
	}
	oid := result.FieldDescriptions()[0].DataTypeOID
	got, known := appendJSON(nil, oid, result.Values()[0])
	require.True(t, known, why)
	want := "null"
	if result.Values()[1] != nil {
		want = string(result.Values()[1])
	}
	require.Equal(t, want, string(got), why)
	_, err := result.Close()
	require.NoError(t, err)
}

// TestAppendJSON_UnknownText: types and styles it was not made for are left to the database.
func TestAppendJSON_UnknownText(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	for _, style := range []string{"SQL, DMY", "Postgres, MDY", "German"} {
		_, err := conn.Exec(context.Background(), "select set_config('datestyle', $1, false)", style)
		require.NoError(t, err)
		for _, expression := range []string{"'2026-11-25'::date", "'2026-11-25 02:30:35'::timestamp", "'2026-11-25 02:30:35+00'::timestamptz"} {
			requireUnknown(t, conn, "select "+expression)
		}
	}
	for _, expression := range []string{"array[1]", "'1 day'::interval", "'\\x00'::bytea", "row(1)", "'10.0.0.1'::inet", "'a=>b'::name"} {
		requireUnknown(t, conn, "select "+expression)
	}
}

func requireUnknown(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	result := conn.PgConn().ExecParams(context.Background(), statement, nil, nil, nil, nil)
	require.True(t, result.NextRow())
	oid := result.FieldDescriptions()[0].DataTypeOID
	_, known := appendJSON(nil, oid, result.Values()[0])
	require.False(t, known, "%s: %s", statement, result.Values()[0])
	_, err := result.Close()
	require.NoError(t, err)
}
