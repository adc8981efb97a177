package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// crowd is fifty users in three tenants: user n is a member of tenant n % 3.
const crowd = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values ('00000000-0000-0000-0000-00000000000c', 'C', 'c', 'digital_health', 'c');
insert into agents (tenant_id, name, slug) values ('00000000-0000-0000-0000-00000000000c', 'agent of C', 'agent');
insert into users (id, organization_id, email)
select ('20000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, ('00000000-0000-0000-0000-00000000000' || substr('abc', n % 3 + 1, 1))::uuid, n || '@x.test'
from generate_series(0, 49) n;
insert into profiles (id) select id from users on conflict do nothing;
insert into user_tenants (tenant_id, user_id) select organization_id, id from users where email like '%@x.test'`

// TestInTenant_Concurrency: two thousand requests of fifty users on four connections, some cancelled at a
// random moment, some failing, some hostile. No answer is another tenant's, and every connection comes back.
func TestInTenant_Concurrency(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{MaxConns: 4, AcquireTimeout: time.Minute, Fair: true})
	b.requireCrowdApart(40)
	require.LessOrEqual(t, b.db.Stat().Idle, int32(4))
	for _, tenant := range []string{"A", "B", "C"} {
		require.NotZero(t, one[int](b, "select count(*)::int from prompts where title = $1 and tenant_id = (select id from organizations where name = $1)", tenant))
	}
}

// requireCrowdApart wants fifty users that ask at once, each as often as that, to be answered each with their own.
func (b *bundle) requireCrowdApart(requests int) {
	b.t.Helper()
	b.exec(crowd)
	const users = 50
	var wait sync.WaitGroup
	failures := make(chan string, users*requests)
	var answered [users]int
	for n := range users {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for range requests {
				got, err := b.request(n, random)
				answered[n] += len(got)
				if why := wrong(n, got, err); why != "" {
					failures <- why
				}
			}
		})
	}
	wait.Wait()
	close(failures)
	for why := range failures {
		require.Fail(b.t, "a wrong answer", why)
	}
	for n, count := range answered {
		require.NotZero(b.t, count, "user %d was never answered", n)
	}
	b.requireIdle()
	require.Zero(b.t, one[int](b, "select count(*)::int from prompts p join organizations o on o.id = p.tenant_id where p.title <> o.name"))
	b.requireBob()
	b.requireAnonymous()
}

// request makes one request of user n and returns what was answered.
func (b *bundle) request(n int, random *rand.Rand) (got []string, err error) {
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(fmt.Sprintf("20000000-0000-0000-0000-%012d", n))}
	if random.IntN(8) == 0 {
		caller = identity.Anonymous()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if random.IntN(4) == 0 {
		time.AfterFunc(time.Duration(random.Int64N(int64(3*time.Millisecond))), cancel)
	}
	work := &postgres.Work{Name: "Test", Writes: true}
	switch random.IntN(6) {
	case 0:
		work.Query("insert into public.prompts (tenant_id, title) select id, name from public.organizations", nil)
	case 1:
		work.Query("select pg_sleep(0.002)", nil)
	case 2:
		work.Query("set search_path = pg_temp", nil)
		work.Query("set timezone = 'Asia/Kathmandu'", nil)
	case 3:
		work.Query("commit", nil)
		work.Query("set role anon", nil)
		work.Query("begin", nil)
		work.Query("select 1/0", nil)
	case 4:
		work.Writes = false
	}
	work.Query("select vital.user_id() || ' ' || name from public.agents", func(rows pgx.Rows) (err error) {
		got, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return got, b.db.InTenant(ctx, caller, "", work)
}

// wrong says what is wrong with an answer to user n: it may be none, but never anybody else's.
func wrong(n int, got []string, err error) string {
	want := fmt.Sprintf("20000000-0000-0000-0000-%012d agent of %c", n, "ABC"[n%3])
	if err == nil && len(got) != 1 || len(got) > 0 && got[0] != want {
		return fmt.Sprintf("wanted %q, got %q, error %v", want, strings.Join(got, ", "), err)
	}
	return ""
}
