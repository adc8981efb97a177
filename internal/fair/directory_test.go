package fair_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fair"
)

func TestDirectory_ATenantIsOneHoweverItIsNamed(t *testing.T) {
	t.Parallel()
	d := fair.NewDirectory(100)
	tenant, ada, ben := uuid.New(), uuid.New(), uuid.New()
	for _, c := range []fair.Caller{{Who: ada}, {Who: ada, Tenant: "acme"}, {Who: ben, Tenant: tenant.String()}} {
		stranger := d.Find(c)
		require.Zero(t, stranger.Tenant)
		d.Learn(c, tenant)
		require.Equal(t, tenant, d.Find(c).Tenant)
		require.Same(t, d.Find(fair.Caller{Who: ada}), d.Find(c))
	}
	require.Zero(t, d.Find(fair.Caller{Who: uuid.New(), Tenant: "acme"}).Tenant, "what a name means to one it means to nobody else")
	d.Learn(fair.Caller{Who: ada, Tenant: "acme"}, uuid.Nil)
	require.Zero(t, d.Find(fair.Caller{Who: ada, Tenant: "acme"}).Tenant, "who may no longer act there does not count to it")
	require.NotZero(t, d.Find(fair.Caller{Who: ada}).Tenant)
}

// TestDirectory_MadeUpNames take no memory, bring no budget and push nobody out.
func TestDirectory_MadeUpNames(t *testing.T) {
	t.Parallel()
	d := fair.NewDirectory(100)
	victim, eve := fair.Caller{Who: uuid.New(), Tenant: "acme"}, uuid.New()
	d.Learn(victim, uuid.New())
	tenant := d.Find(victim)
	first := d.Find(fair.Caller{Who: eve, Tenant: "x"})
	size := d.Size()
	for i := range 10_000 {
		require.Same(t, first, d.Find(fair.Caller{Who: eve, Tenant: fmt.Sprint("made-up-", i)}))
	}
	require.Equal(t, size, d.Size())
	require.Same(t, tenant, d.Find(victim))
}

// TestDirectory_IsBounded: however many callers come, what is in use stays.
func TestDirectory_IsBounded(t *testing.T) {
	t.Parallel()
	d := fair.NewDirectory(100)
	victim := fair.Caller{Who: uuid.New(), Tenant: "acme"}
	d.Learn(victim, uuid.New())
	tenant := d.Find(victim)
	for i := range 10_000 {
		c := fair.Caller{Who: uuid.New()}
		d.Find(c)
		d.Learn(c, uuid.New())
		d.FindAddress(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		require.Same(t, tenant, d.Find(victim))
		require.LessOrEqual(t, d.Size(), 4*100)
	}
}

func TestDirectory_Addresses(t *testing.T) {
	t.Parallel()
	d := fair.NewDirectory(100)
	at := func(address string) *fair.Party { return d.FindAddress(netip.MustParseAddr(address)) }
	require.Same(t, at("192.0.2.1"), at("::ffff:192.0.2.1"))
	require.NotSame(t, at("192.0.2.1"), at("192.0.2.2"))
	require.Same(t, at("2001:db8::1"), at("2001:db8::ffff:1"), "one network of IPv6 is one client")
	require.NotSame(t, at("2001:db8::1"), at("2001:db8:0:1::1"))
	require.NotNil(t, d.FindAddress(netip.Addr{}))
}

func TestTake_HoldsToARate(t *testing.T) {
	t.Parallel()
	party := fair.NewDirectory(10).Find(fair.Caller{Who: uuid.New()})
	now := time.Now()
	for range 20 {
		require.NoError(t, party.Take(now, 10))
	}
	var rejected *fair.RejectedError
	require.ErrorAs(t, party.Take(now, 10), &rejected)
	require.Equal(t, fair.TooOften, rejected.Reason)
	require.Equal(t, 100*time.Millisecond, rejected.After)
	require.Error(t, party.Take(now.Add(99*time.Millisecond), 10))
	now = now.Add(100 * time.Millisecond)
	require.NoError(t, party.Take(now, 10), "those that were turned away cost nothing")
	require.Error(t, party.Take(now, 10))
	require.NoError(t, party.Take(now.Add(time.Millisecond), 1000), "a limit that is raised holds at once")
	require.NoError(t, party.Take(now, 0))
	taken := 0
	for ; taken < 1000 && party.Take(now.Add(time.Hour), 3) == nil; taken++ {
	}
	require.Equal(t, 6, taken, "two seconds' worth, after however long")
}

func TestMayAsk(t *testing.T) {
	t.Parallel()
	party := fair.NewDirectory(10).Find(fair.Caller{Who: uuid.New()})
	now := time.Now()
	require.True(t, party.MayAsk(now))
	require.False(t, party.MayAsk(now.Add(200*time.Millisecond)))
	require.True(t, party.MayAsk(now.Add(300*time.Millisecond)))
	_, known := party.Limits()
	require.False(t, known)
	party.SetLimits(fair.Limits{PerSecond: 3})
	limits, known := party.Limits()
	require.True(t, known)
	require.Equal(t, fair.Limits{PerSecond: 3}, limits)
}
