package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A list of ids may be longer than what clients take as a header.
func TestHeader_ContentLocationIsBounded(t *testing.T) {
	t.Parallel()
	location := func(query string) string {
		e := New(Config{Schemas: []string{"public"}})
		r, err := e.config.read(&Request{Method: "GET", Path: "/prompts", RawQuery: query})
		require.NoError(t, err)
		p, err := e.plan(benchCatalog(), r, Session{Sealed: true})
		require.NoError(t, err)
		return (&outcome{plan: p}).header().Get("Content-Location")
	}
	require.Equal(t, "/prompts?id=in.%281%29", location("id=in.(1)"))
	require.Zero(t, len(location("id=in.("+strings.Repeat("1,", 2000)+"1)")))
}
