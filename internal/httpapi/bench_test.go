package httpapi_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
)

// sink is a client that takes an answer and keeps nothing of it.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkContext is one GET /v1/context after another through the whole handler, from memory: the answer, and that it
// has not changed.
func BenchmarkContext(b *testing.B) {
	s := setup(b, func(h *httpapi.Config, _ *postgres.Config) { h.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	handler := s.server.Config.Handler
	credential := bearer(s.token(ada, ""))
	etag := s.warm(credential).header.Get("ETag")
	for _, c := range []struct {
		name, etag string
		status     int
	}{{"answer", "", 200}, {"unchanged", etag, 304}} {
		b.Run(c.name, func(b *testing.B) {
			request := httptest.NewRequest(http.MethodGet, "/v1/context", nil)
			request.Header.Set(credential[0], credential[1])
			if c.etag != "" {
				request.Header.Set("If-None-Match", c.etag)
			}
			answer := &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(answer.header)
				handler.ServeHTTP(answer, request)
				if answer.status != c.status {
					b.Fatal(answer.status)
				}
			}
		})
	}
}

// BenchmarkRefused is one request after another of a tenant that has used up its rate.
func BenchmarkRefused(b *testing.B) {
	s := setup(b, func(h *httpapi.Config, _ *postgres.Config) {
		h.Log, h.TenantRate = slog.New(slog.NewJSONHandler(io.Discard, nil)), 1
	})
	request := httptest.NewRequest(http.MethodGet, "/v1/context", nil)
	request.Header.Set("Authorization", "Bearer "+s.token(ada, ""))
	answer := &sink{header: http.Header{}}
	b.ReportAllocs()
	refused := 0
	for b.Loop() {
		clear(answer.header)
		s.server.Config.Handler.ServeHTTP(answer, request)
		if answer.status == http.StatusTooManyRequests {
			refused++
		}
	}
	b.ReportMetric(float64(refused)/float64(b.N), "refused/op")
}

// BenchmarkEvaluate is one flag, all flags, and all that have not changed, through the whole handler, from memory.
func BenchmarkEvaluate(b *testing.B) {
	s := setup(b, func(h *httpapi.Config, _ *postgres.Config) { h.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	handler := s.server.Config.Handler
	token := s.token(ada, "")
	ask := func(path, etag string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"context":{"targetingKey":"user-7","plan":"pro"}}`))
		request.Header.Set("Authorization", "Bearer "+token)
		if etag != "" {
			request.Header.Set("If-None-Match", etag)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer
	}
	etag := ask(evaluatePath, "").Header().Get("ETag")
	for _, c := range []struct {
		name, path, etag string
		status           int
	}{{"one", evaluatePath + "/one", "", 200}, {"all", evaluatePath, "", 200}, {"unchanged", evaluatePath, etag, 304}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if answer := ask(c.path, c.etag); answer.Code != c.status {
					b.Fatal(answer.Code, answer.Body)
				}
			}
		})
	}
}
