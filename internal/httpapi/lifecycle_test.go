package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

const (
	zoe = "b0000000-0000-4000-8000-000000000002" // owner of B, and no member of A

	// Archived tenants: of one the erasure is asked for, of the others it was, by somebody else.
	idle, asked, doubted = "cccccccc-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000002", "cccccccc-0000-4000-8000-000000000003"
	askedID, doubtedID   = "eeeeeeee-0000-4000-8000-000000000002", "eeeeeeee-0000-4000-8000-000000000003"
)

const lifecycleFixture = `
insert into users (id, organization_id, email) values ('` + zoe + `', '` + tenantB + `', 'zoe@bolt.test');
insert into profiles (id, email) values ('` + zoe + `', 'zoe@bolt.test');
insert into user_tenants (tenant_id, user_id, role) values ('` + tenantB + `', '` + zoe + `', 'owner');
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('` + idle + `', 'Idle', 'idle', 'clinic', 'idle'), ('` + asked + `', 'Asked', 'asked', 'clinic', 'asked'), ('` + doubted + `', 'Doubted', 'doubted', 'clinic', 'doubted');
update organizations set lifecycle_state = 'suspended' where tenant_type = 'clinic';
update organizations set lifecycle_state = 'archived' where tenant_type = 'clinic';
insert into vital.erasures (id, subject, subject_id, reason, requested_by, not_before) values
  ('` + askedID + `', 'tenant', '` + asked + `', 'over', 'somebody else', now()), ('` + doubtedID + `', 'tenant', '` + doubted + `', 'over', 'somebody else', now());
insert into access_records (tenant_id, acting_role, database_login, action, table_name) values ('` + tenantA + `', 'admin', 'x', 'read', 'prompts');
`

// lifecycleCalls are the requests of a tenant's life, each with a user who may, and what is told another tenant's owner. The last two of break-glass come in
// the order in which they work.
var lifecycleCalls = []struct {
	name, method, path, body string
	headers                  []string
	user                     string
	foreign                  int        // 0 where the call is about the caller alone
	code                     fault.Code // for foreign
}{
	{"ExportTenant", http.MethodPost, "/api/tenants/acme/export", "", []string{"Vital-Reason", "x"}, olga, 404, fault.TenantNotFound},
	{"ExportMe", http.MethodPost, "/api/me/export", "", nil, dana, 0, ""},
	{"RequestErasure", http.MethodPost, "/rest/v1/rpc/request_erasure", `{"p_subject": "tenant", "p_subject_id": "` + idle + `", "p_reason": "over"}`, nil, root, 403, fault.PermissionDenied},
	{"ApproveErasure", http.MethodPost, "/rest/v1/rpc/approve_erasure", `{"p_id": "` + askedID + `"}`, nil, root, 403, fault.PermissionDenied},
	{"CancelErasure", http.MethodPost, "/rest/v1/rpc/cancel_erasure", `{"p_id": "` + doubtedID + `", "p_reason": "not yet"}`, nil, root, 403, fault.PermissionDenied},
	{"LeaveTenant", http.MethodPost, "/rest/v1/rpc/leave_tenant", `{"p_tenant_id": "` + tenantA + `", "p_user_id": "` + root + `"}`, nil, root, 404, fault.TenantNotFound},
	{"EnterTenant", http.MethodPost, "/rest/v1/rpc/enter_tenant", `{"p_tenant_id": "` + tenantA + `", "p_reason": "ticket 7"}`, nil, root, 403, fault.PermissionDenied},
	{"AccessRecords", http.MethodGet, "/rest/v1/access_records?tenant_id=eq." + tenantA, "", []string{"Vital-Tenant", "acme"}, ada, 404, fault.TenantNotFound},
}

// TestLifecycle_Tokens: an expired token, one that another key signed, and one of another tenant's owner are refused by every call of a tenant's life, and
// leave nothing behind; whoever may is answered by the very same request.
func TestLifecycle_Tokens(t *testing.T) {
	t.Parallel()
	b := setupRest(t, func(c *httpapi.Config, _ *postgres.Config) { c.ArchiveKey = newArchiveKey(t) })
	b.db.Exec(t, exportFixture+lifecycleFixture)
	b.hipaa(tenantA, true)
	b.hipaa(tenantB, false) // zoe's own reads would be recorded there
	require.Equal(t, 200, b.enter(`{"p_tenant_id": "`+tenantA+`", "p_reason": "to be left"}`).status)
	issue := func(config identity.IssuerConfig, user string) string {
		t.Helper()
		config.Issuer, config.Audience = "vital", "authenticated"
		issuer, err := identity.NewTokenIssuer(config)
		require.NoError(t, err)
		token, err := issuer.Issue(identity.Grant{UserID: uuid.MustParse(user), Email: "someone@x.test", Role: identity.Authenticated, SessionID: uuid.New(), TTL: time.Hour})
		require.NoError(t, err)
		return token
	}
	anHourAgo := func() time.Time { return time.Now().Add(-time.Hour - 6*time.Second) } // its hour is over, and the five seconds that clocks may differ by
	state := func() string {
		t.Helper()
		return b.ask(`select concat_ws(' ', (select count(*) from organization_audit_log), (select count(*) from access_records),
			(select string_agg(concat_ws(',', e.reason, e.ended_at), ' ' order by e.id) from break_glass e),
			(select string_agg(concat_ws(',', e.subject_id, e.state), ' ' order by e.id) from vital.erasures e))`)
	}
	before := state()
	for _, c := range lifecycleCalls {
		send := func(token string) answer {
			return b.sendWith(c.method, c.path, c.body, with(c.headers, bearer(token)...)...)
		}
		for _, refusal := range []struct {
			name, token string
			status      int
			code        fault.Code
		}{
			{"Expired", issue(identity.IssuerConfig{Secret: []byte(secret), Now: anHourAgo}, c.user), 401, fault.TokenExpired},
			{"Forged", issue(identity.IssuerConfig{Secret: []byte("another-" + secret)}, c.user), 401, fault.TokenBadSignature},
			{"Foreign", b.token(zoe, ""), c.foreign, c.code},
			{"ForeignClaims", b.token(zoe, tenantA), c.foreign, c.code},
		} {
			if refusal.status == 0 {
				continue
			}
			got := send(refusal.token)
			require.Equal(t, refusal.status, got.status, "%s %s: %s", c.name, refusal.name, got.body)
			require.Equal(t, string(refusal.code), got.decode(t)["code"], "%s %s: %s", c.name, refusal.name, got.body)
			require.NotEmpty(t, got.decode(t)["hint"], "%s %s", c.name, refusal.name)
			require.Equal(t, before, state(), "%s %s wrote something", c.name, refusal.name)
		}
	}
	for _, c := range lifecycleCalls {
		before = state()
		got := b.sendWith(c.method, c.path, c.body, with(c.headers, bearer(b.token(c.user, ""))...)...)
		require.Less(t, got.status, 300, "%s: %s", c.name, got.body)
		require.NotEqual(t, before, state(), "%s leaves its trace", c.name)
	}
}
