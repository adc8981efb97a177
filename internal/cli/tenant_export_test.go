package cli_test

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

// TestTenantExport: an operator takes a tenant out; its audit log says so before anything is read, and of nothing that was refused.
func TestTenantExport(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'digital_health', 'acme'), ('Bolt', 'bolt', 'clinic', 'bolt')`)
	dir := filepath.Join(t.TempDir(), "acme")
	export := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"tenant", "export"}, args...)...)
	}
	exports := func() (n int) {
		require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select count(*) from organization_audit_log where action = 'exported'").Scan(&n))
		return n
	}
	got := export("acme", "--out", dir)
	require.Equal(t, 2, got.code, "no reason")
	got = export("nobody", "--out", dir, "--reason", "asked")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "tenant_not_found")
	for _, ratio := range []string{"-1", "1001", "NaN", "+Inf", "fast"} {
		got = export("acme", "--out", dir, "--reason", "asked", "--nice-ratio", ratio)
		require.Equal(t, 2, got.code, ratio)
		require.Contains(t, got.err, "nice-ratio")
	}
	require.Zero(t, exports())

	got = export("acme", "--out", dir, "--reason", "asked by their owner", "--nice-ratio", "0.5")
	ok(t, got)
	require.Contains(t, got.out, "of acme in "+dir)
	require.NotContains(t, got.out, "bolt")
	require.FileExists(t, filepath.Join(dir, "manifest.json"))
	var slug, reason string
	require.NoError(t, d.Connect(t).QueryRow(t.Context(),
		"select o.slug, a.reason from organization_audit_log a join organizations o on o.id = a.organization_id where a.action = 'exported'").Scan(&slug, &reason))
	require.Equal(t, []string{"acme", "asked by their owner"}, []string{slug, reason})

	got = export("acme", "--out", dir, "--reason", "again")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "archive_failed")
	require.Equal(t, 1, exports(), "what was refused took nothing out")
}

// TestTenantExport_Ended: who ends a command is told that, and not that something is wrong.
func TestTenantExport_Ended(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'digital_health', 'acme')")
	conn, dir := d.Connect(t), filepath.Join(t.TempDir(), "acme")
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var said safeBuffer
	go func() {
		ended <- cli.Run(ctx, []string{"tenant", "export", "acme", "--out", dir, "--reason", "asked, and thought better of", "--nice-ratio", "1000", "--database-url", d.URL},
			[]string{"HOME=" + t.TempDir()}, cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: &said})
	}()
	require.Eventually(t, func() bool {
		var n int
		err := conn.QueryRow(t.Context(), "select count(*) from organization_audit_log where action = 'exported'").Scan(&n)
		return err == nil && n == 1
	}, 30*time.Second, 10*time.Millisecond, "it rests for longer than that takes")
	end()
	require.Equal(t, 1, <-ended)
	require.Contains(t, said.String(), "(request_cancelled)", "whatever it was at")
	require.NoDirExists(t, dir)
}
