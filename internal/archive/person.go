package archive

import (
	"context"
	"crypto/ed25519"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed person.sql
var personText string

var personQueries = database.ParseQueries(personText)

// PersonFormat is what the manifest of one person's data says that it is: nobody restores it for a tenant's.
const PersonFormat = "vital-person/1"

// Person is whose data an archive of one person holds.
type Person struct {
	ID    uuid.UUID `json:"id"`
	Email string    `json:"email"`
}

// PersonExport is what is stored of one person, taken out: account, profile, memberships, sessions, invitations, what they did, and the rows that name
// them in whichever tenant. Of a tenant's rows the contents are in as far as the person may see them there today; of all others, of tenants they have
// left too, is said that they name them.
type PersonExport struct {
	User uuid.UUID
	// Key signs the manifest. Nobody signs it where it is nil.
	Key ed25519.PrivateKey
	// Visible runs a statement as the person, acting in a tenant, and hands over the first column of each row. Its parameters are the person and the tenant.
	Visible func(ctx context.Context, tenant uuid.UUID, statement string, each func(line []byte) error) error
}

// personSource is a query for a person's rows of a table.
type personSource struct{ schema, name string }

var personSources = []personSource{
	{"auth", "users"}, {"auth", "sessions"}, {"public", "users"}, {"public", "profiles"}, {"public", "user_tenants"}, {"public", "invitations"},
	{"public", "organization_audit_log"}, {"public", "query_performance"},
}

// Stream writes the archive as a zip file while it is read, as Export.Stream does. Errors: UserUnknown, Conflict.
func (e PersonExport) Stream(ctx context.Context, tx pgx.Tx, begin func(*Manifest) io.Writer) (*Manifest, error) {
	if err := takeTurn(ctx, tx, e.User.String()); err != nil {
		return nil, err
	}
	m, err := e.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	return m, e.write(ctx, tx, m, newPacker(begin(m), m.MadeAt))
}

// Run writes it to a directory, where there must be nothing. Errors: UserUnknown, ArchiveFailed.
func (e PersonExport) Run(ctx context.Context, tx pgx.Tx, dir string) (*Manifest, error) {
	m, err := e.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	to := &unpacked{export: Export{Dir: dir}}
	if to.partial, err = to.export.begin(); err != nil {
		return nil, err
	}
	return m, e.write(ctx, tx, m, to)
}

func (e PersonExport) look(ctx context.Context, tx pgx.Tx) (*Manifest, error) {
	postgres.PaceOf(tx.Conn()).RestInside(true)
	m := &Manifest{Format: PersonFormat, Kind: "person", Person: &Person{}, LeftOut: []string{}}
	err := tx.QueryRow(ctx, personQueries.Get("Person"), e.User).Scan(&m.Person.ID, &m.Person.Email, &m.Server, &m.SchemaVersion, &m.MadeAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.UserUnknown, "There is no such user.", "Addresses are those of the table users.")
	} else if err != nil {
		return nil, fmt.Errorf("read person: %w", err)
	}
	return m, nil
}

// place is where an archive is written to.
type place interface {
	lines(table Table, read func(each func(line []byte) error) error) (File, error)
	finish(manifest, signature []byte) error
}

func (e PersonExport) write(ctx context.Context, tx pgx.Tx, m *Manifest, to place) error {
	for _, source := range personSources {
		table := Table{Schema: source.schema, Name: source.name, Key: []string{}, Columns: []Column{}}
		if requireReadable(ctx, tx, []string{pgx.Identifier{source.schema, source.name}.Sanitize()}) != nil {
			m.LeftOut = append(m.LeftOut, table.String()) // accounts that are another's, as Supabase's
			continue
		}
		file, err := to.lines(table, func(each func([]byte) error) error {
			return eachLine(ctx, tx, table.String(), each, personQueries.Get(table.String()), e.User)
		})
		if err != nil {
			return err
		}
		m.Tables = append(m.Tables, file)
	}
	if err := e.referring(ctx, tx, m, to); err != nil {
		return err
	}
	text, signature, err := m.encode(e.Key)
	if err != nil {
		return err
	}
	return to.finish(text, signature)
}

// referringTable is one with columns that reference a person.
type referringTable struct {
	Table
	columns []string
	visible bool // users may read it, as far as policies let them
}

// referring writes which rows name the person, and the contents of those they may see.
func (e PersonExport) referring(ctx context.Context, tx pgx.Tx, m *Manifest, to place) error {
	tables, err := findReferring(ctx, tx)
	if err != nil {
		return err
	}
	file, err := to.lines(Table{Schema: "vital", Name: "references", Key: []string{}, Columns: []Column{}}, func(each func([]byte) error) error {
		for _, t := range tables {
			if err := eachLine(ctx, tx, t.String(), each, t.fill("References"), e.User, t.String()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.Tables = append(m.Tables, file)
	rows, err := tx.Query(ctx, personQueries.Get("ActiveTenants"), e.User)
	if err != nil {
		return err
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find the person's tenants: %w", err)
	}
	for _, t := range tables {
		if !t.visible {
			m.LeftOut = append(m.LeftOut, t.String())
			continue
		}
		file, err := to.lines(t.Table, func(each func([]byte) error) error {
			for _, tenant := range tenants {
				if err := e.Visible(ctx, tenant, t.fill("Contents"), each); err != nil {
					return fmt.Errorf("read %s: %w", t, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.Tables = append(m.Tables, file)
	}
	return nil
}

// findReferring returns the tables of tenants that have columns which reference a user.
func findReferring(ctx context.Context, tx pgx.Tx) ([]referringTable, error) {
	scope, _, err := Scope(ctx, tx)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, personQueries.Get("Referring"))
	if err != nil {
		return nil, err
	}
	var found []referringTable
	var schema, name string
	var columns []string
	var visible bool
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &columns, &visible}, func() error {
		for _, t := range scope {
			if t.Schema == schema && t.Name == name && t.TenantColumn != "" && len(t.Key) > 0 {
				found = append(found, referringTable{t, columns, visible})
			}
		}
		columns = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find rows that name a person: %w", err)
	}
	return found, nil
}

// fill writes the table and its columns into a query.
func (t referringTable) fill(query string) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	text := func(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }
	var theirs, named, key, order []string
	for _, c := range t.columns {
		theirs = append(theirs, "t."+quote(c)+" = $1::uuid")
		named = append(named, "case when t."+quote(c)+" = $1::uuid then "+text(c)+" end")
	}
	for _, c := range t.Key {
		key = append(key, text(c)+", t."+quote(c))
		order = append(order, "t."+quote(c))
	}
	return strings.NewReplacer("{table}", pgx.Identifier{t.Schema, t.Name}.Sanitize(), "{tenant_column}", quote(t.TenantColumn), "{theirs}", "("+strings.Join(theirs, " or ")+")",
		"{named}", strings.Join(named, ", "), "{key}", strings.Join(key, ", "), "{order}", strings.Join(order, ", ")).Replace(personQueries.Get(query))
}

// eachLine hands over what a query reads, a row at a time, with rests as the connection's Pace says.
func eachLine(ctx context.Context, tx pgx.Tx, what string, each func([]byte) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	pace := postgres.PaceOf(tx.Conn())
	for rows.Next() {
		pace.Breathe(ctx)
		if err := each(rows.RawValues()[0]); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}
