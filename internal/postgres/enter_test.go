package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// entered is what entering decides, whatever the session says.
const entered = `select concat_ws('|', current_user, current_setting('search_path'), current_setting('row_security'),
	current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'),
	current_setting('request.jwt.claims', true), current_setting('transaction_isolation'), vital.user_id())`

// TestInTenant_Entered: role, identity, search path and timeouts are pinned in each transaction, also
// against what the connection was opened with.
func TestInTenant_Entered(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	options := "-c search_path=pg_temp -c row_security=off -c statement_timeout=0 -c lock_timeout=0 -c request.jwt.claims=x" +
		" -c default_transaction_isolation=serializable -c vital.context=x -c role=anon"
	db := b.Open(t, postgres.Config{URL: b.APIURL + "&options=" + strings.ReplaceAll(url.QueryEscape(options), "+", "%20"), MaxConns: 1, StatementTimeout: 7 * time.Second})
	for range 2 {
		var got []string
		work := &postgres.Work{Name: "Test"}
		work.Query(entered, func(rows pgx.Rows) (err error) {
			got, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		require.NoError(t, db.InTenant(context.Background(), bob, "", work))
		require.Equal(t, []string{"authenticated|pg_catalog, public, pg_temp|on|7s|7s|7s||read committed|" + bobID}, got)
	}
}

// TestInTenant_Local: all of it ends with the transaction, before anything is scrubbed.
func TestInTenant_Local(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, end := range []string{"commit", "rollback"} {
		got, err := b.run(eve, end, "select concat_ws('|', current_user, current_setting('vital.context', true), current_setting('row_security'), current_setting('statement_timeout'))")
		require.NoError(t, err)
		require.Equal(t, []string{"vital_api||on|0"}, got, end)
		got, err = b.run(eve, end, "select current_setting('search_path')")
		require.NoError(t, err)
		require.Equal(t, []string{`"$user", public`}, got, end)
	}
}
