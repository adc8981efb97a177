package identity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

func blockUntil(release <-chan struct{}) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { <-release }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (b *testBundle) signedBy(tb testing.TB, kid string, key *ecdsa.PrivateKey) string {
	tb.Helper()
	return seal(tb, map[string]any{"alg": "ES256", "kid": kid}, b.claims(nil), withEC(key))
}

func TestKeys_Rotation(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	next := newEC(t)
	oldToken, newToken := b.signedBy(t, "ec", b.ec), b.signedBy(t, "next", next)
	for range 2 {
		_, err := b.verify(oldToken)
		require.NoError(t, err)
	}
	b.issuer.Publish(ecJWK("next", next))
	_, err := b.verify(oldToken)
	require.NoError(t, err, "nothing was fetched yet")
	_, err = b.verify(newToken)
	require.NoError(t, err, "an unknown kid fetches at once")
	_, err = b.verify(oldToken)
	requireFault(t, fault.TokenUnknownKey, err)
	require.EqualValues(t, 2, b.issuer.fetches.Load())

	b.clock.Advance(time.Minute)
	b.issuer.Publish(ecJWK("ec", next), ecJWK("next", next))
	_, err = b.verify(oldToken)
	requireFault(t, fault.TokenBadSignature, err) // the kid is back with another key
	_, err = b.verify(b.signedBy(t, "ec", next))
	require.NoError(t, err)
}

func TestKeys_BackgroundRefreshRevokes(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t, func(c *identity.Config) { c.JWKSRefresh = time.Second }))
	token := b.es256(t, nil)
	_, err := b.verify(token)
	require.NoError(t, err)
	b.issuer.Publish() // an empty list revokes everything
	require.Eventually(t, func() bool {
		_, err := b.verify(token)
		return fault.CodeOf(err) == fault.TokenUnknownKey
	}, 30*time.Second, 20*time.Millisecond)
}

func TestKeys_DownAtStartThenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.issuer.Answer(status(http.StatusBadGateway))
	started(t, b) // comes up all the same
	token := b.es256(t, nil)
	for range 3 {
		_, err := b.verify(token)
		requireFault(t, fault.SigningKeysDown, err)
		require.ErrorContains(t, err, "502")
		requireSilent(t, token, err)
	}
	_, err := b.verify(b.hs256(t, nil))
	require.NoError(t, err, "the secret does not depend on the issuer")
	b.issuer.Publish(ecJWK("ec", b.ec))
	require.Eventually(t, func() bool { // the background tries again within seconds
		_, err := b.verify(token)
		return err == nil
	}, 30*time.Second, 20*time.Millisecond)
}

func TestKeys_OnDemandWithoutStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.issuer.Answer(status(http.StatusInternalServerError))
	_, err := b.verify(b.es256(t, nil))
	requireFault(t, fault.SigningKeysDown, err)
	b.issuer.Publish(ecJWK("ec", b.ec))
	_, err = b.verify(b.es256(t, nil))
	requireFault(t, fault.SigningKeysDown, err) // within the interval nothing is asked
	b.clock.Advance(10 * time.Second)
	_, err = b.verify(b.es256(t, nil))
	require.NoError(t, err)
	require.EqualValues(t, 2, b.issuer.fetches.Load())
}

func TestKeys_UnreachableLater(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	b.issuer.Close()
	stranger := newEC(t)
	for range 3 {
		_, err := b.verify(b.signedBy(t, "other", stranger))
		requireFault(t, fault.TokenUnknownKey, err)
		_, err = b.verify(b.es256(t, map[string]any{"jti": time.Now().String()}))
		require.NoError(t, err, "the last keys go on serving")
		b.clock.Advance(11 * time.Second)
	}
}

func TestKeys_RandomKidsCannotHammer(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	stranger := newEC(t)
	hammer := func(round int) {
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for w := range errs {
			wg.Go(func() {
				for n := range 20 {
					_, err := b.verify(b.signedBy(t, fmt.Sprintf("%d-%d-%d", round, w, n), stranger))
					if fault.CodeOf(err) != fault.TokenUnknownKey {
						errs[w] = fmt.Errorf("not unknown: %w", err)
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
	}
	hammer(1)
	require.EqualValues(t, 2, b.issuer.fetches.Load(), "one at the start, one for all of them")
	b.clock.Advance(9 * time.Second)
	hammer(2)
	require.EqualValues(t, 2, b.issuer.fetches.Load())
	b.clock.Advance(time.Second)
	hammer(3)
	require.EqualValues(t, 3, b.issuer.fetches.Load())
}

// Everybody who needs the fetch under way shares it, and those who need none do not wait.
func TestKeys_SlowIssuerIsShared(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	next := newEC(t)
	known := b.es256(t, nil)
	release, arrived := make(chan struct{}), make(chan struct{}, 8)
	b.issuer.Answer(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, `{"keys":[]}`)
	})
	errs := make([]error, 8)
	var wg sync.WaitGroup
	token := b.signedBy(t, "next", next)
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.verify(token) })
	}
	<-arrived
	_, err := b.verify(known)
	require.NoError(t, err)
	close(release)
	wg.Wait()
	for _, err := range errs {
		requireFault(t, fault.TokenUnknownKey, err)
	}
	require.Empty(t, arrived)
	_, err = b.verify(known)
	requireFault(t, fault.TokenUnknownKey, err) // revoked by the empty list, although remembered
}

func TestKeys_UnfitKeysAreLeftOut(t *testing.T) {
	t.Parallel()
	ec := newEC(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	x384, y384 := coordinates(p384)
	x, _ := coordinates(ec)
	private, err := ec.Bytes()
	require.NoError(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	unfit := map[string]map[string]any{
		"Encryption":  with(ecJWK("k", ec), "use", "enc"),
		"OtherAlg":    with(ecJWK("k", ec), "alg", "ES384"),
		"AlgOfRSA":    with(ecJWK("k", ec), "alg", "RS256"),
		"KeyOps":      with(ecJWK("k", ec), "key_ops", []string{"sign"}),
		"WrongKty":    with(ecJWK("k", ec), "kty", "RSA"),
		"Symmetric":   {"kty": "oct", "kid": "k", "alg": "HS256", "k": b64(randomBytes(32))},
		"Private":     with(ecJWK("k", ec), "d", b64(private)),
		"P384":        {"kty": "EC", "crv": "P-384", "kid": "k", "x": x384, "y": y384},
		"OffCurve":    with(ecJWK("k", ec), "y", x),
		"SmallRSA":    rsaJWK("k", small),
		"EvenRSA":     with(rsaJWK("k", sharedRSA()), "e", "Ag"),
		"OneRSA":      with(rsaJWK("k", sharedRSA()), "e", "AQ"),
		"RSAForPSS":   with(rsaJWK("k", sharedRSA()), "alg", "PS256"),
		"LongKid":     ecJWK(strings.Repeat("k", 300), ec),
		"KidNumber":   with(ecJWK("k", ec), "kid", 1),
		"MissingY":    without(ecJWK("k", ec), "y"),
		"NotBase64":   with(ecJWK("k", ec), "x", "$$$"),
		"DuplicateOf": ecJWK("ec", ec),
	}
	for name, jwk := range unfit {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.issuer.Publish(ecJWK("ec", b.ec), jwk)
			started(t, b)
			_, err := b.verify(b.es256(t, nil))
			require.NoError(t, err, "the other key serves")
			require.Contains(t, b.log.String(), "left_out=")
			_, err = b.verify(b.signedBy(t, "k", ec))
			requireFault(t, fault.TokenUnknownKey, err)
			_, err = b.verify(b.signedBy(t, "ec", ec))
			requireFault(t, fault.TokenBadSignature, err)
		})
	}
}

func TestKeys_BareKeysServe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := newEC(t)
	bare := without(ecJWK("", b.ec), "alg", "use", "key_ops", "kid")
	b.issuer.Publish(bare, with(rsaJWK("same", b.rsa), "x5u", b.issuer.URL+"/cert"), ecJWK("same", other))
	started(t, b)
	_, err := b.verify(b.signedBy(t, "same", other))
	require.NoError(t, err, "one kid for two algorithms")
	_, err = b.verify(seal(t, map[string]any{"alg": "RS256", "kid": "same"}, b.claims(nil), withRSA(b.rsa)))
	require.NoError(t, err)
	_, err = b.verify(seal(t, map[string]any{"alg": "ES256"}, b.claims(nil), withEC(b.ec)))
	requireFault(t, fault.TokenUnknownKey, err) // two EC keys: the token must say which
	require.EqualValues(t, 1, b.issuer.fetches.Load(), "neither x5u nor the ambiguity is followed")
}

func TestKeys_BadAnswers(t *testing.T) {
	t.Parallel()
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	other := newIssuerServer(t)
	answers := map[string]http.HandlerFunc{
		"NotFound":    status(http.StatusNotFound),
		"NoContent":   status(http.StatusNoContent),
		"HTML":        text("<html>maintenance</html>"),
		"EmptyObject": text("{}"),
		"KeysNull":    text(`{"keys":null}`),
		"KeysObject":  text(`{"keys":{}}`),
		"Empty":       text(""),
		"TooLarge":    text(`{"keys":[` + strings.Repeat(" ", 600<<10) + `]}`),
		"TooMany":     text(`{"keys":[` + strings.Repeat(`{},`, 64) + `{}]}`),
		"OtherHost":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"Endless":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.issuer.Answer(answer)
			_, err := b.verify(b.es256(t, nil))
			requireFault(t, fault.SigningKeysDown, err)

			b = started(t, setup(t))
			b.issuer.Answer(answer)
			_, err = b.verify(b.signedBy(t, "new", b.ec))
			requireFault(t, fault.TokenUnknownKey, err)
			_, err = b.verify(b.es256(t, nil))
			require.NoError(t, err, "a bad answer takes no key away")
		})
	}
	t.Cleanup(func() { require.Zero(t, other.fetches.Load()) })
}

func TestKeys_RedirectOnTheSameHost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := newIssuerServer(t, ecJWK("ec", b.ec))
	b.issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			http.Redirect(w, r, "/moved", http.StatusFound)
			return
		}
		keys.Config.Handler.ServeHTTP(w, r)
	})
	_, err := b.verify(b.es256(t, nil))
	require.NoError(t, err)
}

// An address with a secret in its query shows in no log and no error.
func TestKeys_AddressIsNotLogged(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *identity.Config) { c.JWKSURL += "?apikey=s3cr3t" })
	b.issuer.Close()
	started(t, b)
	_, err := b.verify(b.es256(t, nil))
	requireFault(t, fault.SigningKeysDown, err)
	require.NotContains(t, err.Error(), "s3cr3t")
	require.NotContains(t, b.log.String(), "s3cr3t")
}

// The caller's client is used, and its own redirect policy is left as it was.
func TestKeys_OwnClient(t *testing.T) {
	t.Parallel()
	client := &http.Client{Timeout: 50 * time.Millisecond}
	b := setup(t, func(c *identity.Config) { c.HTTPClient = client })
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	b.issuer.Answer(blockUntil(release))
	_, err := b.verify(b.es256(t, nil))
	requireFault(t, fault.SigningKeysDown, err)
	require.Nil(t, client.CheckRedirect)
}

func TestKeys_StartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *identity.Config) { c.JWKSRefresh = time.Second })
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, b.verifier.Start(ctx))
	require.NoError(t, b.verifier.Start(ctx), "a second start does nothing")
	cancel()
	require.EqualValues(t, 1, b.issuer.fetches.Load())
	time.Sleep(1500 * time.Millisecond)
	require.EqualValues(t, 1, b.issuer.fetches.Load())
	_, err := b.verify(b.es256(t, nil))
	require.NoError(t, err, "the keys stay")
}
