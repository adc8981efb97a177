package isolation

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/vital-db/vital/internal/identity"
)

const flagsPath = "/ofrep/v1/evaluate/flags"

// makeTenantKeys makes a key of each tenant, with which a server evaluates its flags.
func (h *httpSuite) makeTenantKeys(ctx context.Context) error {
	for name, w := range map[string]*world{"tenant key": h.mine, "their tenant key": h.other} {
		key := identity.NewTenantKey()
		hash := sha256.Sum256([]byte(key))
		if _, err := h.conn.Exec(ctx, httpQueries.Get("TenantKey"), "prove", identity.KeyPrefix(key), hash[:], w.tenant); err != nil {
			return fmt.Errorf("make a tenant's key: %w", err)
		}
		h.credentials[name] = key
	}
	return nil
}

// flagAttacks ask for the other tenant's flags.
func flagAttacks() []httpAttack {
	var attacks []httpAttack
	add := func(name, verb, title, path, body string, d due, control string, as []string, header ...string) {
		attacks = append(attacks, httpAttack{name: name, verb: verb, title: title, reference: objectLevel, method: http.MethodPost, path: path, body: body,
			due: d, control: control, as: as, header: header})
	}
	everybody := []string{"viewer", "member", "admin", "owner", "metadata", "super claim"}
	for _, route := range []struct{ name, path string }{{"flags", flagsPath}, {"flag", flagsPath + "/{flag}"}} {
		add(route.name+"-of-id", "impersonate", "evaluate flags in the other tenant by its id", route.path, "{}", dueRefusal, "their owner", everybody, "Vital-Tenant", "{tenant}")
		add(route.name+"-of-slug", "impersonate", "evaluate flags in the other tenant by its slug", route.path, "{}", dueRefusal, "their owner", everybody, "Vital-Tenant", "{slug}")
		add(route.name+"-by-claim", "impersonate", "evaluate flags in the tenant a claim names", route.path, "{}", dueRefusal, "their owner", []string{"intruder"})
		add(route.name+"-by-key", "impersonate", "evaluate the other tenant's flags with a key of the own", route.path, "{}", dueRefusal, "their tenant key", []string{"tenant key"}, "Vital-Tenant", "{tenant}")
		add(route.name+"-by-context", "impersonate", "name the other tenant in the evaluation context", route.path,
			`{"context": {"targetingKey": "{user}", "tenant": {"id": "{tenant}"}, "tenant_id": "{tenant}", "user": {"id": "{user}", "role": "owner"}}}`, dueNothing, "their owner", insiders[:1])
		attacks[len(attacks)-1].alone = route.name == "flags" // the ETag is of what was asked, too
		add(route.name+"-without-right", "forge", "evaluate flags without a user or a tenant's key", route.path, "{}", dueRefusal, "their owner",
			[]string{"nobody", "anon key", "made-up key", "revoked key", "no sub", "service claim", "service key"})
	}
	add("key-beyond-flags", "elevate", "read rows with a key that is for flags", "/rest/v1/rpc/get_user_tenant_id", "{}", dueNoRow, "owner", []string{"tenant key"})
	attacks[len(attacks)-1].alone = true
	return attacks
}

// attackFlagValidator asks with the ETag of the other tenant's flags.
func (h *httpSuite) attackFlagValidator(ctx context.Context) error {
	const body = `{"context":{"targetingKey":"somebody"}}`
	etag := h.send(ctx, ask{method: http.MethodPost, path: flagsPath, body: body, who: "their owner"}).header.Get("ETag")
	conditional := []string{"If-None-Match", etag}
	control := h.send(ctx, ask{method: http.MethodPost, path: flagsPath, body: body, header: conditional, who: "their owner"})
	for _, who := range []string{"owner", "tenant key", "their tenant key", "their viewer"} { // nobody's answer is another's, in one tenant neither
		a := ask{method: http.MethodPost, path: flagsPath, body: body, header: conditional, who: who}
		got := h.send(ctx, a)
		outcome, evidence := Blocked, ""
		switch {
		case got.status == http.StatusNotModified:
			outcome, evidence = Leaked, "somebody else's ETag is answered with 304"
		case etag == "" || control.status != http.StatusNotModified:
			outcome, evidence = Untried, fmt.Sprintf("the control does not work: its own ETag %q is answered with %d", etag, control.status)
		}
		h.note("foreign-etag", "cache", "ask with the ETag of the other tenant's flags", objectLevel, "POST "+flagsPath, who, evidence, outcome, a)
	}
	return ctx.Err()
}

// attackFlags tries all of that.
func (h *httpSuite) attackFlags(ctx context.Context) error {
	for _, attack := range []func(context.Context) error{
		func(ctx context.Context) error { return h.launchAll(ctx, flagAttacks()) }, h.attackFlagValidator,
	} {
		if err := attack(ctx); err != nil {
			return err
		}
	}
	return nil
}
