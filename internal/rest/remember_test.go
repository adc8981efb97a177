package rest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRemember: a question asked again is answered for who asks and as they ask, whatever was asked before.
func TestRemember(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const path = "/films?select=title&order=id&limit=2"
	first := b.get(path)
	require.Equal(t, 200, first.status)
	for range 3 {
		require.Equal(t, first.body, b.get(path).body)
		require.Equal(t, 304, b.get(path, "If-None-Match", first.header.Get("Etag")).status, "the headers are this request's")
		require.Empty(t, b.send("HEAD", path, "").body)
		require.Contains(t, b.get(path, "Accept", "text/csv").header.Get("Content-Type"), "text/csv")
		require.Equal(t, 206, b.get(path, "Prefer", "count=exact").status)
		require.Equal(t, "1-1/*", b.get("/films?select=title&order=id", "Range", "1-1").header.Get("Content-Range"))
		require.Equal(t, 401, b.get(path, "Authorization", "Bearer x.y.z").status, "who asks is asked first")
		requireError(t, b.get("/films?select=nothing"), 400, "42703")
	}
	b.db.Exec(t, "alter table api.films rename title to name")
	require.NoError(t, b.engine.Load(context.Background()))
	requireError(t, b.get(path), 400, "42703")
	require.Equal(t, 200, b.get("/films?select=name&order=id&limit=2").status)
	for n := range 1500 { // more than are remembered
		require.Equal(t, 200, b.get(fmt.Sprintf("/films?select=name&id=eq.%d", n)).status)
	}
}
