package signin_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/signin"
)

func TestSignUp_IsForTheInvited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, email := range []string{"new@acme.test", "ada@acme.test"} { // with an account or without: alike
		_, _, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: email, Password: password})
		requireCode(t, fault.SignupDisabled, err)
	}
	b.invite("new@acme.test")
	b.Exec(t, "update invitations set expires_at = now()")
	_, _, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: "new@acme.test", Password: password})
	requireCode(t, fault.SignupDisabled, err)

	token := b.invite("new@acme.test")
	for _, wrong := range []struct {
		asked signin.Signup
		code  fault.Code
	}{
		{signin.Signup{Email: "new@acme.test", Password: "short"}, fault.WeakPassword},
		{signin.Signup{Email: "new@acme.test"}, fault.ValidationFailed},
		{signin.Signup{Email: "New <new@acme.test>", Password: password}, fault.ValidationFailed},
		{signin.Signup{Email: "new@acme.test", Password: password, Data: map[string]any{"invitation_token": "guess"}}, fault.InviteNotFound},
		{signin.Signup{Email: "new@acme.test", Password: password, Data: map[string]any{"invitation_token": 7}}, fault.ValidationFailed},
		{signin.Signup{Email: "new@acme.test", Password: password, Data: map[string]any{"x": string(make([]byte, 5000))}}, fault.ValidationFailed},
		{signin.Signup{Email: "new@acme.test", Password: password, Data: map[string]any{"x": "\x00"}}, fault.ValidationFailed},
		{signin.Signup{Email: "ada@acme.test", Password: password, Data: map[string]any{"invitation_token": token}}, fault.SignupDisabled},
	} {
		_, _, err := b.s.SignUp(t.Context(), home, wrong.asked)
		requireCode(t, wrong.code, err)
	}
	session, user, err := b.s.SignUp(t.Context(), home, signin.Signup{
		Email: "New@acme.test", Password: password, Data: map[string]any{"full_name": "Nina New", "invitation_token": token, "tenant_id": "other"},
	})
	require.NoError(t, err)
	require.Equal(t, session.User, user)
	require.JSONEq(t, `{"full_name": "Nina New", "tenant_id": "other"}`, string(user.UserMetadata), "the invitation is not kept")
	require.Equal(t, "member Nina New", peek[string](b, `
		select m.role || ' ' || p.full_name from users u join profiles p using (id) join user_tenants m on m.user_id = u.id
		where u.id = $1 and u.organization_id = m.tenant_id`, user.ID))
	caller := b.caller(session)
	require.Empty(t, caller.Tenant)
	require.Empty(t, b.reach(caller))
}

func TestSignUp_WithoutTheToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.invite("new@acme.test")
	session, user, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: "new@acme.test", Password: password})
	require.NoError(t, err)
	require.NotNil(t, session)
	require.Zero(t, peek[int](b, "select count(*)::int from user_tenants where user_id = $1", user.ID))

	// Again, it looks as if a new account awaited its link; the one there is stays as it is.
	again, shown, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: "new@acme.test", Password: "another password", Data: map[string]any{"invitation_token": token}})
	require.NoError(t, err)
	require.Nil(t, again)
	require.NotEqual(t, user.ID, shown.ID)
	require.Len(t, shown.Identities, 1)
	_, err = b.s.SignIn(t.Context(), home, "new@acme.test", "another password")
	requireCode(t, fault.InvalidCredentials, err)
	require.Zero(t, peek[int](b, "select count(*)::int from user_tenants where user_id = $1", user.ID))
}

// An invitation to a tenant that takes nobody leaves no account behind.
func TestSignUp_IsOneTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.invite("new@acme.test")
	b.Exec(t, "update organizations set lifecycle_state = 'suspended' where id = $1", acme)
	_, _, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: "new@acme.test", Password: password, Data: map[string]any{"invitation_token": token}})
	requireCode(t, fault.TenantSuspended, err)
	require.Zero(t, peek[int](b, "select count(*)::int from auth.users where email = 'new@acme.test'"))
	b.Exec(t, "update organizations set lifecycle_state = 'active' where id = $1", acme)

	var group sync.WaitGroup
	sessions := make([]*signin.Session, 6)
	for i := range sessions {
		group.Go(func() {
			sessions[i], _, _ = b.s.SignUp(context.WithoutCancel(t.Context()), home, signin.Signup{
				Email: "new@acme.test", Password: password, Data: map[string]any{"invitation_token": token},
			})
		})
	}
	group.Wait()
	made := 0
	for _, s := range sessions {
		if s != nil {
			made++
		}
	}
	require.Equal(t, 1, made)
	require.Equal(t, 1, peek[int](b, "select count(*)::int from user_tenants m join auth.users a on a.id = m.user_id where a.email = 'new@acme.test'"))
}

// Where anybody may sign up, all answers are alike, and an account is of use when its link was opened.
func TestSignUp_Open(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *signin.Config) { c.OpenSignup = true })
	for _, email := range []string{"ada@acme.test", "eve@x.test"} {
		session, user, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: email, Password: "chosen by eve"})
		require.NoError(t, err)
		require.Nil(t, session)
		require.Equal(t, email, user.Email)
		require.Nil(t, user.EmailConfirmedAt)
	}
	_, err := b.s.SignIn(t.Context(), home, "eve@x.test", "chosen by eve")
	requireCode(t, fault.EmailNotConfirmed, err)
	link := b.link(1)
	require.Len(t, b.links(), 1, "none to an account that was there")
	for _, email := range []string{"ada@acme.test", "nobody@x.test", "eve@x.test"} {
		require.NoError(t, b.s.Resend(t.Context(), home, "signup", email, ""))
	}
	_, err = b.s.Verify(t.Context(), home, "signup", b.link(2).Get("token"), "")
	require.NoError(t, err)
	require.Len(t, b.links(), 2)
	requireCode(t, fault.ValidationFailed, b.s.Resend(t.Context(), home, "sms", "eve@x.test", ""))
	_, err = b.s.Verify(t.Context(), home, "signup", link.Get("token"), "")
	requireCode(t, fault.OTPExpired, err) // replaced by the second
	require.Equal(t, "signup", link.Get("type"))
	_, err = b.s.SignIn(t.Context(), home, "eve@x.test", "chosen by eve")
	require.NoError(t, err)
}

// Whoever signs up with somebody else's address gets no way in when its owner recovers the account.
func TestSignUp_StrangersPassword(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *signin.Config) { c.OpenSignup = true })
	_, _, err := b.s.SignUp(t.Context(), home, signin.Signup{Email: "vic@x.test", Password: "chosen by eve"})
	require.NoError(t, err)
	b.link(1)
	require.NoError(t, b.s.Recover(t.Context(), home, "vic@x.test", ""))
	_, err = b.s.Verify(t.Context(), home, "recovery", b.link(2).Get("token"), "")
	require.NoError(t, err)
	_, err = b.s.SignIn(t.Context(), home, "vic@x.test", "chosen by eve")
	requireCode(t, fault.InvalidCredentials, err)
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	session, other := b.signIn(), b.signIn()
	caller := b.caller(session)
	_, err := b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Data: map[string]any{"a": 1, "b": map[string]any{"tenant_id": "x"}}})
	require.NoError(t, err)
	user, err := b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Data: map[string]any{"a": nil, "c": true}})
	require.NoError(t, err)
	require.JSONEq(t, `{"b": {"tenant_id": "x"}, "c": true}`, string(user.UserMetadata))
	_, err = b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Password: ptr(password)})
	requireCode(t, fault.SamePassword, err)
	_, err = b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Password: ptr("")})
	requireCode(t, fault.WeakPassword, err)
	_, err = b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Password: ptr("a new password")})
	require.NoError(t, err)
	require.Empty(t, b.reach(caller), "this session goes on")
	require.Equal(t, fault.SessionRevoked, b.reach(b.caller(other)), "the others do not")
	_, err = b.s.SignIn(t.Context(), home, "ada@acme.test", password)
	requireCode(t, fault.InvalidCredentials, err)
	_, err = b.s.UpdateUser(t.Context(), home, b.caller(other), signin.UserChange{Data: map[string]any{"a": 1}})
	requireCode(t, fault.SessionNotFound, err)
}

// A new address counts when its link was opened, and never one that belongs to somebody.
func TestUpdateUser_Email(t *testing.T) {
	t.Parallel()
	b := setup(t)
	caller := b.caller(b.signIn())
	_, err := b.s.CreateUser(t.Context(), signin.AdminUser{Email: "bob@acme.test"})
	require.NoError(t, err)
	for _, email := range []string{"bob@acme.test", "free@acme.test"} {
		user, err := b.s.UpdateUser(t.Context(), home, caller, signin.UserChange{Email: email})
		require.NoError(t, err)
		require.Equal(t, []string{"ada@acme.test", email}, []string{user.Email, user.NewEmail})
	}
	link := b.link(1)
	require.Len(t, b.links(), 1)
	session, err := b.s.Verify(t.Context(), home, "email_change", link.Get("token"), "")
	require.NoError(t, err)
	require.Equal(t, "free@acme.test", session.User.Email)
	require.Equal(t, 1, peek[int](b, "select count(*)::int from users u join profiles p using (id) where u.email = 'free@acme.test' and p.email = u.email"))
}

func TestRecover(t *testing.T) {
	t.Parallel()
	b := setup(t)
	session := b.signIn()
	require.NoError(t, b.s.Recover(t.Context(), home, "nobody@acme.test", ""))
	require.NoError(t, b.s.Recover(t.Context(), home, "Ada@acme.test", "https://app.test/reset"))
	link := b.link(1)
	require.Equal(t, "https://app.test/reset", link.Get("redirect_to"))
	require.NotContains(t, b.log.String(), "nobody@acme.test")
	require.Zero(t, peek[int](b, "select count(*)::int from auth.one_time_tokens t where to_jsonb(t)::text like '%' || $1 || '%'", link.Get("token")))

	for _, wrong := range []struct{ kind, token, email string }{
		{"recovery", "guess", ""}, {"invite", link.Get("token"), ""}, {"recovery", link.Get("token"), "bob@acme.test"},
	} {
		_, err := b.s.Verify(t.Context(), home, wrong.kind, wrong.token, wrong.email)
		requireCode(t, fault.OTPExpired, err)
	}
	_, err := b.s.Verify(t.Context(), home, "phone", link.Get("token"), "")
	requireCode(t, fault.ValidationFailed, err)
	opened, err := b.s.Verify(t.Context(), home, "recovery", link.Get("token"), "ada@acme.test")
	require.NoError(t, err)
	_, claims := claimsOf(t, opened.AccessToken)
	require.Equal(t, "otp", claims["amr"].([]any)[0].(map[string]any)["method"])
	_, err = b.s.Verify(t.Context(), home, "recovery", link.Get("token"), "")
	requireCode(t, fault.OTPExpired, err) // once
	_, err = b.s.UpdateUser(t.Context(), home, b.caller(opened), signin.UserChange{Password: ptr("after recovery")})
	require.NoError(t, err)
	require.Equal(t, fault.SessionRevoked, b.reach(b.caller(session)))

	require.NoError(t, b.s.Recover(t.Context(), home, "ada@acme.test", ""))
	expired := b.link(2)
	b.Exec(t, "update auth.one_time_tokens set expires_at = now()")
	_, err = b.s.Verify(t.Context(), home, "recovery", expired.Get("token"), "")
	requireCode(t, fault.OTPExpired, err)
	require.NoError(t, b.s.Recover(t.Context(), home, "ada@acme.test", ""), "a third letter is not sent, and nobody is told")
	require.Nil(t, b.s.Redirect("https://evil.test/"))
	require.Nil(t, b.s.Redirect("https://app.test.evil.test/"))
	require.Nil(t, b.s.Redirect("https://app.test@evil.test/"))
	require.Nil(t, b.s.Redirect("javascript:alert(1)"))
	require.Nil(t, b.s.Redirect("//app.test"))
	require.Equal(t, "https://app.test/x?y=1", b.s.Redirect("https://app.test/x?y=1").String())
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.s.CreateUser(t.Context(), signin.AdminUser{
		ID: "11111111-0000-4000-8000-000000000000", Email: "Bob@acme.test", PasswordHash: signin.Bcrypt("from elsewhere"), EmailConfirm: true,
		AppMetadata: map[string]any{"tenant_id": acme}, UserMetadata: map[string]any{"name": "Bob"},
	})
	require.NoError(t, err)
	session, err := b.s.SignIn(t.Context(), home, "bob@acme.test", "from elsewhere")
	require.NoError(t, err)
	caller := b.caller(session)
	require.Equal(t, acme, caller.Tenant, "an operator set it")
	for _, wrong := range []struct {
		asked signin.AdminUser
		code  fault.Code
	}{
		{signin.AdminUser{}, fault.ValidationFailed},
		{signin.AdminUser{Email: "bob@acme.test"}, fault.EmailExists},
		{signin.AdminUser{Email: "c@x.test", ID: made.ID.String()}, fault.EmailExists},
		{signin.AdminUser{Email: "c@x.test", ID: "7"}, fault.ValidationFailed},
		{signin.AdminUser{Email: "c@x.test", PasswordHash: "plain"}, fault.ValidationFailed},
		{signin.AdminUser{Email: "c@x.test", AppMetadata: map[string]any{"tenant_id": 7}}, fault.ValidationFailed},
		{signin.AdminUser{Email: "c@x.test", BanDuration: "long"}, fault.ValidationFailed},
	} {
		_, err := b.s.CreateUser(t.Context(), wrong.asked)
		requireCode(t, wrong.code, err)
	}
	users, total, err := b.s.ListUsers(t.Context(), 2, 1)
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, b.ada, users[0].ID)
	users, _, err = b.s.ListUsers(t.Context(), 1<<40, 1000)
	require.NoError(t, err)
	require.Empty(t, users)

	banned, err := b.s.UpdateAnyUser(t.Context(), made.ID, signin.AdminUser{BanDuration: "1h", AppMetadata: map[string]any{"tenant_id": nil}})
	require.NoError(t, err)
	require.NotNil(t, banned.BannedUntil)
	require.Equal(t, fault.SessionRevoked, b.reach(caller))
	_, err = b.s.UpdateAnyUser(t.Context(), made.ID, signin.AdminUser{BanDuration: "none", Password: ptr("set by root"), Email: "rob@acme.test"})
	require.NoError(t, err)
	session, err = b.s.SignIn(t.Context(), home, "rob@acme.test", "set by root")
	require.NoError(t, err)
	require.Empty(t, b.caller(session).Tenant)

	require.NoError(t, b.s.DeleteUser(t.Context(), made.ID, false))
	require.Equal(t, fault.SessionRevoked, b.reach(b.caller(session)))
	require.Zero(t, peek[int](b, "select count(*)::int from users where id = $1", made.ID))
	requireCode(t, fault.UserNotFound, b.s.DeleteUser(t.Context(), made.ID, false))
	_, err = b.s.ReadUser(t.Context(), uuid.New())
	requireCode(t, fault.UserNotFound, err)
	require.NoError(t, b.s.DeleteUser(t.Context(), b.ada, true))
	_, err = b.s.SignIn(t.Context(), home, "ada@acme.test", password)
	requireCode(t, fault.InvalidCredentials, err)

	_, _, err = b.s.GenerateLink(t.Context(), signin.LinkRequest{Type: "recovery", Email: "nobody@x.test"})
	requireCode(t, fault.UserNotFound, err)
	invited, link, err := b.s.GenerateLink(t.Context(), signin.LinkRequest{Type: "invite", Email: "inv@x.test"})
	require.NoError(t, err)
	require.NotNil(t, invited.InvitedAt)
	opened, err := b.s.Verify(t.Context(), home, "email", link.HashedToken, "inv@x.test")
	require.NoError(t, err)
	require.NotNil(t, opened.User.EmailConfirmedAt)
}
