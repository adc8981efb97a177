package isolation_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// documents is a stranger's table: rows of a tenant and about a user, and every way to say who asks.
var documents = isolation.Ground{
	Axioms: isolation.Axioms{
		Functions: map[string]isolation.Meaning{
			"public.my_tenant": isolation.MyTenant, "public.my_tenants": isolation.MyTenant,
			"public.readable": isolation.MyTenantOrShared, "auth.uid": isolation.MyUser, "auth.jwt": isolation.Claims,
			"public.colleagues": isolation.MyColleague, "public.is_operator": isolation.Operator, "public.floor": isolation.OperatorBound,
		},
		Settings:    map[string]isolation.Meaning{"app.tenant": isolation.MyTenant, "request.jwt.claims": isolation.Claims},
		Claims:      map[string]isolation.Meaning{"app_metadata.tenant_id": isolation.MyTenant, "sub": isolation.MyUser, "user_metadata.tenant_id": isolation.MyTenant},
		Memberships: []isolation.Membership{{Relation: "public.memberships", Tenant: "tenant_id", User: "user_id"}},
		Shared:      []string{platform},
	},
	Relation: "public.documents", TenantColumn: "tenant_id", UserColumn: "user_id",
}

func TestImplies_Proved(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"tenant_id = public.my_tenant()",
		"(public.my_tenant() = tenant_id)",
		"(tenant_id = ( SELECT public.my_tenant() AS my_tenant))",
		"documents.tenant_id = public.my_tenant()",
		"tenant_id = ANY (ARRAY( SELECT public.my_tenants() AS my_tenants))",
		"tenant_id = ANY (( SELECT public.my_tenants() AS my_tenants)::uuid[])",
		"tenant_id IN ( SELECT public.my_tenants() AS my_tenants)",
		"tenant_id IN (public.my_tenant(), NULL::uuid)",
		"tenant_id = ANY (ARRAY[public.my_tenant(), '" + platform + "'::uuid])",
		"tenant_id = '" + platform + "'::uuid",
		"(tenant_id)::text = current_setting('app.tenant'::text, true)",
		"tenant_id = (NULLIF(current_setting('App.Tenant'::text, true), ''::text))::uuid",
		"tenant_id = (((auth.jwt() -> 'app_metadata'::text) ->> 'tenant_id'::text))::uuid",
		"tenant_id = ((auth.jwt() #>> '{app_metadata,tenant_id}'::text[]))::uuid",
		"user_id = (((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::json ->> 'sub'::text))::uuid",
		"user_id = ( SELECT auth.uid() AS uid)",
		"tenant_id = COALESCE(public.my_tenant(), (current_setting('app.tenant'::text, true))::uuid)",
		"tenant_id IN ( SELECT memberships.tenant_id FROM public.memberships WHERE (memberships.user_id = auth.uid()))",
		"tenant_id IN ( SELECT tenant_id FROM public.memberships WHERE user_id = auth.uid())",
		"tenant_id = ( SELECT m.tenant_id FROM public.memberships m WHERE (auth.uid() = m.user_id) LIMIT 1)",
		"tenant_id = ANY (( SELECT array_agg(m.tenant_id) FROM public.memberships m WHERE (m.user_id = auth.uid()))::uuid[])",
		"EXISTS ( SELECT 1 FROM public.memberships m WHERE ((m.tenant_id = documents.tenant_id) AND (m.user_id = auth.uid()) AND (m.role = 'admin'::text)))",
		"EXISTS ( SELECT FROM (public.teams t JOIN public.memberships m ON ((m.user_id = ( SELECT auth.uid() AS uid)))) WHERE (documents.tenant_id = m.tenant_id))",
		"EXISTS ( SELECT 1 FROM public.memberships a, public.memberships b WHERE a.user_id = auth.uid() AND b.tenant_id = a.tenant_id AND documents.tenant_id = b.tenant_id)",
		"( SELECT public.is_operator() AS is_operator)",
		"public.is_operator() IS TRUE",
		"((tenant_id >= ( SELECT public.floor() AS floor)) AND (tenant_id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))",
		"tenant_id BETWEEN (select public.floor()) AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
		"( SELECT public.floor() AS floor) IS NOT NULL",
		"false", "NULL::boolean", "false::boolean",
		"published AND tenant_id = public.my_tenant()",
		"tenant_id = public.my_tenant() OR user_id = auth.uid()",
		"COALESCE(tenant_id = public.my_tenant(), false)",
		"CASE WHEN published THEN tenant_id = public.my_tenant() WHEN public.is_operator() THEN true ELSE false END",
		"CASE kind WHEN 'a'::text THEN (tenant_id = public.my_tenant()) END",
	} {
		verdict, err := isolation.Implies(expression, documents)
		require.NoError(t, err, expression)
		require.True(t, verdict.Proved, "%s: %s", expression, verdict.Reason)
		require.NotEmpty(t, verdict.Reason)
	}
}

func TestImplies_Unproved(t *testing.T) {
	t.Parallel()
	for expression, reason := range map[string]string{
		"true":                                                                              "true: it says nothing of whose row it is",
		"published":                                                                         "published: it says nothing of whose row it is",
		"NOT (tenant_id <> public.my_tenant())":                                             "a negation is not followed",
		"tenant_id <> public.my_tenant()":                                                   "only equality binds",
		"tenant_id >= public.my_tenant()":                                                   "only equality binds",
		"tenant_id = tenant_id":                                                             "does not follow",
		"tenant_id = public.other()":                                                        "nothing is known of the function public.other",
		"tenant_id = my_tenant()":                                                           "nothing is known of the function my_tenant",
		"tenant_id = public.my_tenant(1)":                                                   "with arguments",
		"tenant_id = public.my_tenant() OR published":                                       "published: it says nothing",
		"tenant_id IS NULL OR tenant_id = public.my_tenant()":                               "tenant_id IS NULL: it says nothing",
		"NOT (tenant_id IS DISTINCT FROM public.my_tenant())":                               "a negation",
		"tenant_id IS NOT DISTINCT FROM public.my_tenant()":                                 "true of two nulls",
		"COALESCE(tenant_id = public.my_tenant(), true)":                                    "true: it says nothing",
		"COALESCE(tenant_id, public.my_tenant()) = public.my_tenant()":                      "neither side is the row's tenant",
		"tenant_id = COALESCE(public.my_tenant(), tenant_id)":                               "does not follow",
		"tenant_id = COALESCE(public.my_tenant(), public.other())":                          "public.other",
		"CASE WHEN published THEN tenant_id = public.my_tenant() ELSE true END":             "true: it says nothing",
		"CASE published WHEN public.is_operator() THEN true END":                            "true: it says nothing",
		"public.is_operator() = false":                                                      "neither side",
		"public.is_operator() IS NOT TRUE":                                                  "says nothing",
		"public.is_operator() IS NOT NULL":                                                  "says nothing",
		"public.floor() IS NULL":                                                            "says nothing",
		"tenant_id IS DISTINCT FROM public.floor()":                                         "says nothing",
		"tenant_id NOT BETWEEN public.floor() AND public.other()":                           "says nothing",
		"ARRAY[tenant_id] <> ARRAY[public.floor()]":                                         "only equality",
		"ARRAY( SELECT public.floor()) <> ARRAY[tenant_id]":                                 "only equality",
		"COALESCE(public.floor(), tenant_id) = tenant_id":                                   "does not follow",
		"tenant_id <> ANY (ARRAY( SELECT public.my_tenants()))":                             "says nothing",
		"tenant_id = ALL (ARRAY( SELECT public.my_tenants()))":                              "says nothing",
		"tenant_id = ALL ( SELECT public.my_tenants())":                                     "not followed",
		"tenant_id NOT IN (public.my_tenant())":                                             "says nothing",
		"tenant_id NOT IN ( SELECT public.my_tenants())":                                    "negation",
		"tenant_id IN (public.my_tenant(), public.other())":                                 "public.other",
		"tenant_id = ANY (ARRAY[public.my_tenant(), '" + tenantB + "'::uuid])":              "does not follow",
		"public.my_tenant() = ANY (tenant_id)":                                              "neither side",
		"tenant_id OPERATOR(public.=) public.my_tenant()":                                   "says nothing",
		"tenant_id OPERATOR(public.=) ANY (ARRAY( SELECT public.my_tenants()))":             "says nothing",
		"tenant_id LIKE public.my_tenant()":                                                 "says nothing",
		"lower(tenant_id) = lower(public.my_tenant())":                                      "neither side",
		"(tenant_id COLLATE \"C\") = public.my_tenant()":                                    "neither side",
		"(tenant_id)::varchar(8) = (public.my_tenant())::text":                              "neither side",
		"(tenant_id)::\"char\" = public.my_tenant()":                                        "neither side",
		"(tenant_id)::integer = public.my_tenant()":                                         "neither side",
		"(tenant_id)::text = (public.my_tenant())::varchar(3)":                              "does not follow",
		"(tenant_id)::name = (public.my_tenant())::name":                                    "neither side",
		"(tenant_id)::app.uuid = public.my_tenant()":                                        "neither side",
		"tenant_id = (((auth.jwt() -> 'user_metadata'::text) ->> 'tenant_id'::text))::uuid": "users write their user_metadata themselves",
		"tenant_id = ((auth.jwt() #>> '{user_metadata,tenant_id}'::text[]))::uuid":          "users write their user_metadata themselves",
		"tenant_id = ((auth.jwt() ->> 'app_metadata.tenant_id'::text))::uuid":               "not followed",
		"tenant_id = ((auth.jwt() ->> 'tenant_id'::text))::uuid":                            "nothing is known of the claim tenant_id",
		"tenant_id = current_setting('app.other'::text)":                                    "setting app.other",
		"tenant_id = user_id":                                                               "does not follow",
		"tenant_id = auth.uid()":                                                            "does not follow",
		"user_id = public.my_tenant()":                                                      "does not follow",
		"user_id = ANY (ARRAY( SELECT public.colleagues()))":                                "does not follow",
		"tenant_id IN ( SELECT memberships.tenant_id FROM public.memberships)":              "nothing ties",
		"tenant_id IN ( SELECT tenant_id FROM public.memberships WHERE user_id = user_id)":  "nothing ties",
		"tenant_id IN ( SELECT memberships.tenant_id FROM app.memberships WHERE (memberships.user_id = auth.uid()))":                                                                       "",
		"tenant_id IN ( SELECT memberships.tenant_id FROM memberships WHERE (memberships.user_id = auth.uid()))":                                                                           "",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m WHERE (m.user_id = auth.uid() OR m.public))":                                                                          "",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m WHERE (m.user_id <> auth.uid()))":                                                                                     "",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m WHERE (NOT (m.user_id = auth.uid())))":                                                                                "",
		"tenant_id IN ( SELECT m.user_id FROM public.memberships m WHERE (m.user_id = auth.uid()))":                                                                                        "",
		"tenant_id IN ( SELECT m.team_id FROM public.memberships m WHERE (m.user_id = auth.uid()))":                                                                                        "",
		"tenant_id IN ( SELECT o.tenant_id FROM public.memberships m, public.others o WHERE (m.user_id = auth.uid()))":                                                                     "",
		"tenant_id IN ( SELECT a.tenant_id FROM public.memberships a, public.memberships b WHERE (b.user_id = auth.uid()))":                                                                "",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m LEFT JOIN public.teams t ON (m.user_id = auth.uid()))":                                                                "",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m WHERE (m.user_id = auth.uid()) UNION SELECT others.tenant_id FROM public.others)":                                     "not followed",
		"tenant_id IN ( SELECT m.tenant_id FROM public.memberships m(user_id, tenant_id) WHERE (m.user_id = auth.uid()))":                                                                  "reads from",
		"tenant_id IN ( WITH memberships AS (SELECT * FROM public.others) SELECT m.tenant_id FROM public.memberships m WHERE (m.user_id = auth.uid()))":                                    "not followed",
		"tenant_id IN ( SELECT m.tenant_id FROM ( SELECT * FROM public.others) m WHERE (m.user_id = auth.uid()))":                                                                          "reads from",
		"EXISTS ( SELECT 1 FROM public.memberships m WHERE ((m.tenant_id = m.tenant_id) AND (m.user_id = auth.uid())))":                                                                    "",
		"EXISTS ( SELECT 1 FROM public.memberships WHERE tenant_id = tenant_id AND user_id = auth.uid())":                                                                                  "",
		"EXISTS ( SELECT 1 FROM public.memberships documents WHERE ((documents.tenant_id = documents.tenant_id) AND (documents.user_id = auth.uid())))":                                    "",
		"EXISTS ( SELECT count(*) AS count FROM public.memberships m WHERE ((m.tenant_id = documents.tenant_id) AND (m.user_id = auth.uid())))":                                            "may yield a row",
		"EXISTS ( SELECT 1 FROM public.memberships m WHERE ((m.tenant_id = documents.tenant_id) AND (m.user_id = auth.uid())) GROUP BY ())":                                                "not followed",
		"EXISTS ( SELECT 1 FROM public.memberships m WHERE ((m.tenant_id = documents.tenant_id) AND (m.user_id = documents.user_id)))":                                                     "",
		"NOT (EXISTS ( SELECT 1 FROM public.memberships m WHERE ((m.tenant_id = documents.tenant_id) AND (m.user_id = auth.uid()))))":                                                      "negation",
		"EXISTS ( SELECT 1 FROM public.memberships m WHERE ((EXISTS ( SELECT 1 FROM public.teams t WHERE (m.user_id = auth.uid())) OR m.public) AND (m.tenant_id = documents.tenant_id)))": "",
		"EXISTS ( SELECT 1 FROM public.projects p JOIN public.memberships m ON m.tenant_id = p.tenant_id WHERE p.id = documents.project_id AND m.user_id = auth.uid())":                    "",
		"public.is_member(tenant_id)":                     "with arguments",
		"documents.* IS NOT NULL":                         "says nothing",
		"ROW(tenant_id) = public.my_tenant()":             "neither side",
		"public.documents.tenant_id = public.my_tenant()": "neither side",
		"other.tenant_id = public.my_tenant()":            "neither side",
	} {
		verdict, err := isolation.Implies(expression, documents)
		require.NoError(t, err, expression)
		require.False(t, verdict.Proved, "%s: %s", expression, verdict.Reason)
		require.NotEmpty(t, verdict.Reason)
		require.Contains(t, verdict.Reason, reason, expression)
	}
}

func TestImplies_Unreadable(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", "(", "true; select 1", "true, true", "true from x", "true where false", "true as x", "tenant_id = public.my_tenant()\x00 or true",
		"\xff", "false union select true", "false limit 1", "true; drop table x", "into x",
		strings.Repeat("(", 12) + "a" + strings.Repeat(")", 11),
	} {
		_, err := isolation.Implies(expression, documents)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), "%.60s", expression)
	}
	for _, deep := range []string{
		"false" + strings.Repeat(" or false", 10000), strings.Repeat("(not ", 3000) + "a" + strings.Repeat(")", 3000),
		strings.Repeat("(", 70), "1" + strings.Repeat("+1", 70) + " = 1", strings.Repeat("not ", 70) + "a", strings.Repeat("case when ", 40) + "a" + strings.Repeat(" then b end", 40),
		"a" + strings.Repeat("::text", 3000), strings.Repeat("(select ", 3000) + "1" + strings.Repeat(")", 3000),
	} {
		verdict, err := isolation.Implies(deep, documents)
		if err == nil {
			require.Equal(t, isolation.Implication{Reason: "it is too long or nested too deep to be followed"}, verdict, "%.60s", deep)
		}
	}
	long := "tenant_id = public.my_tenant()" + strings.Repeat(" and title <> 'x'", 50)
	verdict, err := isolation.Implies(long, documents)
	require.NoError(t, err)
	require.True(t, verdict.Proved, verdict.Reason)
	verdict, err = isolation.Implies("tenant_id = public.my_tenant()", documents)
	require.NoError(t, err)
	require.True(t, verdict.Proved, "the parser survives what it refused")
}

// TestGuard_Vital proves every policy of our own schema, for each command there is.
func TestGuard_Vital(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	guards, err := isolation.ReadGuards(context.Background(), conn, "authenticated", []string{"public"})
	require.NoError(t, err)
	require.Len(t, guards, len(list(t, conn, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')")))
	declared, policies := []string{}, 0
	for _, g := range guards {
		ground := isolation.VitalGround(strings.TrimPrefix(g.Relation, "public."))
		policies += len(g.Policies)
		for _, command := range commands {
			verdict, err := g.Proves(command, ground)
			require.NoError(t, err)
			require.True(t, verdict.Proved, "%s %s: %s", command, g.Relation, verdict.Reason)
			if ground.Global = ""; command == "select" {
				if verdict, err = g.Proves(command, ground); err != nil || !verdict.Proved {
					declared = append(declared, g.Relation+": "+verdict.Reason)
				}
			}
			ground = isolation.VitalGround(strings.TrimPrefix(g.Relation, "public."))
		}
	}
	require.Len(t, list(t, conn, "select polname from pg_policy where polrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)"), policies)
	require.Equal(t, []string{
		"public.feature_flag_evaluators: policy feature_flag_evaluators_select_member: (SELECT vital.user_id()) IS NOT NULL: it says nothing of whose row it is",
		"public.feature_flags: policy feature_flags_select_member: is_active: it says nothing of whose row it is",
	}, declared, "what is not proved, but declared to be for everybody")
	for _, role := range []string{"service_role", "postgres"} {
		guards, err := isolation.ReadGuards(context.Background(), conn, role, []string{"public"})
		require.NoError(t, err)
		require.NotEmpty(t, guards)
		for _, g := range guards {
			verdict, err := g.Proves("select", isolation.VitalGround(strings.TrimPrefix(g.Relation, "public.")))
			require.NoError(t, err)
			require.Equal(t, isolation.Implication{Reason: "row-level security does not apply"}, verdict)
		}
	}
}

func TestGuard_Proves(t *testing.T) {
	t.Parallel()
	mine, open := "tenant_id = public.my_tenant()", "true"
	permissive := func(command, using, check string) isolation.GuardPolicy {
		return isolation.GuardPolicy{Name: "p", Command: command, Permissive: true, Using: using, Check: check}
	}
	restrictive := func(command, using, check string) isolation.GuardPolicy {
		return isolation.GuardPolicy{Name: "r", Command: command, Using: using, Check: check}
	}
	for name, c := range map[string]struct {
		policies []isolation.GuardPolicy
		proved   string // the commands
	}{
		"no policy":                   {nil, "select insert update delete"},
		"mine":                        {[]isolation.GuardPolicy{permissive("all", mine, "")}, "select insert update delete"},
		"open to read":                {[]isolation.GuardPolicy{permissive("select", open, "")}, "insert update delete"},
		"one open beside":             {[]isolation.GuardPolicy{permissive("all", mine, ""), permissive("all", open, "")}, ""},
		"restricted":                  {[]isolation.GuardPolicy{permissive("all", open, ""), restrictive("all", mine, "")}, "select insert update delete"},
		"restricted to read":          {[]isolation.GuardPolicy{permissive("all", open, ""), restrictive("select", mine, "")}, "select"},
		"a restriction that is none":  {[]isolation.GuardPolicy{permissive("all", mine, ""), restrictive("all", open, "")}, "select insert update delete"},
		"only restrictions":           {[]isolation.GuardPolicy{restrictive("all", open, "")}, "select insert update delete"},
		"may be given away":           {[]isolation.GuardPolicy{permissive("update", mine, open)}, "select insert delete"},
		"may be taken":                {[]isolation.GuardPolicy{permissive("update", open, mine)}, "select insert delete"},
		"taken and given by two":      {[]isolation.GuardPolicy{permissive("update", mine, open), permissive("update", open, mine)}, "select insert delete"},
		"insert without a check":      {[]isolation.GuardPolicy{permissive("insert", "", "")}, "select update delete"},
		"shared":                      {[]isolation.GuardPolicy{permissive("all", "tenant_id = any (array(select public.readable()))", "")}, "select"},
		"about me":                    {[]isolation.GuardPolicy{permissive("all", "user_id = auth.uid()", "")}, "select"},
		"about me in my tenant":       {[]isolation.GuardPolicy{permissive("all", "user_id = auth.uid() and "+mine, "")}, "select insert update delete"},
		"restricted on one side only": {[]isolation.GuardPolicy{permissive("update", open, open), restrictive("update", mine, open)}, "select insert delete"},
	} {
		for _, command := range commands {
			verdict, err := isolation.Guard{Applies: true, Policies: c.policies}.Proves(command, documents)
			require.NoError(t, err)
			require.Equal(t, strings.Contains(c.proved, command), verdict.Proved, "%s, %s: %s", name, command, verdict.Reason)
			verdict, err = isolation.Guard{Policies: c.policies}.Proves(command, documents)
			require.NoError(t, err)
			require.False(t, verdict.Proved)
		}
	}
	_, err := isolation.Guard{Applies: true}.Proves("truncate", documents)
	require.Error(t, err)
	_, err = isolation.Guard{Applies: true, Policies: []isolation.GuardPolicy{permissive("all", "(", "")}}.Proves("select", documents)
	require.ErrorContains(t, err, "read policy p")
}

func FuzzImplies(f *testing.F) {
	for _, seed := range []string{
		"tenant_id = public.my_tenant()", "true", "(((", "a = any (array(select b.c from b where b.d = e.f))", "case when a then b else null end",
		"tenant_id in (select m.tenant_id from public.memberships m where m.user_id = auth.uid())", "not a", "coalesce(a, b)", "a between b and c",
		"exists (select 1 from a join b on (true) where c.d = 1)", "-- x", "/* x", "'", "$$", "tenant_id = ((auth.jwt() #>> '{a,b}'::text[]))::uuid",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		watch := time.AfterFunc(10*time.Second, func() { panic("hangs on " + strconv.Quote(expression)) })
		defer watch.Stop()
		verdict, err := isolation.Implies(expression, documents)
		if err != nil {
			require.False(t, verdict.Proved)
			return
		}
		require.NotEmpty(t, verdict.Reason)
		for _, wider := range []string{"(" + expression + "\n) or true", "coalesce((" + expression + "\n), true)", "not (" + expression + "\n)", "(" + expression + "\n) is not false"} {
			if verdict, err := isolation.Implies(wider, documents); err == nil {
				require.False(t, verdict.Proved, wider)
			}
		}
	})
}
