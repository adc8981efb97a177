package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// login makes a role for this test alone, roles being the whole cluster's, and returns the address it
// logs in at.
func (b *bundle) login(attributes string, memberOf ...string) string {
	b.t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	b.exec("create role " + name + " login password 'p' " + attributes)
	b.t.Cleanup(func() { b.exec("drop owned by " + name + "; drop role " + name) })
	for _, group := range memberOf {
		b.exec("grant " + group + " to " + name)
	}
	u, err := url.Parse(b.APIURL)
	require.NoError(b.t, err)
	u.User = url.UserPassword(name, "p")
	return u.String()
}

// TestOpen_UnsafeLogin: the server does not start with a login that row-level security does not bind, or
// that could lift it.
func TestOpen_UnsafeLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	groups := []string{"anon", "authenticated"}
	with := func(group string) []string { return append([]string{group}, groups...) }
	for why, address := range map[string]string{
		"a superuser":                   b.URL,
		"vital_service":                 b.ServiceURL,
		"BYPASSRLS itself":              b.login("noinherit bypassrls", groups...),
		"BYPASSRLS by membership":       b.login("noinherit", with("service_role")...),
		"BYPASSRLS of the definer":      b.login("noinherit", with("vital_definer")...),
		"the owner of the tables":       b.login("noinherit", with("vital_owner")...),
		"the keeper of the keys":        b.login("noinherit", with("vital_sealer")...),
		"handed the key by membership":  b.login("noinherit", with("vital_service")...),
		"reads all data":                b.login("noinherit", with("pg_read_all_data")...),
		"writes all data":               b.login("noinherit", with("pg_write_all_data")...),
		"reads the server's files":      b.login("noinherit", with("pg_read_server_files")...),
		"runs programs on the server":   b.login("noinherit", with("pg_execute_server_program")...),
		"grants itself any role":        b.login("noinherit createrole", groups...),
		"reads the server's log stream": b.login("noinherit replication", groups...),
		"cannot become authenticated":   b.login("noinherit", "anon"),
		"cannot become anything":        b.login("noinherit"),
	} {
		db, err := postgres.Open(context.Background(), postgres.Config{URL: address, ServiceURL: b.ServiceURL})
		requireFault(t, err, fault.UnsafeDatabaseRole, why)
		require.Nil(t, db)
	}
	db, err := postgres.Open(context.Background(), postgres.Config{URL: b.login("noinherit", groups...), ServiceURL: b.ServiceURL})
	require.NoError(t, err, "an operator's own login that may become the two roles and nothing else")
	db.Close()
}

// TestOpen_OwnerOfOneTable: owning a single relation is enough to lift its policies.
func TestOpen_OwnerOfOneTable(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	address := b.login("noinherit", "anon", "authenticated")
	u, err := url.Parse(address)
	require.NoError(t, err)
	b.exec("create table public.own (n int); alter table public.own owner to " + u.User.Username())
	_, err = postgres.Open(context.Background(), postgres.Config{URL: address, ServiceURL: b.ServiceURL})
	requireFault(t, err, fault.UnsafeDatabaseRole)
}

// TestOpen_NoKey: a second login that may not read the key is an error at the start, not at the first
// request.
func TestOpen_NoKey(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, address := range []string{b.APIURL, b.login("noinherit", "service_role")} {
		_, err := postgres.Open(context.Background(), postgres.Config{URL: b.APIURL, ServiceURL: address})
		requireFault(t, err, fault.SealKeyUnavailable)
	}
	_, err := postgres.Open(context.Background(), postgres.Config{URL: "postgres://vital_api:wrong@nowhere.invalid/x", ServiceURL: b.ServiceURL})
	requireFault(t, err, fault.DatabaseUnavailable)
	_, err = postgres.Open(context.Background(), postgres.Config{URL: "postgres://user:pa ss@%zz", ServiceURL: b.ServiceURL})
	requireFault(t, err, fault.ConfigInvalid)
	require.NotContains(t, err.Error(), "pa ss", "a password does not belong in an error")
}
