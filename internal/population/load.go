package population

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// batch is how many tenants are copied in one transaction: what a load that is broken off loses at most.
const batch = 10_000

// Load fills a database with what of shape is not there yet, a batch in a transaction, and tells how many tenants are there. Triggers do not fire:
// what they would write is copied besides. It takes a login that may turn them off, as a superuser may.
func Load(ctx context.Context, conn *pgx.Conn, shape Shape, progress func(done int)) error {
	if err := shape.Check(); err != nil {
		return err
	}
	found, err := Find(ctx, conn)
	if err != nil {
		return err
	}
	if found.Shape != nil && !found.Shape.same(shape) {
		return fault.New(fault.StateConflict, fmt.Sprintf("Generated tenants of another shape are there: %s.", found.Shape),
			"Load the same, which goes on where it was broken off, or take those away with --remove first.")
	}
	if found.Generated > 0 && found.Shape == nil {
		return fault.New(fault.StateConflict, "Generated tenants are there whose shape is not known.", "Load into another database.")
	}
	if _, err := conn.Exec(ctx, queries.Get("Flags"), shape.Flags); err != nil {
		return fmt.Errorf("load flags: %w", err)
	}
	l := &loader{Shape: shape, at: now()}
	left := shape.order()
	l.first = left[0]
	left = left[min(found.Generated, len(left)):]
	for some := range slices.Chunk(left, batch) {
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return l.copyTenants(ctx, tx, some) }); err != nil {
			return refused(err)
		}
		found.Generated += len(some)
		if progress != nil {
			progress(found.Generated)
		}
	}
	_, err = conn.Exec(ctx, queries.Get("Tell"))
	return err
}

// Settle leaves a database at rest: statistics taken, nothing for autovacuum to do.
func Settle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, queries.Get("Statistics"))
	return err
}

func (s *Shape) same(other Shape) bool {
	other.PasswordHash = ""
	return *s == other
}

func (s *Shape) String() string {
	text := fmt.Sprintf("%d tenants with %d members, %d apps, %d overrides of %d flags, %d agents and %d prompts each", s.Tenants, s.Members, s.Apps, s.Overrides, s.Flags, s.Agents, s.Prompts)
	if !s.Recorded {
		text += ", unrecorded"
	}
	return text
}

// refused is err in words, where the login or a row that is there already is all that is wrong.
func refused(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case "42501": // insufficient_privilege
		return fault.Wrap(err, fault.PermissionDenied, "This login may not turn triggers off.", "Name a superuser's in --database-url, or one that was granted SET on session_replication_role and has BYPASSRLS.")
	case "23505": // unique_violation
		return fault.Wrap(err, fault.Conflict, fmt.Sprintf("Something that is there already has the key of something generated (%s).", pg.ConstraintName), "Load into a database of its own.")
	}
	return err
}

// loader copies tenants. Rows of a tenant lie together, as they do when they are made together.
type loader struct {
	Shape

	first int    // who keeps what was begun
	role  string // who the audit log says did it
	at    time.Time
}

func (l *loader) copyTenants(ctx context.Context, tx pgx.Tx, some []int) error {
	if _, err := tx.Exec(ctx, queries.Get("Quiet")); err != nil {
		return fmt.Errorf("turn triggers off: %w", err)
	}
	if l.role == "" {
		if err := tx.QueryRow(ctx, queries.Get("SessionUser")).Scan(&l.role); err != nil {
			return fmt.Errorf("read the login's name: %w", err)
		}
	}
	for _, t := range tables {
		if t.recorded && !l.Recorded {
			continue
		}
		rows := &source{loader: l, table: t, left: some}
		if _, err := tx.CopyFrom(ctx, t.name, t.columns, rows); err != nil {
			return fmt.Errorf("copy to %s: %w", t.name.Sanitize(), err)
		}
	}
	if !l.Recorded || l.Overrides == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, queries.Get("Versions"), tenantIDs(some)); err != nil {
		return fmt.Errorf("load versions of overrides: %w", err)
	}
	return nil
}

// table is one that is copied to, and the rows it gets of tenant n.
type table struct {
	name     pgx.Identifier
	columns  []string
	recorded bool // is written only where the shape says so
	rows     func(l *loader, n int, add func(...any)) error
}

// id is u as the driver writes it with the least ado.
func id(u uuid.UUID) [16]byte { return u }

const uiConfig = `{"theme": "default", "primary_color": "#4F46E5", "logo_url": "https://cdn.example.test/logo.svg"}`

var enabledFeatures = []string{"export", "sso"}

// tables in the order they are written: a tenant is counted by its organization, which comes with all the rest.
var tables = []table{
	{name: pgx.Identifier{"public", "organizations"}, columns: []string{"id", "name", "slug", "tenant_type", "tenant_key", "metadata"}, rows: (*loader).organization},
	{name: pgx.Identifier{"public", "tenant_configurations"}, columns: []string{"tenant_id", "id", "ui_config", "enabled_features"}, rows: func(_ *loader, n int, add func(...any)) error {
		add(id(TenantID(n)), id(hashed("configuration", n)), uiConfig, enabledFeatures)
		return nil
	}},
	{name: pgx.Identifier{"public", "users"}, columns: []string{"id", "organization_id", "email"}, rows: eachUser(func(_ *loader, n, u int, add func(...any)) {
		add(id(UserID(u)), id(TenantID(n)), Email(u))
	})},
	{name: pgx.Identifier{"auth", "users"}, columns: []string{"id", "email", "email_confirmed_at", "encrypted_password"}, rows: eachUser(func(l *loader, _, u int, add func(...any)) {
		var password any
		if l.PasswordHash != "" {
			password = l.PasswordHash
		}
		add(id(UserID(u)), Email(u), confirmedAt, password)
	})},
	{name: pgx.Identifier{"public", "profiles"}, columns: []string{"id", "email", "full_name"}, rows: eachUser(func(_ *loader, _, u int, add func(...any)) {
		add(id(UserID(u)), Email(u), fmt.Sprintf("User %d", u))
	})},
	{name: pgx.Identifier{"public", "user_tenants"}, columns: []string{"tenant_id", "id", "user_id", "role"}, rows: (*loader).memberships},
	{name: pgx.Identifier{"vital", "versions"}, columns: []string{"scope", "key"}, rows: (*loader).versions},
	{name: pgx.Identifier{"public", "tenant_apps"}, columns: []string{"tenant_id", "id", "app_key", "app_name", "app_route", "app_icon", "display_order"}, rows: func(l *loader, n int, add func(...any)) error {
		for a := 1; a <= l.Apps; a++ {
			add(id(TenantID(n)), id(hashed("app", n, a)), fmt.Sprintf("app-%d", a), fmt.Sprintf("App %d", a), fmt.Sprintf("/app-%d", a), "box", a)
		}
		return nil
	}},
	{name: pgx.Identifier{"public", "tenant_feature_flags"}, columns: []string{"tenant_id", "id", "feature_flag_id", "enabled", "config"}, rows: func(l *loader, n int, add func(...any)) error {
		for f := 1; f <= l.Overrides; f++ {
			add(id(TenantID(n)), id(hashed("override", n, f)), id(FlagID(f)), f%2 == 1, `{"limit": 10}`)
		}
		return nil
	}},
	{name: pgx.Identifier{"public", "agents"}, columns: []string{"tenant_id", "id", "name", "slug", "description", "model", "tier", "category"}, rows: func(l *loader, n int, add func(...any)) error {
		for a := 1; a <= l.Agents; a++ {
			add(id(TenantID(n)), id(hashed("agent", n, a)), fmt.Sprintf("Agent %d", a), fmt.Sprintf("agent-%d", a), fmt.Sprintf("What agent %d of this tenant is for", a), "standard", a%3+1, "general")
		}
		return nil
	}},
	{name: pgx.Identifier{"public", "prompts"}, columns: []string{"tenant_id", "id", "title", "body", "description", "category", "tags"}, rows: func(l *loader, n int, add func(...any)) error {
		for p := 1; p <= l.Prompts; p++ {
			add(id(TenantID(n)), id(PromptID(n, p)), fmt.Sprintf("Prompt %04d", p),
				fmt.Sprintf("Summarise the report in %d sentences, for readers who are in a hurry.", p), fmt.Sprintf("What prompt %d is for", p), "general", promptTags)
		}
		return nil
	}},
	{name: pgx.Identifier{"public", "organization_audit_log"}, recorded: true, columns: auditColumns, rows: (*loader).audited},
	{name: pgx.Identifier{"vital", "audit_heads"}, recorded: true, columns: []string{"organization_id", "seq", "hash"}, rows: func(l *loader, n int, add func(...any)) error {
		add(id(TenantID(n)), 1, l.entry(n).Hash)
		return nil
	}},
}

var (
	promptTags  = []string{"reports"}
	confirmedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// eachUser has row make that of every member of a tenant.
func eachUser(row func(l *loader, n, u int, add func(...any))) func(*loader, int, func(...any)) error {
	return func(l *loader, n int, add func(...any)) error {
		for k := 1; k <= l.Members; k++ {
			row(l, n, l.User(n, k), add)
		}
		return nil
	}
}

// organization is tenant n. The first one that is copied keeps what was begun, for whoever goes on with it or takes it away.
func (l *loader) organization(n int, add func(...any)) error {
	metadata := "{}"
	if n == l.first {
		text, err := json.Marshal(map[string]Shape{"vital_bench": l.Shape})
		if err != nil {
			return err
		}
		metadata = string(text)
	}
	add(id(TenantID(n)), fmt.Sprintf("Tenant %d", n), fmt.Sprintf("tenant-%d", n), "digital_health", fmt.Sprintf("key-%d", n), metadata)
	return nil
}

func (l *loader) memberships(n int, add func(...any)) error {
	for k := 1; k <= l.Members; k++ {
		u, role := l.User(n, k), "member"
		if k == 1 {
			role = "admin"
		}
		add(id(TenantID(n)), id(hashed("membership", n, u)), id(UserID(u)), role)
	}
	if next := l.Next(n); next != n {
		u := l.User(n, 1)
		add(id(TenantID(next)), id(hashed("membership", next, u)), id(UserID(u)), "member")
	}
	return nil
}

// Next is the tenant that the admin of tenant n is a member of besides.
func (s Shape) Next(n int) int { return n%s.Tenants + 1 }

func (l *loader) versions(n int, add func(...any)) error {
	add("tenant", id(TenantID(n)))
	for k := 1; k <= l.Members; k++ {
		u := id(UserID(l.User(n, k)))
		add("membership", u)
		add("self", u)
	}
	return nil
}

// source hands rows to the driver, those of one tenant at a time.
type source struct {
	loader *loader
	table  table
	left   []int
	made   [][]any
	at     int
	err    error
}

func (s *source) Next() bool {
	if s.at++; s.at < len(s.made) {
		return true
	}
	s.made, s.at = s.made[:0], 0
	for len(s.made) == 0 && len(s.left) > 0 && s.err == nil {
		s.err = s.table.rows(s.loader, s.left[0], func(values ...any) { s.made = append(s.made, values) })
		s.left = s.left[1:]
	}
	return s.err == nil && len(s.made) > 0
}

func (s *source) Values() ([]any, error) { return s.made[s.at], nil }

func (s *source) Err() error { return s.err }
