package isolation_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
)

// overHTTP serves d, behind what front puts before the handler, and attacks it.
func overHTTP(t *testing.T, d *pgtest.Database, front func(http.Handler, isolation.HTTPServer) http.Handler) *isolation.Proof {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	db := d.Open(t, postgres.Config{MaxConns: 3})
	server := isolation.HTTPServer{Secret: make([]byte, 32), Issuer: "vital", Audience: "authenticated"}
	_, _ = rand.Read(server.Secret)
	signIn, err := signin.New(signin.Config{DB: db.Service, KEK: bytes.Repeat([]byte{1}, 32), Issuer: "vital", PublicURL: "http://vital.test", Log: log})
	require.NoError(t, err)
	require.NoError(t, signIn.Start(ctx))
	t.Cleanup(signIn.Close)
	verifier, err := identity.NewVerifier(identity.Config{
		Secret: server.Secret, JWKS: signIn.JWKS, Issuer: server.Issuer, Audience: server.Audience, APIKey: signin.FindAPIKey(db.Service),
	})
	require.NoError(t, err)
	require.NoError(t, verifier.Start(ctx))
	engine := rest.New(rest.Config{
		Schemas: []string{"public"}, Aggregates: true, Log: log,
		ReadCatalog: func(ctx context.Context, read func(pgx.Tx) error) error {
			return db.AsService(ctx, "CatalogRead", read)
		},
	})
	require.NoError(t, engine.Load(ctx))
	require.NoError(t, db.AsService(ctx, "Keys", func(tx pgx.Tx) error {
		for role, keys := range map[identity.Role][]*string{identity.Anon: {&server.AnonKey}, identity.ServiceRole: {&server.ServiceKey, &server.RevokedKey}} {
			for _, key := range keys {
				made, text, err := signin.CreateAPIKey(ctx, tx, role, "prove", 0)
				if err != nil {
					return err
				}
				*key = text
				if key == &server.RevokedKey {
					if err := signin.RevokeAPIKey(ctx, tx, made.ID); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}))
	handler := httpapi.New(httpapi.Config{
		DB: db, Verifier: verifier, Rest: engine, Metrics: httpapi.NewMetrics("test"), Log: log, SchemaVersion: schema.LatestVersion(), SignIn: signIn,
		CORSOrigins: []string{"https://app.test"},
	})
	if front != nil {
		handler = front(handler, server)
	}
	listening := httptest.NewServer(handler)
	t.Cleanup(listening.Close)
	server.URL = listening.URL
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	proof := &isolation.Proof{Verbs: map[string]int{}}
	require.NoError(t, proof.AttackHTTP(ctx, d.Connect(t), subject, server, func(string) {}))
	if name := os.Getenv("PROOF"); name != "" {
		text, _ := json.MarshalIndent(proof, "", " ")
		require.NoError(t, os.WriteFile(name, text, 0o600))
	}
	return proof
}

// leaked are the names of the attacks that got through.
func leaked(p *isolation.Proof) map[string]string {
	found := map[string]string{}
	for _, r := range p.Results {
		if r.Outcome == isolation.Leaked {
			found[r.Attack] = r.Object + ": " + r.Evidence
		}
	}
	return found
}

func TestAttackHTTP_OwnServer(t *testing.T) {
	t.Parallel()
	proof := overHTTP(t, pgtest.New(t), nil)
	require.Empty(t, leaked(proof))
	for _, verb := range []string{"forge", "smuggle", "impersonate", "read", "count", "error", "embed", "insert", "update", "delete", "upsert", "move",
		"write", "elevate", "function", "account", "cache", "origin", "replay", "time", "concurrency"} {
		require.Positive(t, proof.Verbs[verb], verb)
	}
}
