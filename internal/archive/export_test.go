package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
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

var (
	acme = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000000")
	bolt = uuid.MustParse("bbbbbbbb-0000-4000-8000-000000000000")
)

// world is two tenants that have rows in tables of every kind; dana is in both.
const world = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'pharmaceuticals', 'bolt');
insert into users (id, organization_id, email) values
  ('a0000000-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000000', 'ada@acme.test'),
  ('b0000000-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000000', 'bob@bolt.test'),
  ('d0000000-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000000', 'dana@both.test');
insert into profiles (id, email, full_name) select id, email, email from users;
insert into user_tenants (tenant_id, user_id, role) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'a0000000-0000-4000-8000-000000000001', 'owner'),
  ('aaaaaaaa-0000-4000-8000-000000000000', 'd0000000-0000-4000-8000-000000000001', 'member'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'b0000000-0000-4000-8000-000000000001', 'owner'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'd0000000-0000-4000-8000-000000000001', 'member');
insert into agents (tenant_id, name, slug) select o.id, o.name || ' agent "' || n || E'"\n ü', o.slug || '-' || n from organizations o, generate_series(1, 3) n where o.slug in ('acme', 'bolt');
insert into prompts (tenant_id, title, body) select o.id, o.name || ' prompt', repeat(o.slug || ' ', 50000) from organizations o where o.slug in ('acme', 'bolt');
insert into query_performance (tenant_id, query_name, duration_us) select o.id, 'tenant_context', 9007199254740993 from organizations o where o.slug in ('acme', 'bolt');
`

func setup(t *testing.T) (*pgtest.Database, *pgx.Conn) {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, world)
	return d, d.Connect(t)
}

func key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	return private
}

// export takes a tenant out, and returns where to.
func export(t *testing.T, conn *pgx.Conn, tenant uuid.UUID, key ed25519.PrivateKey) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "archive")
	_, err := archive.Export{Dir: dir, Tenant: tenant, Key: key}.Run(context.Background(), conn)
	require.NoError(t, err)
	return dir
}

// contents is everything an archive holds, uncompressed, by file.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.HasSuffix(path, ".gz") {
			zip, err := gzip.NewReader(bytes.NewReader(text))
			require.NoError(t, err)
			text, err = io.ReadAll(zip)
			require.NoError(t, err)
		}
		name, err := filepath.Rel(dir, path)
		files[name] = string(text)
		return err
	}))
	return files
}

// TestExport: every row of the tenant is in, exact to the digit, and of the other tenant not a word.
func TestExport(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	d.Exec(t, `create schema app; create table app.invoices (tenant_id uuid not null references organizations, id bigint generated always as identity, amount numeric not null, primary key (tenant_id, id));
		create table app.notes (organization uuid not null references organizations, text text);
		create table app.countries (code text primary key);
		insert into app.invoices (tenant_id, amount) select id, 0.10000000000000000000001 from organizations where slug in ('acme', 'bolt');
		insert into app.notes select id, slug from organizations, (values (1), (2)) v where slug in ('acme', 'bolt');`)
	signer := key(t)
	dir := export(t, conn, acme, signer)
	opened, err := archive.Open(dir, signer.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	require.NoError(t, opened.Verify())
	require.Equal(t, archive.Tenant{ID: acme, Slug: "acme", Name: "Acme", Type: "digital_health", Key: "acme"}, opened.Tenant)

	rows := map[string]int64{}
	for _, file := range opened.Tables {
		if file.Rows > 0 {
			rows[file.String()] = file.Rows
		}
	}
	require.Equal(t, map[string]int64{
		"public.organizations": 1, "public.tenant_configurations": 1, "public.tenant_apps": 4, "public.users": 2, "public.profiles": 2, "public.user_tenants": 2,
		"public.agents": 3, "public.prompts": 1, "public.query_performance": 1, "public.organization_audit_log": rows["public.organization_audit_log"],
		"app.invoices": 1, "app.notes": 2,
	}, rows)
	require.Greater(t, rows["public.organization_audit_log"], int64(5))
	require.Contains(t, opened.LeftOut, "app.countries")
	require.Contains(t, opened.LeftOut, "public.feature_flags")

	whole := contents(t, dir)
	for name, text := range whole {
		require.NotContains(t, strings.ToLower(text), "bolt.test", name)
		require.NotContains(t, text, "Bolt", name)
		if name != "tables/public.users.jsonl.gz" && name != "tables/public.profiles.jsonl.gz" { // where a member has their home is theirs
			require.NotContains(t, text, bolt.String(), name)
		}
	}
	require.Contains(t, whole["tables/public.query_performance.jsonl.gz"], "9007199254740993")
	require.Contains(t, whole["tables/app.invoices.jsonl.gz"], "0.10000000000000000000001")
	var agent struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(whole["tables/public.agents.jsonl.gz"], "\n", 2)[0]), &agent))
	require.Regexp(t, `^Acme agent "\d"\n ü$`, agent.Name)
	for _, name := range []string{"", "tables"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "closed to others")
	}
}

// TestExport_Refused: nothing is overwritten, and a tenant that is not there leaves nothing whole behind.
func TestExport_Refused(t *testing.T) {
	t.Parallel()
	_, conn := setup(t)
	dir := export(t, conn, acme, nil)
	_, err := archive.Export{Dir: dir, Tenant: acme}.Run(context.Background(), conn)
	require.Equal(t, fault.ArchiveFailed, fault.CodeOf(err))
	missing := filepath.Join(t.TempDir(), "missing")
	_, err = archive.Export{Dir: missing, Tenant: uuid.New()}.Run(context.Background(), conn)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	require.NoDirExists(t, missing)
	_, err = archive.Export{Dir: filepath.Join(dir, "manifest.json", "x"), Tenant: acme}.Run(context.Background(), conn)
	require.Equal(t, fault.ArchiveFailed, fault.CodeOf(err))
}

// TestExport_Bound: a login that policies bind gets an error and not a part.
func TestExport_Bound(t *testing.T) {
	t.Parallel()
	d, _ := setup(t)
	dir := filepath.Join(t.TempDir(), "archive")
	_, err := archive.Export{Dir: dir, Tenant: acme}.Run(context.Background(), d.ConnectAPI(t))
	require.Error(t, err)
	require.NoDirExists(t, dir)
}

// TestExport_Resumed: what was broken off goes on, to what is so by then: nothing that is stale stays.
func TestExport_Resumed(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	dir := filepath.Join(t.TempDir(), "archive")
	ctx, cancel := context.WithCancel(context.Background())
	e := archive.Export{Dir: dir, Tenant: acme, Progress: func(table string, _, _ int) {
		if table == "public.prompts" {
			cancel()
		}
	}}
	_, err := e.Run(ctx, conn)
	require.ErrorIs(t, err, context.Canceled)
	require.NoDirExists(t, dir)
	agents := filepath.Join(dir+".partial", "tables", "public.agents.jsonl.gz")
	apps := filepath.Join(dir+".partial", "tables", "public.organizations.jsonl.gz")
	require.FileExists(t, agents)
	before, err := os.Stat(apps)
	require.NoError(t, err)

	d.Exec(t, "update agents set name = 'renamed' where slug = 'acme-1'; delete from agents where slug = 'acme-2'")
	conn = d.Connect(t)
	_, err = archive.Export{Dir: dir, Tenant: acme}.Run(context.Background(), conn)
	require.NoError(t, err)
	opened, err := archive.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, opened.Verify())
	text := contents(t, dir)["tables/public.agents.jsonl.gz"]
	require.Contains(t, text, "renamed")
	require.Equal(t, 2, strings.Count(text, "\n"))
	after, err := os.Stat(filepath.Join(dir, "tables", "public.organizations.jsonl.gz"))
	require.NoError(t, err)
	require.Equal(t, before.ModTime(), after.ModTime(), "what is still so is not written again")
}

// TestOpen_Tampered: whatever is changed of an archive is found.
func TestOpen_Tampered(t *testing.T) {
	t.Parallel()
	_, conn := setup(t)
	signer := key(t)
	trusted := signer.Public().(ed25519.PublicKey)
	original := export(t, conn, acme, signer)
	agents := "tables/public.agents.jsonl.gz"
	compress := func(text string) string {
		var zipped bytes.Buffer
		zip := gzip.NewWriter(&zipped)
		_, err := zip.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, zip.Close())
		return zipped.String()
	}
	lines := contents(t, original)[agents]
	for name, tamper := range map[string]func(dir string, rewrite func(name, text string)){
		"a value": func(_ string, rewrite func(name, text string)) {
			rewrite(agents, compress(strings.Replace(lines, "acme-1", "acme-9", 1)))
		},
		"a row taken away": func(_ string, rewrite func(name, text string)) {
			rewrite(agents, compress(lines[:strings.Index(lines, "\n")+1]))
		},
		"a row more": func(_ string, rewrite func(name, text string)) { rewrite(agents, compress(lines+"{}\n")) },
		"no last newline": func(_ string, rewrite func(name, text string)) {
			rewrite(agents, compress(strings.TrimSuffix(lines, "\n")))
		},
		"cut off":       func(_ string, rewrite func(name, text string)) { rewrite(agents, compress(lines)[:100]) },
		"no gzip":       func(_ string, rewrite func(name, text string)) { rewrite(agents, lines) },
		"a file gone":   func(dir string, _ func(name, text string)) { require.NoError(t, os.Remove(filepath.Join(dir, agents))) },
		"the signature": func(_ string, rewrite func(name, text string)) { rewrite("manifest.sig", strings.Repeat("x", 64)) },
		"no signature": func(dir string, _ func(name, text string)) {
			require.NoError(t, os.Remove(filepath.Join(dir, "manifest.sig")))
		},
		"the manifest": func(dir string, rewrite func(name, text string)) {
			rewrite("manifest.json", strings.Replace(contents(t, dir)["manifest.json"], "Acme", "Bolt", 1))
		},
		"no manifest": func(dir string, _ func(name, text string)) {
			require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "copy")
			require.NoError(t, os.CopyFS(dir, os.DirFS(original)))
			tamper(dir, func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			})
			opened, err := archive.Open(dir, trusted)
			if err == nil {
				err = opened.Verify()
			}
			require.Equal(t, fault.ArchiveInvalid, fault.CodeOf(err))
		})
	}
	_, err := archive.Open(original, key(t).Public().(ed25519.PublicKey))
	require.Equal(t, fault.ArchiveInvalid, fault.CodeOf(err), "signed by another")
}
