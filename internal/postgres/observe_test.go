package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

func TestLSN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]postgres.LSN{"16/B374D848": 0x16B374D848, "0/0": 0, "FFFFFFFF/FFFFFFFF": 1<<64 - 1, "1/2": 1<<32 | 2} {
		got, err := postgres.ParseLSN(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for _, text := range []string{"", "/", "1", "1/", "/1", "1/2/3", "x/1", "-1/1", "1/100000000", "100000000/1"} {
		_, err := postgres.ParseLSN(text)
		require.Error(t, err, text)
	}
}

// observe runs texts in one transaction that is asked what it was.
func (b *bundle) observe(caller identity.Caller, work *postgres.Work, texts ...string) (postgres.Observed, error) {
	work.Name, work.Observe = "Test", true
	for _, text := range texts {
		work.Query(text, nil)
	}
	err := b.db.InTenant(context.Background(), caller, "", work)
	return work.Observed, err
}

// position is how far the server's log is now.
func (b *bundle) position() postgres.LSN {
	b.t.Helper()
	position, err := postgres.ParseLSN(one[string](b, "select pg_current_wal_insert_lsn()::text"))
	require.NoError(b.t, err)
	return position
}

const (
	changeTenantB = "update public.tenant_configurations set limits = '{}'"
	changeBob     = "update public.profiles set full_name = 'Robert'"
	insertPrompt  = "insert into public.prompts (tenant_id, title) values ('" + tenantB + "', 'T')"
	forgeRaised   = "select pg_catalog.set_config('vital.raised', 'tenant:" + tenantA + ":7', false)"
)

// told are the scopes of raised as they stand in the database now.
func (b *bundle) told(scopes ...string) (raised []string) {
	for _, scope := range scopes {
		raised = append(raised, fmt.Sprintf("%s:%d", scope, b.versions()[scope]))
	}
	return raised
}

// TestObserve: a transaction tells how far the log was behind its commit, and which versions it raised. One
// connection runs them all, so that nothing of one is told by another.
func TestObserve(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, c := range []struct {
		why    string
		work   postgres.Work
		texts  []string
		scopes []string
	}{
		{"a write of a context table", postgres.Work{Writes: true}, []string{changeTenantB}, []string{"tenant:" + tenantB}},
		{"a write of a data table", postgres.Work{Writes: true}, []string{insertPrompt}, nil},
		{"two scopes, in a second turn", postgres.Work{Writes: true, Confirm: true}, []string{changeTenantB, changeBob}, []string{"self:" + bobID, "tenant:" + tenantB}},
		{"a read", postgres.Work{}, []string{readAgents}, nil},
		{"a read of one state", postgres.Work{Isolation: postgres.RepeatableRead}, []string{readAgents}, nil},
		{"what was taken back", postgres.Work{Writes: true}, []string{"savepoint s", changeTenantB, "rollback to s", insertPrompt}, nil},
		{"told before the end", postgres.Work{Writes: true}, []string{changeTenantB, "set constraints all immediate", changeBob}, []string{"tenant:" + tenantB, "self:" + bobID}},
		{"a function of others", postgres.Work{Writes: true, Foreign: true}, []string{changeTenantB}, []string{"tenant:" + tenantB}},
	} {
		before := b.position()
		seen, err := b.observe(bob, &c.work, c.texts...)
		require.NoError(t, err, c.why)
		require.ElementsMatch(t, b.told(c.scopes...), seen.Raised, c.why)
		require.LessOrEqual(t, seen.Position, b.position(), c.why)
		if c.work.Writes {
			require.Greater(t, seen.Position, before, c.why)
		} else {
			require.GreaterOrEqual(t, seen.Position, before, c.why)
		}
	}
}

// TestObserve_Nothing: what was not kept tells nothing, and nobody is told who did not ask.
func TestObserve_Nothing(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	seen, err := b.observe(bob, &postgres.Work{Writes: true, Rollback: true}, changeTenantB)
	require.NoError(t, err)
	require.Zero(t, seen)
	seen, err = b.observe(bob, &postgres.Work{Writes: true}, changeTenantB, "select 1/0")
	require.Error(t, err)
	require.Zero(t, seen)
	refused := errors.New("refused")
	work := &postgres.Work{Name: "Test", Writes: true, Observe: true}
	work.Query(changeTenantB, func(pgx.Rows) error { return refused })
	require.ErrorIs(t, b.db.InTenant(context.Background(), bob, "", work), refused)
	require.Zero(t, work.Observed)
	work = &postgres.Work{Name: "Test", Writes: true}
	work.Query(changeTenantB, nil)
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", work))
	require.Zero(t, work.Observed)
}

// TestObserve_Forged: SQL can put words into its own transaction's mouth, and into no other's.
func TestObserve_Forged(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, texts := range [][]string{
		{forgeRaised},
		{"set vital.raised = 'tenant:" + tenantA + ":7'"},
		{"commit", forgeRaised, "begin"},
		{"commit", forgeRaised, "select 1/0"},
		{"select pg_catalog.set_config('vital.raised', repeat('x ', 100000000), false)"},
		{"select pg_catalog.set_config('vital.raised', repeat('x', 30000000), false)"},
	} {
		seen, _ := b.observe(eve, &postgres.Work{Writes: true}, texts...)
		require.LessOrEqual(t, len(strings.Join(seen.Raised, " ")), 16<<10, texts)
		seen, err := b.observe(bob, &postgres.Work{Writes: true}, insertPrompt)
		require.NoError(t, err)
		require.Empty(t, seen.Raised, texts)
		seen, err = b.observe(bob, &postgres.Work{Writes: true}, changeTenantB)
		require.NoError(t, err)
		require.Equal(t, b.told("tenant:"+tenantB), seen.Raised, texts)
	}
	seen, err := b.observe(eve, &postgres.Work{Writes: true}, forgeRaised, "update public.tenant_configurations set limits = '{}'")
	require.NoError(t, err)
	require.Contains(t, seen.Raised, b.told("tenant:" + tenantA)[0], "what was raised is told beside what was forged")
}

// TestObserve_Untold: a write that kept its commit and could not tell more leaves nobody believing that nothing
// was raised.
func TestObserve_Untold(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{MaxConns: 2})
	for _, text := range []string{"deallocate all", "commit; set statement_timeout = 1"} {
		before := b.position()
		texts := []string{changeTenantB}
		for part := range strings.SplitSeq(text, "; ") {
			texts = append(texts, part)
		}
		texts = append(texts, "begin")
		seen, err := b.observe(bob, &postgres.Work{Writes: true, Foreign: true}, texts...)
		if err != nil {
			continue // the connection's own end was noticed first
		}
		require.Greater(t, seen.Position, before, text)
		require.NotEmpty(t, seen.Raised, text)
	}
}

// TestObserve_Many: a transaction that raised very many says so in one word.
func TestObserve_Many(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	work := &postgres.Work{Name: "Test", Writes: true, Observe: true}
	work.Query("insert into public.users (id, email) select gen_random_uuid(), 'n@x.test' from generate_series(1, 101)", nil)
	require.NoError(t, b.db.Run(context.Background(), work))
	require.Equal(t, []string{"*"}, work.Raised)
	work = &postgres.Work{Name: "Test", Writes: true, Observe: true}
	work.Query("insert into public.users (id, email) select gen_random_uuid(), 'n@x.test' from generate_series(1, 100)", nil)
	require.NoError(t, b.db.Run(context.Background(), work))
	require.Len(t, work.Raised, 100)
	require.NotZero(t, work.Position)
	work = &postgres.Work{Name: "Test", Writes: true, Observe: true}
	work.Query("select 'nothing'", nil)
	require.NoError(t, b.db.Run(context.Background(), work))
	require.Empty(t, work.Raised)
}

// TestObserve_Transact: the interactive form tells the same.
func TestObserve_Transact(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	var seen postgres.Observed
	before := b.position()
	require.NoError(t, b.db.Transact(ctx, bob, "", "Test", func(tx *postgres.Tx) error {
		tx.Observe(&seen)
		_, err := tx.Exec(ctx, changeTenantB)
		return err
	}))
	require.Equal(t, b.told("tenant:"+tenantB), seen.Raised)
	require.Greater(t, seen.Position, before)
	refused := errors.New("refused")
	seen = postgres.Observed{}
	require.ErrorIs(t, b.db.Transact(ctx, bob, "", "Test", func(tx *postgres.Tx) error {
		tx.Observe(&seen)
		if _, err := tx.Exec(ctx, changeTenantB); err != nil {
			return err
		}
		return refused
	}), refused)
	require.Zero(t, seen)
}
