package signin_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/signin"
)

func (b *bundle) rotate(key []byte, grace time.Duration) string {
	b.t.Helper()
	var kid string
	err := b.db.AsService(b.t.Context(), "Rotate", func(tx pgx.Tx) (err error) {
		kid, err = signin.RotateSigningKey(b.t.Context(), tx, key, grace)
		return err
	})
	require.NoError(b.t, err)
	return kid
}

func TestSigningKeys_RotationLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.signIn()
	header, _ := claimsOf(t, before.AccessToken)
	require.Equal(t, []string{"current", "next"}, peek[[]string](b, "select array_agg(state order by state) from vital.signing_keys"))
	kid := b.rotate(kek, signin.SigningKeyGrace)
	require.NotEqual(t, header["kid"], kid)
	require.Equal(t, []string{"current", "next", "previous"}, peek[[]string](b, "select array_agg(state order by state) from vital.signing_keys"))
	require.Empty(t, b.reach(b.caller(before)))

	// An instance that has not heard signs on, one that has signs with what all others know already.
	header, _ = claimsOf(t, b.signIn().AccessToken)
	require.NotEqual(t, kid, header["kid"])
	other := b.service()
	session, err := other.Refresh(t.Context(), home, before.RefreshToken)
	require.NoError(t, err)
	header, _ = claimsOf(t, session.AccessToken)
	require.Equal(t, kid, header["kid"])
	require.Empty(t, b.reach(b.caller(session)))
	b.advance(31 * time.Second)
	header, _ = claimsOf(t, b.signIn().AccessToken)
	require.Equal(t, kid, header["kid"])

	// For a key that leaked.
	b.rotate(kek, 0)
	fresh, err := identity.NewVerifier(identity.Config{JWKS: b.s.JWKS, Issuer: "vital"})
	require.NoError(t, err)
	_, err = fresh.Verify(t.Context(), session.AccessToken)
	requireCode(t, fault.TokenUnknownKey, err)
	_, err = fresh.Verify(t.Context(), before.AccessToken)
	require.NoError(t, err, "the one before it is still good")
}

func TestSigningKeys_AreSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	published, err := b.s.JWKS(t.Context())
	require.NoError(t, err)
	require.NotContains(t, string(published), `"d"`)
	wrong := []byte(strings.Repeat("x", 32))
	s, err := signin.New(signin.Config{DB: b.db.Service, KEK: wrong})
	require.NoError(t, err)
	requireCode(t, fault.ConfigInvalid, s.Start(t.Context()))
	_, err = signin.New(signin.Config{DB: b.db.Service, KEK: wrong[:31]})
	requireCode(t, fault.ConfigInvalid, err)

	// A key row copied under another name does not open.
	b.Exec(t, "update vital.signing_keys a set private_key = n.private_key from vital.signing_keys n where a.state = 'current' and n.state = 'next'")
	requireCode(t, fault.ConfigInvalid, func() error {
		s, err := signin.New(signin.Config{DB: b.db.Service, KEK: kek})
		require.NoError(t, err)
		return s.Start(t.Context())
	}())
	// With the key-encryption key lost, rotating makes both anew.
	b.rotate(wrong, signin.SigningKeyGrace)
	require.NoError(t, s.Start(t.Context()))
}

func TestSigningKeys_OneStartMakesThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "delete from vital.signing_keys")
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		group.Go(func() {
			s, err := signin.New(signin.Config{DB: b.db.Service, KEK: kek})
			if errs[i] = err; err == nil {
				errs[i] = s.Start(context.Background())
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 2, peek[int](b, "select count(*)::int from vital.signing_keys"))
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	do := func(fn func(tx pgx.Tx) error) { require.NoError(t, b.db.AsService(t.Context(), "Keys", fn)) }
	var first, second, other, service string
	var made signin.APIKey
	do(func(tx pgx.Tx) (err error) {
		first, err = signin.DefaultAPIKey(t.Context(), tx, kek, identity.Anon)
		return err
	})
	do(func(tx pgx.Tx) (err error) {
		second, err = signin.DefaultAPIKey(t.Context(), tx, kek, identity.Anon)
		return err
	})
	require.Equal(t, first, second, "it can be printed again")
	require.Zero(t, peek[int](b, "select count(*)::int from vital.api_keys k where to_jsonb(k)::text like '%' || $1 || '%'", first), "and is kept nowhere")
	do(func(tx pgx.Tx) (err error) {
		made, service, err = signin.CreateAPIKey(t.Context(), tx, identity.ServiceRole, "ci", time.Hour)
		return err
	})
	require.True(t, strings.HasPrefix(service, made.Prefix))
	caller, err := b.verifier.Verify(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, identity.Anon, caller.Role)
	require.Empty(t, b.reach(caller))
	operator, err := b.verifier.Verify(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, identity.ServiceRole, operator.Role)
	require.Equal(t, made.ID, operator.SessionID)
	require.Equal(t, 2, peek[int](b, "select count(*)::int from vital.api_keys where last_used_at is not null"))

	// Revoked: a service key is refused at once, an anon key within seconds.
	do(func(tx pgx.Tx) error { return signin.RevokeAPIKey(t.Context(), tx, caller.SessionID) })
	require.Equal(t, 1, peek[int](b, "select count(*)::int from vital.revoked_sessions where session_id = $1", caller.SessionID))
	b.advance(3 * time.Second)
	_, err = b.verifier.Verify(t.Context(), first)
	requireCode(t, fault.APIKeyInvalid, err)
	do(func(tx pgx.Tx) error { return signin.RevokeAPIKey(t.Context(), tx, made.ID) })
	_, err = b.verifier.Verify(t.Context(), service)
	requireCode(t, fault.APIKeyInvalid, err)
	err = b.db.AsService(t.Context(), "Keys", func(tx pgx.Tx) error { return signin.RevokeAPIKey(t.Context(), tx, made.ID) })
	requireCode(t, fault.NotFound, err)
	do(func(tx pgx.Tx) (err error) {
		other, err = signin.DefaultAPIKey(t.Context(), tx, kek, identity.Anon)
		return err
	})
	require.NotEqual(t, first, other)
	var listed []signin.APIKey
	do(func(tx pgx.Tx) (err error) {
		listed, err = signin.ListAPIKeys(t.Context(), tx)
		return err
	})
	require.Len(t, listed, 3)
	b.Exec(t, "update vital.api_keys set expires_at = now()")
	_, err = b.verifier.Verify(t.Context(), other)
	requireCode(t, fault.APIKeyInvalid, err)
}

// A guesser is stopped; the owner, elsewhere, is not, and a crowd of guessers does not stop them either.
func TestThrottle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.signIn() // from home
	thief := signin.Client{IP: "203.0.113.9"}
	for range 20 {
		_, err := b.s.SignIn(t.Context(), thief, "ada@acme.test", "wrong password")
		requireCode(t, fault.InvalidCredentials, err)
	}
	_, err := b.s.SignIn(t.Context(), thief, "ada@acme.test", password)
	requireCode(t, fault.OverRequestRateLimit, err)
	var after signin.ThrottledError
	require.ErrorAs(t, err, &after)
	require.InDelta(t, 30, after.After.Seconds(), 1)
	b.signIn()
	b.advance(31 * time.Second)
	_, err = b.s.SignIn(t.Context(), thief, "ada@acme.test", "wrong password")
	requireCode(t, fault.InvalidCredentials, err)

	for n := 0; fault.CodeOf(err) != fault.OverRequestRateLimit; n++ {
		require.Less(t, n, 200)
		_, err = b.s.SignIn(t.Context(), signin.Client{IP: fmt.Sprintf("198.51.100.%d", n)}, "ada@acme.test", "wrong password")
	}
	b.signIn()
	for range 100 {
		b.signIn() // what goes well does not count
	}
	// An address of IPv6 is as good as its network.
	for n := range 20 {
		_, err = b.s.SignIn(t.Context(), signin.Client{IP: fmt.Sprintf("2001:db8::%d", n+1)}, "nobody@acme.test", "wrong password")
		requireCode(t, fault.InvalidCredentials, err)
	}
	_, err = b.s.SignIn(t.Context(), signin.Client{IP: "2001:db8::ffff"}, "nobody@acme.test", "wrong password")
	requireCode(t, fault.OverRequestRateLimit, err)
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	m, err := signin.NewSMTP("smtp://user:secret@mail.test:2525?from=vital@acme.test")
	require.NoError(t, err)
	text := m.Message(signin.Letter{To: "ada@acme.test", Subject: "Grüße\r\nBcc: all@x.test", Text: "Open.", Link: "http://x.test/?a=1"})
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	require.NotContains(t, head, "\nBcc")
	require.Contains(t, text, "http://x.test/?a=1")
	for _, bad := range []string{"", "http://x", "smtp://mail.test", "smtp://mail.test?from=nobody", "://"} {
		_, err := signin.NewSMTP(bad)
		requireCode(t, fault.ConfigInvalid, err)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestSMTP_Send speaks to a mail server that offers nothing but what is asked of it.
func TestSMTP_Send(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var heard strings.Builder
		lines := bufio.NewScanner(conn)
		fmt.Fprint(conn, "220 mail.test\r\n")
		data := false
		for lines.Scan() {
			line := lines.Text()
			heard.WriteString(line + "\n")
			switch {
			case line == "." && data:
				data = false
				fmt.Fprint(conn, "250 kept\r\n")
			case data:
			case line == "DATA":
				data = true
				fmt.Fprint(conn, "354 go on\r\n")
			case line == "QUIT":
				fmt.Fprint(conn, "221 bye\r\n")
				received <- heard.String()
				return
			default:
				fmt.Fprint(conn, "250 fine\r\n")
			}
		}
	}()
	m, err := signin.NewSMTP("smtp://" + listener.Addr().String() + "?from=vital@acme.test")
	require.NoError(t, err)
	require.NoError(t, m.Send(t.Context(), signin.Letter{To: "ada@acme.test", Subject: "Hello", Text: "Open.", Link: "http://x.test/"}))
	heard := <-received
	require.Contains(t, heard, "MAIL FROM:<vital@acme.test>")
	require.Contains(t, heard, "RCPT TO:<ada@acme.test>")
	require.Contains(t, heard, "http://x.test/")
}
