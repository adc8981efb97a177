package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// regulated serves two tenants, of which A is under HIPAA.
func regulated(t *testing.T) *bundle {
	t.Helper()
	b := setupRest(t)
	b.hipaa(tenantA, true)
	b.hipaa(tenantB, false) // on for pharmaceuticals
	return b
}

func (b *bundle) hipaa(tenant string, enabled bool) {
	b.t.Helper()
	b.db.Exec(b.t, fmt.Sprintf(`update tenant_configurations set compliance_settings = jsonb_set(compliance_settings, '{hipaa_enabled}', '%t') where tenant_id = '%s'`, enabled, tenant))
}

// recorded are the records of a tenant since it was last asked, in short.
func (b *bundle) recorded(tenant string) []string {
	b.t.Helper()
	rows, err := b.db.Connect(b.t).Query(context.Background(), `
		select concat_ws(' ', coalesce(split_part(u.email, '@', 1), database_login), acting_role, action, table_name, nullif(embedded::text, '{}'),
		  nullif(filter::text, '[]'), coalesce(row_count::text, 'failed'), error_code)
		from access_records a left join users u on u.id = a.user_id where tenant_id = $1 and request_id is not null order by at, a.id`, tenant)
	require.NoError(b.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	since := all[b.seen[tenant]:]
	if b.seen == nil {
		b.seen = map[string]int{}
	}
	b.seen[tenant] = len(all)
	return since
}

// TestAccess_Records asks in every way something can be read, and wants each in the records as it was.
func TestAccess_Records(t *testing.T) {
	t.Parallel()
	b := regulated(t)
	b.db.Exec(t, `
		create function public.meddle() returns int language plpgsql as $$ begin insert into prompts (tenant_id, title) values ('`+tenantA+`', 'meddled'); return 1; end $$;
		create function public.own_prompts(p_title text) returns setof prompts language sql stable as $$ select * from prompts where title like p_title $$;
		grant execute on function public.meddle, public.own_prompts to authenticated`)
	require.NoError(t, b.engine.Load(context.Background()))
	read := func(method, path, want string, headers ...string) answer {
		t.Helper()
		got := b.do(method, "/rest/v1/"+path, with(bearer(b.token(ada, "")), headers...)...)
		require.Equal(t, []string{want}, b.recorded(tenantA), "%s %s: %d %s", method, path, got.status, got.body)
		return got
	}
	got := read("GET", "prompts", "ada admin read prompts 5")
	require.Len(t, rowsOf(t, got), 5)
	require.Equal(t, 1, b.number("select count(*)::int from access_records where request_id = $1 and session_id is not null and break_glass_id is null and database_login = 'vital_api'",
		got.header.Get("X-Request-Id")))
	read("GET", "prompts?title=eq.of%20a%20patient&limit=1", `ada admin read prompts [{"column": "title", "operator": "eq"}] 0`)
	read("GET", "agents?id=in.("+agentA+","+agentB+",x)", `ada admin read agents [{"column": "id", "values": ["`+agentA+`", "`+agentB+`"], "operator": "in"}] failed 22P02`)
	read("GET", "agents?id=eq."+agentA, `ada admin read agents [{"column": "id", "values": ["`+agentA+`"], "operator": "eq"}] 1`)
	read("GET", "prompts?or=(title.eq.x,and(body.not.like.*y*,version.gt.1))",
		`ada admin read prompts [{"column": "title", "operator": "eq"}, {"column": "body", "operator": "not.like"}, {"column": "version", "operator": "gt"}] 0`)
	read("GET", "organizations?select=name,prompts(title),personas!inner(name)&prompts.title=like.p*",
		`ada admin read organizations {prompts,personas} [{"column": "prompts.title", "operator": "like"}] 1`)
	read("HEAD", "prompts", "ada admin count prompts 5", "Prefer", "count=exact")
	read("GET", "prompts?limit=2", "ada admin read prompts 2", "Prefer", "count=exact")
	read("GET", "prompts?limit=0", "ada admin read prompts 0", "Prefer", "count=exact")
	require.Equal(t, 406, read("GET", "prompts?title=eq.none", `ada admin read prompts [{"column": "title", "operator": "eq"}] failed PGRST116`,
		"Accept", "application/vnd.pgrst.object+json").status)
	etag := read("GET", "prompts?limit=1", "ada admin read prompts 1").header.Get("Etag")
	require.Equal(t, 304, read("GET", "prompts?limit=1", "ada admin read prompts 1", "If-None-Match", etag).status)
	// A value that is told by an error is a value that was read.
	require.Contains(t, read("GET", "prompts?select=title::int", "ada admin read prompts failed 22P02").body, "of A")

	read("GET", "rpc/own_prompts?p_title=prompt*1%25", `ada admin call own_prompts [{"column": "p_title", "operator": "eq"}] 0`)
	requireRestError(t, read("GET", "rpc/meddle", "ada admin call meddle failed 25006"), 405, "25006")
	require.Zero(t, b.number("select count(*)::int from prompts where title = 'meddled'"), "a reading request has written")
	b.send("POST", "/rest/v1/rpc/own_prompts", ada, `{"p_title": "%"}`)
	require.Equal(t, []string{`ada admin call own_prompts [{"column": "p_title", "operator": "eq"}] 5`}, b.recorded(tenantA))

	b.send("PATCH", "/rest/v1/prompts?title=eq.prompt%201%20of%20A", ada, `{"body": "new"}`, "Prefer", "return=representation")
	require.Equal(t, []string{`ada admin update prompts [{"column": "title", "operator": "eq"}] 1`}, b.recorded(tenantA))
	b.send("POST", "/rest/v1/prompts", ada, `{"tenant_id": "`+tenantA+`", "title": "new"}`)
	require.Empty(t, b.recorded(tenantA), "who is shown nothing reads nothing")
	b.get("/v1/context", bearer(b.token(ada, ""))...)
	require.Empty(t, b.recorded(tenantA), "a context is no data")
}

// TestAccess_OthersLeaveNone: turning HIPAA on holds from the next request on, off likewise; nobody else's reads are recorded.
func TestAccess_OthersLeaveNone(t *testing.T) {
	t.Parallel()
	b := regulated(t)
	get := func(user, tenant string, headers ...string) {
		t.Helper()
		require.Equal(t, 200, b.get("/rest/v1/prompts", with(bearer(b.token(user, tenant)), headers...)...).status)
	}
	get(bob, "")
	require.Empty(t, b.recorded(tenantB))
	b.hipaa(tenantB, true)
	get(bob, "")
	get(bob, tenantB)
	get(bob, "", "Vital-Tenant", "bolt")
	require.Len(t, b.recorded(tenantB), 3)
	b.hipaa(tenantB, false)
	for range 2 {
		get(bob, "")
		get(bob, "", "Vital-Tenant", "bolt")
	}
	require.Empty(t, b.recorded(tenantB))
	get(dana, tenantB) // of A as well
	require.Empty(t, b.recorded(tenantA))
	get(root, "", "Vital-Tenant", "acme")
	require.Equal(t, []string{"root super_admin read prompts 5"}, b.recorded(tenantA))

	b.hipaa(tenantB, true)
	for user, want := range map[string]string{ada: tenantA, bob: tenantB} {
		var records []map[string]any
		got := b.get("/rest/v1/access_records?select=tenant_id", bearer(b.token(user, ""))...)
		require.NoError(t, json.Unmarshal([]byte(got.body), &records), got.body)
		for _, r := range records {
			require.Equal(t, want, r["tenant_id"])
		}
	}
	b.recorded(tenantA)
	require.JSONEq(t, `[]`, b.get("/rest/v1/access_records", bearer(b.token(vic, ""))...).body, "a viewer reads no records")
	for _, change := range []string{"DELETE", "PATCH", "POST"} {
		require.Equal(t, 403, b.send(change, "/rest/v1/access_records?table_name=eq.prompts", ada, `{"table_name": "x"}`).status, change)
	}
}

// TestAccess_NoRecordNoAnswer: what cannot be recorded is not answered, however large it is and whatever its error would have told.
func TestAccess_NoRecordNoAnswer(t *testing.T) {
	t.Parallel()
	b := regulated(t)
	b.db.Exec(t, `insert into prompts (tenant_id, title, body) select '`+tenantA+`', 'long', repeat('x', 1000) from generate_series(1, 3000)`)
	token := bearer(b.token(ada, ""))
	large := b.get("/rest/v1/prompts?title=eq.long", token...)
	require.Len(t, rowsOf(t, large), 3000)
	require.NotEmpty(t, large.header.Get("Content-Range"), "it was kept back until the record was")
	require.Equal(t, []string{`ada admin read prompts [{"column": "title", "operator": "eq"}] 3000`}, b.recorded(tenantA))

	b.db.Exec(t, `alter table access_records add constraint no_room check (table_name <> 'prompts') not valid`)
	for _, path := range []string{"prompts?limit=1", "prompts?title=eq.long", "prompts?select=title::int"} {
		got := b.get("/rest/v1/"+path, token...)
		requireRestError(t, got, http.StatusServiceUnavailable, "access_not_recorded")
		require.NotContains(t, got.body, "xxx")
		require.NotContains(t, got.body, "prompt ")
	}
	got := b.send("PATCH", "/rest/v1/prompts?title=eq.long", ada, `{"title": "changed"}`, "Prefer", "return=representation")
	requireRestError(t, got, http.StatusServiceUnavailable, "access_not_recorded")
	require.Zero(t, b.number("select count(*)::int from prompts where title = 'changed'"))
	require.Empty(t, b.recorded(tenantA))
	require.Equal(t, 200, b.get("/rest/v1/agents", token...).status)
	require.Equal(t, 200, b.get("/rest/v1/prompts?limit=1", bearer(b.token(bob, ""))...).status, "others do not notice")
}

// TestAccess_ServiceKeys: a key of no tenant leaves a record where it may have shown rows of one under HIPAA.
func TestAccess_ServiceKeys(t *testing.T) {
	t.Parallel()
	b := regulated(t)
	key := bearer(b.serviceKey())
	for path, want := range map[string][2]int{
		"prompts?tenant_id=eq." + tenantB:                                 {0, 0},
		"prompts?tenant_id=eq." + tenantA:                                 {1, 0},
		"prompts?tenant_id=in.(" + tenantA + "," + tenantB + ")":          {1, 0},
		"prompts?or=(tenant_id.eq." + tenantB + ",title.like.p*)":         {0, 1},
		"prompts?tenant_id=not.eq." + tenantB + "&select=title&limit=100": {0, 1},
	} {
		require.Equal(t, 200, b.get("/rest/v1/"+path, key...).status, path)
		got := [2]int{len(b.recorded(tenantA)), len(b.recorded(platform))}
		require.Equal(t, want, got, path)
	}
	b.hipaa(tenantA, false)
	b.get("/rest/v1/prompts", key...)
	require.Empty(t, b.recorded(platform))
}

// TestAccess_Kept: nobody changes or deletes a record; a month goes when all of it is older than is kept.
func TestAccess_Kept(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	roll := func(now string) string {
		t.Helper()
		var done []string
		rows, err := conn.Query(context.Background(), "select done || ' ' || right(partition_name, 6) from vital.roll_access_records(1, $1::timestamptz)", now)
		require.NoError(t, err)
		done, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return strings.Join(done, ", ")
	}
	d.Exec(t, fixture+`insert into access_records (tenant_id, at, acting_role, database_login, action, table_name)
		select '`+tenantA+`', at::timestamptz, 'admin', 'x', 'read', 'prompts' from unnest(array['2026-01-31 23:59:59.9+00', '2026-02-01 00:00+00', '2026-02-28 23:00-03']) at`)
	require.Equal(t, "made 202601, made 202602, made 202603", roll("2026-02-10"))
	require.Equal(t, "", roll("2026-02-10"))
	for _, change := range []string{"update access_records set table_name = 'x'", "delete from access_records", "truncate access_records", "delete from vital.access_records_202602"} {
		_, err := conn.Exec(context.Background(), change)
		require.ErrorContains(t, err, "only ever added to", change)
	}
	require.Equal(t, "made 203201, made 203202", roll("2032-01-31 23:00+00"))
	require.Equal(t, "made 203203, dropped 202601", roll("2032-02-01 00:00+00"))
	var left int
	require.NoError(t, conn.QueryRow(context.Background(), "select count(*) from access_records").Scan(&left))
	require.Equal(t, 2, left)
	_, err := conn.Exec(context.Background(), "update vital.settings set access_record_retention = '5 years'")
	require.ErrorContains(t, err, "settings_access_record_retention_check")
	d.Exec(t, "update vital.settings set access_record_retention = '10 years'")
	require.Equal(t, "made 203407, made 203408", roll("2034-07-01"))
}
