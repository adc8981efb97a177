package isolation_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMatrix_TenantState closes tenant A in each way there is. Its members keep what is theirs personally
// and the name of the tenant, so that they can be told why; a super admin works on in a pending or
// suspended tenant and only reads an archived one.
func TestMatrix_TenantState(t *testing.T) {
	t.Parallel()
	cells := parse(t, matrix)
	for _, state := range []string{"pending", "suspended", "archived"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "update organizations set lifecycle_state = '"+state+"' where id = '"+tenantA+"'")
			for _, r := range relations {
				for _, name := range []string{"viewer", "member", "admin", "owner"} {
					b.check(t, actor{name, tenantA}, r, closedToMembers(cells.of(r.name, name)))
				}
				b.check(t, actor{"super", tenantA}, r, closedToSuper(cells.of(r.name, "super"), r.name, state))
			}
		})
	}
}

// closedToMembers leaves of a member's words only what is personal.
func closedToMembers(of words) words {
	left := map[string]string{"own": "none", "shared": "none", "private": "none", "own+self": "self"}
	return of.replace(func(_, word string) string { return or(left[word], word) })
}

// closedToSuper leaves a super admin everything but what an active tenant alone has, and of an archived
// one what is for reading.
func closedToSuper(of words, relation, state string) words {
	return of.replace(func(command, word string) string {
		own := word == "own" || word == "private"
		switch {
		case own && relation == "tenant_full_config": // shows active tenants only
			return "none"
		case own && state == "archived" && command != "select":
			return "none"
		}
		return word
	})
}

func (w words) replace(with func(command, word string) string) words {
	replaced := words{}
	for command, word := range w {
		replaced[command] = with(command, word)
	}
	return replaced
}

func or(word, otherwise string) string {
	if word != "" {
		return word
	}
	return otherwise
}

// TestMatrix_SuspendedMembership: whoever is suspended in a tenant is as far from it as a stranger, even
// with the role of an owner.
func TestMatrix_SuspendedMembership(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	cells := parse(t, matrix)
	for _, r := range relations {
		b.check(t, actor{"suspended", tenantA}, r, cells.of(r.name, "outsider"))
	}
}

// TestMatrix_DemotedSuperAdmin: platform-wide power is asked of the database at each statement, not of a
// token that may be an hour old.
func TestMatrix_DemotedSuperAdmin(t *testing.T) {
	t.Parallel()
	b := setup(t, "update profiles set role = 'admin' where id = '"+users["super"]+"'")
	cells := parse(t, matrix)
	for _, r := range relations {
		b.check(t, actor{"super", tenantA}, r, cells.of(r.name, "outsider"))
	}
}

func TestProfiles_PrivilegedColumns(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	for _, name := range []string{"viewer", "admin", "owner", "super"} {
		for _, set := range []string{"role = 'super_admin'", "tenant_id = '" + tenantA + "'", "id = gen_random_uuid()", "email = 'n@x.test'"} {
			text := "update public.profiles set " + set
			requireDenied(t, b.try(actor{name, tenantA}, text).err, "%s: %s", name, text)
		}
	}
}

func TestInvitations_TokenHash(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	for _, name := range []string{"member", "admin", "owner", "super"} {
		for _, text := range []string{"select token_hash::text from public.invitations", "select i::text from public.invitations i"} {
			requireDenied(t, b.try(actor{name, tenantA}, text).err, "%s: %s", name, text)
		}
	}
}

// TestFunctions_OtherUser: the functions that could name another user answer only about oneself.
func TestFunctions_OtherUser(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	for _, function := range []string{"get_user_tenant_context", "get_user_tenant_context_optimized"} {
		text := "select public." + function + "('" + users["outsider"] + "')::text"
		for _, name := range []string{"viewer", "admin", "owner"} {
			code, _ := stateOf(b.try(actor{name, tenantA}, text).err)
			require.Equal(t, "VT110", code, "%s: %s", name, text)
		}
		code, _ := stateOf(b.try(actor{"anon", tenantA}, text).err)
		require.Equal(t, "VT100", code, text)
		require.NoError(t, b.try(actor{"super", tenantA}, text).err, text)
		require.NoError(t, b.try(actor{"service", ""}, text).err, text)
	}
	got := b.try(actor{"admin", tenantA}, "select body::text from vital.build_context('"+users["outsider"]+"', '')")
	requireDenied(t, got.err, "build_context checks nobody and is for functions only")
}
