package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
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
)

// inSnapshot runs fn as a stream is run.
func inSnapshot(t *testing.T, conn *pgx.Conn, fn func(pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginTxFunc(context.Background(), conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
}

// unpack writes what a zip file holds to a directory.
func unpack(t *testing.T, packed []byte) string {
	t.Helper()
	dir := t.TempDir()
	files, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	require.NoError(t, err)
	for _, file := range files.File {
		from, err := file.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(from)
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(file.Name))
		path := filepath.Join(dir, file.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	require.Equal(t, "manifest.sig", files.File[len(files.File)-1].Name)
	require.Equal(t, "manifest.json", files.File[len(files.File)-2].Name)
	return dir
}

// TestStream: unpacked it is what an export to a directory writes; what is cut off anywhere is no archive; a tenant is streamed once at a time.
func TestStream(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	signer := key(t)
	export := archive.Export{Tenant: acme, Key: signer}
	var packed bytes.Buffer
	require.NoError(t, inSnapshot(t, conn, func(tx pgx.Tx) error {
		m, err := export.Stream(context.Background(), tx, func(m *archive.Manifest) io.Writer {
			require.Zero(t, packed.Len())
			require.Equal(t, "acme", m.Subject())
			other := inSnapshot(t, d.Connect(t), func(tx pgx.Tx) error {
				_, err := export.Stream(context.Background(), tx, func(*archive.Manifest) io.Writer { t.Error("begun"); return io.Discard })
				return err
			})
			require.Equal(t, fault.Conflict, fault.CodeOf(other))
			return &packed
		})
		require.Positive(t, m.Rows())
		return err
	}))
	dir := unpack(t, packed.Bytes())
	opened, err := archive.Open(dir, signer.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	require.NoError(t, opened.Verify())
	written, unpacked := contents(t, exportOf(t, conn, acme, signer)), contents(t, dir)
	for name, text := range written {
		if strings.HasSuffix(name, ".gz") {
			require.Equal(t, text, unpacked[name], name)
		}
	}
	require.Len(t, unpacked, len(written))
	for _, part := range []int{0, 100, packed.Len() / 2, packed.Len() - 1} {
		_, err := zip.NewReader(bytes.NewReader(packed.Bytes()[:part]), int64(part))
		require.ErrorIs(t, err, zip.ErrFormat, part)
	}
}

func exportOf(t *testing.T, conn *pgx.Conn, tenant uuid.UUID, key ed25519.PrivateKey) string {
	t.Helper()
	return export(t, conn, tenant, key)
}

// TestStream_Unreadable: what the login may not read is said before anything is sent.
func TestStream_Unreadable(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	d.Exec(t, "create table closed (tenant_id uuid not null, id int, primary key (tenant_id, id)); revoke all on closed from service_role")
	err := inSnapshot(t, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(context.Background(), "set local role service_role"); err != nil {
			return err
		}
		_, err := archive.Export{Tenant: acme}.Stream(context.Background(), tx, func(*archive.Manifest) io.Writer { t.Error("begun"); return io.Discard })
		return err
	})
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	require.ErrorContains(t, err, "closed")
}

const (
	ada  = "a0000000-0000-4000-8000-000000000001" // owner of acme
	dana = "d0000000-0000-4000-8000-000000000001" // member of acme and bolt
)

// TestPerson: what is theirs is in, of other people and of tenants' rows they may not see nothing, and of secrets nothing at all.
func TestPerson(t *testing.T) {
	t.Parallel()
	d, conn := setup(t)
	d.Exec(t, `
		insert into auth.users (id, email, encrypted_password, raw_user_meta_data) select id, email, 'SECRET-hash', '{"full_name": "X", "invitation_token": "SECRET-token"}' from users;
		insert into auth.sessions (user_id, user_agent) select id, 'Browser of ' || email from users;
		insert into auth.refresh_tokens (token_hash, session_id) select sha256(id::text::bytea), id from auth.sessions;
		insert into invitations (tenant_id, email, token_hash) values ('`+acme.String()+`', 'Dana@both.test', sha256('SECRET'));
		insert into chat_sessions (tenant_id, user_id, title) select m.tenant_id, m.user_id, 'Chat of ' || u.email || ' in ' || m.tenant_id from user_tenants m join users u on u.id = m.user_id;
		create table reviews (tenant_id uuid not null references organizations, id int, about uuid references users, boss uuid references users, text text, primary key (tenant_id, id));
		insert into reviews values ('`+acme.String()+`', 1, '`+dana+`', '`+ada+`', 'hidden from dana'), ('`+bolt.String()+`', 2, null, '`+dana+`', 'hidden, too');
		update user_tenants set status = 'suspended' where user_id = '`+dana+`' and tenant_id = '`+bolt.String()+`'`)
	asked := []string{}
	e := archive.PersonExport{User: uuid.MustParse(dana), Key: key(t), Visible: func(_ context.Context, tenant uuid.UUID, statement string, each func([]byte) error) error {
		asked = append(asked, tenant.String())
		require.NotContains(t, statement, "reviews", "no user may read it")
		return each([]byte(`{"title": "seen in ` + tenant.String() + `"}`))
	}}
	dir := filepath.Join(t.TempDir(), "dana")
	require.NoError(t, inSnapshot(t, conn, func(tx pgx.Tx) error {
		_, err := e.Run(context.Background(), tx, dir)
		return err
	}))
	_, err := archive.Open(dir, nil)
	require.Equal(t, fault.ArchiveInvalid, fault.CodeOf(err), "nobody takes it for a tenant's")
	opened, err := archive.OpenPerson(dir, nil)
	require.NoError(t, err)
	require.NoError(t, opened.Verify())
	require.Equal(t, archive.Person{ID: uuid.MustParse(dana), Email: "dana@both.test"}, *opened.Person)
	require.Equal(t, []string{"public.reviews"}, opened.LeftOut)
	require.Equal(t, []string{acme.String()}, asked, "she is suspended in the other")

	files := contents(t, dir)
	lines := func(name string) []string {
		return strings.Split(strings.TrimSuffix(files["tables/"+name+".jsonl.gz"], "\n"), "\n")
	}
	require.Contains(t, lines("auth.users")[0], "full_name")
	require.Len(t, lines("auth.sessions"), 1)
	require.Contains(t, lines("auth.sessions")[0], "Browser of dana")
	require.Len(t, lines("public.user_tenants"), 2)
	require.Len(t, lines("public.invitations"), 1)
	require.Equal(t, []string{`{"title": "seen in ` + acme.String() + `"}`}, lines("public.chat_sessions"))
	require.Len(t, lines("vital.references"), 4, "two chats, two reviews")
	for name, text := range files {
		for _, never := range []string{"SECRET", "hidden", "ada@", "bob@", ada, "token_hash"} {
			require.NotContains(t, text, never, name)
		}
	}
	e.User = uuid.New()
	require.Equal(t, fault.UserUnknown, fault.CodeOf(inSnapshot(t, d.Connect(t), func(tx pgx.Tx) error {
		_, err := e.Run(context.Background(), tx, dir+"-2")
		return err
	})))
}
