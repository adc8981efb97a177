package perf_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/tenant"
)

var (
	ada  = uuid.MustParse("a0000000-0000-4000-8000-000000000001") // of tenant a
	bo   = uuid.MustParse("a0000000-0000-4000-8000-000000000002") // of tenant b
	lone = uuid.MustParse("a0000000-0000-4000-8000-000000000003") // of none
)

// tenants is a database with tenant a, which has 3 agents, and tenant b, which has 40.
func tenants(t *testing.T) *pgtest.Database {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key, lifecycle_state) values
			('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'digital_health', 'a', 'active'), ('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'digital_health', 'b', 'active');
		insert into users (id, email, organization_id) values ('`+ada.String()+`', 'ada@x.test', '00000000-0000-0000-0000-00000000000a'),
			('`+bo.String()+`', 'bo@x.test', '00000000-0000-0000-0000-00000000000b'), ('`+lone.String()+`', 'lone@x.test', null);
		insert into profiles (id, email) select id, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'admin' from users where organization_id is not null;
		insert into agents (tenant_id, name, slug) select '00000000-0000-0000-0000-00000000000a', 'A' || n, 'a' || n from generate_series(1, 3) n;
		insert into agents (tenant_id, name, slug) select '00000000-0000-0000-0000-00000000000b', 'B' || n, 'b' || n from generate_series(1, 40) n;
		analyze agents`)
	return d
}

// operator connects as an operator's tool does: with its notices taken.
func operator(t *testing.T, address string) (*pgx.Conn, *perf.Notices) {
	t.Helper()
	notices := &perf.Notices{}
	config, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	config.OnNotice = notices.Take
	conn, err := pgx.ConnectConfig(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn, notices
}

func as(user uuid.UUID, text string) perf.Question {
	return perf.Question{Text: text, Caller: identity.Caller{Role: identity.Authenticated, UserID: user}, Member: true, Timeout: 20 * time.Second, Runs: 2}
}

func explain(t *testing.T, conn *pgx.Conn, q perf.Question) *perf.Explanation {
	t.Helper()
	e, err := perf.Explain(t.Context(), conn, q)
	require.NoError(t, err)
	return e
}

// scan is the step that reads table.
func scan(n *perf.Node, table string) *perf.Node {
	if n.Relation == table && len(n.Conditions) > 0 {
		return n
	}
	for _, s := range n.Steps {
		if found := scan(s, table); found != nil {
			return found
		}
	}
	return nil
}

func TestExplain_AsAUserReadsTheirTenantAlone(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	conn, _ := operator(t, d.URL)
	const query = "select name from agents where name like '%'"
	ofA, ofB := explain(t, conn, as(ada, query)), explain(t, conn, as(bo, query))
	require.InDelta(t, 3, ofA.Plan.Rows, 0)
	require.InDelta(t, 40, ofB.Plan.Rows, 0)
	for _, e := range []*perf.Explanation{ofA, ofB} {
		require.True(t, e.Comparison.Made, e.Comparison.Why)
		require.InDelta(t, 43, e.Comparison.Without.Rows, 0, "without policies there are all")
		require.InDelta(t, e.Plan.Rows, e.Comparison.With.Rows, 0)
		require.Positive(t, e.Comparison.Ratio)
		require.Equal(t, 2, e.Comparison.Runs)
		require.Equal(t, []string{"agents_select_member (select)"}, e.Relations[0].Policies)
		require.True(t, e.Relations[0].Bound)
	}

	q := as(ada, query)
	q.Tenant = "b"
	_, err := perf.Explain(t.Context(), conn, q)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err), "a tenant that is not theirs")
}

func TestExplain_TellsPoliciesFromTheStatement(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	conn, _ := operator(t, d.URL)
	parts := func(e *perf.Explanation) map[bool][]string {
		require.True(t, e.Policies.Known, e.Policies.Why)
		found := map[bool][]string{}
		for _, c := range scan(e.Plan.Root, "agents").Conditions {
			for _, p := range c.Parts {
				found[p.Policy] = append(found[p.Policy], p.Text)
			}
		}
		return found
	}
	e := explain(t, conn, as(ada, "select name from agents where name > 'A1'"))
	got := parts(e)
	require.Equal(t, []string{"(agents.name > 'A1'::text)"}, got[false])
	require.Len(t, got[true], 1)
	require.Contains(t, got[true][0], "agents.tenant_id = ANY (")
	require.True(t, e.Plan.Root.Steps[0].FromPolicy, "only the policy asks for the sub plan")
	require.Contains(t, e.Plan.Root.Steps[0].Label, "InitPlan")

	got = parts(explain(t, conn, as(ada, "select name from agents where tenant_id = (select '00000000-0000-0000-0000-00000000000a'::uuid offset 0)")))
	require.NotEmpty(t, got[false], "a condition of the statement on the policy's own column stays the statement's")

	q := as(uuid.Nil, "select name from agents where name > 'A1'")
	q.Caller.Role, q.Member = identity.ServiceRole, false
	require.Empty(t, parts(explain(t, conn, q))[true], "no policy binds service_role")
}

func TestExplain_KeepsNothing(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	quoted := false
	for _, c := range []struct {
		text    string
		command string
		rows    float64
	}{
		{"update agents set name = 'changed'", "update", 3},
		{"insert into agents (tenant_id, name, slug) values ('00000000-0000-0000-0000-00000000000a', 'New', 'new') returning id", "insert", 1},
		{"delete from agents", "delete", 3},
		{"with gone as (delete from agents returning id) select * from gone", "select", 3},
	} {
		conn, notices := operator(t, d.URL)
		q := as(ada, c.text)
		q.Notices, q.Member = notices, false
		e := explain(t, conn, q)
		require.Equal(t, c.command, e.Command)
		require.InDelta(t, c.rows, e.Plan.Rows, 0, c.text)
		require.False(t, e.Comparison.Made, "%s would write rows of other tenants", c.text)
		require.NotEmpty(t, e.Comparison.Why)
		require.NotEmpty(t, e.Plan.Triggers, "%s: the audit's trigger ran", c.text)
		require.True(t, e.Inner.Shown, e.Inner.Why)
		shown, err := json.Marshal(e)
		require.NoError(t, err)
		quoted = quoted || strings.Contains(string(shown), ",authenticated,")
		require.NotRegexp(t, regexp.MustCompile(`[0-9a-f]{64}`), string(shown), "and the seal is masked")
	}
	var agents, changed, audited int
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), `select count(*), count(*) filter (where name in ('changed', 'New')),
		(select count(*) from organization_audit_log where actor_id = $1) from agents`, ada).Scan(&agents, &changed, &audited))
	require.Equal(t, []int{43, 0, 0}, []int{agents, changed, audited}, "nothing was kept, the audit's rows neither")

	require.True(t, quoted, "a plan that was made for one identity quotes its parts")
	conn, _ := operator(t, d.URL)
	_, err := perf.Explain(t.Context(), conn, as(ada, "update agents set tenant_id = '00000000-0000-0000-0000-00000000000b'"))
	require.Error(t, err)
	require.NotEqual(t, fault.Internal, fault.CodeOf(err), "refused, and said why: %v", err)
}

func TestExplain_Context(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	conn, notices := operator(t, d.URL)
	q := as(ada, "")
	q.Text, q.Args = tenant.ContextStatement()
	q.Member, q.Notices = false, notices
	e := explain(t, conn, q)
	require.InDelta(t, 1, e.Plan.Rows, 0)
	require.True(t, e.Inner.Shown, e.Inner.Why)
	functions := map[string]bool{}
	for _, s := range e.Inner.Statements {
		functions[s.Function] = true
		require.Positive(t, s.Calls)
		require.NotNil(t, s.Plan.Root)
	}
	for _, name := range []string{"vital.identity()", "vital.read_context(uuid,text,uuid,text)", "vital.context_document(uuid)"} {
		require.Contains(t, functions, name)
	}

	q.Caller.UserID = lone
	_, err := perf.Explain(t.Context(), conn, q)
	require.Equal(t, fault.UserWithoutOrganization, fault.CodeOf(err))
	_, err = perf.Explain(t.Context(), conn, as(lone, "select 1"))
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err), "a query, too, says that there is nothing to be seen")
}

func TestExplain_Warns(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `create schema shop; grant usage on schema shop to authenticated;
		create function shop.mine(o int) returns boolean language plpgsql stable as $$ begin return o = 7; end $$;
		create table shop."order" (id int, owner int, word text);
		insert into shop."order" select n, n % 1000, repeat(md5(n::text), 4) from generate_series(1, 20000) n;
		analyze shop."order";
		alter table shop."order" enable row level security; grant select on shop."order" to authenticated;
		create policy own on shop."order" using (shop.mine(owner));
		create table shop.piece (id int, word text); insert into shop.piece select n, repeat(md5(n::text), 4) from generate_series(1, 30000) n;
		grant select on shop.piece to authenticated;
		analyze shop.piece`)
	conn, _ := operator(t, d.URL)
	warnings := func(query string) map[string]perf.Warning {
		q := as(uuid.Nil, query)
		q.Member, q.Runs = false, 0
		found := map[string]perf.Warning{}
		for _, w := range explain(t, conn, q).Warnings {
			found[w.Code] = w
		}
		return found
	}
	found := warnings(`select id from shop."order" where owner = 7`)
	require.Contains(t, found, perf.SequentialScan)
	require.Equal(t, `CREATE INDEX CONCURRENTLY ON shop."order" (owner);`, found[perf.MissingIndex].Hint)
	require.Contains(t, found[perf.PolicyCallPerRow].Message, "a policy calls mine for each of")
	d.Exec(t, found[perf.MissingIndex].Hint) // it is SQL
	found = warnings(`select id from shop."order" where owner = 7`)
	require.NotContains(t, found, perf.SequentialScan)
	require.NotContains(t, found, perf.MissingIndex)

	require.Contains(t, warnings(`select word from shop.piece order by word`), perf.SortOnDisk)
	require.Contains(t, warnings(`select id from shop.piece where id % 2 = 0 and id % 4 = 0 and id % 8 = 0`), perf.Misestimated)
	require.Empty(t, warnings(`select 1`))
}

func TestExplain_Refuses(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	conn, _ := operator(t, d.URL)
	for _, c := range []struct {
		text, says string
		code       fault.Code
	}{
		{"", "no statement", fault.Usage},
		{"-- nothing", "0 statements", fault.Usage},
		{"select 1; select 2", "2 statements", fault.Usage},
		{"drop table agents", "Only a SELECT", fault.Usage},
		{"select * into temp x from agents", "Only a SELECT", fault.Usage},
		{"explain select 1", "Only a SELECT", fault.Usage},
		{"commit", "Only a SELECT", fault.Usage},
		{"copy agents to stdout", "Only a SELECT", fault.Usage},
		{"do $$ begin end $$", "Only a SELECT", fault.Usage},
		{"select * form agents", "syntax error", fault.Invalid},
		{"select nothing from agents", `column "nothing" does not exist`, fault.Invalid},
		{"select * from vital.seal_keys", "permission denied", fault.PermissionDenied},
		{"select 1 / 0", "division by zero", fault.Invalid},
	} {
		_, err := perf.Explain(t.Context(), conn, as(ada, c.text))
		require.Equal(t, c.code, fault.CodeOf(err), c.text)
		require.ErrorContains(t, err, c.says, c.text)
	}
	_, err := perf.Explain(t.Context(), conn, as(ada, "select\n  nothing from agents"))
	require.Equal(t, "line 2:   nothing from agents\n          ^", fault.From(err).Detail)

	q := as(ada, "select pg_sleep(5)")
	q.Timeout = 200 * time.Millisecond
	_, err = perf.Explain(t.Context(), conn, q)
	require.Equal(t, fault.StatementTimeout, fault.CodeOf(err))

	api, _ := operator(t, d.APIURL)
	_, err = perf.Explain(t.Context(), api, as(ada, "select 1"))
	require.Equal(t, fault.SealKeyUnavailable, fault.CodeOf(err), "the server's own login is no operator's")
}

// A login that is no superuser may not load auto_explain, and that is said.
func TestExplain_InnerTakesASuperuser(t *testing.T) {
	t.Parallel()
	d := tenants(t)
	d.Exec(t, `create role "plain_`+d.Name+`" login bypassrls password 'p' in role authenticated`)
	t.Cleanup(func() { d.Exec(t, `drop role "plain_`+d.Name+`"`) })
	config, err := pgx.ParseConfig(d.URL)
	require.NoError(t, err)
	notices := &perf.Notices{}
	config.User, config.Password, config.OnNotice = "plain_"+d.Name, "p", notices.Take
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	q := as(uuid.Nil, "select name from agents")
	q.Member, q.Notices = false, notices
	e := explain(t, conn, q)
	require.False(t, e.Inner.Shown)
	require.Contains(t, e.Inner.Why, "takes a superuser")
	require.True(t, e.Policies.Known)
}
