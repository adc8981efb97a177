package erasure_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/erasure"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/tenant"
)

var (
	acme     = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000000")
	bolt     = uuid.MustParse("bbbbbbbb-0000-4000-8000-000000000000")
	platform = uuid.MustParse("00000000-0000-0000-0000-000000000001")
	ada      = uuid.MustParse("a0000000-0000-4000-8000-000000000001")
	bob      = uuid.MustParse("b0000000-0000-4000-8000-000000000001")
	dana     = uuid.MustParse("d0000000-0000-4000-8000-000000000001")
)

// world is two tenants with rows of every kind, in VITAL's tables and in an application's; dana is in both, and ada was once in bolt, where
// what she made still has her id.
const world = `
insert into auth.users (id, email) values
  ('a0000000-0000-4000-8000-000000000001', 'Ada@acme.test'), ('b0000000-0000-4000-8000-000000000001', 'bob@bolt.test'), ('d0000000-0000-4000-8000-000000000001', 'dana@both.test');
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'pharmaceuticals', 'bolt');
insert into users (id, organization_id, email) select u.id, o.id, u.email from auth.users u join organizations o on o.slug = case when u.email like 'bob%' then 'bolt' else 'acme' end;
insert into profiles (id, email, full_name, tenant_id) select id, email, 'Name ' || email, organization_id from users;
insert into auth.sessions (user_id) select id from auth.users;
insert into user_tenants (tenant_id, user_id, role) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'a0000000-0000-4000-8000-000000000001', 'owner'), ('aaaaaaaa-0000-4000-8000-000000000000', 'd0000000-0000-4000-8000-000000000001', 'member'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'b0000000-0000-4000-8000-000000000001', 'owner'), ('bbbbbbbb-0000-4000-8000-000000000000', 'd0000000-0000-4000-8000-000000000001', 'member');
insert into invitations (tenant_id, email, token_hash) select id, 'guest@' || slug || '.test', sha256(slug::bytea) from organizations where slug in ('acme', 'bolt');
insert into agents (tenant_id, name, slug, owner_id) select o.id, o.name || n, o.slug || '-' || n, 'a0000000-0000-4000-8000-000000000001' from organizations o, generate_series(1, 30) n where o.slug in ('acme', 'bolt');
insert into tenant_agents (tenant_id, agent_tenant_id, agent_id) select tenant_id, tenant_id, id from agents;
insert into tools (tenant_id, name, slug) select id, slug || n, slug || '-' || n from organizations, generate_series(1, 7) n where slug in ('acme', 'bolt');
update tools t set replacement_tool_tenant_id = t.tenant_id, replacement_tool_id = (select id from tools n where n.tenant_id = t.tenant_id and n.slug > t.slug order by n.slug limit 1)
  where exists (select from tools n where n.tenant_id = t.tenant_id and n.slug > t.slug);
insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, user_id, success) select tenant_id, tenant_id, id, 'a0000000-0000-4000-8000-000000000001', true from tools, generate_series(1, 5);
insert into chat_sessions (tenant_id, user_id, title) select tenant_id, user_id, 'a talk' from user_tenants, generate_series(1, 4);
insert into prompts (tenant_id, title, body) select id, name || ' prompt', repeat(slug || ' ', 100) from organizations where slug in ('acme', 'bolt');
insert into feature_flags (flag_key) values ('dark');
insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, created_by) select o.id, f.id, true, 'a0000000-0000-4000-8000-000000000001' from organizations o, feature_flags f where o.slug in ('acme', 'bolt');
insert into query_performance (tenant_id, query_name, user_id) select o.id, 'tenant_context', u.id from organizations o, users u, generate_series(1, 10) where o.slug in ('acme', 'bolt');
insert into vital.api_keys (name, role, prefix, key_hash, acts_for, rights) select slug, 'anon', 'x', sha256(slug::bytea), id, '{flags}' from organizations where slug in ('acme', 'bolt');
insert into vital.idempotency_keys (caller, key, fingerprint, body) select u.id, 'k', sha256(''), convert_to('{"email": "' || u.email || '"}', 'UTF8') from users u;
insert into vital.river_job (kind, args, max_attempts) select 'mail', jsonb_build_object('tenant', id), 1 from organizations where slug in ('acme', 'bolt');
create schema app;
create table app.invoices (tenant_id uuid not null references organizations, id bigint generated always as identity, amount numeric not null, made_by uuid, primary key (tenant_id, id));
create table app.lines (tenant_id uuid not null, id bigint generated always as identity, invoice bigint not null, foreign key (tenant_id, invoice) references app.invoices (tenant_id, id));
create table app.countries (code text primary key);
insert into app.countries values ('de');
insert into app.invoices (tenant_id, amount, made_by) select id, n, 'a0000000-0000-4000-8000-000000000001' from organizations, generate_series(1, 25) n where slug in ('acme', 'bolt');
insert into app.lines (tenant_id, invoice) select tenant_id, id from app.invoices;
update organizations set lifecycle_state = 'suspended' where slug = 'acme';
update organizations set lifecycle_state = 'archived' where slug = 'acme';
update vital.settings set erasure_wait = '0', user_erasure_wait = '0';
`

func setup(t *testing.T) (*pgtest.Database, *pgx.Conn) {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, world)
	return d, d.Connect(t)
}

// as acts as an operator of that name in a transaction of their own: session_user is who logged in.
func as(t *testing.T, d *pgtest.Database, name string, fn func(tx pgx.Tx) error) error {
	t.Helper()
	conn := d.Connect(t)
	operator := "vital_test_" + name + "_" + d.Name[max(0, len(d.Name)-8):]
	if _, err := conn.Exec(t.Context(), "create role "+operator+" in role service_role"); err != nil {
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "42710", pgErr.Code)
	} else {
		t.Cleanup(func() { d.Exec(t, "drop role "+operator) })
	}
	_, err := conn.Exec(t.Context(), "set session authorization "+operator)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "set role service_role")
	require.NoError(t, err)
	defer conn.Close(context.Background())
	return pgx.BeginFunc(t.Context(), conn, fn)
}

// file has one operator ask for an erasure.
func file(t *testing.T, d *pgtest.Database, subject string, id uuid.UUID) (filed uuid.UUID) {
	t.Helper()
	require.NoError(t, as(t, d, "one", func(tx pgx.Tx) (err error) {
		filed, err = erasure.Ask(t.Context(), tx, subject, id, "asked for in a letter")
		return err
	}))
	return filed
}

// approved is an erasure that two operators want.
func approved(t *testing.T, d *pgtest.Database, subject string, id uuid.UUID) uuid.UUID {
	t.Helper()
	filed := file(t, d, subject, id)
	require.NoError(t, as(t, d, "two", func(tx pgx.Tx) error { return erasure.Approve(t.Context(), tx, filed) }))
	return filed
}

// refused requires the SQLSTATE with which the database refuses.
func refused(t *testing.T, state string, err error, says string) {
	t.Helper()
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, state, pgErr.Code, pgErr.Message)
	require.Contains(t, pgErr.Message+pgErr.Hint, says)
}

func signer(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	return key
}

// erase runs an erasure to its end.
func erase(t *testing.T, conn *pgx.Conn, id uuid.UUID, issue erasure.Issue) *erasure.Certificate {
	t.Helper()
	done, err := erasure.Run(t.Context(), conn, id, erasure.Config{Batch: 7})
	require.NoError(t, err)
	c, err := erasure.Certify(t.Context(), conn, done, issue)
	require.NoError(t, err)
	return c
}

// digests is a digest of every row that is of a tenant, or of no tenant, by table; what counts changes by itself is left out.
func digests(t *testing.T, conn *pgx.Conn, of uuid.UUID) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		select format('select %L, coalesce(md5(string_agg(t::text, chr(10) order by t::text)), ''-'') from %I.%I t%s', n.nspname || '.' || c.relname, n.nspname, c.relname,
			(select ' where t.' || quote_ident(a.attname) || ' = ' || quote_literal($1::text) from pg_attribute a where a.attrelid = c.oid and a.attname in ('tenant_id', 'organization_id') and a.attnotnull limit 1))
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p') and not c.relispartition and (n.nspname = 'app' or n.nspname = 'public' and c.relname not in ('organizations', 'users', 'profiles', 'feature_flag_versions'))`, of)
	require.NoError(t, err)
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	found := map[string]string{}
	for _, statement := range statements {
		var name, digest string
		require.NoError(t, conn.QueryRow(t.Context(), strings.ReplaceAll(statement, "''", "'")).Scan(&name, &digest), statement)
		found[name] = digest
	}
	return found
}

// rows is a digest of what the chain of a tenant had before its erasures.
func rows(t *testing.T, conn *pgx.Conn, of uuid.UUID) (digest string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "select md5(string_agg(hash::text, '' order by seq)) from organization_audit_log where organization_id = $1 and action <> 'erased'", of).Scan(&digest))
	return digest
}

func count(t *testing.T, conn *pgx.Conn, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

// verified holds every audit chain, and returns how many are gone with their tenants.
func verified(t *testing.T, conn *pgx.Conn) (gone int) {
	t.Helper()
	require.NoError(t, tenant.LookAtAudit(t.Context(), conn, func(tx pgx.Tx) error {
		summary, err := tenant.VerifyAudit(t.Context(), tx, tenant.AuditCheck{Found: func(f tenant.AuditFinding) error { return fmt.Errorf("%+v", f) }})
		gone = summary.Erased
		return err
	}))
	return gone
}

// meanwhile does something again and again until it is stopped or fails.
func meanwhile(do func() error) (stop func() error) {
	over, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-over:
				done <- nil
				return
			default:
			}
			if err := do(); err != nil {
				done <- err
				return
			}
		}
	}()
	return func() error {
		close(over)
		return <-done
	}
}

// TestErase_Tenant: two operators, and then nothing of the tenant is left but the proof; of the other tenant everything is as it was, and
// can be read and written all the while.
func TestErase_Tenant(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	d.Exec(t, "update agents set owner_id = null where tenant_id = $1", bolt)
	d.Exec(t, "update app.invoices set made_by = null where tenant_id = 'bbbbbbbb-0000-4000-8000-000000000000'; update tool_usage_log set user_id = null where tenant_id = 'bbbbbbbb-0000-4000-8000-000000000000'; update query_performance set user_id = null where tenant_id = 'bbbbbbbb-0000-4000-8000-000000000000'; delete from tenant_feature_flags where tenant_id = 'bbbbbbbb-0000-4000-8000-000000000000'; delete from tenant_feature_flag_versions where tenant_id = 'bbbbbbbb-0000-4000-8000-000000000000'")
	d.Exec(t, "insert into access_records (tenant_id, user_id, acting_role, database_login, action, table_name) values ('"+acme.String()+"', '"+ada.String()+"', 'member', 'vital_api', 'read', 'agents')")
	d.Exec(t, "insert into break_glass (tenant_id, user_id, reason, until) values ('"+acme.String()+"', '"+dana.String()+"', 'ada asked', now() + interval '1 hour')")
	d.Exec(t, "analyze")
	before, chain := digests(t, conn, bolt), rows(t, conn, bolt)

	reader, slowest, reads := d.Connect(t), time.Duration(0), 0
	stop := meanwhile(func() error {
		started := time.Now()
		_, err := reader.Exec(context.Background(), "select * from agents where tenant_id = $1", bolt)
		slowest, reads = max(slowest, time.Since(started)), reads+1
		return err
	})
	key := signer(t)
	c := erase(t, conn, id, erasure.Issue{Key: key})
	require.NoError(t, stop())
	require.Greater(t, reads, 10)
	require.Less(t, slowest, time.Minute)

	require.Empty(t, c.Scan.Left)
	require.True(t, c.Clean)
	require.Equal(t, []uuid.UUID{ada}, c.People, "dana is in another tenant, too")
	after := digests(t, conn, bolt)
	delete(before, "public.organization_audit_log") // what named ada is erased there, and the chain holds
	delete(after, "public.organization_audit_log")
	require.Equal(t, before, after)
	require.Equal(t, chain, rows(t, conn, bolt))
	for table, gone := range map[string]int64{
		"public.organizations": 1, "public.agents": 30, "public.tenant_agents": 30, "public.tools": 7, "public.tool_usage_log": 35, "app.invoices": 25, "app.lines": 25, "public.chat_sessions": 8,
		"vital.api_keys": 1, "vital.river_job": 1, "vital.idempotency_keys": 1, "public.users": 1, "auth.users": 1, "vital.audit_heads": 1, "vital.query_performance_default": 30,
		"public.break_glass": 1,
	} {
		require.Equal(t, gone, c.Erased[table], table)
	}
	require.Greater(t, c.Erased["public.organization_audit_log"], int64(60))
	require.Equal(t, c.Erased["public.organization_audit_log"], c.Chain.Seq)
	require.Equal(t, 2, count(t, conn, "select count(*) from auth.users"))
	require.Equal(t, 1, count(t, conn, "select count(*) from users where id = $1 and organization_id = $2", dana, bolt), "dana has a home in the other tenant")
	require.Equal(t, 1, verified(t, conn), "the chain is gone, and known to be")
	require.Equal(t, []string{"login", "login"}, []string{c.RequestedBy[:5], c.ApprovedBy[:5]})
	require.NotEqual(t, c.RequestedBy, c.ApprovedBy)
	var where []string
	for _, f := range c.Scan.Kept {
		where = append(where, f.Where)
	}
	require.Subset(t, where, []string{"public.organization_audit_log.entity_id", "vital.erasures.subject_id", "vital.access_records_default.user_id"})
	require.Equal(t, 1, count(t, conn, "select count(*) from access_records where user_id = $1", ada), "the law has it kept who read what")
	require.Zero(t, count(t, conn, "select count(*) from vital.erasures where addresses is not null"))
}

// TestErase_AnalyzedMeanwhile: an erasure knows the addresses it looks for while it runs, and whoever analyzes its table then, as autovacuum
// does, remembers none of them.
func TestErase_AnalyzedMeanwhile(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	analyzing, known := d.Connect(t), 0
	stop := meanwhile(func() error {
		running := 0
		err := analyzing.QueryRow(context.Background(), "select count(*)::int from vital.erasures where addresses is not null").Scan(&running)
		known += running
		if err == nil {
			_, err = analyzing.Exec(context.Background(), "analyze vital.erasures")
		}
		return err
	})
	c := erase(t, conn, id, erasure.Issue{Key: signer(t)})
	require.NoError(t, stop())
	require.Positive(t, known, "they were there to be remembered")
	require.Empty(t, c.Scan.Left)
	require.True(t, c.Clean)
}

// TestErase_Certificate: what the database keeps is what was signed, and whatever is changed of it is found.
func TestErase_Certificate(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	key := signer(t)
	id := approved(t, d, "tenant", acme)
	erase(t, conn, id, erasure.Issue{Key: key, Backups: []erasure.Backup{{File: "a.dump", MadeAt: time.Now(), Goes: "later"}}})
	var file []byte
	require.NoError(t, as(t, d, "one", func(tx pgx.Tx) error {
		text, signature, err := erasure.Kept(t.Context(), tx, id)
		require.NoError(t, err)
		file, err = erasure.Write(text, signature)
		return err
	}))
	trusted := key.Public().(ed25519.PublicKey)
	c, err := erasure.Open(file, trusted)
	require.NoError(t, err)
	require.Equal(t, acme, c.SubjectID)
	require.NotContains(t, strings.ToLower(string(file)), "ada@")
	for name, changed := range map[string]string{
		"what was found": strings.Replace(string(file), `"left": []`, `"left": [{"where":"x","kind":"table","count":1}]`, 1),
		"whom":           strings.Replace(string(file), acme.String(), bolt.String(), 1),
		"cut off":        string(file)[:len(file)/2],
		"nothing":        "{}",
		"no signature":   strings.Replace(string(file), `"signature"`, `"unsigned"`, 1),
	} {
		require.NotEqual(t, string(file), changed, name)
		_, err := erasure.Open([]byte(changed), trusted)
		require.Equal(t, fault.CertificateInvalid, fault.CodeOf(err), name)
	}
	_, err = erasure.Open(file, signer(t).Public().(ed25519.PublicKey))
	require.Equal(t, fault.CertificateInvalid, fault.CodeOf(err), "signed by another")
	_, err = erasure.Run(t.Context(), conn, id, erasure.Config{})
	refused(t, "VT203", err, "finished")
}

// TestErase_Refused: each of the things that stand in the way is told, and nothing is erased.
func TestErase_Refused(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	ask := func(subject string, id uuid.UUID, reason string) error {
		return as(t, d, "one", func(tx pgx.Tx) error {
			_, err := erasure.Ask(t.Context(), tx, subject, id, reason)
			return err
		})
	}
	refused(t, "VT203", ask("tenant", bolt, "why"), "This tenant is active; only an archived one is erased.")
	refused(t, "VT203", ask("tenant", platform, "why"), "never erased")
	refused(t, "VT104", ask("tenant", uuid.New(), "why"), "no such tenant")
	refused(t, "VT202", ask("tenant", acme, " "), "p_reason")
	refused(t, "VT202", ask("user", dana, "dana@BOTH.test wants it"), "without the id and address")
	refused(t, "VT207", ask("user", bob, "why"), "only owner")
	refused(t, "VT101", ask("user", uuid.New(), "why"), "no such user")
	d.Exec(t, "insert into organizations (name, slug, tenant_type, tenant_key, parent_organization_id) values ('Part', 'part', 'clinic', 'part', $1)", acme)
	refused(t, "VT203", ask("tenant", acme, "why"), "part of this one")
	d.Exec(t, "update organizations set parent_organization_id = null where slug = 'part'; update vital.settings set erasure_wait = '30 days'")

	id := file(t, d, "tenant", acme)
	refused(t, "VT203", ask("tenant", acme, "again"), "already")
	run := func() error {
		_, err := erasure.Run(t.Context(), conn, id, erasure.Config{})
		return err
	}
	refused(t, "VT203", run(), "This erasure is requested.")
	refused(t, "VT110", as(t, d, "one", func(tx pgx.Tx) error { return erasure.Approve(t.Context(), tx, id) }), "It takes two")
	require.NoError(t, as(t, d, "two", func(tx pgx.Tx) error { return erasure.Approve(t.Context(), tx, id) }))
	refused(t, "VT203", run(), "The waiting time of this erasure ends on")
	d.Exec(t, "update vital.erasures set not_before = now()")
	hold := func(held bool) error {
		return as(t, d, "one", func(tx pgx.Tx) error { return erasure.Hold(t.Context(), tx, acme, held, "a court asks") })
	}
	require.NoError(t, hold(true))
	refused(t, "VT203", hold(true), "already")
	refused(t, "VT203", run(), "legal hold")
	refused(t, "VT203", ask("user", ada, "why"), "legal hold")
	require.NoError(t, hold(false))
	require.Equal(t, 2, count(t, conn, "select count(*) from organization_audit_log where organization_id = $1 and action in ('held', 'released') and reason = 'a court asks'", acme))
	require.NoError(t, as(t, d, "one", func(tx pgx.Tx) error { return erasure.Cancel(t.Context(), tx, id, "not wanted any more") }))
	refused(t, "VT203", run(), "cancelled")
	_, err := d.ConnectAPI(t).Exec(t.Context(), "select public.request_erasure('tenant', $1, 'why')", acme)
	require.Error(t, err, "the server's login alone is nobody")
	require.Equal(t, 30, count(t, conn, "select count(*) from agents where tenant_id = $1", acme))
	require.Equal(t, 0, verified(t, conn))
}

// TestErase_BrokenOff: a run that is killed leaves an erasure that runs; the next goes on and comes to the same end. In between chains hold,
// and nobody calls it off.
func TestErase_BrokenOff(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	var killed int
	for _, at := range []string{"auth.users", "public.tools", "public.organization_audit_log", "public.organizations"} {
		victim := d.Connect(t)
		_, err := erasure.Run(t.Context(), victim, id, erasure.Config{Batch: 3, Progress: func(what string, _ int64) {
			if what == at {
				d.Exec(t, "select pg_terminate_backend($1)", int64(victim.PgConn().PID()))
			}
		}})
		if err == nil {
			continue // a run before came further
		}
		killed++
		require.Equal(t, "running", func() (state string) {
			require.NoError(t, conn.QueryRow(t.Context(), "select state from vital.erasures").Scan(&state))
			return state
		}())
		require.Equal(t, 1, verified(t, conn))
	}
	require.GreaterOrEqual(t, killed, 3)
	refused(t, "VT203", as(t, d, "one", func(tx pgx.Tx) error { return erasure.Cancel(t.Context(), tx, id, "stop") }), "no way back")
	c := erase(t, conn, id, erasure.Issue{Key: signer(t)})
	require.True(t, c.Clean, "%+v", c.Scan.Left)
	require.Equal(t, int64(30), c.Erased["public.agents"])
	require.Equal(t, int64(1), c.Erased["public.organizations"])
	require.Equal(t, c.Chain.Seq, c.Erased["public.organization_audit_log"])
	require.Equal(t, 1, verified(t, conn))
}

// TestErase_Leftovers: what is planted where nothing looks is found, told by its place, and the certificate says so.
func TestErase_Leftovers(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	d.Exec(t, `create table app.notes (n int, said text, raw bytea, doc jsonb);
		insert into app.notes select n, 'x', '\x00', '{}' from generate_series(1, 100) n;
		insert into app.notes values (101, 'mail to ADA@acme.test', null, null), (102, null, 'id aaaaaaaa-0000-4000-8000-000000000000', null), (103, null, '\xffaaaaaaaa000040008000000000000000ff', null),
			(104, null, null, '{"a": [{"b": "a0000000-0000-4000-8000-000000000001"}]}');
		analyze app.notes;
		select lo_from_bytea(0, 'guest@acme.test')`)
	log := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, os.WriteFile(log, []byte(strings.Repeat("nothing here\n", 200_000)+"user Ada@Acme.test signed in\n"+strings.Repeat("nothing here\n", 100_000)), 0o600))
	c := erase(t, conn, id, erasure.Issue{Key: signer(t), Search: erasure.Search{Files: []string{log}, Redis: func(_ context.Context, each func(string, []byte) error) (int64, error) {
		if err := each("job:"+acme.String(), nil); err != nil {
			return 0, err
		}
		return 2, each("list", []byte(`{"to": "ada@acme.test"}`))
	}}})
	require.False(t, c.Clean)
	found := map[string]int64{}
	for _, f := range c.Scan.Left {
		if f.Kind == "statistics" {
			require.True(t, strings.HasPrefix(f.Where, "app.notes."), f.Where)
			continue
		}
		found[f.Where] = f.Count
	}
	require.Equal(t, map[string]int64{
		"app.notes.said": 1, "app.notes.raw": 2, "app.notes.doc": 1, "pg_catalog.pg_largeobject.data": 1, log + ":2600005": 1, "job:…": 1, "list": 1,
	}, found)

	d.Exec(t, "drop table app.notes; select lo_unlink(oid) from pg_largeobject_metadata; insert into vital.river_job (kind, args, max_attempts) values ('mail', '{\"to\": \"aaaaaaaa-0000-4000-8000-000000000000\"}', 1)")
	again, err := erasure.Find(t.Context(), conn, id, []string{"ada@acme.test"}, erasure.Search{})
	require.NoError(t, err)
	require.Equal(t, []erasure.Finding{{Where: "vital.river_job.args", Kind: "job", Count: 1}}, again.Left)
}

// TestErase_LargeTable: a table of several stretches is looked through from the first row to the last, and counted once.
func TestErase_LargeTable(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	erase(t, conn, id, erasure.Issue{Key: signer(t)})
	d.Exec(t, `create table public.planted as select case when n in (1, 2999, 6000) then $1::text else 'x' end as said, case n when 6000 then $1::text end as note, repeat('y', 600) as filler
		from generate_series(1, 6000) n`, acme.String())
	require.Greater(t, count(t, conn, "select (pg_relation_size('public.planted') / 8192)::int"), 3*128)
	scan, err := erasure.Find(t.Context(), conn, id, nil, erasure.Search{})
	require.NoError(t, err)
	require.Equal(t, []erasure.Finding{{Where: "public.planted.note", Kind: "table", Count: 1}, {Where: "public.planted.said", Kind: "table", Count: 3}}, scan.Left)
}

// TestErase_Many: of many members each is found, by what ids and addresses look like.
func TestErase_Many(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	d.Exec(t, `insert into users (id, email) select gen_random_uuid(), 'member' || n || '@acme.test' from generate_series(1, 150) n;
		insert into user_tenants (tenant_id, user_id) select 'aaaaaaaa-0000-4000-8000-000000000000', id from users where email like 'member%';
		create table app.notes as select 'so said ' || email || ', and left' as said, id::text || ',' as who, convert_to('<' || email || '>', 'UTF8') as raw from users where email like 'member%'`)
	c := erase(t, conn, approved(t, d, "tenant", acme), erasure.Issue{Key: signer(t)})
	require.Len(t, c.People, 151)
	found := map[string]int64{}
	for _, f := range c.Scan.Left {
		found[f.Where] = f.Count
	}
	require.Equal(t, map[string]int64{"app.notes.said": 150, "app.notes.who": 150, "app.notes.raw": 150}, found)
}

// TestErase_User: a user goes, the tenants stay as they are, and what others' rows and logs said of them is said no more.
func TestErase_User(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	d.Exec(t, "update user_tenants set role = 'admin' where user_id = $1", dana)
	d.Exec(t, "update agents set owner_id = 'd0000000-0000-4000-8000-000000000001' where slug in ('bolt-1', 'bolt-2'); update tenant_feature_flags set enabled = false, created_by = 'd0000000-0000-4000-8000-000000000001'")
	d.Exec(t, "analyze")
	c := erase(t, conn, approved(t, d, "user", dana), erasure.Issue{Key: signer(t)})
	require.True(t, c.Clean, "%+v", c.Scan.Left)
	require.Nil(t, c.Chain)
	require.Equal(t, []uuid.UUID{dana}, c.People)
	require.Equal(t, 2, count(t, conn, "select count(*) from organizations where id in ($1, $2)", acme, bolt))
	require.Equal(t, 30, count(t, conn, "select count(*) from agents where tenant_id = $1", bolt))
	require.Equal(t, 2, count(t, conn, "select count(*) from users"))
	require.Zero(t, count(t, conn, "select count(*) from auth.sessions where user_id = $1", dana))
	require.Zero(t, count(t, conn, "select count(*) from organization_audit_log a where a::text ~* 'dana@both'"))
	require.Zero(t, verified(t, conn))
	require.Positive(t, count(t, conn, "select count(*) from organization_audit_log where erased_at is not null"))
}

// TestErase_Together: of two who run the same erasure one does.
func TestErase_Together(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	id := approved(t, d, "tenant", acme)
	other := d.Connect(t)
	var second error
	_, err := erasure.Run(t.Context(), conn, id, erasure.Config{Progress: func(string, int64) {
		if second == nil {
			_, second = erasure.Run(context.Background(), other, id, erasure.Config{})
		}
	}})
	require.NoError(t, err)
	require.Equal(t, fault.StateConflict, fault.CodeOf(second))
}
