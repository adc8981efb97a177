package identity_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("k", 32)
	bad := map[string]identity.Config{
		"NothingToVerifyWith": {},
		"ShortSecret":         {Secret: []byte("s3cr3t")},
		"SecretIsPEM":         {Secret: []byte("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----")},
		"PlainHTTP":           {JWKSURL: "http://issuer.test/jwks"},
		"HTTPLookalike":       {JWKSURL: "http://localhost.issuer.test/jwks"},
		"OtherScheme":         {JWKSURL: "file:///etc/keys"},
		"NotAURL":             {JWKSURL: "://"},
		"NoHost":              {JWKSURL: "https://"},
		"Credentials":         {JWKSURL: "https://user:s3cr3t@issuer.test/jwks"},
		"NegativeLeeway":      {Secret: []byte(good), Leeway: -1},
		"WideLeeway":          {Secret: []byte(good), Leeway: time.Hour},
		"NegativeCache":       {Secret: []byte(good), CacheEntries: -1},
		"HastyRefresh":        {Secret: []byte(good), JWKSRefresh: time.Millisecond},
	}
	for name, config := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := identity.NewVerifier(config)
			requireFault(t, fault.ConfigInvalid, err)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
	for _, u := range []string{"https://issuer.test/jwks", "http://127.0.0.1:1/jwks", "http://[::1]:1/jwks", "http://localhost/jwks"} {
		_, err := identity.NewVerifier(identity.Config{JWKSURL: u})
		require.NoError(t, err, u)
	}
	v, err := identity.NewVerifier(identity.Config{Secret: []byte(good)})
	require.NoError(t, err)
	require.NoError(t, v.Start(t.Context()))
}

func TestVerify_OK(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	for name, token := range map[string]string{"HS256": b.hs256(t, nil), "ES256": b.es256(t, nil), "RS256": b.rs256(t, nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second from the cache
				caller, err := b.verify(token)
				require.NoError(t, err)
				require.Equal(t, identity.Caller{
					Role: identity.Authenticated, UserID: b.user, SessionID: b.session, Tenant: "acme",
					ExpiresAt: time.Unix(b.clock.Now().Unix()+3600, 0),
				}, caller)
			}
		})
	}
	require.EqualValues(t, 1, b.issuer.fetches.Load())
	require.Equal(t, identity.Caller{Role: identity.Anon}, identity.Anonymous())
}

// What Supabase and other issuers send in practice, with and without the optional parts.
func TestVerify_Accepts(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	now := b.clock.Now().Unix()
	key := func(claims map[string]any) string {
		return seal(t, map[string]any{"alg": "HS256", "typ": "JWT"}, claims, withHMAC(b.secret))
	}
	type want func(*testing.T, identity.Caller)
	role := func(r identity.Role) want {
		return func(t *testing.T, c identity.Caller) {
			t.Helper()
			require.Equal(t, identity.Caller{Role: r, ExpiresAt: c.ExpiresAt}, c)
		}
	}
	tenant := func(name string) want {
		return func(t *testing.T, c identity.Caller) { t.Helper(); require.Equal(t, name, c.Tenant) }
	}
	cases := map[string]struct {
		token string
		want  want
	}{
		"SupabaseAnonKey":     {key(map[string]any{"iss": "supabase", "ref": "abc", "role": "anon", "iat": now, "exp": now + 9}), role(identity.Anon)},
		"SupabaseServiceKey":  {key(map[string]any{"iss": "supabase", "ref": "abc", "role": "service_role", "iat": now, "exp": now + 9}), role(identity.ServiceRole)},
		"KeyWithoutExpiry":    {key(map[string]any{"role": "service_role"}), role(identity.ServiceRole)},
		"KeyWithOddSubject":   {key(map[string]any{"role": "anon", "sub": "robot"}), role(identity.Anon)},
		"KeyWithUserSubject":  {key(map[string]any{"role": "service_role", "sub": b.user.String()}), role(identity.ServiceRole)},
		"AudienceList":        {b.es256(t, map[string]any{"aud": []string{"other", testAudience}}), tenant("acme")},
		"NoKidOnlyKeyOfAlg":   {seal(t, map[string]any{"alg": "ES256"}, b.claims(nil), withEC(b.ec)), tenant("acme")},
		"AccessTokenType":     {seal(t, map[string]any{"alg": "ES256", "kid": "ec", "typ": "application/at+JWT"}, b.claims(nil), withEC(b.ec)), tenant("acme")},
		"NoTenant":            {b.es256(t, map[string]any{"app_metadata": map[string]any{}}), tenant("")},
		"NoAppMetadata":       {b.es256(t, map[string]any{"app_metadata": nil}), tenant("")},
		"UserMetadataIgnored": {b.es256(t, map[string]any{"app_metadata": nil, "user_metadata": map[string]any{"tenant_id": "evil"}, "tenant_id": "evil"}), tenant("")},
		"OtherCaseIsNoClaim":  {b.es256(t, map[string]any{"Role": "service_role", "App_Metadata": map[string]any{"tenant_id": "evil"}}), tenant("acme")},
		"NullMeansAbsent":     {sealRaw(t, `{"alg":"HS256"}`, `{"role":"anon","exp":null,"sub":null,"app_metadata":null,"session_id":null}`, withHMAC(b.secret)), role(identity.Anon)},
		"FractionalTimes":     {b.es256(t, map[string]any{"exp": float64(now) + 60.5, "iat": float64(now) - 0.25}), tenant("acme")},
		"SkewWithinLeeway":    {b.es256(t, map[string]any{"exp": now - 4, "iat": now + 4, "nbf": now + 4}), tenant("acme")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := b.verify(c.token)
			require.NoError(t, err)
			c.want(t, caller)
		})
	}
}

// The expiry is judged on every call, also of a remembered token.
func TestVerify_CachedThenExpired(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	for _, token := range []string{b.hs256(t, nil), b.es256(t, nil)} {
		_, err := b.verify(token)
		require.NoError(t, err)
	}
	user, key := b.es256(t, nil), b.hs256(t, map[string]any{"role": "anon", "sub": nil})
	for _, token := range []string{user, key} {
		_, err := b.verify(token)
		require.NoError(t, err)
	}
	b.clock.Advance(time.Hour + 4*time.Second)
	_, err := b.verify(user)
	require.NoError(t, err, "within the leeway")
	b.clock.Advance(time.Second)
	for _, token := range []string{user, key} {
		for range 2 {
			_, err = b.verify(token)
			requireFault(t, fault.TokenExpired, err)
		}
	}
}

// A failure is not remembered: the same token verifies once its time has come.
func TestVerify_FailureIsNotCached(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.hs256(t, map[string]any{"nbf": b.clock.Now().Unix() + 60})
	_, err := b.verify(token)
	requireFault(t, fault.TokenNotYetValid, err)
	b.clock.Advance(time.Minute)
	_, err = b.verify(token)
	require.NoError(t, err)
}

func TestVerify_SecretIsCopied(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.hs256(t, nil)
	clear(b.secret)
	_, err := b.verify(token)
	require.NoError(t, err)
}

func TestVerify_Concurrent(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t, func(c *identity.Config) { c.CacheEntries = 8 }))
	tokens := make([]string, 24)
	users := make([]uuid.UUID, len(tokens))
	for i := range tokens {
		users[i] = uuid.New()
		make := []func(testing.TB, map[string]any) string{b.hs256, b.es256, b.rs256}[i%3]
		tokens[i] = make(t, map[string]any{"sub": users[i].String()})
	}
	second := newEC(t)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for n := range 200 {
				i := (n*7 + w) % len(tokens)
				caller, err := b.verify(tokens[i])
				if err != nil || caller.UserID != users[i] {
					errs[w] = fmt.Errorf("token %d: %v %w", i, caller, err)
				}
				if n == 50 && w == 0 { // rotation under load: the generation changes, nobody is refused
					b.issuer.Publish(ecJWK("ec", b.ec), rsaJWK("rsa", b.rsa), ecJWK("second", second))
					token := seal(t, map[string]any{"alg": "ES256", "kid": "second"}, b.claims(nil), withEC(second))
					_, err := b.verify(token)
					errs[w] = errors.Join(errs[w], err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// The tokens whose times would overflow a naive conversion.
func TestVerify_OddTimes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, exp := range []any{-1, math.MaxInt64, uint64(math.MaxUint64), 1e300, "9999999999", true, []int{1}} {
		for _, name := range []string{"exp", "nbf", "iat"} {
			_, err := b.verify(b.hs256(t, map[string]any{name: exp}))
			requireFault(t, fault.TokenBadClaims, err)
		}
	}
	_, err := b.verify(b.hs256(t, map[string]any{"exp": 0}))
	requireFault(t, fault.TokenExpired, err)
	payload := `{"role":"anon","exp":1e999}`
	_, err = b.verify(sealRaw(t, `{"alg":"HS256"}`, payload, withHMAC(b.secret)))
	requireFault(t, fault.TokenBadClaims, err)
}

func TestVerify_ContextEndsTheWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	b.issuer.Answer(blockUntil(release))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := b.verifier.Verify(ctx, b.es256(t, nil))
	requireFault(t, fault.RequestTimeout, err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.verifier.Verify(cancelled, b.es256(t, nil))
	requireFault(t, fault.RequestCancelled, err)
	_, err = b.verify(b.hs256(t, nil))
	require.NoError(t, err, "a token that needs no fetch does not wait for one")
	require.Less(t, time.Since(begin), time.Minute)
}
