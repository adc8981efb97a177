package identity_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

const (
	testIssuer   = "https://issuer.test/auth/v1"
	testAudience = "authenticated"
)

// clock is moved by tests and read by the verifier at the same time.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) Advance(d time.Duration) { c.ns.Add(int64(d)) }

// issuerServer publishes keys as an issuer does.
type issuerServer struct {
	*httptest.Server
	fetches atomic.Int64

	mu     sync.Mutex
	keys   []map[string]any
	answer http.HandlerFunc // replaces the key list
}

func newIssuerServer(tb testing.TB, keys ...map[string]any) *issuerServer {
	tb.Helper()
	s := &issuerServer{keys: keys}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fetches.Add(1)
		s.mu.Lock()
		keys, answer := s.keys, s.answer
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": append([]map[string]any{}, keys...)})
	}))
	tb.Cleanup(s.Close)
	return s
}

func (s *issuerServer) Publish(keys ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.answer = keys, nil
}

func (s *issuerServer) Answer(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

type testBundle struct {
	clock    *clock
	secret   []byte
	ec       *ecdsa.PrivateKey
	rsa      *rsa.PrivateKey
	issuer   *issuerServer
	verifier *identity.Verifier
	log      *bytes.Buffer
	user     uuid.UUID
	session  uuid.UUID
}

// setup has a verifier with a secret and a JWKS of one EC key ("ec") and one RSA key ("rsa").
func setup(tb testing.TB, change ...func(*identity.Config)) *testBundle {
	tb.Helper()
	b := &testBundle{
		clock: newClock(), secret: randomBytes(48), ec: newEC(tb), rsa: sharedRSA(),
		user: uuid.New(), session: uuid.New(), log: &bytes.Buffer{},
	}
	b.issuer = newIssuerServer(tb, ecJWK("ec", b.ec), rsaJWK("rsa", b.rsa))
	config := identity.Config{
		Secret: b.secret, JWKSURL: b.issuer.URL + "/jwks.json", Issuer: testIssuer, Audience: testAudience,
		Now: b.clock.Now, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	var err error
	b.verifier, err = identity.NewVerifier(config)
	require.NoError(tb, err)
	return b
}

func started(tb testing.TB, b *testBundle) *testBundle {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	require.NoError(tb, b.verifier.Start(ctx))
	return b
}

// claims of a user's token as Supabase makes it; changes replace members, nil removes one.
func (b *testBundle) claims(changes map[string]any) map[string]any {
	now := b.clock.Now().Unix()
	c := map[string]any{
		"sub": b.user.String(), "role": "authenticated", "aud": testAudience, "iss": testIssuer,
		"iat": now, "exp": now + 3600, "session_id": b.session.String(), "email": "ada@example.test",
		"app_metadata":  map[string]any{"provider": "email", "tenant_id": "acme"},
		"user_metadata": map[string]any{"tenant_id": "evil"},
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (b *testBundle) verify(token string) (identity.Caller, error) {
	return b.verifier.Verify(context.Background(), token)
}

func (b *testBundle) hs256(tb testing.TB, changes map[string]any) string {
	tb.Helper()
	return seal(tb, map[string]any{"alg": "HS256", "typ": "JWT"}, b.claims(changes), withHMAC(b.secret))
}

func (b *testBundle) es256(tb testing.TB, changes map[string]any) string {
	tb.Helper()
	return seal(tb, map[string]any{"alg": "ES256", "typ": "JWT", "kid": "ec"}, b.claims(changes), withEC(b.ec))
}

func (b *testBundle) rs256(tb testing.TB, changes map[string]any) string {
	tb.Helper()
	return seal(tb, map[string]any{"alg": "RS256", "typ": "JWT", "kid": "rsa"}, b.claims(changes), withRSA(b.rsa))
}

func requireFault(tb testing.TB, code fault.Code, err error) {
	tb.Helper()
	require.Error(tb, err)
	require.Equal(tb, code, fault.CodeOf(err), "%v", err)
	f := fault.From(err)
	require.NotEmpty(tb, f.Message)
	require.NotEmpty(tb, f.Hint)
}

// requireSilent fails when an error repeats the token, a part of it, or what a part decodes to.
func requireSilent(tb testing.TB, token string, err error) {
	tb.Helper()
	f := fault.From(err)
	text := strings.Join([]string{err.Error(), f.Message, f.Hint, f.Detail}, "\n")
	for _, part := range append(strings.Split(token, "."), token) {
		if len(part) >= 8 {
			require.NotContains(tb, text, part)
		}
	}
	require.NotContains(tb, text, "acme")
	require.NotContains(tb, text, "example.test")
	require.NotContains(tb, text, "s3cr3t")
}

type signer func(tb testing.TB, input string) []byte

func withHMAC(key []byte) signer          { return withMethod(jwt.SigningMethodHS256, key) }
func withEC(key *ecdsa.PrivateKey) signer { return withMethod(jwt.SigningMethodES256, key) }
func withRSA(key *rsa.PrivateKey) signer  { return withMethod(jwt.SigningMethodRS256, key) }
func withBytes(signature ...byte) signer  { return func(testing.TB, string) []byte { return signature } }
func b64(raw []byte) string               { return base64.RawURLEncoding.EncodeToString(raw) }
func randomBytes(n int) []byte            { raw := make([]byte, n); _, _ = rand.Read(raw); return raw }
func withMethod(m jwt.SigningMethod, key any) signer {
	return func(tb testing.TB, input string) []byte {
		tb.Helper()
		signature, err := m.Sign(input, key)
		require.NoError(tb, err)
		return signature
	}
}

func seal(tb testing.TB, header, payload map[string]any, sign signer) string {
	tb.Helper()
	h, err := json.Marshal(header)
	require.NoError(tb, err)
	p, err := json.Marshal(payload)
	require.NoError(tb, err)
	return sealRaw(tb, string(h), string(p), sign)
}

func sealRaw(tb testing.TB, header, payload string, sign signer) string {
	tb.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(sign(tb, input))
}

func newEC(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	return key
}

// sharedRSA: generating one takes too long to do for each test; nothing changes it.
var sharedRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecJWK(kid string, key *ecdsa.PrivateKey) map[string]any {
	x, y := coordinates(key)
	return map[string]any{
		"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "use": "sig",
		"key_ops": []string{"verify"}, "x": x, "y": y,
	}
}

// coordinates of the uncompressed point, 4 || x || y.
func coordinates(key *ecdsa.PrivateKey) (x, y string) {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	size := len(point) / 2
	return b64(point[1 : 1+size]), b64(point[1+size:])
}

func rsaJWK(kid string, key *rsa.PrivateKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
	}
}

func without(jwk map[string]any, names ...string) map[string]any {
	for _, name := range names {
		delete(jwk, name)
	}
	return jwk
}

func with(jwk map[string]any, name string, value any) map[string]any {
	jwk[name] = value
	return jwk
}
