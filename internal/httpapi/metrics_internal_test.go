package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestBusiest counts minute by minute: who loaded the most is shown, nobody who has gone quiet, and never more than are asked for.
func TestBusiest(t *testing.T) {
	t.Parallel()
	m := NewMetrics("test")
	m.ShowTenants(2)
	b := m.tenants
	tenants := make([]uuid.UUID, 5)
	for i := range tenants {
		tenants[i] = uuid.MustParse(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i))
	}
	at := b.began
	for i, id := range tenants {
		for range 10 - i {
			b.count(id, at.Add(time.Second))
		}
	}
	b.count(uuid.Nil, at)
	require.Empty(t, b.last, "the minute is not over")
	b.count(tenants[4], at.Add(61*time.Second))
	require.Equal(t, []tenantLoads{{tenants[0], 10}, {tenants[1], 9}}, b.last)
	b.count(tenants[3], at.Add(125*time.Second))
	require.Equal(t, []tenantLoads{{tenants[4], 1}}, b.last)
	b.turn(at.Add(time.Hour))
	require.Empty(t, b.last)
	for range tenantsCounted + 100 {
		b.count(uuid.New(), at.Add(time.Hour))
	}
	require.Len(t, b.counts, tenantsCounted)

	none := NewMetrics("test")
	none.ShowTenants(0)
	none.tenants.count(tenants[0], at)
}
