package isolation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
)

func TestCVEs(t *testing.T) {
	t.Parallel()
	ids := func(version string) []string {
		found, err := isolation.CVEs(version)
		require.NoError(t, err)
		names := []string{}
		for _, c := range found {
			require.NotEmpty(t, c.Title)
			require.Equal(t, "https://www.postgresql.org/support/security/"+c.ID+"/", c.URL)
			names = append(names, c.ID)
		}
		return names
	}
	newest := []string{"CVE-2026-6472", "CVE-2026-6473", "CVE-2026-6474", "CVE-2026-6637"}
	for _, c := range []struct {
		version     string
		has, hasNot []string
	}{
		{"15.18", nil, []string{"CVE-2026-6472"}},
		{"15.17 (Debian 15.17-0+deb12u1)", newest, []string{"CVE-2026-2003", "CVE-2026-6575"}},
		{"15.3", []string{"CVE-2023-39418", "CVE-2024-10976"}, []string{"CVE-2023-2454", "CVE-2023-2455"}},
		{"15.2", []string{"CVE-2023-2454", "CVE-2023-2455"}, nil},
		{"16.0", []string{"CVE-2023-5869"}, []string{"CVE-2023-39418", "CVE-2024-0985"}},
		{"16.1", []string{"CVE-2024-4317"}, []string{"CVE-2023-5869"}},
		{"17.0", []string{"CVE-2024-10976"}, []string{"CVE-2024-4317", "CVE-2026-6575"}},
		{"18.1", []string{"CVE-2026-2007", "CVE-2026-6575"}, []string{"CVE-2025-8713"}},
		{"18.10", nil, []string{"CVE-2026-2003"}},
		{"18beta1", []string{"CVE-2026-2007"}, nil},
		{"19.0", nil, newest},
	} {
		got := ids(c.version)
		require.Subset(t, got, c.has, c.version)
		for _, id := range c.hasNot {
			require.NotContains(t, got, id, c.version)
		}
		if c.has == nil {
			require.Empty(t, got, c.version)
		}
	}
	found, err := isolation.CVEs("17.9")
	require.NoError(t, err)
	require.Len(t, found, 4)
	require.Equal(t, isolation.CVE{
		ID: "CVE-2026-6473", Title: "Sizes that wrap around let a user write out of bounds and run code", Fixed: "17.10",
		URL: "https://www.postgresql.org/support/security/CVE-2026-6473/",
	}, found[1])
	_, err = isolation.CVEs("CockroachDB")
	require.Equal(t, fault.UnsupportedPostgres, fault.From(err).Code)
}
