package isolation

import (
	"net/http"
	"regexp"
)

// References, and those who attack.
const (
	objectLevel   = "OWASP API1:2023 Broken Object Level Authorization"
	authenticates = "OWASP API2:2023 Broken Authentication"
	propertyLevel = "OWASP API3:2023 Broken Object Property Level Authorization"
	consumption   = "OWASP API4:2023 Unrestricted Resource Consumption"
	functionLevel = "OWASP API5:2023 Broken Function Level Authorization"
	misconfigured = "OWASP API8:2023 Security Misconfiguration"
	tokenPractice = "RFC 8725 JSON Web Token Best Current Practices"
)

var insiders = []string{"owner", "intruder"}

// named are the words of a request that an answer may repeat.
var named = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|vt[mo]\d+x[0-9a-f]{8}|nobody|699999999|1901-01-01|\b7\d{8}\b`)

// identityAttacks are about who a request says it is from, on one route of each kind.
func identityAttacks() []httpAttack {
	var attacks []httpAttack
	for _, route := range []struct{ name, method, path, body string }{
		{"context", http.MethodGet, "/v1/context", ""},
		{"rest", http.MethodGet, "/rest/v1/organizations?select=id,name&id=eq.{tenant}", ""},
		{"api", http.MethodPatch, "/api/tenants/{tenant}/config", `{"ui_config": {"custom": {"attacked": true}}}`},
		{"auth", http.MethodGet, "/auth/v1/user", ""},
		{"flags", http.MethodPost, flagsPath, "{}"},
	} {
		a := httpAttack{method: route.method, path: route.path, body: route.body, due: dueRefusal, alone: true, verb: "forge", reference: tokenPractice}
		forged := a
		forged.name, forged.title, forged.as, forged.control = "forged-token-"+route.name, "come with a forged token of the other tenant's", forgeries, "their token"
		if route.name == "auth" {
			forged.control = "their owner" // it asks for a session that goes on
		}
		twice := a
		twice.name, twice.title, twice.as, twice.verb, twice.reference = "two-tokens-"+route.name, "send two Authorization headers", []string{"owner"}, "smuggle", authenticates
		twice.header = []string{"Authorization", "Bearer {token_owner}", "Authorization", "Bearer {token_wrong_key}"}
		twice.controlHeader, twice.control = []string{}, "their owner"
		swapped := twice
		swapped.name = "two-tokens-swapped-" + route.name
		swapped.header = []string{"Authorization", "Bearer {token_wrong_key}", "Authorization", "Bearer {token_owner}"}
		inKey := twice
		inKey.name, inKey.title = "token-behind-key-"+route.name, "send a forged token as Authorization and the own one as apikey"
		inKey.header = []string{"Authorization", "Bearer {token_wrong_key}", "apikey", "{token_owner}"}
		attacks = append(attacks, forged, twice, swapped, inKey)
		if route.method == http.MethodGet {
			inURL := twice
			inURL.name, inURL.title, inURL.as, inURL.due, inURL.header = "token-in-url-"+route.name, "name the token in a cookie", []string{"owner"}, dueNothing,
				[]string{"Cookie", "sb-access-token={token_wrong_key}; vital-tenant={tenant}"}
			key := inURL
			key.name, key.title = "key-beside-token-"+route.name, "send a forged token as apikey beside the own Authorization"
			key.header = []string{"apikey", "{token_wrong_key}"}
			headers := inURL
			headers.name, headers.title = "trusted-headers-"+route.name, "say who one is in headers that proxies set"
			headers.header = []string{"X-Tenant-Id", "{tenant}", "X-Vital-Tenant", "{tenant}", "X-User-Id", "{user}", "X-Forwarded-User", "{user}", "X-Forwarded-For", "127.0.0.1"}
			attacks = append(attacks, inURL, key, headers)
		}
	}
	return append(attacks,
		httpAttack{name: "no-token", verb: "forge", title: "come without a token, or with an API key that stands for nobody", reference: authenticates,
			method: http.MethodGet, path: "/v1/context", as: []string{"nobody", "anon key", "made-up key", "revoked key", "no sub", "service claim"}, due: dueRefusal, control: "their owner"},
		httpAttack{name: "bad-key", verb: "forge", title: "come with a service key that is revoked, made up or forged", reference: authenticates,
			method: http.MethodGet, path: "/rest/v1/organizations?select=id", as: []string{"made-up key", "revoked key", "service claim", "no sub"}, due: dueRefusal, control: "service key"},
		httpAttack{name: "service-key-from-page", verb: "forge", title: "use a service key from a web page", reference: misconfigured,
			method: http.MethodGet, path: "/rest/v1/organizations?select=id", header: []string{"Origin", "https://evil.test"}, controlHeader: []string{},
			as: []string{"service key"}, due: dueRefusal, control: "service key"},
		httpAttack{name: "claim-super", verb: "elevate", title: "claim to be a super admin in the token", reference: functionLevel,
			method: http.MethodPost, path: "/api/cache/invalidate", body: `{"tenant": "{tenant}"}`, as: []string{"super claim"}, due: dueRefusal, control: "super admin"},
	)
}

// tenantAttacks name the other tenant: in a header, a token, a path, a query or a body.
func tenantAttacks() []httpAttack {
	var attacks []httpAttack
	add := func(name, verb, title, reference, method, path, body string, d due, control string, as []string, header ...string) {
		attacks = append(attacks, httpAttack{name: name, verb: verb, title: title, reference: reference, method: method, path: path, body: body,
			due: d, control: control, as: as, header: header})
	}
	everybody := []string{"viewer", "member", "admin", "owner", "metadata", "super claim"}
	add("context-of-id", "impersonate", "act in the other tenant by its id", objectLevel, http.MethodGet, "/v1/context", "", dueRefusal, "their owner", everybody, "Vital-Tenant", "{tenant}")
	add("context-of-slug", "impersonate", "act in the other tenant by its slug", objectLevel, http.MethodGet, "/v1/context", "", dueRefusal, "their owner", everybody, "Vital-Tenant", "{slug}")
	add("context-by-claim", "impersonate", "act in the tenant a claim names", objectLevel, http.MethodGet, "/v1/context", "", dueRefusal, "their owner", []string{"intruder"})
	add("context-by-metadata", "impersonate", "act in the tenant that claims of the user's own name", objectLevel, http.MethodGet, "/v1/context", "", dueNothing, "their owner", []string{"metadata"})
	add("context-by-query", "impersonate", "name the tenant in the query", objectLevel, http.MethodGet, "/v1/context?tenant={tenant}&tenant_id={tenant}&Vital-Tenant={tenant}", "", dueNothing, "their owner", insiders[:1])
	add("two-tenants", "smuggle", "name the own tenant and the other", objectLevel, http.MethodGet, "/v1/context", "", dueRefusal, "their owner", insiders,
		"Vital-Tenant", "{own_tenant}", "Vital-Tenant", "{tenant}")
	attacks[len(attacks)-1].controlHeader = []string{"Vital-Tenant", "{tenant}"}
	add("tenant-list", "smuggle", "name both tenants in one header", objectLevel, http.MethodGet, "/v1/context", "", dueRefusal, "their owner", insiders, "Vital-Tenant", "{own_tenant}, {tenant}")
	attacks[len(attacks)-1].controlHeader = []string{"Vital-Tenant", "{tenant}"}

	for _, route := range []struct{ name, method, path, body string }{
		{"config", http.MethodPatch, "config", `{"ui_config": {"custom": {"attacked": true}}}`},
		{"feature", http.MethodPost, "features/toggle", `{"flag_key": "{flag}", "enabled": false, "reason": "attacked"}`},
		{"agent", http.MethodPost, "agents/assign", `{"agent_id": "{agent}"}`},
		{"unassign", http.MethodPost, "agents/assign", `{"agent_id": "{agent}", "action": "unassign"}`},
	} {
		for _, by := range []string{"tenant", "slug"} {
			add(route.name+"-by-"+by, "write", "change the other tenant's "+route.name+" by its "+by, objectLevel, route.method,
				"/api/tenants/{"+by+"}/"+route.path, route.body, dueRefusal, "their owner", insiders)
		}
		add(route.name+"-by-header", "write", "change the own tenant's "+route.name+" while the header names the other", objectLevel, route.method,
			"/api/tenants/{own_tenant}/"+route.path, route.body, dueNothing, "their owner", []string{"admin"}, "Vital-Tenant", "{tenant}")
		attacks[len(attacks)-1].alone = true // about the own tenant in any case
		add(route.name+"-replay", "replay", "repeat the other tenant's request under its Idempotency-Key", objectLevel, route.method,
			"/api/tenants/{tenant}/"+route.path, route.body, dueRefusal, "their owner", insiders, "Idempotency-Key", "key-of-the-other-"+route.name)
		add(route.name+"-as-viewer", "elevate", "change the own tenant's "+route.name+" as a viewer", functionLevel, route.method,
			"/api/tenants/{own_tenant}/"+route.path, route.body, dueRefusal, "their owner", []string{"viewer", "member"})
		attacks[len(attacks)-1].alone = true
	}
	add("agent-of-other", "write", "assign the other tenant's agent to the own", objectLevel, http.MethodPost, "/api/tenants/{own_tenant}/agents/assign",
		`{"agent_id": "{agent}", "agent_tenant_id": "{tenant}"}`, dueRefusal, "their owner", insiders[:1])
	for _, action := range []string{"suspend", "archive"} {
		add("lifecycle-"+action, "elevate", action+" the other tenant", functionLevel, http.MethodPost, "/api/tenants/{tenant}/lifecycle",
			`{"action": "`+action+`", "reason": "attacked"}`, dueRefusal, "super admin", insiders)
	}
	attacks[len(attacks)-1].controlBody = `{"action": "suspend", "reason": "control"}` // an active tenant is suspended before it is archived
	add("lifecycle-own", "elevate", "suspend the own tenant, which is for super admins", functionLevel, http.MethodPost, "/api/tenants/{own_slug}/lifecycle",
		`{"action": "suspend", "reason": "attacked"}`, dueRefusal, "super admin", insiders[:1])
	for name, body := range map[string]string{"id": `{"tenant": "{tenant}"}`, "slug": `{"tenant": "{slug}"}`, "key": `{"key": "tenant:{tenant}:config"}`} {
		add("cache-by-"+name, "elevate", "make caches read the other tenant anew, by its "+name, functionLevel, http.MethodPost, "/api/cache/invalidate", body, dueRefusal, "super admin", insiders)
	}
	for name, path := range map[string]string{"dots": "/api/tenants/{own_tenant}/../{tenant}/config", "escaped": "/api/tenants/{own_tenant}%2F..%2F{tenant}/config", "double": "/api/tenants/{own_tenant}//{tenant}/config"} {
		add("path-"+name, "smuggle", "reach the other tenant by a path that is cleaned on the way", objectLevel, http.MethodPatch, path, `{"ui_config": {"custom": {"attacked": true}}}`, dueNothing, "their owner", insiders[:1])
		attacks[len(attacks)-1].controlPath = "/api/tenants/{tenant}/config"
	}
	return append(attacks, membershipAttacks()...)
}

// membershipAttacks make the attacker more than they are.
func membershipAttacks() []httpAttack {
	represented := []string{"Prefer", "return=representation"}
	return []httpAttack{
		{name: "join", verb: "elevate", title: "make oneself a member of the other tenant", reference: objectLevel, method: http.MethodPost, path: "/rest/v1/user_tenants",
			body: `{"tenant_id": "{tenant}", "user_id": "{me}", "role": "owner"}`, as: insiders, due: dueRefusal, control: "service key", alone: true},
		{name: "promote-self", verb: "elevate", title: "make oneself an owner", reference: propertyLevel, method: http.MethodPatch, path: "/rest/v1/user_tenants?user_id=eq.{me}",
			header: represented, body: `{"role": "owner"}`, as: []string{"viewer", "member", "admin"}, due: dueNoRow, control: "service key"},
		{name: "move-self", verb: "elevate", title: "move the own membership to the other tenant", reference: objectLevel, method: http.MethodPatch, path: "/rest/v1/user_tenants?user_id=eq.{me}",
			header: represented, body: `{"tenant_id": "{tenant}"}`, as: insiders, due: dueNoRow, control: "service key", controlBody: `{"role": "owner"}`, alone: true},
		{name: "promote-self-rpc", verb: "elevate", title: "make oneself an owner by the function for it", reference: functionLevel, method: http.MethodPost, path: "/rest/v1/rpc/change_member_role",
			body: `{"p_user_id": "{me}", "p_role": "owner"}`, as: []string{"viewer", "member", "admin"}, due: dueRefusal, control: "owner"},
		{name: "become-super", verb: "elevate", title: "make oneself a super admin", reference: propertyLevel, method: http.MethodPatch, path: "/rest/v1/profiles?id=eq.{me}",
			header: represented, body: `{"role": "super_admin"}`, as: []string{"viewer", "owner"}, due: dueNoRow, control: "service key"},
		{name: "default-tenant", verb: "elevate", title: "make the other tenant one's default", reference: objectLevel, method: http.MethodPost, path: "/rest/v1/rpc/set_default_tenant",
			body: `{"p_tenant_id": "{tenant}"}`, as: insiders[:1], due: dueRefusal, control: "their owner"},
		{name: "home-tenant", verb: "elevate", title: "make the other tenant one's home in the table", reference: propertyLevel, method: http.MethodPatch, path: "/rest/v1/users?id=eq.{me}",
			header: represented, body: `{"organization_id": "{tenant}"}`, as: insiders, due: dueNoRow, control: "service key", alone: true},
		{name: "invite-to-other", verb: "elevate", title: "invite oneself to the other tenant", reference: objectLevel, method: http.MethodPost, path: "/rest/v1/rpc/invite_member",
			header: []string{"Vital-Tenant", "{tenant}"}, body: `{"p_email": "{own_email}", "p_role": "owner"}`, controlBody: newcomer, as: insiders, due: dueRefusal, control: "their owner"},
		{name: "revoke-invitation", verb: "write", title: "take back an invitation of the other tenant's", reference: objectLevel, method: http.MethodPost, path: "/rest/v1/rpc/revoke_invitation",
			body: `{"p_invitation_id": "{invitation}"}`, as: insiders[:1], due: dueRefusal, control: "their owner"},
		{name: "remove-member", verb: "write", title: "end a membership of the other tenant's", reference: objectLevel, method: http.MethodPost, path: "/rest/v1/rpc/remove_member",
			body: `{"p_user_id": "{their_viewer}"}`, as: insiders, due: dueRefusal, control: "their owner"},
	}
}

// signInAttacks are about accounts.
func signInAttacks() []httpAttack {
	var attacks []httpAttack
	for _, a := range []httpAttack{
		{name: "list-accounts", title: "list accounts", method: http.MethodGet, path: "/auth/v1/admin/users"},
		{name: "read-account", title: "read an account of the other tenant's", method: http.MethodGet, path: "/auth/v1/admin/users/{user}"},
		{name: "take-account", title: "give an account of the other tenant's a password", method: http.MethodPut, path: "/auth/v1/admin/users/{user}",
			body: `{"password": "attacked attacked attacked"}`, controlPath: "/auth/v1/admin/users/{spare}"},
		{name: "delete-account", title: "delete an account of the other tenant's", method: http.MethodDelete, path: "/auth/v1/admin/users/{user}", controlPath: "/auth/v1/admin/users/{spare}"},
		{name: "link-to-account", title: "make a link that opens an account of the other tenant's", method: http.MethodPost, path: "/auth/v1/admin/generate_link",
			body: `{"type": "recovery", "email": "{email}"}`},
	} {
		a.verb, a.reference, a.due, a.control, a.as = "account", functionLevel, dueRefusal, "service key", []string{"owner", "super admin", "anon key", "service claim", "revoked key"}
		attacks = append(attacks, a)
	}
	return append(attacks,
		httpAttack{name: "guess-password", verb: "account", title: "find out whether an account exists by a wrong password", reference: authenticates, method: http.MethodPost,
			path: "/auth/v1/token?grant_type=password", body: `{"email": "{email}", "password": "not the password"}`, controlBody: `{"email": "{email}", "password": "` + password + `"}`,
			as: []string{"nobody"}, due: dueRefusal, control: "nobody"},
		httpAttack{name: "recover", verb: "account", title: "find out whether an account exists by asking for a link", reference: authenticates, method: http.MethodPost,
			path: "/auth/v1/recover", body: `{"email": "{email}"}`, as: []string{"nobody"}, due: dueNothing, control: "nobody"},
		httpAttack{name: "own-app-metadata", verb: "elevate", title: "write what only operators may into the own account", reference: propertyLevel, method: http.MethodPut,
			path: "/auth/v1/user", body: `{"app_metadata": {"tenant_id": "{tenant}"}}`, controlPath: "/auth/v1/admin/users/{other_spare}", as: insiders[:1], due: dueRefusal, control: "service key"},
	)
}
