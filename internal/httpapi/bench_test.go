package httpapi_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
)

// BenchmarkContext is one GET /v1/context after another through the whole handler, database included.
func BenchmarkContext(b *testing.B) {
	var handler http.Handler
	s := setup(b, func(h *httpapi.Config, _ *postgres.Config) { h.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	handler = s.server.Config.Handler
	token := s.token(ada, "")
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequest(http.MethodGet, "/v1/context", nil)
		request.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
}
