package isolation

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// note adds the result of an attack that is no single request.
func (h *httpSuite) note(name, verb, title, reference, object, caller, evidence string, outcome Outcome, shows ask) {
	result := Result{Attack: name, Family: "http", Verb: verb, Title: title, Reference: reference, Object: object, Caller: "http: " + caller,
		Outcome: outcome, Evidence: evidence}
	if outcome == Leaked {
		result.Script = h.showAgain(result, shows)
	}
	h.proof.Verbs[verb]++
	h.proof.Results = append(h.proof.Results, result)
}

// attackCaches looks at whether anything between server and client could give one tenant's answer to another.
func (h *httpSuite) attackCaches(ctx context.Context) error {
	for _, path := range []string{"/v1/context", "/rest/v1/organizations?select=id", "/rest/v1/", "/rest/v1/nothing-of-the-kind", "/auth/v1/user", "/api/tenants/" + h.mine.tenant + "/config"} {
		for _, who := range []string{"owner", "wrong key", "nobody"} {
			a := ask{method: http.MethodGet, path: path, who: who}
			if strings.HasPrefix(path, "/api/") {
				a.method, a.body = http.MethodPatch, "{}"
			}
			got := h.send(ctx, a)
			route, _, _ := strings.Cut(a.path, "?")
			outcome, evidence := Blocked, ""
			if why := keepable(got); why != "" {
				outcome, evidence = Leaked, fmt.Sprintf("status %d: %s", got.status, why)
			}
			h.note("shared-cache", "cache", "keep an answer in a cache that others share", misconfigured, a.method+" "+strings.ReplaceAll(route, h.mine.tenant, "{tenant}"), who, evidence, outcome, a)
		}
	}
	for _, path := range []string{"/v1/context", "/rest/v1/organizations?select=id,name", "/rest/v1/agents"} {
		if err := h.attackValidator(ctx, path); err != nil {
			return err
		}
	}
	if err := h.attackVersion(ctx); err != nil {
		return err
	}
	return h.attackOrigins(ctx)
}

// attackVersion asks for no less than what the other tenant has seen.
func (h *httpSuite) attackVersion(ctx context.Context) error {
	version := h.send(ctx, ask{method: http.MethodGet, path: "/v1/context", who: "their owner"}).header.Get("Vital-Version")
	least := []string{"Vital-Min-Version", version}
	for _, path := range []string{"/v1/context", "/rest/v1/organizations?select=id,name", "/rest/v1/tenant_configurations?select=ui_config"} {
		control := h.send(ctx, ask{method: http.MethodGet, path: path, header: least, who: "their owner"})
		for _, who := range []string{"owner", "intruder"} {
			a := ask{method: http.MethodGet, path: path, header: least, who: who}
			got := h.send(ctx, a)
			outcome, evidence := Blocked, ""
			switch found := h.canaryIn(got.text(), ""); {
			case found != "":
				outcome, evidence = Leaked, "the other tenant's value "+found+" came back"
			case version == "" || !control.ok():
				outcome, evidence = Untried, fmt.Sprintf("the control does not work: its own version %q is answered with %d", version, control.status)
			}
			route, _, _ := strings.Cut(path, "?")
			h.note("foreign-version", "cache", "ask for no less than what the other tenant has seen", objectLevel, "GET "+route, who, evidence, outcome, a)
		}
	}
	return ctx.Err()
}

// keepable says why a shared cache might give an answer to somebody else.
func keepable(got reply) string {
	control := got.header.Get("Cache-Control")
	if got.err != nil || strings.Contains(control, "no-store") {
		return ""
	}
	if !strings.Contains(control, "private") {
		return fmt.Sprintf("Cache-Control is %q, and neither private nor no-store", control)
	}
	vary := strings.ToLower(strings.Join(got.header.Values("Vary"), ", "))
	for _, name := range []string{"authorization", "vital-tenant"} {
		if !strings.Contains(vary, name) {
			return fmt.Sprintf("Vary is %q and leaves out %s", vary, name)
		}
	}
	return ""
}

// attackValidator asks with the ETag of the other tenant's answer: 304 would say that theirs is one's own.
func (h *httpSuite) attackValidator(ctx context.Context, path string) error {
	etag := h.send(ctx, ask{method: http.MethodGet, path: path, who: "their owner"}).header.Get("ETag")
	conditional := []string{"If-None-Match", etag}
	control := h.send(ctx, ask{method: http.MethodGet, path: path, header: conditional, who: "their owner"})
	for _, who := range []string{"owner", "intruder", "nobody"} {
		a := ask{method: http.MethodGet, path: path, header: conditional, who: who}
		got := h.send(ctx, a)
		outcome, evidence := Blocked, ""
		switch {
		case got.status == http.StatusNotModified:
			outcome, evidence = Leaked, "the other tenant's ETag is answered with 304"
		case etag == "" || control.status != http.StatusNotModified:
			outcome, evidence = Untried, fmt.Sprintf("the control does not work: its own ETag %q is answered with %d", etag, control.status)
		}
		route, _, _ := strings.Cut(path, "?")
		h.note("foreign-etag", "cache", "ask with the ETag of the other tenant's answer", objectLevel, "GET "+route, who, evidence, outcome, a)
	}
	return ctx.Err()
}

// attackOrigins asks as a page of a stranger's would.
func (h *httpSuite) attackOrigins(ctx context.Context) error {
	for _, path := range []string{"/v1/context", "/rest/v1/organizations", "/api/cache/invalidate", "/auth/v1/token"} {
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			a := ask{method: method, path: path, who: "nobody", header: []string{"Origin", "https://evil.test", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}}
			got := h.send(ctx, a)
			outcome, evidence := Blocked, ""
			if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed == "https://evil.test" || allowed == "*" && got.header.Get("Access-Control-Allow-Credentials") != "" {
				outcome, evidence = Leaked, "a page of https://evil.test may read the answer"
			}
			h.note("foreign-origin", "origin", "ask from a page of a stranger's", misconfigured, method+" "+path, "nobody", evidence, outcome, a)
		}
	}
	return ctx.Err()
}

// attackSessions tries what was good once: sessions that ended, refresh tokens that were used, invitations,
// and what a suspended tenant had. It comes last, since it ends sessions.
func (h *httpSuite) attackSessions(ctx context.Context) error {
	for _, attack := range []func(context.Context) error{h.attackMetadata, h.attackEnded, h.attackRefresh, h.attackInvitations, h.attackSuspended} {
		if err := attack(ctx); err != nil {
			return err
		}
	}
	return nil
}

// expect sends a, which must be refused, after the same was answered with success by control.
func (h *httpSuite) expect(ctx context.Context, name, title, reference string, a ask, control reply) {
	got := h.send(ctx, a)
	outcome, evidence := Blocked, ""
	switch {
	case got.err == nil && got.status < http.StatusBadRequest:
		outcome, evidence = Leaked, fmt.Sprintf("it was let through, with status %d", got.status)
	case !control.ok():
		outcome, evidence = Untried, fmt.Sprintf("the control does not work: it is answered with %d %s", control.status, firstLine(control.body))
	}
	route, _, _ := strings.Cut(a.path, "?")
	route = strings.NewReplacer(h.other.tenant, "{tenant}", h.mine.tenant, "{tenant}").Replace(route)
	h.note(name, "replay", title, reference, a.method+" "+route, a.who, evidence, outcome, a)
}

// attackMetadata writes the tenant into what users may write about themselves, and takes a new token.
func (h *httpSuite) attackMetadata(ctx context.Context) error {
	id := h.mine.members["member"]
	written := h.send(ctx, ask{http.MethodPut, "/auth/v1/user", nil, fmt.Sprintf(`{"data": {"tenant_id": %q, "role": "super_admin"}}`, h.other.tenant), "member"})
	var err error
	if h.credentials["member"], h.refresh["member"], err = h.signIn(ctx, id); err != nil {
		return err
	}
	a := ask{method: http.MethodGet, path: "/v1/context", who: "member"}
	got := h.send(ctx, a)
	outcome, evidence := Blocked, ""
	switch found := h.canaryIn(got.text(), ""); {
	case found != "":
		outcome, evidence = Leaked, "the other tenant's value "+found+" came back"
	case !written.ok() || !got.ok():
		outcome, evidence = Untried, fmt.Sprintf("the control does not work: metadata %d, context %d", written.status, got.status)
	}
	h.note("own-metadata", "elevate", "name the other tenant in the own user_metadata and sign in anew", propertyLevel, "GET /v1/context", "member", evidence, outcome, a)
	return nil
}

// protected are requests that take a session, with the body each has.
func (h *httpSuite) protected(who string, w *world) []ask {
	return []ask{
		{method: http.MethodGet, path: "/v1/context", who: who},
		{method: http.MethodGet, path: "/rest/v1/organizations?select=id", who: who},
		{method: http.MethodGet, path: "/rest/v1/feature_flags?select=id", who: who},
		{method: http.MethodPost, path: "/rest/v1/rpc/get_user_tenant_id", body: "{}", who: who},
		{method: http.MethodPatch, path: "/api/tenants/" + w.tenant + "/config", body: "{}", who: who},
		{method: http.MethodGet, path: "/auth/v1/user", who: who},
		{method: http.MethodPost, path: flagsPath, body: "{}", who: who},
		{method: http.MethodPost, path: contextEventsPath, who: who},
		{method: http.MethodGet, path: contextEventsPath, who: who},
		{method: http.MethodGet, path: flagEventsPath, who: who},
	}
}

// attackEnded goes on with a session that was signed out.
func (h *httpSuite) attackEnded(ctx context.Context) error {
	asks := h.protected("admin", h.mine)
	open, err := h.openStreams(ctx, "admin")
	if err != nil {
		return err
	}
	defer open.close()
	asks = append(asks, open.asks...)
	controls := make([]reply, len(asks))
	for i, a := range asks {
		controls[i] = h.send(ctx, a)
	}
	h.send(ctx, ask{method: http.MethodPost, path: "/auth/v1/logout?scope=local", who: "admin"})
	for i, a := range asks {
		h.expect(ctx, "ended-session", "go on with a session that was signed out", authenticates, a, controls[i])
	}
	h.expectEnded(ctx, "ended-stream", "listen on after the session was signed out", authenticates, open)
	a := ask{http.MethodPost, "/auth/v1/token?grant_type=refresh_token", nil, fmt.Sprintf(`{"refresh_token": %q}`, h.refresh["admin"]), "nobody"}
	h.expect(ctx, "ended-refresh", "refresh a session that was signed out", authenticates, a, h.send(ctx, h.protected("owner", h.mine)[0]))
	return ctx.Err()
}

// replayAfter is a little longer than a used refresh token still gives its successor.
const replayAfter = 11 * time.Second

// attackRefresh uses a refresh token a second time, as somebody who stole it would, and then the session.
func (h *httpSuite) attackRefresh(ctx context.Context) error {
	a := ask{http.MethodPost, "/auth/v1/token?grant_type=refresh_token", nil, fmt.Sprintf(`{"refresh_token": %q}`, h.refresh["viewer"]), "nobody"}
	control := h.send(ctx, a)
	context := ask{method: http.MethodGet, path: "/v1/context", who: "viewer"}
	alive := h.send(ctx, context)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(replayAfter):
	}
	h.expect(ctx, "used-refresh", "use a refresh token a second time", authenticates, a, control)
	h.expect(ctx, "stolen-session", "go on with a session whose refresh token was used twice", authenticates, context, alive)
	return nil
}

// attackInvitations accepts an invitation of another address, and one that was used.
func (h *httpSuite) attackInvitations(ctx context.Context) error {
	invited, err := h.invite(ctx, spares[0])
	if err != nil {
		return err
	}
	used, err := h.invite(ctx, spares[1])
	if err != nil {
		return err
	}
	for name, id := range map[string]string{"spare": spares[0], "other spare": spares[1]} {
		made := h.send(ctx, ask{http.MethodPost, "/auth/v1/admin/users", nil,
			fmt.Sprintf(`{"id": %q, "email": %q, "password": %q, "email_confirm": true}`, id, h.mailOf(id), password), "service key"})
		h.send(ctx, ask{http.MethodPut, "/auth/v1/admin/users/" + id, nil, fmt.Sprintf(`{"password": %q}`, password), "service key"})
		if h.credentials[name], _, err = h.signIn(ctx, id); err != nil {
			return fmt.Errorf("sign in the invited (made: %d): %w", made.status, err)
		}
	}
	accept := func(token, who string) ask {
		return ask{http.MethodPost, "/rest/v1/rpc/accept_invitation", nil, fmt.Sprintf(`{"p_token": %q}`, token), who}
	}
	accepted := h.send(ctx, accept(used, "other spare"))
	h.expect(ctx, "used-invitation", "accept an invitation a second time, as another", authenticates, accept(used, "owner"), accepted)
	stolen := h.send(ctx, accept(invited, "owner"))
	control := h.send(ctx, accept(invited, "spare"))
	outcome, evidence := Blocked, ""
	switch {
	case stolen.ok():
		outcome, evidence = Leaked, "it was let through"
	case !control.ok():
		outcome, evidence = Untried, fmt.Sprintf("the control does not work: it is answered with %d %s", control.status, firstLine(control.body))
	}
	h.note("foreign-invitation", "elevate", "accept an invitation to the other tenant that was sent to another address", authenticates, "POST /rest/v1/rpc/accept_invitation", "owner", evidence, outcome, accept("TOKEN", "owner"))
	return ctx.Err()
}

// invite has the other tenant's owner invite a user's address.
func (h *httpSuite) invite(ctx context.Context, id string) (token string, err error) {
	got := h.send(ctx, ask{http.MethodPost, "/rest/v1/rpc/invite_member", nil, fmt.Sprintf(`{"p_email": %q, "p_role": "member"}`, h.mailOf(id)), "their owner"})
	var made []struct {
		Token string `json:"token"`
	}
	if err := decode(got, &made); err != nil || len(made) == 0 {
		return "", fmt.Errorf("invite: status %d %s %w", got.status, got.body, err)
	}
	h.refresh["invitation of "+id] = made[0].Token // not shown in scripts
	return made[0].Token, nil
}

// attackSuspended goes on in a tenant that was suspended meanwhile.
func (h *httpSuite) attackSuspended(ctx context.Context) error {
	asks := h.protected("their owner", h.other)
	open, err := h.openStreams(ctx, "their owner")
	if err != nil {
		return err
	}
	defer open.close()
	asks = append(append(asks[:1:1], asks[4]), append(asks[6:], open.asks...)...)
	asks = append(asks, ask{method: http.MethodPost, path: flagsPath, body: "{}", who: "their tenant key"})
	named := ask{method: http.MethodGet, path: "/rest/v1/organizations?select=id", header: []string{"Vital-Tenant", h.other.tenant}, who: "their owner"}
	asks = append(asks, named)
	controls := make([]reply, len(asks))
	for i, a := range asks {
		controls[i] = h.send(ctx, a)
	}
	row := ask{method: http.MethodGet, path: "/rest/v1/agents?select=id&tenant_id=eq." + h.other.tenant, who: "their owner"}
	before := h.send(ctx, row)
	suspended := h.send(ctx, ask{http.MethodPost, "/api/tenants/" + h.other.tenant + "/lifecycle", nil, `{"action": "suspend", "reason": "to prove"}`, "super admin"})
	if !suspended.ok() {
		return fmt.Errorf("suspend a tenant: status %d %s", suspended.status, suspended.body)
	}
	for i, a := range asks {
		h.expect(ctx, "suspended", "go on in a tenant that was suspended", functionLevel, a, controls[i])
	}
	h.expectEnded(ctx, "suspended-stream", "listen on in a tenant that was suspended", functionLevel, open)
	got := h.send(ctx, row)
	outcome, evidence := Blocked, ""
	switch {
	case got.ok() && !got.empty():
		outcome, evidence = Leaked, "it still reads the rows"
	case before.empty():
		outcome, evidence = Untried, fmt.Sprintf("the control does not work: it is answered with %d", before.status)
	}
	h.note("suspended-rows", "replay", "read the rows of a tenant that was suspended", functionLevel, "GET /rest/v1/agents", "their owner", evidence, outcome, row)
	return ctx.Err()
}
