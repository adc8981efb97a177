package tenant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// onboard applies a file as an operator.
func onboard(s stage, text string) (*tenant.Onboarding, error) {
	return onboardWith(s, text, tenant.OnboardOptions{Reason: "signed"})
}

func onboardWith(s stage, text string, options tenant.OnboardOptions) (report *tenant.Onboarding, err error) {
	file, err := tenant.ReadTenants([]byte(text), tenant.FormatOf("", []byte(text)))
	if err != nil {
		return nil, err
	}
	err = s.db.AsService(context.Background(), "Onboard", func(tx pgx.Tx) (err error) {
		report, err = tenant.Onboard(context.Background(), tx, file, options)
		return err
	})
	return report, err
}

// onboarded is onboard where an error fails the test.
func onboarded(t *testing.T, s stage, text string) *tenant.Onboarding {
	t.Helper()
	report, err := onboard(s, text)
	if err != nil {
		require.NoError(t, err, fault.From(err).Detail)
	}
	return report
}

// said are the changes of a report, one line each.
func said(report *tenant.Onboarding) []string {
	var lines []string
	for _, one := range report.Tenants {
		for _, c := range one.Changes {
			before, _ := json.Marshal(c.Before)
			after, _ := json.Marshal(c.After)
			lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s %s>%s", one.Key, c.Action, c.Object, c.Name, c.Path, before, after)), " "))
		}
	}
	return lines
}

// world is everything that a file of tenants may change, and how often it was.
func world(t *testing.T, s stage) string {
	t.Helper()
	return peek[string](t, s, `select md5(concat_ws('|',
		(select jsonb_agg(to_jsonb(o) order by id) from organizations o), (select jsonb_agg(to_jsonb(c) order by tenant_id) from tenant_configurations c),
		(select jsonb_agg(to_jsonb(a) order by tenant_id, id) from tenant_apps a), (select jsonb_agg(to_jsonb(m) order by tenant_id, id) from user_tenants m),
		(select jsonb_agg(to_jsonb(u) order by id) from users u), (select jsonb_agg(to_jsonb(i) order by tenant_id, id) from invitations i),
		(select jsonb_agg(to_jsonb(f) order by tenant_id, id) from tenant_feature_flags f), (select jsonb_agg(to_jsonb(g) order by tenant_id, id) from tenant_agents g),
		(select jsonb_agg(to_jsonb(v) order by tenant_id, id) from tenant_feature_flag_versions v), (select jsonb_agg(to_jsonb(n) order by scope, key) from vital.versions n),
		(select count(*) from organization_audit_log), (select count(*) from vital.staged_rows), (select count(*) from vital.pending_audit)))`)
}

const wholeFile = `
organization:
  tenant_key: NEW-1
  name: New Health
  slug: new-health
  tenant_type: pharmaceuticals
  subscription_tier: enterprise
  parent: acme
  pending: true
owner: Olga@acme.test
members:
  - email: nina@away.test
    role: admin
  - email: stranger@new.test
    role: viewer
configuration:
  ui_config: {theme: dark, logo_url: https://new.test/logo.svg}
  enabled_apps: [dashboard, chat, trials]
  limits: {max_agents: 2, custom: {beds: 1e3}}
apps:
  - {key: knowledge, visible: false, order: 9}
  - {key: trials, name: Trials, route: /trials, config: {since: 2026-01-01}}
flags:
  dark: true
agents:
  - helper
  - {agent: scribe, config: {tone: plain}}
`

// platformAgents are two of the platform's, one of tier 9 and one that is no longer active.
func platformAgents(t *testing.T, s stage) {
	t.Helper()
	s.Exec(t, `insert into agents (tenant_id, name, slug, tier, status) values
		('`+platformID+`', 'Helper', 'helper', 1, 'active'), ('`+platformID+`', 'Scribe', 'scribe', 2, 'active'),
		('`+platformID+`', 'Expert', 'expert', 9, 'active'), ('`+platformID+`', 'Old', 'old', 1, 'retired'), ('`+bolt+`', 'Bolt''s', 'bolts', 1, 'active')`)
}

func TestOnboard(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	var report *tenant.Onboarding
	rows := audited(t, s, func() { report = onboarded(t, s, wholeFile) })
	require.Equal(t, []int{1, 0, 0}, []int{report.Made, report.Changed, report.Unchanged})
	made := report.Tenants[0]
	require.Equal(t, []string{"NEW-1", "new-health", "pharmaceuticals", "enterprise", "pending", "pharmaceuticals", "acme"},
		[]string{made.Key, made.Slug, made.Type, made.Tier, made.State, made.Template, *made.Parent})
	require.Equal(t, []string{
		`NEW-1 ~ configuration /enabled_apps ["dashboard","chat","agents"]>["dashboard","chat","trials"]`, `NEW-1 + configuration /limits/custom null>{"beds":1000}`,
		`NEW-1 ~ configuration /limits/max_agents 100>2`, `NEW-1 + configuration /ui_config/logo_url null>"https://new.test/logo.svg"`, `NEW-1 ~ configuration /ui_config/theme "default">"dark"`,
		`NEW-1 ~ app knowledge visible true>false`, `NEW-1 ~ app knowledge order 4>9`, `NEW-1 + app trials null>{"enabled":true,"name":"Trials","route":"/trials","visible":true}`,
		`NEW-1 + flag dark null>{"enabled":true}`, `NEW-1 + agent helper null>{"config":{},"enabled":true}`, `NEW-1 + agent scribe null>{"config":{"tone":"plain"},"enabled":true}`,
		`NEW-1 + owner olga@acme.test null>"owner"`, `NEW-1 + member nina@away.test null>"admin"`, `NEW-1 + invitation stranger@new.test null>"viewer"`,
	}, said(report))
	id := made.ID.String()
	require.Equal(t, "New Health new-health NEW-1 enterprise pending "+acme, peek[string](t, s,
		"select concat_ws(' ', name, slug, tenant_key, subscription_tier, lifecycle_state, parent_organization_id) from organizations where id = $1", id))
	require.Equal(t, "olga@acme.test owner, Nina@Away.test admin", peek[string](t, s,
		"select string_agg(u.email || ' ' || m.role, ', ' order by m.role desc) from user_tenants m join users u on u.id = m.user_id where m.tenant_id = $1", id))
	require.Equal(t, id+" "+acme, peek[string](t, s, "select string_agg(organization_id::text, ' ' order by email) from users where id in ($1, $2)", nina, olga), "a default, for who had none")
	require.JSONEq(t, `{"ui_config": {"theme": "dark", "primary_color": "#4F46E5", "logo_url": "https://new.test/logo.svg"}, "limits": {"max_agents": 2, "max_conversations": 1000, "custom": {"beds": 1000}},
		"compliance_settings": {"hipaa_enabled": true, "gdpr_enabled": true}, "apps": ["dashboard", "chat", "trials"]}`, peek[string](t, s,
		"select jsonb_build_object('ui_config', ui_config, 'limits', limits, 'compliance_settings', compliance_settings, 'apps', enabled_apps)::text from tenant_configurations where tenant_id = $1", id))
	require.Equal(t, "dashboard t 1, chat t 2, agents t 3, knowledge f 9, trials t 0", peek[string](t, s,
		"select string_agg(concat_ws(' ', app_key, is_visible, display_order), ', ' order by array_position('{dashboard,chat,agents,knowledge,trials}', app_key)) from tenant_apps where tenant_id = $1", id))
	require.Equal(t, "dark t signed 1", peek[string](t, s, "select concat_ws(' ', f.flag_key, t.enabled, t.reason, t.version) from tenant_feature_flags t join feature_flags f on f.id = t.feature_flag_id where t.tenant_id = $1", id))
	require.Equal(t, `helper {}, scribe {"tone": "plain"}`, peek[string](t, s,
		"select string_agg(a.slug || ' ' || t.config, ', ' order by a.slug) from tenant_agents t join agents a on (a.tenant_id, a.id) = (t.agent_tenant_id, t.agent_id) where t.tenant_id = $1", id))

	// Whatever was written is in the tenant's own log, and its version is there.
	require.Len(t, rows, 1+1+1+4+2+2+1+1+2, "organization, configuration made and changed, apps of the template, apps of the file, members, invitation, flag, agents: %v", describe(rows))
	for _, r := range rows {
		require.Equal(t, []string{id, "", "service_role", "signed"}, []string{r.Tenant, r.Actor, r.Role, r.Reason})
	}
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from vital.versions where scope = 'tenant' and key = $1", id))

	// The token is good for whoever was invited, once the tenant serves; the database has its hash alone.
	require.Len(t, report.Invitations, 1)
	invitation := report.Invitations[0]
	require.Equal(t, []string{"NEW-1", "stranger@new.test", "viewer"}, []string{invitation.Tenant, invitation.Email, invitation.Role})
	require.Len(t, invitation.Token, 43)
	for _, r := range rows {
		require.NotContains(t, fmt.Sprint(r.New), invitation.Token)
	}
	must[any](t, s, root, "", "select change_tenant_state($1, 'approve', 'paid')", id)
	s.Exec(t, "insert into users (id, email) values ('b9999999-0000-4000-8000-000000000001', 'Stranger@New.test')")
	require.Equal(t, "viewer", must[string](t, s, "b9999999-0000-4000-8000-000000000001", "", "select (accept_invitation($1)).role", invitation.Token))
}

func TestOnboard_Again(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	onboarded(t, s, wholeFile)
	before := world(t, s)
	report := onboarded(t, s, wholeFile)
	require.Equal(t, []int{0, 0, 1, 0, 0}, []int{report.Made, report.Changed, report.Unchanged, len(report.Tenants), len(report.Invitations)})
	require.Equal(t, before, world(t, s), "the same file writes nothing")

	changed := strings.NewReplacer("New Health", "Newer Health", "theme: dark", "theme: null", "role: viewer", "role: member", "visible: false, order: 9", "visible: true",
		"dark: true", "dark: {enabled: false, expires_at: 2999-01-01T00:00:00Z}", "- helper", "- {agent: helper, enabled: false}", "parent: acme", "parent: null", "role: admin", "role: owner").Replace(wholeFile)
	rows := audited(t, s, func() { report = onboarded(t, s, changed) })
	require.Equal(t, []string{
		`NEW-1 ~ organization name "New Health">"Newer Health"`, `NEW-1 ~ organization parent "acme">null`, `NEW-1 - configuration /ui_config/theme "dark">null`,
		`NEW-1 ~ app knowledge visible false>true`, `NEW-1 ~ flag dark enabled true>false`, `NEW-1 + flag dark expires_at null>"2999-01-01T00:00:00Z"`,
		`NEW-1 ~ agent helper enabled true>false`, `NEW-1 ~ owner nina@away.test role "admin">"owner"`, `NEW-1 ~ invitation stranger@new.test role "viewer">"member"`,
	}, said(report))
	require.ElementsMatch(t, []string{"organizations updated", "tenant_configurations updated", "tenant_apps updated", "tenant_feature_flags updated", "tenant_agents updated",
		"user_tenants updated", "invitations updated", "invitations created"}, describe(rows))
	require.Len(t, report.Invitations, 1, "another token")
	require.Equal(t, 9, peek[int](t, s, "select display_order from tenant_apps where tenant_id = $1 and app_key = 'knowledge'", report.Tenants[0].ID), "what is not mentioned stays")

	// An override that is taken away, and a file that speaks of little.
	report = onboarded(t, s, "organization: {tenant_key: NEW-1}\nflags: {dark: null}")
	require.Equal(t, []string{`NEW-1 - flag dark {"enabled":false,"expires_at":"2999-01-01T00:00:00Z"}>null`}, said(report))
	before = world(t, s)
	require.Empty(t, onboarded(t, s, "organization: {tenant_key: NEW-1, pending: true}\nflags: {dark: null}").Tenants)
	require.Equal(t, before, world(t, s))
}

// TestOnboard_TakenBack: whoever ends the transaction otherwise has seen what would be done.
func TestOnboard_TakenBack(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	before := world(t, s)
	undo := errors.New("undo")
	file, err := tenant.ReadTenants([]byte(wholeFile), tenant.YAML)
	require.NoError(t, err)
	var report *tenant.Onboarding
	require.ErrorIs(t, s.db.AsService(context.Background(), "Onboard", func(tx pgx.Tx) error {
		report, err = tenant.Onboard(context.Background(), tx, file, tenant.OnboardOptions{})
		require.NoError(t, err)
		return undo
	}), undo)
	require.Equal(t, before, world(t, s))
	applied := onboarded(t, s, wholeFile)
	applied.Tenants[0].ID, report.Tenants[0].ID = [16]byte{}, [16]byte{}
	require.Equal(t, report.Tenants, applied.Tenants, "what was shown is what is done")
}

// TestOnboard_Mistakes: every mistake of a file at once, each with its tenant, line and place, and nothing written.
func TestOnboard_Mistakes(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	s.Exec(t, "update organizations set lifecycle_state = 'archived' where id = '"+idle+"'")
	before := world(t, s)
	_, err := onboard(s, `
tenants:
  - organization: {tenant_key: a, name: A, tenant_type: clinic, slug: bolt, parent: nowhere}
    template: none
    owner: nobody@new.test
    configuration: {enabled_apps: [chat, unknown]}
    flags: {nope: true, gone: true, dark: striped}
    agents: [expert, bolts, old, missing]
    apps: [{key: unknown}]
  - organization: {tenant_key: b, parent: c}
  - organization: {tenant_key: c, parent: b, name: C, tenant_type: clinic}
    owner: olga@acme.test
    configuration: {limits: {max_agents: 1}}
    agents: [helper, scribe]
  - organization: {tenant_key: idle, name: Idle}
  - organization: {tenant_key: bolt, slug: acme}
    members: [{email: cyd@bolt.test, role: viewer}]
    flags: {dark: {enabled: true, expires_at: 2001-01-01T00:00:00Z}}
`)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Equal(t, `line 4: a /template: there is no template none
line 10: b /organization/name: is required: there is no tenant of this tenant_key yet, and a new one takes a name
line 10: b /organization/tenant_type: is required of a new tenant
line 10: b /owner: is required of a new tenant
line 15: idle /organization/tenant_key: is archived: nothing of it changes any more`, strings.Join(strings.Split(fault.From(err).Detail, "\n")[:5], "\n"))
	for _, want := range []string{
		"a /organization/slug: bolt is that of bolt", "a /organization/parent: there is no tenant with the tenant_key nowhere, here or in the file",
		"b /organization/parent: is part of itself: b in c in b", "c /organization/parent: is part of itself: c in b in c",
		"c /agents/1: the limit max_agents of this tenant is 1, and it would have 2", "bolt /organization/slug: acme is that of acme",
		"bolt /members/0: cyd@bolt.test is the last owner; name another owner, too", "bolt /flags/dark/expires_at: has passed",
	} {
		require.Contains(t, fault.From(err).Detail, want)
	}
	_, err = onboard(s, `
organization: {tenant_key: a, name: A, tenant_type: clinic}
owner: nobody@new.test
configuration: {ui_config: {custom: {a: 1}}, enabled_apps: [chat, unknown]}
flags: {nope: true, gone: true, dark: striped}
agents: [expert, bolts, old, missing]
apps: [{key: strange}]
`)
	require.Equal(t, `line 4: a /configuration/enabled_apps/1: there is no app unknown
line 7: a /apps/0/key: there is no app strange; one of your own takes a name and a route
line 5: a /flags/dark: the flag has no variant striped
line 5: a /flags/gone: there is no such active flag
line 5: a /flags/nope: there is no such active flag
line 6: a /agents/0: expert is of tier 9, which is not among enabled_agent_tiers
line 6: a /agents/1: there is no agent bolts of this tenant or the platform
line 6: a /agents/2: old is retired; only active agents are assigned
line 6: a /agents/3: there is no agent missing of this tenant or the platform
line 3: a /owner: there is no user with the address nobody@new.test; an owner signs in first, or is invited among members with the role owner`, fault.From(err).Detail)
	_, err = onboard(s, `
organization: {tenant_key: a, name: A, tenant_type: clinic}
owner: olga@acme.test
apps: [{key: dashboard, visible: false}, {key: chat, enabled: false}, {key: agents, visible: false}, {key: knowledge, visible: false}]
`)
	require.Equal(t, "line 2: a: would lack something to load (visible_apps): No app is both visible and enabled", fault.From(err).Detail)
	require.Equal(t, before, world(t, s))
}

// TestOnboard_Family: who is part of whom goes by tenant_key, whatever the order in the file.
func TestOnboard_Family(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	one := func(key, parent string) string {
		return fmt.Sprintf(`{"organization": {"tenant_key": %q, "name": %q, "tenant_type": "clinic", "parent": %s}, "owner": "olga@acme.test"}`+"\n", key, key, parent)
	}
	onboarded(t, s, one("leaf", `"branch"`)+one("branch", `"trunk"`)+one("trunk", `"acme"`))
	above := func() string {
		return peek[string](t, s, "select string_agg(o.slug || '<' || coalesce(p.slug, ''), ' ' order by o.slug) from organizations o left join organizations p on p.id = o.parent_organization_id where o.slug in ('leaf', 'branch', 'trunk')")
	}
	require.Equal(t, "branch<trunk leaf<branch trunk<acme", above())
	// Turned round: no circle in between is one.
	require.Len(t, said(onboarded(t, s, one("leaf", "null")+one("branch", `"leaf"`)+one("trunk", `"branch"`))), 3)
	require.Equal(t, "branch<leaf leaf< trunk<branch", above())

	for text, want := range map[string]string{
		one("leaf", `"trunk"`): "leaf in trunk in branch in leaf",
		one("x", `"x"`):        "x in x",
		one("y", `"trunk"`) + one("z", `"y"`) + one("acme", `"z"`) + one("w", `"acme"`): "organizations nest at most 5 levels deep; this makes 7",
	} {
		_, err := onboard(s, text)
		require.Contains(t, fault.From(err).Detail, want)
	}
	require.Equal(t, "branch<leaf leaf< trunk<branch", above())
}

// TestOnboard_Bulk: many tenants in one file are provisioned, audited and versioned each, and the chains are whole.
func TestOnboard_Bulk(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const n = 300
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"organization": {"tenant_key": "bulk-%d", "name": "Bulk %d", "tenant_type": "digital_health"}, "owner": "olga@acme.test", "members": [{"email": "m%d@new.test"}], "flags": {"dark": true}}`+"\n", i, i, i)
	}
	var last string
	report, err := onboardWith(s, text.String(), tenant.OnboardOptions{Progress: func(step string, done, of int) { last = fmt.Sprint(step, done, of) }})
	require.NoError(t, err)
	require.Equal(t, []int{n, n}, []int{report.Made, len(report.Invitations)})
	require.Equal(t, fmt.Sprint("looking for what is missing", 0, n), last)
	require.Equal(t, fmt.Sprintf("%d %d %d %d %d", n, 4*n, n, n, n), peek[string](t, s, `with b as (select id from organizations where tenant_key like 'bulk-%')
		select concat_ws(' ', (select count(*) from tenant_configurations where tenant_id in (select id from b)), (select count(*) from tenant_apps where tenant_id in (select id from b)),
			(select count(*) from user_tenants where tenant_id in (select id from b)), (select count(*) from tenant_feature_flag_versions where tenant_id in (select id from b)),
			(select count(*) from vital.versions where scope = 'tenant' and key in (select id from b)))`))
	require.Equal(t, n, peek[int](t, s, `select count(*)::int from (select organization_id from organization_audit_log l join organizations o on o.id = l.organization_id
		where o.tenant_key like 'bulk-%' group by 1 having count(*) = 9 and max(seq) = 9) x`))
	require.Equal(t, "OK", peek[string](t, s, "select string_agg(distinct status, ' ') from check_data_consistency() where check_name in ('audit_gaps', 'orgs_without_config', 'orgs_without_apps', 'orgs_without_admin')"))
	again := onboarded(t, s, text.String())
	require.Equal(t, []int{0, 0, n}, []int{again.Made, again.Changed, again.Unchanged})
}

// TestOnboard_Killed: a run that dies in the middle leaves nothing.
func TestOnboard_Killed(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	before := world(t, s)
	for _, at := range []string{"writing configurations", "writing agents", "writing the audit log", "looking for what is missing"} {
		killed := false
		_, err := onboardWith(s, wholeFile, tenant.OnboardOptions{Progress: func(step string, _, _ int) {
			if step == at {
				killed = peek[bool](t, s, "select bool_or(pg_terminate_backend(l.pid)) from pg_locks l where l.database = (select oid from pg_database where datname = current_database()) and l.relation = 'vital.staged_rows'::regclass and l.mode = 'ShareRowExclusiveLock' and l.granted")
			}
		}})
		require.True(t, killed, at)
		require.Error(t, err, at)
		require.Equal(t, before, world(t, s), at)
	}
	onboarded(t, s, wholeFile)
}

// TestOnboard_AtOnce: of two runs of one file one does it, and the other finds it done.
func TestOnboard_AtOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	reports := make(chan *tenant.Onboarding, 4)
	well, codes := atOnce(4, func(int) error {
		report, err := onboard(s, wholeFile)
		reports <- report
		return err
	})
	require.Equal(t, 4, well, codes)
	made := 0
	for range 4 {
		made += (<-reports).Made
	}
	require.Equal(t, 1, made)
}

// TestOnboard_Others: a tenant that the file does not speak of is not touched, and another's agents and people are not to be had.
func TestOnboard_Others(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	platformAgents(t, s)
	rows := audited(t, s, func() {
		onboarded(t, s, "tenants:\n- organization: {tenant_key: acme, subscription_tier: free}\n  members: [{email: cyd@bolt.test}]\n  flags: {dark: true}")
	})
	require.Len(t, rows, 3)
	for _, r := range rows {
		require.Equal(t, acme, r.Tenant)
	}
	for _, user := range []string{olga, root} { // through the API this is nobody's: rows are staged and templates read by operators alone
		for _, text := range []string{"select count(*) from vital.staged_rows", "select count(*) from vital.tenant_templates", "select vital.use_template('default')"} {
			refused(t, s, fault.PermissionDenied, user, text)
		}
	}
}
