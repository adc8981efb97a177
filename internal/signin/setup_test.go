package signin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	acme     = "aaaaaaaa-0000-4000-8000-000000000000"
	password = "correct horse battery"
)

var (
	kek  = bytes.Repeat([]byte{7}, 32)
	home = signin.Client{IP: "192.0.2.1", UserAgent: "test"}
)

// bundle is one test's sign-in on its own database, with an account ada@acme.test.
type bundle struct {
	*pgtest.Database
	t        *testing.T
	db       *postgres.DB
	super    *pgx.Conn
	s        *signin.Service
	verifier *identity.Verifier
	log      *safeBuffer
	ada      uuid.UUID

	mu    sync.Mutex
	clock time.Time // stands still unless it is advanced
}

func setup(t *testing.T, change ...func(*signin.Config)) *bundle {
	t.Helper()
	b := &bundle{Database: pgtest.New(t), t: t, log: &safeBuffer{}, clock: time.Now()}
	b.super = b.Connect(t)
	b.db = b.Open(t, postgres.Config{})
	b.Exec(t, "insert into organizations (id, name, slug, tenant_type, tenant_key) values ('"+acme+"', 'Acme', 'acme', 'digital_health', 'acme')")
	b.s = b.service(change...)
	var err error
	b.verifier, err = identity.NewVerifier(identity.Config{JWKS: b.s.JWKS, Issuer: "vital", Audience: "authenticated", APIKey: signin.FindAPIKey(b.db.Service), Now: b.now})
	require.NoError(t, err)
	require.NoError(t, b.verifier.Start(t.Context()))
	user, err := b.s.CreateUser(t.Context(), signin.AdminUser{Email: "ada@acme.test", Password: ptr(password), EmailConfirm: true})
	require.NoError(t, err)
	b.ada = user.ID
	b.Exec(t, "insert into user_tenants (tenant_id, user_id) values ('"+acme+"', '"+b.ada.String()+"'); update users set organization_id = '"+acme+"'")
	return b
}

// service makes another instance on the same database.
func (b *bundle) service(change ...func(*signin.Config)) *signin.Service {
	b.t.Helper()
	config := signin.Config{
		DB: b.db.Service, KEK: kek, Issuer: "vital", PublicURL: "http://vital.test", Now: b.now,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), RedirectOrigins: []string{"https://app.test"},
		PasswordMemory: 64, // hashing is slow under the race detector
	}
	for _, c := range change {
		c(&config)
	}
	s, err := signin.New(config)
	require.NoError(b.t, err)
	require.NoError(b.t, s.Start(b.t.Context()))
	b.t.Cleanup(s.Close)
	return s
}

func (b *bundle) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bundle) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func ptr[T any](v T) *T { return &v }

func (b *bundle) signIn() *signin.Session {
	b.t.Helper()
	session, err := b.s.SignIn(b.t.Context(), home, "ada@acme.test", password)
	require.NoError(b.t, err)
	return session
}

func (b *bundle) caller(session *signin.Session) identity.Caller {
	b.t.Helper()
	caller, err := b.verifier.Verify(b.t.Context(), session.AccessToken)
	require.NoError(b.t, err)
	return caller
}

// reach asks the database as a request would, and returns how it was refused, "" if it was not.
func (b *bundle) reach(caller identity.Caller) fault.Code {
	work := &postgres.Work{Name: "Reach"}
	work.Query("select vital.user_id()", func(rows pgx.Rows) error {
		_, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*uuid.UUID])
		return err
	})
	return fault.CodeOf(b.db.InTenant(context.Background(), caller, "", work))
}

func claimsOf(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	part := strings.Split(token, ".")
	require.Len(t, part, 3)
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(part[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, into))
	}
	return header, claims
}

func peek[T any](b *bundle, text string, args ...any) T {
	b.t.Helper()
	rows, err := b.super.Query(context.Background(), text, args...)
	require.NoError(b.t, err, text)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(b.t, err, text)
	return value
}

func requireCode(t *testing.T, code fault.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
}

// invite makes an invitation to acme and returns its token.
func (b *bundle) invite(email string) string {
	return peek[string](b, "select token from vital.invite_member($1, $2, 'member')", acme, email)
}

var linkInLog = regexp.MustCompile(`link="([^"]+)"`)

// links are those in the log so far.
func (b *bundle) links() []url.Values {
	var found []url.Values
	for _, m := range linkInLog.FindAllStringSubmatch(b.log.String(), -1) {
		u, err := url.Parse(m[1])
		require.NoError(b.t, err)
		found = append(found, u.Query())
	}
	return found
}

// link waits for the nth link.
func (b *bundle) link(n int) url.Values {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return len(b.links()) >= n }, 30*time.Second, 5*time.Millisecond, "log: %s", b.log)
	return b.links()[n-1]
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
