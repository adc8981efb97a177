package httpapi_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

const exportFixture = `
insert into users (id, organization_id, email) values ('` + olga + `', '` + tenantA + `', 'olga@acme.test');
insert into profiles (id, email) values ('` + olga + `', 'olga@acme.test');
insert into user_tenants (tenant_id, user_id, role) values ('` + tenantA + `', '` + olga + `', 'owner');
insert into chat_sessions (tenant_id, user_id, title) values ('` + tenantA + `', '` + dana + `', 'Chat of dana'), ('` + tenantB + `', '` + dana + `', 'Chat in Bolt'), ('` + tenantB + `', '` + bob + `', 'Chat of bob');
`

const olga = "a0000000-0000-4000-8000-000000000002" // owner of A

func setupExports(t *testing.T) (*bundle, ed25519.PrivateKey) {
	t.Helper()
	signer := newArchiveKey(t)
	b := setup(t, func(c *httpapi.Config, _ *postgres.Config) { c.ArchiveKey = signer })
	b.db.Exec(t, writeFixture)
	b.db.Exec(t, exportFixture)
	return b, signer
}

func newArchiveKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	return key
}

// files are those of a zip file, the last of which are the manifest and its signature.
func files(t *testing.T, packed string) (map[string]*zip.File, archive.Manifest) {
	t.Helper()
	opened, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
	require.NoError(t, err)
	found := map[string]*zip.File{}
	for _, f := range opened.File {
		found[f.Name] = f
	}
	from, err := found["manifest.json"].Open()
	require.NoError(t, err)
	text, err := io.ReadAll(from)
	require.NoError(t, err)
	var m archive.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	return found, m
}

// TestTenantExport: an owner takes out the whole tenant, rows that policies hide from them included, and of no other tenant any; it is audited.
func TestTenantExport(t *testing.T) {
	t.Parallel()
	b, signer := setupExports(t)
	got := b.send(http.MethodPost, "/api/tenants/acme/export", olga, "", "Vital-Reason", "moving away")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, "application/zip", got.header.Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="acme-\d{4}-\d\d-\d\d\.zip"$`, got.header.Get("Content-Disposition"))
	_, m := files(t, got.body)
	require.Equal(t, "acme", m.Tenant.Slug)
	require.Equal(t, []byte(signer.Public().(ed25519.PublicKey)), m.PublicKey)
	rows := map[string]int64{}
	for _, f := range m.Tables {
		rows[f.String()] = f.Rows
	}
	require.Equal(t, int64(1), rows["public.chat_sessions"], "another's, which policies hide from an owner; and none of Bolt's")
	require.Equal(t, b.ask("select count(*)::text from user_tenants where tenant_id = $1", tenantA), strconv.FormatInt(rows["public.user_tenants"], 10))
	require.Equal(t, olga+" owner moving away", b.ask("select concat_ws(' ', actor_id, actor_role, reason) from organization_audit_log where action = 'exported'"))

	got = b.send(http.MethodPost, "/api/tenants/bolt/export", root, "", "Vital-Reason", "asked by their owner")
	require.Equal(t, http.StatusOK, got.status, "a super admin acts for it")
	_, m = files(t, got.body)
	require.Equal(t, "bolt", m.Tenant.Slug)
}

// TestTenantExport_Callers: nobody but owners of this very tenant, with a reason; and nothing is noted of those refused.
func TestTenantExport_Callers(t *testing.T) {
	t.Parallel()
	b, _ := setupExports(t)
	const path, reason = "/api/tenants/acme/export", "Vital-Reason"
	requireProblem(t, b.sendWith(http.MethodPost, path, "", reason, "x"), 401, "token_missing")
	requireProblem(t, b.sendWith(http.MethodPost, path, "", "apikey", b.key(identity.Anon), reason, "x"), 401, "user_required")
	requireProblem(t, b.sendWith(http.MethodPost, path, "", "apikey", b.key(identity.ServiceRole), reason, "x"), 401, "user_required")
	for _, user := range []string{ada, dana, vic} {
		requireProblem(t, b.send(http.MethodPost, path, user, "", reason, "x"), 403, "permission_denied")
	}
	requireProblem(t, b.send(http.MethodPost, path, bob, "", reason, "x"), 404, "tenant_not_found")
	requireProblem(t, b.send(http.MethodPost, "/api/tenants/bolt/export", olga, "", reason, "x"), 404, "tenant_not_found")
	requireProblem(t, b.send(http.MethodPost, path, olga, ""), 422, "invalid")
	requireProblem(t, b.send(http.MethodGet, path, olga, "", reason, "x"), 405, "method_not_allowed")
	b.db.Exec(t, "update organizations set lifecycle_state = 'suspended' where slug = 'acme'")
	requireProblem(t, b.send(http.MethodPost, path, olga, "", reason, "x"), 403, "tenant_suspended")
	b.db.Exec(t, "update organizations set lifecycle_state = 'active' where slug = 'acme'")
	require.Equal(t, "0", b.ask("select count(*)::text from organization_audit_log where action = 'exported'"))
	for range 6 {
		require.Equal(t, http.StatusOK, b.send(http.MethodPost, path, olga, "", reason, "x").status)
	}
	requireProblem(t, b.send(http.MethodPost, path, olga, "", reason, "x"), 409, "limit_exceeded")
}

// TestTenantExport_NoDisk: nothing of an archive is kept on the server, so that one whose disk is full sends it all the same.
func TestTenantExport_NoDisk(t *testing.T) {
	b, _ := setupExports(t)
	b.db.Exec(t, "insert into prompts (tenant_id, title, body) select $1, n::text, (select string_agg(gen_random_uuid()::text, '') from generate_series(1, 1000 + 0 * n)) from generate_series(1, 200) n", tenantA)
	t.Setenv("TMPDIR", "/dev/full/nowhere")
	_, err := os.CreateTemp("", "x")
	require.Error(t, err)
	got := b.send(http.MethodPost, "/api/tenants/acme/export", olga, "", "Vital-Reason", "moving away")
	require.Equal(t, http.StatusOK, got.status)
	require.Greater(t, len(got.body), 2<<20)
	files(t, got.body)
	got = b.send(http.MethodPost, "/api/me/export", dana, "")
	require.Equal(t, http.StatusOK, got.status, got.body)
	files(t, got.body)
}

// TestTenantExport_Cut: while one is under way there is no other; a client that goes away ends it; and what it has is no archive.
func TestTenantExport_Cut(t *testing.T) {
	t.Parallel()
	b, _ := setupExports(t)
	// More than buffers hold, and not to be compressed away.
	b.db.Exec(t, "insert into prompts (tenant_id, title, body) select $1, n::text, (select string_agg(gen_random_uuid()::text, '') from generate_series(1, 4000 + 0 * n)) from generate_series(1, 90) n", tenantA)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+"/api/tenants/acme/export", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+b.token(olga, ""))
	request.Header.Set("Vital-Reason", "x")
	response, err := b.server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	part := make([]byte, 4096)
	_, err = io.ReadFull(response.Body, part)
	require.NoError(t, err)

	requireProblem(t, b.send(http.MethodPost, "/api/tenants/acme/export", olga, "", "Vital-Reason", "x"), 409, "conflict")
	require.Equal(t, "1", b.ask("select count(*)::text from organization_audit_log where action = 'exported'"), "what was refused is not noted")
	cancel()
	rest, _ := io.ReadAll(response.Body)
	_, err = zip.NewReader(bytes.NewReader(append(part, rest...)), int64(len(part)+len(rest)))
	require.ErrorIs(t, err, zip.ErrFormat)
	require.Eventually(t, func() bool {
		return b.send(http.MethodPost, "/api/tenants/acme/export", olga, "", "Vital-Reason", "x").status == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "its place is free again")
}

// TestPersonExport: everybody takes out what is theirs, in whichever tenant, and of nobody else anything.
func TestPersonExport(t *testing.T) {
	t.Parallel()
	b, _ := setupExports(t)
	requireProblem(t, b.sendWith(http.MethodPost, "/api/me/export", ""), 401, "token_missing")
	requireProblem(t, b.sendWith(http.MethodPost, "/api/me/export", "", "apikey", b.key(identity.ServiceRole)), 401, "user_required")
	requireProblem(t, b.send(http.MethodPost, "/api/me/export", stranger, ""), 403, "user_unknown")
	got := b.send(http.MethodPost, "/api/me/export", dana, "")
	require.Equal(t, http.StatusOK, got.status, got.body)
	_, m := files(t, got.body)
	require.Equal(t, "person", m.Kind)
	require.Equal(t, dana, m.Person.ID.String())
	rows := map[string]int64{}
	for _, f := range m.Tables {
		rows[f.String()] = f.Rows
	}
	require.Equal(t, int64(1), rows["public.users"])
	require.Equal(t, int64(2), rows["public.user_tenants"])
	require.Equal(t, int64(2), rows["public.chat_sessions"])
	require.Equal(t, int64(2), rows["vital.references"])
	require.Equal(t, "3 "+dana, b.ask("select count(*) || ' ' || string_agg(distinct actor_id::text, '') from organization_audit_log where action = 'person_exported'"), "the platform's log, and both tenants'")

	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/api/me/export", homeless, "").status, "without a tenant")
	for range 2 {
		require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/api/me/export", dana, "").status)
	}
	requireProblem(t, b.send(http.MethodPost, "/api/me/export", dana, ""), 409, "limit_exceeded")
}
