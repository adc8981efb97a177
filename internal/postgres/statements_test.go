package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// TestInTenant_ReplacedStatement: Eve drops what is prepared on the connection and prepares her own under
// every name she can think of. Bob's next request is answered rightly, at the worst on a new connection.
func TestInTenant_ReplacedStatement(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.requireBob()
	// In one statement: the next prepared one would already be gone.
	var guesses strings.Builder
	guesses.WriteString("do $do$ begin execute 'deallocate all'; ")
	for _, name := range []string{"lrupsc_1_0", "stmtcache_1", "v1", "v", "s1", "ContextRead", "agents", "v" + strings.Repeat("0", 24)} {
		fmt.Fprintf(&guesses, `execute 'prepare "%s" as select ''written by eve''::text as name'; `, name)
	}
	guesses.WriteString("end $do$")
	for _, prelude := range [][]string{{}, {"commit"}, {"set local role anon"}} {
		require.NoError(t, b.attack(append(prelude, guesses.String())...))
		b.requireBob()
		require.NoError(t, b.attack(append(prelude, "deallocate all")...))
		b.requireAnonymous()
		b.requireBob()
		b.requireWriting()
	}
}

// attack runs texts as Eve without reading an answer.
func (b *bundle) attack(texts ...string) error {
	b.t.Helper()
	work := &postgres.Work{Name: "Attack", Writes: true}
	for _, text := range texts {
		work.Query(text, nil)
	}
	return b.db.InTenant(context.Background(), eve, "", work)
}

// TestInTenant_ReplacedStatementWrites: the second try behind a dropped statement does not write twice,
// wherever in the transaction the statement stood.
func TestInTenant_ReplacedStatementWrites(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	insert := "insert into public.prompts (tenant_id, title) values ('" + tenantB + "', 'once')"
	_, err := b.run(bob, "select 'warm'")
	require.NoError(t, err)
	for range 3 {
		_, err = b.run(bob, insert, "select 'warm'")
		require.NoError(t, err)
		require.Equal(t, 1, one[int](b, "select count(*)::int from prompts"))
		b.exec("delete from prompts")
		require.NoError(t, b.attack("deallocate all"))
	}
}

// TestInTenant_StatementNames: names are random, differ between connections, and are listed to nobody.
func TestInTenant_StatementNames(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.requireBob()
	names, err := b.db.StatementNames(context.Background())
	require.NoError(t, err)
	require.NotEmpty(t, names)
	seen := map[string]bool{}
	for _, name := range names {
		require.Regexp(t, "^v[0-9a-f]{24}$", name)
		seen[name] = true
	}
	other := b.Open(t, postgres.Config{})
	work := &postgres.Work{Name: "Test"}
	work.Query(readAgents, nil)
	require.NoError(t, other.InTenant(context.Background(), bob, "", work))
	names, err = other.StatementNames(context.Background())
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.False(t, seen[name], "the same name on two connections")
	}
	for _, text := range []string{
		"select name from pg_prepared_statements", "select name from pg_prepared_statement()", "select name from pg_catalog.pg_prepared_statements",
		"select query::text from pg_stat_activity",
	} {
		for _, prelude := range [][]string{{}, {"reset role"}, {"commit"}} {
			_, err := b.run(eve, append(prelude, text)...)
			requireState(t, err, "42501", text)
		}
	}
}

// TestInTenant_ManyShapes: generated statements run whether or not the connection has met them, each with
// its own values, and what it remembers of them is bounded.
func TestInTenant_ManyShapes(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for range 3 {
		for i := range 300 {
			text := fmt.Sprintf("select $1::text || '%d', (vital.identity()).user_id", i)
			var got []string
			work := &postgres.Work{Name: "Shape"}
			work.Generated(text, [][]byte{[]byte("n")}, func(answer *pgconn.ResultReader) error {
				got = nil
				for answer.NextRow() {
					got = append(got, string(answer.Values()[0]), string(answer.Values()[1]))
				}
				return nil
			})
			require.NoError(t, b.db.InTenant(context.Background(), bob, "", work))
			require.Equal(t, []string{fmt.Sprintf("n%d", i), bob.UserID.String()}, got)
		}
	}
	again := &postgres.Work{Name: "Shape"}
	for range 3 {
		again.Generated("select 'again'", nil, nil)
	}
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", again), "the same shape more than once in one turn")
	known, prepared, err := b.db.Shapes(context.Background())
	require.NoError(t, err)
	require.LessOrEqual(t, known, 129)
	require.LessOrEqual(t, prepared, 129)
	b.requireBob()
}

// TestInTenant_LongShapes: what is remembered is bounded by its length too, since that is what it costs the
// server.
func TestInTenant_LongShapes(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for i := range 40 {
		text := fmt.Sprintf("select '%d%s'", i, strings.Repeat("x", 8<<10))
		for range 3 {
			work := &postgres.Work{Name: "Shape"}
			work.Generated(text, nil, nil)
			require.NoError(t, b.db.InTenant(context.Background(), bob, "", work))
		}
	}
	known, prepared, err := b.db.Shapes(context.Background())
	require.NoError(t, err)
	require.LessOrEqual(t, known, 17)
	require.Positive(t, prepared)
}

// TestInTenant_Rollback: a transaction that is only tried out keeps nothing, and still finds what a commit
// would find.
func TestInTenant_Rollback(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	work := &postgres.Work{Name: "Try", Writes: true, Rollback: true}
	work.Generated("update public.profiles set full_name = 'tried' where id = $1 returning full_name", [][]byte{[]byte(bob.UserID.String())},
		func(answer *pgconn.ResultReader) error {
			require.True(t, answer.NextRow())
			require.Equal(t, "tried", string(answer.Values()[0]))
			return nil
		})
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", work))
	var name *string
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", func() *postgres.Work {
		read := &postgres.Work{Name: "Read"}
		read.Query("select full_name from public.profiles where id = (select vital.user_id())", func(rows pgx.Rows) error {
			require.True(t, rows.Next())
			return rows.Scan(&name)
		})
		return read
	}()))
	require.True(t, name == nil || *name != "tried")
	b.requireBob()
}

// TestInTenant_ReaderGivesUp: a reader that stops in the middle of an endless answer frees the connection at
// once, and the next one is served.
func TestInTenant_ReaderGivesUp(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	gone := errors.New("the client is gone")
	started := time.Now()
	work := &postgres.Work{Name: "Endless"}
	work.Generated("select repeat('x', 1000) from (select pg_catalog.generate_series(1, 100000000)) s", nil, func(answer *pgconn.ResultReader) error {
		require.True(t, answer.NextRow())
		return gone
	})
	require.ErrorIs(t, b.db.InTenant(context.Background(), bob, "", work), gone)
	require.Less(t, time.Since(started), time.Minute)
	b.requireBob()
	b.requireIdle()
}

// TestInTenant_RowTooLarge: a row lies in memory as a whole, so there is a bound; what changed it may have been
// kept.
func TestInTenant_RowTooLarge(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	large := func(writes bool) error {
		work := &postgres.Work{Name: "Large", Writes: writes}
		work.Generated("select repeat('x', 65 << 20)", nil, func(answer *pgconn.ResultReader) error {
			for answer.NextRow() {
				t.Error("it was taken")
			}
			_, err := answer.Close()
			return err
		})
		return b.db.InTenant(context.Background(), bob, "", work)
	}
	requireFault(t, large(false), fault.RowTooLarge)
	err := large(true)
	requireFault(t, err, fault.DatabaseUnavailable)
	require.Contains(t, fault.From(err).Message, "while the change was being stored")
	b.requireBob()
	b.requireIdle()
}

// TestInTenant_CachedPlans: one prepared statement on one connection answers each caller by their own
// policies, though its plan was made for another.
func TestInTenant_CachedPlans(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("insert into users (id, email) values ('10000000-0000-0000-0000-00000000000c', 'c@c.test')")
	b.exec("insert into profiles (id, role) values ('10000000-0000-0000-0000-00000000000c', 'super_admin')")
	root := eve
	root.UserID[15] = 0x0c
	const text = "select coalesce(string_agg(slug, ' ' order by slug), '') from public.organizations"
	for range 8 { // a generic plan is made at the sixth execution
		for caller, want := range map[*[16]byte]string{
			(*[16]byte)(&eve.UserID): "a", (*[16]byte)(&bob.UserID): "b", (*[16]byte)(&root.UserID): "a b platform",
		} {
			who := eve
			who.UserID = *caller
			got, err := b.run(who, text)
			require.NoError(t, err)
			require.Equal(t, []string{want}, got)
		}
		b.requireAnonymous()
	}
}
