package identity_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
)

// FuzzVerify takes a token as it comes, and also its parts as header and payload signed with the
// secret, so that the code behind the signature is reached as well. Whatever is accepted must carry
// our signature, by a check that shares no code with the package.
func FuzzVerify(f *testing.F) {
	b := started(f, setup(f, func(c *identity.Config) {
		c.Secret = []byte(strings.Repeat("fuzzing ", 6))
	}))
	b.secret = []byte(strings.Repeat("fuzzing ", 6))
	for _, token := range []string{
		"", ".", "..", "...", "a.b.c", b.hs256(f, nil), b.es256(f, nil), b.rs256(f, nil),
		b.hs256(f, map[string]any{"role": "service_role", "sub": nil}),
		b.hs256(f, map[string]any{"aud": []string{"a", testAudience}, "exp": 1e300}),
		sealRaw(f, `{"alg":"none"}`, `{"role":"service_role"}`, withBytes()),
		sealRaw(f, `{"alg":"HS256","alg":"none"}`, `{"role":"anon","app_metadata":{"tenant_id":7}}`, withHMAC(b.secret)),
		sealRaw(f, `{"alg":"ES256","kid":"ec"}`, `{}`, withBytes(make([]byte, 64)...)),
		sealRaw(f, `{"alg":"HS256","crit":[]}`, `{"\u0072ole":"anon"}`, withHMAC(b.secret)),
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		check(t, b, token)
		parts := strings.Split(token, ".")
		if len(parts) == 3 {
			check(t, b, sealRaw(t, string(decoded(parts[0])), string(decoded(parts[1])), withHMAC(b.secret)))
			check(t, b, sealRaw(t, `{"alg":"HS256"}`, string(decoded(parts[1])), withHMAC(b.secret)))
		}
	})
}

// decoded lets the fuzzer work on plain text too.
func decoded(part string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return []byte(part)
	}
	return raw
}

func check(t *testing.T, b *testBundle, token string) {
	t.Helper()
	caller, err := b.verifier.Verify(context.Background(), token)
	if err != nil {
		require.Zero(t, caller)
		requireSilent(t, token, err)
		return
	}
	require.Contains(t, []identity.Role{identity.Anon, identity.Authenticated, identity.ServiceRole}, caller.Role)
	if dot := strings.LastIndexByte(token, '.'); dot > 0 {
		mac := hmac.New(sha256.New, b.secret)
		mac.Write([]byte(token[:dot]))
		if token[dot+1:] == base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			return
		}
	}
	// The seeds signed with the published keys are the only other ones; they carry this user.
	require.Equal(t, b.user, caller.UserID)
	require.Equal(t, identity.Authenticated, caller.Role)
}
