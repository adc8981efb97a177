package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// TestPosition_Sealed: servers of one database read each other's positions, and nobody learns anything of them.
func TestPosition_Sealed(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	one, other := d.Open(t, postgres.Config{}), d.Open(t, postgres.Config{})
	d.Exec(t, "select vital.rotate_seal_key()")
	rotated := d.Open(t, postgres.Config{})
	for _, position := range []postgres.LSN{1, 0x16_B374D848, 1<<64 - 1} {
		sealed := one.SealPosition(position)
		require.Len(t, sealed, 22)
		require.NotEqual(t, sealed, one.SealPosition(position), "whether two are the same is not told")
		got, readable, ok := other.OpenPosition(sealed)
		require.True(t, ok && readable)
		require.Equal(t, position, got)
		_, readable, ok = rotated.OpenPosition(sealed)
		require.True(t, ok)
		require.False(t, readable)
	}
	for _, wrong := range []string{"", "0", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA!A", "AAAAAAAAAAAAAAAAAAAAAB"} {
		_, _, ok := one.OpenPosition(wrong)
		require.False(t, ok, wrong)
	}
	_, readable, ok := one.OpenPosition("AAAAAAAAAAAAAAAAAAAAAA")
	require.True(t, ok)
	require.False(t, readable, "it was made up")
}
