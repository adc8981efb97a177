package console

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const index = `<!doctype html><meta property="csp-nonce" nonce="__NONCE__"><div id="root"></div>`

var built = fstest.MapFS{
	".gitkeep":             {},
	"index.html":           {Data: []byte(index)},
	"icon.svg":             {Data: []byte("<svg/>")},
	"assets/main-A1.js":    {Data: []byte("console.log(1)")},
	"assets/main-A1.js.gz": {Data: []byte("compressed")},
	"assets/inter.woff2":   {Data: []byte("font")},
}

func get(t *testing.T, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var browser = []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding", "gzip, deflate, br"}

// TestHandler_Pages: every address of a page is answered with the page, whose styles carry the nonce of that answer alone.
func TestHandler_Pages(t *testing.T) {
	t.Parallel()
	h := handler(built)
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/t/digital-health/flags", "/t/..%2f..%2fetc/x", "/t/pharma/flags/theme.tokens"} {
		got := get(t, h, path, browser...)
		require.Equal(t, http.StatusOK, got.Code, path)
		require.Equal(t, "text/html; charset=utf-8", got.Header().Get("Content-Type"))
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
		nonce := regexp.MustCompile(`nonce="([A-Z2-7]{26})"`).FindStringSubmatch(got.Body.String())
		require.Len(t, nonce, 2, got.Body.String())
		policy := got.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "script-src 'self';")
		require.Contains(t, policy, "style-src 'self' 'nonce-"+nonce[1]+"';")
		require.NotContains(t, policy, "unsafe")
		nonces[nonce[1]] = true
	}
	require.Len(t, nonces, 5, "each answer has its own")
}

// TestHandler_Files: files are served as they are called, compressed to those who take that, and never in place of one another.
func TestHandler_Files(t *testing.T) {
	t.Parallel()
	h := handler(built)
	cases := []struct {
		name, path, encoding     string
		status                   int
		body, kind, coded, cache string
	}{
		{"compressed", "/assets/main-A1.js", "br, gzip", 200, "compressed", "text/javascript; charset=utf-8", "gzip", "public, max-age=31536000, immutable"},
		{"as it is", "/assets/main-A1.js", "", 200, "console.log(1)", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"gzip refused", "/assets/main-A1.js", "gzip;q=0", 200, "console.log(1)", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"a font", "/assets/inter.woff2", "gzip", 200, "font", "font/woff2", "", "public, max-age=31536000, immutable"},
		{"an icon", "/icon.svg", "gzip", 200, "<svg/>", "image/svg+xml", "", "no-cache"},
		{"no such file", "/assets/main-B2.js", "gzip", 404, "The console has no such file.\n", "text/plain; charset=utf-8", "", "no-store"},
		{"a hidden file", "/.gitkeep", "gzip", 404, "The console has no such file.\n", "text/plain; charset=utf-8", "", "no-store"},
		{"beyond the folder", "/../console.go", "gzip", 404, "The console has no such file.\n", "text/plain; charset=utf-8", "", "no-store"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := get(t, h, c.path, "Accept", "*/*", "Accept-Encoding", c.encoding)
			require.Equal(t, c.status, got.Code)
			require.Equal(t, c.body, got.Body.String())
			require.Equal(t, c.kind, got.Header().Get("Content-Type"))
			require.Equal(t, c.coded, got.Header().Get("Content-Encoding"))
			require.Equal(t, "nosniff", got.Header().Get("X-Content-Type-Options"))
			require.Equal(t, c.cache, got.Header().Get("Cache-Control"))
		})
	}
}

// TestHandler_Program: who asks for no page gets none: a program that has the address wrong is told so, and no cache before the server
// may tell that to the next who asks for the page.
func TestHandler_Program(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/context", "/t/pharma"} {
		got := get(t, handler(built), path, "Accept", "application/json")
		require.Equal(t, http.StatusNotFound, got.Code)
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
	}
}

// TestHandler_Unbuilt: a binary that was made without the console says how to have it.
func TestHandler_Unbuilt(t *testing.T) {
	t.Parallel()
	got := get(t, handler(fstest.MapFS{".gitkeep": {}}), "/", browser...)
	require.Equal(t, http.StatusNotFound, got.Code)
	require.Contains(t, got.Body.String(), "make console")
}
