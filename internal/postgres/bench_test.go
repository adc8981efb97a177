package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// BenchmarkAccess is what a tenant that is not under HIPAA pays for asking, in the statement that says who asks, whether the read is recorded:
// CPU time of the backend for a transaction of one small query, with and without asking, in turns of a hundred. It takes Linux.
func BenchmarkAccess(b *testing.B) {
	d := pgtest.New(b)
	d.Exec(b, twoTenants)
	// The rows of others, so that indexes have a depth.
	d.Exec(b, `insert into organizations (name, slug, tenant_type, tenant_key) select n, 't-' || n, 'digital_health', 't-' || n from generate_series(1, 2000) n`)
	d.Exec(b, "analyze")
	db := d.Open(b, postgres.Config{MaxConns: 1})
	var backend int
	transaction := func(access *postgres.Access) {
		work := &postgres.Work{Name: "Bench", Verify: true, Access: access}
		work.Query("select pg_backend_pid()", func(rows pgx.Rows) (err error) {
			backend, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
			return err
		})
		require.NoError(b, db.InTenant(context.Background(), bob, "", work))
	}
	asking := &postgres.Access{Told: func() postgres.Told { return postgres.Told{Action: "read", Table: "x", Filter: []byte("[]")} }}
	for range 100 { // until plans are kept
		transaction(nil)
		transaction(asking)
	}
	var used [2]time.Duration
	for b.Loop() {
		for i, access := range []*postgres.Access{nil, asking} {
			before := onCPU(b, backend)
			for range 100 {
				transaction(access)
			}
			used[i] += onCPU(b, backend) - before
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / 100 / float64(b.N) }
	b.ReportMetric(each(used[0]), "us-not-asked")
	b.ReportMetric(each(used[1]), "us-asked")
	b.ReportMetric(each(used[1]-used[0]), "us-added")
}

// onCPU is how long a process has run.
func onCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		b.Skip("nobody says how long the backend has run: " + err.Error())
	}
	var used time.Duration
	_, err = fmt.Sscan(string(text), &used)
	require.NoError(b, err)
	return used
}
