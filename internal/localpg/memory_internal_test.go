package localpg

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	const meminfo = "MemTotal:       24576000 kB\nMemFree:        20000000 kB\n"
	for _, c := range []struct {
		why, meminfo, limit string
		want                int64
	}{
		{"a machine", meminfo, "max\n", 24576000 << 10},
		{"a container in it", meminfo, "2147483648\n", 2 << 30},
		{"a container without a limit of its own", meminfo, "9223372036854771712\n", 24576000 << 10},
		{"no cgroups", meminfo, "", 24576000 << 10},
		{"no Linux", "", "", 0},
		{"nothing that is understood", "MemTotal: much\n", "more\n", 0},
	} {
		require.Equal(t, c.want, memory(c.meminfo, c.limit), c.why)
	}
	require.Regexp(t, `^\d+MB$`, sharedBuffers())
}
