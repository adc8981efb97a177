package signin_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/signin"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	session, err := b.s.SignIn(t.Context(), home, " ADA@acme.test ", password)
	require.NoError(t, err)
	header, claims := claimsOf(t, session.AccessToken)
	require.Equal(t, "ES256", header["alg"])
	require.NotEmpty(t, header["kid"])
	require.Equal(t, map[string]any{"provider": "email", "providers": []any{"email"}}, claims["app_metadata"], "no tenant unless an operator set one")
	require.Equal(t, []any{"vital", "authenticated", "authenticated", b.ada.String(), "ada@acme.test", "aal1"},
		[]any{claims["iss"], claims["aud"], claims["role"], claims["sub"], claims["email"], claims["aal"]})
	require.InDelta(t, time.Hour.Seconds(), claims["exp"].(float64)-claims["iat"].(float64), 0)
	caller := b.caller(session)
	require.Equal(t, b.ada, caller.UserID)
	require.Equal(t, claims["session_id"], caller.SessionID.String())
	require.Empty(t, b.reach(caller))

	require.Equal(t, "192.0.2.1 test", peek[string](b, "select host(ip) || ' ' || user_agent from auth.sessions"))
	require.NotNil(t, peek[*time.Time](b, "select last_sign_in_at from auth.users"))
	for _, table := range []string{"sessions", "refresh_tokens", "users"} {
		require.Zero(t, peek[int](b, "select count(*)::int from auth."+table+" t where to_jsonb(t)::text like '%' || $1 || '%'", session.RefreshToken))
	}
	for _, secret := range []string{password, session.RefreshToken, session.AccessToken} {
		require.NotContains(t, b.log.String(), secret)
	}
}

// Whoever guesses learns nothing from the answer: not that there is no account, no password, or that it is
// banned or unconfirmed.
func TestSignIn_RefusalsAreAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, email := range []string{"banned@acme.test", "fresh@acme.test"} {
		_, err := b.s.CreateUser(t.Context(), signin.AdminUser{Email: email, Password: ptr(password), EmailConfirm: email[0] == 'b'})
		require.NoError(t, err)
	}
	_, err := b.s.CreateUser(t.Context(), signin.AdminUser{Email: "bare@acme.test", EmailConfirm: true})
	require.NoError(t, err)
	b.Exec(t, "update auth.users set banned_until = 'infinity' where email = 'banned@acme.test'")
	var answers []string
	for _, email := range []string{"ada@acme.test", "nobody@acme.test", "banned@acme.test", "fresh@acme.test", "bare@acme.test", "no address"} {
		_, err := b.s.SignIn(t.Context(), home, email, "wrong password")
		requireCode(t, fault.InvalidCredentials, err)
		answers = append(answers, fault.From(err).Message)
	}
	require.Equal(t, strings.Repeat(answers[0], 6), strings.Join(answers, ""))
	_, err = b.s.SignIn(t.Context(), home, "banned@acme.test", password)
	requireCode(t, fault.UserBanned, err)
	_, err = b.s.SignIn(t.Context(), home, "fresh@acme.test", password)
	requireCode(t, fault.EmailNotConfirmed, err)
	_, err = b.s.SignIn(t.Context(), home, "bare@acme.test", "")
	requireCode(t, fault.InvalidCredentials, err)
	_, err = b.s.SignIn(t.Context(), home, "ada@acme.test", strings.Repeat("x", 100_000))
	requireCode(t, fault.InvalidCredentials, err)
}

// An unknown account costs a hash like a known one: where there is no place to hash, both wait.
func TestSignIn_UnknownAccountIsHashedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	release := b.s.Busy()
	defer release()
	for _, email := range []string{"ada@acme.test", "nobody@acme.test"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := b.s.SignIn(ctx, home, email, "wrong password")
		require.ErrorIs(t, err, context.DeadlineExceeded, email)
		cancel()
	}
	// The invited sign up, with an account or without: the same.
	for _, email := range []string{"ada@acme.test", "nobody@acme.test"} {
		b.Exec(t, "insert into invitations (tenant_id, email, token_hash) values ('"+acme+"', $1, sha256($1::text::bytea))", email)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, _, err := b.s.SignUp(ctx, home, signin.Signup{Email: email, Password: password})
		require.ErrorIs(t, err, context.DeadlineExceeded, email)
		cancel()
	}
}

func TestSignIn_OldHashesAreMadeAnew(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *signin.Config) { c.PasswordMemory = 0 })
	for _, old := range []string{
		signin.Bcrypt(password),
		// argon2id of the same password with less memory
		"$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + weakKey,
	} {
		require.True(t, signin.UsableHash(old))
		b.Exec(t, "update auth.users set encrypted_password = $1", old)
		b.signIn()
		require.Contains(t, peek[string](b, "select encrypted_password from auth.users"), "$argon2id$v=19$m=19456,t=2,p=1$")
		b.signIn()
	}
	for _, bad := range []string{"", "plain", "$2a$31$" + strings.Repeat("a", 53), "$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$" + weakKey, "$argon2i$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$" + weakKey} {
		require.False(t, signin.UsableHash(bad), bad)
		b.Exec(t, "update auth.users set encrypted_password = $1", bad)
		_, err := b.s.SignIn(t.Context(), home, "ada@acme.test", password)
		requireCode(t, fault.InvalidCredentials, err)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.signIn()
	second, err := b.s.Refresh(t.Context(), home, first.RefreshToken)
	require.NoError(t, err)
	require.NotEqual(t, first.RefreshToken, second.RefreshToken)
	require.Equal(t, b.caller(first).SessionID, b.caller(second).SessionID)

	// Used again within the interval, it gives the same successor, also where that was used as well.
	again, err := b.s.Refresh(t.Context(), home, first.RefreshToken)
	require.NoError(t, err)
	require.Equal(t, second.RefreshToken, again.RefreshToken)
	third, err := b.s.Refresh(t.Context(), home, second.RefreshToken)
	require.NoError(t, err)
	again, err = b.s.Refresh(t.Context(), home, first.RefreshToken)
	require.NoError(t, err)
	require.Equal(t, third.RefreshToken, again.RefreshToken)

	for token, code := range map[string]fault.Code{
		"": fault.ValidationFailed, "short": fault.ValidationFailed, strings.Repeat("x", 43): fault.RefreshTokenNotFound,
	} {
		_, err := b.s.Refresh(t.Context(), home, token)
		requireCode(t, code, err)
	}
	b.Exec(t, "update auth.sessions set not_after = now()")
	_, err = b.s.Refresh(t.Context(), home, third.RefreshToken)
	requireCode(t, fault.SessionExpired, err)
}

func TestRefresh_ReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, other := b.signIn(), b.signIn()
	second, err := b.s.Refresh(t.Context(), home, first.RefreshToken)
	require.NoError(t, err)
	caller := b.caller(second)
	require.Empty(t, b.reach(caller))
	b.Exec(t, "update auth.refresh_tokens set used_at = used_at - interval '11 s'")
	_, err = b.s.Refresh(t.Context(), signin.Client{IP: "203.0.113.9"}, first.RefreshToken)
	requireCode(t, fault.RefreshTokenAlreadyUsed, err)
	_, err = b.s.Refresh(t.Context(), home, second.RefreshToken)
	requireCode(t, fault.RefreshTokenNotFound, err) // whoever has it, thief or owner
	require.Equal(t, fault.SessionRevoked, b.reach(caller), "the access token is refused as well")
	_, err = b.s.Refresh(t.Context(), home, other.RefreshToken)
	require.NoError(t, err, "another session goes on")
}

func TestRefresh_ManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.signIn()
	var group sync.WaitGroup
	tokens, errs := make([]string, 12), make([]error, 12)
	for i := range tokens {
		group.Go(func() {
			session, err := b.s.Refresh(t.Context(), home, first.RefreshToken)
			if errs[i] = err; err == nil {
				tokens[i] = session.RefreshToken
			}
		})
	}
	group.Wait()
	for i := range tokens {
		require.NoError(t, errs[i])
		require.Equal(t, tokens[0], tokens[i], "all tabs go on with one token")
	}
	require.Equal(t, 1, peek[int](b, "select count(*)::int from auth.refresh_tokens where used_at is null"))
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	for scope, ends := range map[signin.Scope][]bool{
		signin.ScopeLocal: {true, false}, signin.ScopeOthers: {false, true}, signin.ScopeGlobal: {true, true}, "": {true, true},
	} {
		t.Run("scope "+string(scope), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			sessions := []*signin.Session{b.signIn(), b.signIn()}
			require.NoError(t, b.s.SignOut(t.Context(), b.caller(sessions[0]), scope))
			for i, session := range sessions {
				_, refresh := b.s.Refresh(t.Context(), home, session.RefreshToken)
				_, read := b.s.GetUser(t.Context(), b.caller(session))
				if !ends[i] {
					require.NoError(t, refresh)
					require.NoError(t, read)
					require.Empty(t, b.reach(b.caller(session)))
					continue
				}
				requireCode(t, fault.RefreshTokenNotFound, refresh)
				requireCode(t, fault.SessionNotFound, read)
				require.Equal(t, fault.SessionRevoked, b.reach(b.caller(session)))
				requireCode(t, fault.SessionNotFound, b.s.SignOut(t.Context(), b.caller(session), ""))
			}
		})
	}
	b := setup(t)
	requireCode(t, fault.ValidationFailed, b.s.SignOut(t.Context(), b.caller(b.signIn()), "everybody"))
}

// What is remembered of ended sessions goes when their tokens have expired.
func TestSignOut_IsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.s.SignOut(t.Context(), b.caller(b.signIn()), ""))
	require.Equal(t, 1, peek[int](b, "select count(*)::int from vital.revoked_sessions where expires_at > now() + interval '1 hour'"))
	b.Exec(t, "update vital.revoked_sessions set expires_at = now() - interval '1 s'")
	require.NoError(t, b.s.SignOut(t.Context(), b.caller(b.signIn()), ""))
	require.Equal(t, 1, peek[int](b, "select count(*)::int from vital.revoked_sessions"))
}

// weakKey is what argon2id with 1 MiB and one pass makes of the password and the salt above.
const weakKey = "Tikn65VjNKv9r3419wmSJI1jHoKt7UrMWJlLmO7lXpU"
