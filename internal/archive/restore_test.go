package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
)

// possessions are rows of both tenants that refer to each other in every way there is; an application's own tables are among them.
const possessions = `
insert into feature_flags (id, flag_key) values ('f0000000-0000-4000-8000-000000000001', 'dark'), ('f0000000-0000-4000-8000-000000000002', 'bright');
insert into tool_categories (tenant_id, name, slug) select id, 'Search', 'search' from organizations where slug in ('acme', 'bolt');
insert into tools (tenant_id, name, slug, category_tenant_id, category_id) select tenant_id, 'Find', 'find', tenant_id, id from tool_categories;
insert into tools (tenant_id, name, slug, replacement_tool_tenant_id, replacement_tool_id) select tenant_id, 'Seek', 'seek', tenant_id, id from tools;
insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success) select tenant_id, tenant_id, id, true from tools where slug = 'find';
insert into tenant_agents (tenant_id, agent_tenant_id, agent_id, assigned_by) select tenant_id, tenant_id, id, 'a0000000-0000-4000-8000-000000000001' from agents where slug in ('acme-1', 'acme-2', 'bolt-1');
insert into chat_sessions (tenant_id, user_id, agent_tenant_id, agent_id, title) select tenant_id, 'd0000000-0000-4000-8000-000000000001', tenant_id, id, 'Call dana@both.test' from agents where slug in ('acme-1', 'bolt-1');
insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled) select o.id, f.id, true from organizations o, feature_flags f where o.slug in ('acme', 'bolt') and f.flag_key = 'dark';
insert into personas (tenant_id, name, body) select id, 'Ada Lovelace', E'write\nada@acme.test' from organizations where slug in ('acme', 'bolt');
insert into jobs_to_be_done (tenant_id, title, persona_tenant_id, persona_id) select tenant_id, 'Search', tenant_id, id from personas;
create schema app;
create table app.invoices (tenant_id uuid not null references organizations, id bigint generated always as identity, amount numeric not null, twice numeric generated always as (amount * 2) stored,
  document jsonb not null default 'null', contact_email text, phone text, rate double precision, primary key (tenant_id, id));
create table app.notes (organization uuid not null references organizations, text text);
create table app.leaves (tenant_id uuid not null references organizations, id uuid not null default gen_random_uuid(), parent uuid, primary key (tenant_id, id), foreign key (tenant_id, parent) references app.leaves);
insert into app.invoices (tenant_id, amount, contact_email, phone, rate) select id, 0.10000000000000000000001, 'pay@' || slug || '.test', '123', 'NaN' from organizations where slug in ('acme', 'bolt');
insert into app.notes select id, slug from organizations, (values (1), (2)) v where slug in ('acme', 'bolt');
insert into app.leaves (tenant_id, id) values ('aaaaaaaa-0000-4000-8000-000000000000', '1eaf0000-0000-4000-8000-000000000001');
insert into app.leaves (tenant_id, id, parent) values ('aaaaaaaa-0000-4000-8000-000000000000', '1eaf0000-0000-4000-8000-000000000002', '1eaf0000-0000-4000-8000-000000000001');
`

// damage is what can become of a tenant: rows changed, gone and new, under the same unique values and referred to.
const damage = `
update organizations set name = 'Damaged', metadata = '{"x": 1}' where slug = 'acme';
delete from tenant_apps where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000' and app_key in ('chat', 'agents');
insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('aaaaaaaa-0000-4000-8000-000000000000', 'chat', 'Chat again', '/x');
insert into agents (tenant_id, name, slug) values ('aaaaaaaa-0000-4000-8000-000000000000', 'New', 'new');
update tenant_agents t set agent_id = n.id from agents n, agents o where n.slug = 'new' and o.slug = 'acme-2' and t.agent_id = o.id;
update chat_sessions s set agent_id = n.id from agents n where n.slug = 'new' and s.tenant_id = n.tenant_id;
delete from agents where slug = 'acme-2';
insert into tool_categories (tenant_id, name, slug) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Other', 'other');
update tools t set category_id = c.id from tool_categories c where c.slug = 'other' and t.tenant_id = c.tenant_id and t.slug = 'find';
delete from tool_categories where slug = 'search' and tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
update tool_categories set slug = 'search' where slug = 'other';
insert into tools (tenant_id, name, slug) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Late', 'late'), ('aaaaaaaa-0000-4000-8000-000000000000', 'Later', 'later');
update tools t set replacement_tool_id = n.id from tools n where n.slug = 'later' and t.tenant_id = n.tenant_id and t.slug = 'seek';
update tenant_feature_flags set enabled = false where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled) select 'aaaaaaaa-0000-4000-8000-000000000000', id, true from feature_flags where flag_key = 'bright';
delete from user_tenants where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000' and role = 'member';
delete from jobs_to_be_done where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
delete from personas where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
delete from prompts where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
update app.invoices set amount = 7, document = '{}', rate = 1;
update app.invoices set amount = 0.10000000000000000000001, document = 'null', rate = 'NaN' where tenant_id <> 'aaaaaaaa-0000-4000-8000-000000000000';
insert into app.invoices (tenant_id, amount) values ('aaaaaaaa-0000-4000-8000-000000000000', 9);
update app.notes set text = 'x' where ctid in (select min(ctid) from app.notes where organization = 'aaaaaaaa-0000-4000-8000-000000000000');
delete from app.leaves where parent is not null;
insert into app.leaves (tenant_id, id, parent) values ('aaaaaaaa-0000-4000-8000-000000000000', '1eaf0000-0000-4000-8000-000000000003', '1eaf0000-0000-4000-8000-000000000001');
update tenant_configurations set limits = '{"max_agents": 1, "max_conversations": 0}', enabled_agent_tiers = '{9}' where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000';
`

func setUpRestore(t *testing.T) (*pgtest.Database, *pgx.Conn, *archive.Archive) {
	t.Helper()
	d, conn := setup(t)
	d.Exec(t, possessions)
	return d, conn, openOf(t, conn, acme)
}

// openOf takes a tenant out and opens what came of it.
func openOf(t *testing.T, conn *pgx.Conn, tenant uuid.UUID) *archive.Archive {
	t.Helper()
	signer := key(t)
	opened, err := archive.Open(export(t, conn, tenant, signer), signer.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	return opened
}

// hashes are those of a tenant's rows, by table.
func hashes(t *testing.T, conn *pgx.Conn, tenant uuid.UUID) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		tables, _, err := archive.Scope(t.Context(), tx)
		require.NoError(t, err)
		for _, table := range tables {
			if table.TenantColumn == "" {
				continue
			}
			var hash *string
			require.NoError(t, tx.QueryRow(t.Context(), "select md5(string_agg(r, ',' order by r)) from (select to_jsonb(t)::text from "+table.String()+" t where "+table.TenantColumn+" = $1) t (r)", tenant).Scan(&hash))
			if found[table.String()] = "none"; hash != nil {
				found[table.String()] = *hash
			}
		}
		return nil
	}))
	return found
}

// others are the hashes of everybody else's rows, and of those that all share.
func others(t *testing.T, conn *pgx.Conn) map[string]string {
	t.Helper()
	found := map[string]string{}
	rows, err := conn.Query(t.Context(), "select id from organizations where id <> $1", acme)
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	require.NoError(t, err)
	require.Len(t, ids, 2, "bolt and the platform")
	for _, id := range ids {
		for table, hash := range hashes(t, conn, id) {
			found[id.String()+" "+table] = hash
		}
	}
	for _, table := range []string{"feature_flags", "feature_flag_versions", "users", "profiles"} {
		var hash string
		require.NoError(t, conn.QueryRow(t.Context(), "select md5(string_agg(to_jsonb(t)::text, ',' order by id)) from "+table+" t").Scan(&hash))
		found[table] = hash
	}
	return found
}

func version(t *testing.T, conn *pgx.Conn, scope, key string) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "select version from vital.versions where scope = $1 and key = $2", scope, key).Scan(&n))
	return n
}

func audited(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from organization_audit_log where organization_id = $1", acme).Scan(&n))
	return n
}

// TestRestore: whatever became of a tenant, it is as it was, to the byte, and nobody else's row is another.
func TestRestore(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	before := hashes(t, conn, acme)
	d.Exec(t, damage)
	rest, damaged := others(t, conn), hashes(t, conn, acme)
	tenantVersion, danas, rows := version(t, conn, "tenant", acme.String()), version(t, conn, "membership", "d0000000-0000-4000-8000-000000000001"), audited(t, conn)

	dry, err := archive.Restoration{Archive: then, Tenant: acme, DryRun: true}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, damaged, hashes(t, conn, acme), "a dry run does nothing")
	done, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "a mistake"}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, dry.Tables, done.Tables, "what it said is what was done")
	require.Contains(t, done.Tables, archive.TableRestored{Table: "public.agents", Inserted: 1, Deleted: 1})
	require.Contains(t, done.Tables, archive.TableRestored{Table: "app.invoices", Updated: 1, Deleted: 1})
	require.Contains(t, done.Tables, archive.TableRestored{Table: "app.notes", Inserted: 1, Deleted: 1})
	for table, hash := range hashes(t, conn, acme) {
		switch table {
		case "public.tenant_feature_flags", "public.tenant_feature_flag_versions", "public.organization_audit_log": // count on
		default:
			require.Equal(t, before[table], hash, table)
		}
	}
	require.Equal(t, rest, others(t, conn), "every row of every other tenant is as it was")
	require.Greater(t, version(t, conn, "tenant", acme.String()), tenantVersion, "caches drop the tenant")
	require.Greater(t, version(t, conn, "membership", "d0000000-0000-4000-8000-000000000001"), danas, "and the member who is back")

	var action, reason, hash string
	require.Equal(t, rows+1, audited(t, conn), "one row for all")
	require.NoError(t, conn.QueryRow(t.Context(), "select action, reason, changes ->> 'archive' from organization_audit_log where organization_id = $1 order by seq desc limit 1", acme).Scan(&action, &reason, &hash))
	require.Equal(t, []string{"restored", "a mistake", then.Hash()}, []string{action, reason, hash})
	var enabled bool
	var counted, kept int
	require.NoError(t, conn.QueryRow(t.Context(), `select f.enabled, f.version, (select max(v.version) from tenant_feature_flag_versions v where v.tenant_id = f.tenant_id and v.feature_flag_id = f.feature_flag_id)
		from tenant_feature_flags f where f.tenant_id = $1`, acme).Scan(&enabled, &counted, &kept))
	require.True(t, enabled)
	require.Equal(t, []int{3, 3}, []int{counted, kept}, "an override that is put back is a version of its own")

	differences, _, err := archive.Comparison{Archive: then, Tenant: acme}.Run(t.Context(), conn)
	require.NoError(t, err)
	for _, difference := range differences {
		require.True(t, difference.Same(), difference.Table)
	}
	again, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "again"}.Run(t.Context(), conn)
	require.NoError(t, err)
	for _, table := range again.Tables {
		require.Zero(t, table.Inserted+table.Updated+table.Deleted, table.Table)
	}
}

// TestRestore_Blank: a table without rows then and now has none brought beside it, and must still have none at the end.
func TestRestore_Blank(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	d.Exec(t, damage)
	filled, staged := map[string]bool{}, map[string]bool{}
	for _, file := range then.Tables {
		filled[file.String()] = file.Rows > 0
	}
	restore := func() error {
		_, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "a mistake", Progress: func(table string, _, _ int) { staged[table] = true }}.Run(t.Context(), conn)
		return err
	}
	const blank = "public.knowledge"
	require.Contains(t, filled, blank)
	require.False(t, filled[blank])
	d.Exec(t, `create function public.meddle() returns trigger language plpgsql as $$ begin insert into knowledge (tenant_id, title) values (new.tenant_id, 'made meanwhile'); return null; end $$;
		create trigger meddle after insert on prompts for each row execute function public.meddle()`)
	damaged := hashes(t, conn, acme)
	err := restore()
	require.Equal(t, fault.Conflict, fault.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, blank)
	require.Equal(t, damaged, hashes(t, conn, acme))
	d.Exec(t, "drop trigger meddle on prompts")
	clear(staged)
	require.NoError(t, restore())
	for table := range staged {
		require.True(t, filled[table], table)
	}
	d.Exec(t, "insert into knowledge (tenant_id, title) values ($1, 'made since')", acme)
	require.NoError(t, restore())
	require.True(t, staged[blank], "it has a row that goes")
	var left int
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from knowledge").Scan(&left))
	require.Zero(t, left)
}

// TestRestore_Held: what records refer to stays, with what it refers to, and is said to.
func TestRestore_Held(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	d.Exec(t, `insert into tool_categories (tenant_id, id, name, slug) values ('aaaaaaaa-0000-4000-8000-000000000000', 'ca000000-0000-4000-8000-000000000001', 'Used', 'used');
		insert into tools (tenant_id, name, slug, category_tenant_id, category_id) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Used', 'used', 'aaaaaaaa-0000-4000-8000-000000000000', 'ca000000-0000-4000-8000-000000000001');
		insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success) select tenant_id, tenant_id, id, true from tools where slug = 'used'`)
	done, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "x"}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Contains(t, done.Tables, archive.TableRestored{Table: "public.tools", Held: 1})
	require.Contains(t, done.Tables, archive.TableRestored{Table: "public.tool_categories", Held: 1})
	require.Contains(t, done.Notes, "1 of public.tools stay: rows of public.tool_usage_log refer to them")
}

// TestRestore_Gone: a tenant that is gone comes back; members whose accounts are gone do not.
func TestRestore_Gone(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	before := hashes(t, conn, acme)
	var text strings.Builder
	for _, file := range then.Tables {
		if file.TenantColumn != "" {
			text.WriteString("delete from " + file.String() + " where " + file.TenantColumn + " = 'aaaaaaaa-0000-4000-8000-000000000000';")
		}
	}
	d.Exec(t, "set session_replication_role = replica; "+text.String()+"delete from profiles where id = 'd0000000-0000-4000-8000-000000000001'; delete from users where id = 'd0000000-0000-4000-8000-000000000001';"+
		"update users set organization_id = null where organization_id = 'aaaaaaaa-0000-4000-8000-000000000000'; set session_replication_role = origin; delete from user_tenants where user_id = 'd0000000-0000-4000-8000-000000000001'; delete from chat_sessions")
	rest := others(t, conn)
	done, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "erased by mistake"}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Contains(t, done.Notes, "1 of public.user_tenants are left out: what they refer to in public.users is gone")
	require.Contains(t, done.Notes, "1 of public.chat_sessions are left out: what they refer to in public.users is gone")
	after := hashes(t, conn, acme)
	for _, table := range []string{"public.organizations", "public.agents", "public.tenant_apps", "public.tenant_configurations", "public.tools", "app.leaves"} {
		require.Equal(t, before[table], after[table], table)
	}
	require.Equal(t, rest, others(t, conn))

	d.Exec(t, "update organizations set slug = 'other', tenant_key = 'other' where slug = 'acme'; update organizations set slug = 'acme' where slug = 'bolt'")
	_, err = archive.Restoration{Archive: then, Tenant: acme, Reason: "x"}.Run(t.Context(), conn)
	require.Equal(t, fault.Conflict, fault.CodeOf(err), "the slug is another's by now")
	require.NotContains(t, err.Error(), "bolt")
}

// TestRestore_Tables: what was not asked for stays, and what was asked for is not put where it refers to nothing.
func TestRestore_Tables(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	d.Exec(t, damage)
	damaged := hashes(t, conn, acme)
	restore := func(tables ...string) (*archive.Restored, error) {
		return archive.Restoration{Archive: then, Tenant: acme, Tables: tables, Reason: "x"}.Run(t.Context(), conn)
	}
	for want, tables := range map[fault.Code][]string{fault.Usage: {"nothing"}, fault.ArchiveMismatch: {"tenant_agents"}} {
		_, err := restore(tables...)
		require.Equal(t, want, fault.CodeOf(err), tables)
	}
	_, err := restore("organization_audit_log", "public.users")
	require.Equal(t, fault.Usage, fault.CodeOf(err), "history is not rewritten")
	require.Equal(t, damaged, hashes(t, conn, acme), "what was refused did nothing")

	done, err := restore("agents")
	require.NoError(t, err)
	require.Equal(t, []archive.TableRestored{{Table: "public.agents", Inserted: 1, Held: 1}}, done.Tables, "the new one is assigned, and assignments were not asked for")
	done, err = restore("agents", "public.tenant_agents", "chat_sessions", "tenant_configurations")
	require.NoError(t, err)
	require.Contains(t, done.Tables, archive.TableRestored{Table: "public.agents", Deleted: 1})
	require.Equal(t, damaged["app.notes"], hashes(t, conn, acme)["app.notes"])
}

// forge changes an archive and signs it anew, as whoever has the key could.
func forge(t *testing.T, conn *pgx.Conn, change func(m *archive.Manifest, rewrite func(table, from, to string))) *archive.Archive {
	t.Helper()
	signer := key(t)
	dir := export(t, conn, acme, signer)
	var m archive.Manifest
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &m))
	change(&m, func(table, from, to string) {
		for i := range m.Tables {
			if m.Tables[i].String() != table {
				continue
			}
			lines := strings.ReplaceAll(contents(t, dir)[m.Tables[i].File], from, to)
			sum := sha256.Sum256([]byte(lines))
			m.Tables[i].SHA256, m.Tables[i].Bytes = hex.EncodeToString(sum[:]), int64(len(lines))
			var zipped bytes.Buffer
			zip := gzip.NewWriter(&zipped)
			_, err := zip.Write([]byte(lines))
			require.NoError(t, err)
			require.NoError(t, zip.Close())
			require.NoError(t, os.WriteFile(filepath.Join(dir, m.Tables[i].File), zipped.Bytes(), 0o600))
		}
	})
	text, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.sig"), ed25519.Sign(signer, append([]byte("vital archive manifest 1\n"), text...)), 0o600))
	opened, err := archive.Open(dir, signer.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	return opened
}

// TestRestore_Refused: an archive that does not fit, or is not what it says, changes nothing.
func TestRestore_Refused(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	cases := map[string]struct {
		archive *archive.Archive
		want    fault.Code
	}{
		"of another tenant": {openOf(t, conn, bolt), fault.ArchiveMismatch},
		"of a newer schema": {forge(t, conn, func(m *archive.Manifest, _ func(_, _, _ string)) { m.SchemaVersion = 9999 }), fault.ArchiveMismatch},
		"with a column that is not there": {forge(t, conn, func(m *archive.Manifest, _ func(_, _, _ string)) {
			m.Tables[len(m.Tables)-1].Columns = append(m.Tables[len(m.Tables)-1].Columns, archive.Column{Name: "more", Type: "text"})
		}), fault.ArchiveMismatch},
		"with a row of another's": {forge(t, conn, func(_ *archive.Manifest, rewrite func(_, _, _ string)) {
			rewrite("public.agents", acme.String(), bolt.String())
		}), fault.ArchiveInvalid},
		"with a value that the table refuses": {forge(t, conn, func(_ *archive.Manifest, rewrite func(_, _, _ string)) {
			rewrite("public.agents", `"tier": 1`, `"tier": 77`)
		}), fault.Conflict},
		"with no JSON": {forge(t, conn, func(_ *archive.Manifest, rewrite func(_, _, _ string)) {
			rewrite("public.agents", `{`, `[`)
		}), fault.ArchiveMismatch},
		"that was changed": {then, fault.ArchiveInvalid},
	}
	d.Exec(t, damage)
	before, rest := hashes(t, conn, acme), others(t, conn)
	require.NoError(t, os.WriteFile(filepath.Join(then.Dir(), "tables", "public.agents.jsonl.gz"), []byte("x"), 0o600))
	for name, c := range cases {
		_, err := archive.Restoration{Archive: c.archive, Tenant: acme, Reason: "x"}.Run(t.Context(), conn)
		require.Equal(t, c.want, fault.CodeOf(err), "%s: %v", name, err)
		require.NotContains(t, fault.From(err).Message, "acme-1", name)
	}
	require.Equal(t, before, hashes(t, conn, acme))
	require.Equal(t, rest, others(t, conn))
}

// TestRestore_Beside: other tenants write all the while, and whoever is cut off in the middle has changed nothing.
func TestRestore_Beside(t *testing.T) {
	t.Parallel()
	d, conn, then := setUpRestore(t)
	d.Exec(t, damage)
	before := hashes(t, conn, acme)
	writer := d.Connect(t)
	_, err := writer.Exec(t.Context(), "set lock_timeout = '300ms'")
	require.NoError(t, err)
	wrote := 0
	meanwhile := func(string, int, int) {
		for _, text := range []string{
			"update agents set name = name || '.' where tenant_id = '" + bolt.String() + "'",
			"insert into chat_sessions (tenant_id, user_id) values ('" + bolt.String() + "', 'b0000000-0000-4000-8000-000000000001')",
			"update tenant_configurations set ui_config = ui_config || jsonb_build_object('n', random()) where tenant_id = '" + bolt.String() + "'",
			"update organizations set name = name || '.' where id = '" + bolt.String() + "'",
			"insert into organizations (name, slug, tenant_type, tenant_key) select 'N', 'n' || n, 'clinic', 'n' || n from (select count(*) n from organizations) o",
		} {
			_, err := writer.Exec(t.Context(), text)
			require.NoError(t, err)
			wrote++
		}
	}
	cut := d.Connect(t)
	seen := map[string]int{}
	_, err = archive.Restoration{Archive: then, Tenant: acme, Reason: "x", Progress: func(table string, _, _ int) {
		if seen[table]++; table == "public.tools" && seen[table] == 2 { // rows are gone and written by then
			_, err := conn.Exec(context.Background(), "select pg_terminate_backend($1)", cut.PgConn().PID())
			require.NoError(t, err)
		}
	}}.Run(t.Context(), cut)
	require.Error(t, err)
	require.Equal(t, before, hashes(t, conn, acme), "cut off: nothing was changed")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = archive.Restoration{Archive: then, Tenant: acme, Reason: "x", Progress: func(table string, _, _ int) {
		if seen[table]++; table == "public.tools" && seen[table] == 4 {
			cancel()
		}
	}}.Run(ctx, d.Connect(t))
	require.Error(t, err)
	require.Equal(t, before, hashes(t, conn, acme), "cancelled: nothing was changed")

	_, err = archive.Restoration{Archive: then, Tenant: acme, Reason: "x", Progress: meanwhile}.Run(t.Context(), conn)
	require.NoError(t, err)
	require.Greater(t, wrote, 50)
	require.NotEqual(t, before, hashes(t, conn, acme))
}

// TestRestoring_Mode: the setting alone is worth nothing, and tenants' roles cannot begin what gives it its worth.
func TestRestoring_Mode(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	rows := audited(t, conn)
	d.Exec(t, "begin; set local vital.restoring = 'on'; update agents set name = 'x', updated_at = '2000-01-01' where slug = 'acme-1'; commit")
	require.Equal(t, rows+1, audited(t, conn))
	var touched bool
	require.NoError(t, conn.QueryRow(t.Context(), "select updated_at > '2001-01-01' from agents where slug = 'acme-1'").Scan(&touched))
	require.True(t, touched)
	for _, role := range []string{"anon", "authenticated"} {
		_, err := conn.Exec(t.Context(), "set role "+role)
		require.NoError(t, err)
		for _, text := range []string{"select vital.begin_restoring('" + acme.String() + "', 'restored', '{}')", "select vital.finish_restoring('{}')", "insert into vital.restorations values (pg_current_xact_id(), '" + acme.String() + "')", "select * from vital.masking_rules"} {
			_, err := conn.Exec(t.Context(), text)
			require.ErrorContains(t, err, "permission denied", "%s as %s", text, role)
		}
		_, err = conn.Exec(t.Context(), "reset role")
		require.NoError(t, err)
	}
}
