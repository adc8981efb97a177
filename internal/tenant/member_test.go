package tenant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

const (
	invite     = "select token from invite_member($1, $2)"
	accept     = "select (accept_invitation($1)).role"
	changeRole = "select (change_member_role($1, $2, 'agreed')).role"
	remove     = "select remove_member($1, 'left')::text"
	roleOf     = "select coalesce((select role from user_tenants where tenant_id = $1 and user_id = $2), 'none')"
)

func TestInviteMember(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	var token string
	rows := audited(t, s, func() { token = must[string](t, s, ada, "", invite, " Nina@away.test ", "admin") })
	require.Equal(t, []string{"invitations created"}, describe(rows))
	require.Equal(t, []string{acme, ada, "admin"}, []string{rows[0].Tenant, rows[0].Actor, rows[0].Role})
	require.Len(t, token, 43, "256 bits")
	require.NotContains(t, rows[0].New, "token_hash")
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from invitations where token_hash = sha256(convert_to($1, 'UTF8')) and email = 'nina@away.test' and expires_at - now() between '6 days 23 hours' and '7 days'", token))
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from invitations i where to_jsonb(i)::text like '%' || $1 || '%'", token), "the token is kept nowhere")

	for user, code := range notAdmins {
		refused(t, s, code, user, invite, "x@y.test", "member")
	}
	_, err := as[string](s, cyd, acme, invite, "x@y.test", "member")
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err), "an admin of another tenant")
	refused(t, s, fault.PermissionDenied, ada, invite, "x@y.test", "owner")
	require.NotEmpty(t, must[string](t, s, olga, "", invite, "x@y.test", "owner"))
	require.NotEmpty(t, must[string](t, s, root, acme, invite, "x@y.test", "owner"))
	_, err = operate[string](s, invite, "x@y.test", "member")
	require.Equal(t, fault.UserRequired, fault.CodeOf(err), "service_role acts in no tenant")
	_, err = operate[string](s, "select token from vital.invite_member($1, 'z@y.test', 'owner')", acme)
	require.NoError(t, err)
	_, err = as[string](s, ada, "", "select token from vital.invite_member($1, 'z@y.test', 'owner')", acme)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "the operators' function is theirs")

	for _, c := range []struct{ email, role string }{{"nobody", "member"}, {"", "member"}, {"a b@c", "member"}, {"a@b.test", "king"}} {
		refused(t, s, fault.Invalid, ada, invite, c.email, c.role)
	}
	refused(t, s, fault.Invalid, ada, "select token from invite_member('a@b.test', 'member', '1 year')")
	refused(t, s, fault.Invalid, ada, "select token from invite_member('a@b.test', 'member', '-1 day')")
	refused(t, s, fault.StateConflict, ada, invite, "BEN@acme.test", "admin")
}

func TestAcceptInvitation(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	first := must[string](t, s, ada, "", invite, "nina@away.test", "admin")
	rows := audited(t, s, func() { must[string](t, s, ada, "", invite, "nina@away.test", "viewer") })
	require.ElementsMatch(t, []string{"invitations updated", "invitations created"}, describe(rows), "the open one is replaced")
	token := must[string](t, s, ada, "", invite, "nina@away.test", "member")

	messages := map[string]bool{}
	wrong := func(user, token string) {
		_, err := as[string](s, user, "", accept, token)
		require.Equal(t, fault.InvitationInvalid, fault.CodeOf(err), "%v", err)
		messages[fault.From(err).Message+fault.From(err).Hint] = true
	}
	wrong(nina, first) // replaced
	wrong(nina, "guess")
	wrong(nina, "")
	wrong(cyd, token) // another's
	rows = audited(t, s, func() { require.Equal(t, "member", must[string](t, s, nina, "", accept, token)) })
	require.ElementsMatch(t, []string{"invitations updated", "user_tenants created"}, describe(rows))
	require.Equal(t, []string{acme, nina}, []string{rows[0].Tenant, rows[0].Actor})
	require.Equal(t, ada, peek[string](t, s, "select invited_by::text from user_tenants where tenant_id = $1 and user_id = $2", acme, nina))
	require.Equal(t, acme, peek[string](t, s, "select organization_id::text from users where id = $1", nina), "their first tenant is their default")
	wrong(nina, token) // used

	expired := must[string](t, s, cyd, "", invite, "nina@away.test", "member")
	s.Exec(t, "update invitations set expires_at = now() - interval '1 s' where tenant_id = $1", bolt)
	wrong(nina, expired)
	revoked := must[string](t, s, cyd, "", invite, "nina@away.test", "member")
	open := peek[string](t, s, "select id::text from invitations where tenant_id = $1 and revoked_at is null", bolt)
	refused(t, s, fault.NotFound, ada, "select revoke_invitation($1)::text", open)
	must[any](t, s, cyd, "", "select revoke_invitation($1)::text", open)
	refused(t, s, fault.NotFound, cyd, "select revoke_invitation($1)::text", open)
	refused(t, s, fault.PermissionDenied, ben, "select revoke_invitation($1)::text", open)
	wrong(nina, revoked)
	require.Len(t, messages, 1, "all answer alike")

	toIdle, err := operate[string](s, "select token from vital.invite_member($1, 'nina@away.test')", idle)
	require.NoError(t, err)
	refused(t, s, fault.TenantSuspended, nina, accept, toIdle)
	s.Exec(t, "update organizations set lifecycle_state = 'active' where id = $1", idle)
	require.Equal(t, "member", must[string](t, s, nina, "", accept, toIdle), "a refused invitation is not used up")
	require.Equal(t, acme, peek[string](t, s, "select organization_id::text from users where id = $1", nina))
}

func TestAcceptInvitation_TwoAtOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	token := must[string](t, s, ada, "", invite, "nina@away.test", "admin")
	well, codes := atOnce(6, func(int) error {
		_, err := as[string](s, nina, "", accept, token)
		return err
	})
	require.Equal(t, 1, well)
	require.Equal(t, map[fault.Code]int{fault.InvitationInvalid: 5}, codes)
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from user_tenants where user_id = $1", nina))

	// Of many invitations at once, the last stays open.
	well, codes = atOnce(6, func(int) error {
		_, err := as[string](s, ada, "", invite, "new@x.test", "member")
		return err
	})
	require.Equal(t, 6, well, codes)
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from invitations where email = 'new@x.test' and revoked_at is null"))
}

func TestChangeMemberRole(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	rows := audited(t, s, func() { require.Equal(t, "admin", must[string](t, s, ada, "", changeRole, ben, "admin")) })
	require.Equal(t, []auditRow{{Tenant: acme, Entity: "user_tenants", Action: "updated", Actor: ada, Role: "admin", Reason: "agreed",
		Old: map[string]any{"role": "member"}, New: map[string]any{"role": "admin"}}}, rows)
	must[string](t, s, ada, "", changeRole, ben, "member")

	for user, code := range notAdmins {
		refused(t, s, code, user, changeRole, vic, "member")
	}
	refused(t, s, fault.PermissionDenied, ada, changeRole, ben, "owner")   // an admin makes no owner
	refused(t, s, fault.PermissionDenied, ada, changeRole, ada, "owner")   // nor themself
	refused(t, s, fault.PermissionDenied, ada, changeRole, olga, "viewer") // nor unmakes one
	refused(t, s, fault.PermissionDenied, vic, changeRole, vic, "admin")   // a viewer raises nobody
	refused(t, s, fault.Invalid, ada, changeRole, ben, "king")
	refused(t, s, fault.NotFound, ada, changeRole, cyd, "member") // of another tenant
	_, err := as[string](s, ada, bolt, changeRole, cyd, "member")
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	_, err = as[string](s, ada, "", "select (vital.change_member_role($1, $2, 'owner')).role", acme, ada)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))

	// A super admin who is a member still does not raise themself.
	s.Exec(t, "insert into user_tenants (tenant_id, user_id, role) values ($1, $2, 'admin')", acme, root)
	_, err = as[string](s, root, acme, changeRole, root, "owner")
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	require.Equal(t, "owner", must[string](t, s, root, acme, changeRole, ben, "owner"))
	must[string](t, s, olga, "", changeRole, ben, "member")

	// Lowering oneself is fine, as long as an owner stays.
	require.Equal(t, "admin", must[string](t, s, owen, "", changeRole, owen, "admin"))
	refused(t, s, fault.PermissionDenied, owen, changeRole, owen, "owner")
	refused(t, s, fault.LastOwner, olga, changeRole, olga, "admin")
	for _, text := range []string{
		"update user_tenants set status = 'suspended' where user_id = $1 returning role",
		"update user_tenants set role = 'viewer' where user_id = $1 returning role",
		"delete from user_tenants where user_id = $1 returning role",
		"select (vital.change_member_role('" + acme + "', $1, 'admin')).role",
		"select vital.remove_member('" + acme + "', $1)::text",
	} {
		_, err := operate[string](s, text, olga)
		require.Equal(t, fault.LastOwner, fault.CodeOf(err), "%s: %v", text, err)
	}
	got, err := operate[string](s, "select (vital.change_member_role($1, $2, 'owner', 'ticket 7')).role", acme, ada)
	require.NoError(t, err)
	require.Equal(t, "owner", got)
}

func TestChangeMemberRole_OwnersDemoteEachOther(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	for range 10 {
		s.Exec(t, "update user_tenants set role = 'owner' where user_id in ('"+olga+"', '"+owen+"')")
		pair := []string{olga, owen}
		well, codes := atOnce(2, func(i int) error {
			_, err := as[string](s, pair[i], "", changeRole, pair[1-i], "member")
			return err
		})
		require.Equal(t, 1, well, codes)
		require.Equal(t, map[fault.Code]int{fault.PermissionDenied: 1}, codes, "the second is no owner any more")
		s.Exec(t, "update user_tenants set role = 'owner' where user_id in ('"+olga+"', '"+owen+"')")
		well, codes = atOnce(2, func(i int) error { // each leaves
			_, err := as[string](s, pair[i], "", changeRole, pair[i], "member")
			return err
		})
		require.Equal(t, 1, well, codes)
		require.Equal(t, map[fault.Code]int{fault.LastOwner: 1}, codes)
		s.Exec(t, "update user_tenants set role = 'owner' where user_id in ('"+olga+"', '"+owen+"')")
		well, codes = atOnce(2, func(i int) error { // by operators, past every function
			_, err := operate[string](s, "update user_tenants set role = 'member' where user_id = $1 returning role", pair[i])
			return err
		})
		require.Equal(t, 1, well, codes)
	}
}

func TestRemoveMember(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	for user, code := range notAdmins {
		refused(t, s, code, user, remove, both)
	}
	refused(t, s, fault.PermissionDenied, ada, remove, owen)
	refused(t, s, fault.NotFound, ada, remove, cyd)
	_, err := as[any](s, cyd, acme, remove, ben)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))

	rows := audited(t, s, func() { must[any](t, s, ada, "", remove, both) })
	require.Equal(t, []string{"user_tenants deleted"}, describe(rows))
	require.Equal(t, []string{ada, "left"}, []string{rows[0].Actor, rows[0].Reason})
	require.Equal(t, bolt, peek[string](t, s, "select organization_id::text from users where id = $1", both), "another tenant is their default now")
	must[any](t, s, vic, "", remove, vic) // leaves
	require.Equal(t, "none", peek[string](t, s, roleOf, acme, vic))
	refused(t, s, fault.TenantNotFound, vic, "select 1 from vital.require_member()")
	must[any](t, s, olga, "", remove, owen)
	refused(t, s, fault.LastOwner, olga, remove, olga)
	must[any](t, s, root, acme, remove, ben)
	require.Equal(t, "owner", peek[string](t, s, roleOf, acme, olga))
}

func TestSetDefaultTenant(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const set = "select set_default_tenant($1)::text"
	require.Equal(t, bolt, must[string](t, s, both, "", set, bolt))
	require.Equal(t, bolt, must[string](t, s, both, "", "select get_user_tenant_id()::text"))
	require.Equal(t, bolt, must[string](t, s, both, acme, set, bolt))
	refused(t, s, fault.TenantNotFound, ben, set, bolt)
	refused(t, s, fault.TenantNotFound, ben, set, "99999999-0000-0000-0000-000000000000")
	refused(t, s, fault.TenantNotFound, root, set, acme) // a super admin is no member
	refused(t, s, fault.TenantSuspended, sue, set, idle)
	s.Exec(t, "update user_tenants set status = 'suspended' where user_id = $1 and tenant_id = $2", both, acme)
	refused(t, s, fault.TenantNotFound, both, set, acme)
	_, err := operate[string](s, set, acme)
	require.Equal(t, fault.UserRequired, fault.CodeOf(err))
}

func TestToggleTenantFeature(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const toggle = "select toggle_tenant_feature($1, $2, $3, 'trial')::text"
	for user, code := range notAdmins {
		refused(t, s, code, user, toggle, "dark", true, nil)
	}
	_, err := as[string](s, cyd, acme, toggle, "dark", true, nil)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	refused(t, s, fault.NotFound, ada, toggle, "gone", true, nil)
	refused(t, s, fault.NotFound, ada, toggle, "nothing", true, nil)
	refused(t, s, fault.Invalid, ada, toggle, "dark", true, "[]")

	var answer string
	rows := audited(t, s, func() { answer = must[string](t, s, ada, "", toggle, "dark", true, `{"beta": 1}`) })
	require.JSONEq(t, `{"flag_key": "dark", "enabled": true, "config": {"beta": 1}, "overridden": true}`, answer)
	require.Equal(t, []string{"tenant_feature_flags created"}, describe(rows))
	require.Equal(t, []string{acme, ada, "trial"}, []string{rows[0].Tenant, rows[0].Actor, rows[0].Reason})
	require.JSONEq(t, `{"flag_key": "dark", "enabled": false, "config": {"beta": 1}, "overridden": true}`,
		must[string](t, s, both, "", toggle, "dark", false, nil), "settings stay where none are given")
	s.Exec(t, "update tenant_feature_flags set expires_at = now() - interval '1 s'")
	require.JSONEq(t, `{"flag_key": "dark", "enabled": true, "config": {}, "overridden": true}`,
		must[string](t, s, ada, "", toggle, "dark", true, nil), "one that ran out starts afresh")
	require.True(t, must[bool](t, s, ben, "", "select (get_user_tenant_context() #>> '{config,features,0,enabled}')::boolean"))
	require.JSONEq(t, `{"flag_key": "dark", "enabled": false, "config": {}, "overridden": false}`, must[string](t, s, ada, "", toggle, "dark", nil, nil))
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from tenant_feature_flags"))

	// Row-level security holds the inner function too.
	_, err = as[string](s, ben, "", "select vital.toggle_tenant_feature($1, 'dark', true)::text", acme)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	_, err = as[string](s, both, acme, "select vital.toggle_tenant_feature($1, 'dark', true)::text", bolt)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	_, err = operate[string](s, "select vital.toggle_tenant_feature($1, 'dark', true)::text", bolt)
	require.NoError(t, err)
}
