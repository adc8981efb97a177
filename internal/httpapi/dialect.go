package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
)

// DialectConfig is what serving the dialect alone needs: over any database, with the roles and claims of its
// own tokens. Engine, DB and Tokens are required.
type DialectConfig struct {
	Engine *rest.Engine
	DB     *postgres.Plain
	Tokens *rest.TokenVerifier
	// BasePath is where the dialect begins. Defaults to /.
	BasePath string
	// RequestTimeout bounds one request. Defaults to 60s.
	RequestTimeout time.Duration
	Log            *slog.Logger
}

// NewDialect returns the handler of the dialect alone, as PostgREST serves it.
func NewDialect(config DialectConfig) http.Handler {
	if config.RequestTimeout == 0 {
		config.RequestTimeout = time.Minute
	}
	config.BasePath = "/" + strings.Trim(config.BasePath, "/")
	s := &Server{config: Config{
		Metrics: NewMetrics(""), Log: config.Log, RequestTimeout: config.RequestTimeout, MaxBodyBytes: restBodyBytes,
	}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept, Prefer, Range")
		if err := serveAsToken(config, w, r); err != nil {
			requestOf(r.Context()).err = err
			failRest(w, err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle(config.BasePath, handler)
	if config.BasePath != "/" {
		mux.Handle(config.BasePath+"/", handler)
	}
	return s.withRequest(anyOrigin().Handler(mux))
}

// anyOrigin answers browsers of every origin: the dialect carries no cookies, and who may see what is in the
// token.
func anyOrigin() *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"*"}, AllowedHeaders: []string{"*"}, MaxAge: 86400, OptionsSuccessStatus: http.StatusOK,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodHead},
		ExposedHeaders: []string{
			"Content-Encoding", "Content-Location", "Content-Range", "Content-Type", "Date", "Location", "Server", "Transfer-Encoding", "Range-Unit",
		},
	})
}

func serveAsToken(config DialectConfig, w http.ResponseWriter, r *http.Request) error {
	role, claims, err := config.Tokens.Verify(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	session := rest.Session{
		Role: role, Authenticated: role != config.Tokens.AnonymousRole,
		Run: func(ctx context.Context, work *postgres.Work) error {
			return config.DB.Run(ctx, []postgres.Setting{
				{Name: "role", Value: role}, {Name: "request.jwt.claims", Value: string(claims)},
			}, work)
		},
	}
	return serveDialect(config.Engine, session, config.BasePath, w, r)
}
