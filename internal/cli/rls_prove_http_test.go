package cli_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// TestRLSProve_HTTP: what the command makes beside the database it works on is gone afterwards, whether it
// comes to an end or is cancelled in the midst of it.
func TestRLSProve_HTTP(t *testing.T) { //nolint:paralleltest // it looks at what is on the whole server
	d := pgtest.New(t)
	refused := vital(t, nil, "rls", "prove", "--http", "--database-url", d.APIURL)
	require.Equal(t, 1, refused.code)
	require.Contains(t, refused.err, "this login may not make one. (role_setup)")
	operator := d.Connect(t)
	made := func() (databases, logins []string) {
		for from, into := range map[string]*[]string{"datname from pg_database where datname": &databases, "rolname from pg_roles where rolname": &logins} {
			rows, err := operator.Query(context.Background(), "select "+from+" like 'vital\\_prove\\_%'")
			require.NoError(t, err)
			*into, err = pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
		}
		return databases, logins
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	code := make(chan int, 1)
	var out, err safeBuffer
	go func() {
		code <- cli.Run(ctx, []string{"rls", "prove", "--http", "--database-url", d.URL}, []string{"HOME=" + t.TempDir()},
			cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
	}()
	require.Eventually(t, func() bool {
		databases, logins := made()
		return len(databases) == 1 && len(logins) == 2
	}, 2*time.Minute, 20*time.Millisecond, "no database was made:\n%s", &err)
	time.Sleep(time.Second) // into the attacks, or nearly
	cancel()
	require.NotZero(t, <-code)
	databases, logins := made()
	require.Empty(t, databases)
	require.Empty(t, logins)

	got := vital(t, nil, "rls", "prove", "--http", "--json", "--database-url", d.URL)
	require.Equal(t, 0, got.code, "%s\n%+v", got.err, findings(t, got.out))
	require.Contains(t, got.out, `"http"`)
	databases, logins = made()
	require.Empty(t, databases)
	require.Empty(t, logins)
}

// findings are the attacks that got through, of a proof in JSON.
func findings(t *testing.T, proof string) []isolation.Result {
	t.Helper()
	var p isolation.Proof
	require.NoError(t, json.Unmarshal([]byte(proof), &p))
	return slices.DeleteFunc(p.Results, func(r isolation.Result) bool { return r.Outcome != isolation.Leaked })
}
