package rest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/rest"
)

// TestRoot: the description tells each role what it may use, and nothing else.
func TestRoot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	paths := func(headers ...string) map[string]any {
		got := b.get("/", headers...)
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, "application/openapi+json; charset=utf-8", got.header.Get("Content-Type"))
		paths, ok := got.object(t)["paths"].(map[string]any)
		require.True(t, ok, got.body)
		return paths
	}
	anonymous, known := paths(), paths(b.as("authenticated")...)
	for _, path := range []string{"/", "/films", "/modern_films", "/rpc/add", "/rpc/note"} {
		require.Contains(t, anonymous, path)
		require.Contains(t, known, path)
	}
	require.NotContains(t, anonymous, "/details", "it may not be read")
	require.Contains(t, known, "/details")
	require.NotContains(t, known, "/things", "that is another schema's")
	require.Contains(t, paths(with(b.as("authenticated"), "Accept-Profile", "other")...), "/things")
	require.NotContains(t, known["/rpc/note"], "get", "it is volatile")
	require.Empty(t, b.send(http.MethodHead, "/", "").body)
	requireError(t, b.send("POST", "/", "{}"), 405, "PGRST117")
	requireError(t, b.get("/", "Accept", "text/csv"), 406, "PGRST107")

	root := b.serve(t, func(c *rest.Config) { c.RootFunction = "numbers" })
	got := root.get("/?upto=2")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[1,2]`, got.body)
}
