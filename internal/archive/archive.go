// Package archive takes one tenant out of a shared database, whole, and says what an archive holds.
//
// What is a tenant's is found in the catalog and not in a list: every table that says whose its rows are. An archive is a directory: a file of
// JSON Lines for each table, compressed with gzip, and manifest.json, which names them with rows and SHA-256, signed with Ed25519 in
// manifest.sig. docs/reference/archive.md has the format.
package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/database"

	_ "embed"
)

//go:embed scope.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Format is what a manifest says that it is.
const Format = "vital-archive/1"

// Manifest says what an archive holds.
type Manifest struct {
	Format string    `json:"format"`
	Kind   string    `json:"kind,omitempty"`   // person; "" for a tenant
	Tenant Tenant    `json:"tenant,omitzero"`  // whose it is, of a tenant
	Person *Person   `json:"person,omitempty"` // whose it is, of a person
	MadeAt time.Time `json:"made_at"`          // of the one snapshot that all rows are of
	// SchemaVersion is the number of the last migration, Fingerprint a SHA-256 over every table's columns and their types.
	SchemaVersion int64  `json:"schema_version"`
	Fingerprint   string `json:"schema_fingerprint,omitempty"`
	Server        string `json:"server"` // version of PostgreSQL
	Tables        []File `json:"tables"`
	// LeftOut are the tables that say of no row whose it is: all tenants share them.
	LeftOut []string `json:"left_out"`
	// KeyID is the tenant's key that every file is sealed with, nil where they are in clear.
	KeyID *uuid.UUID `json:"key_id,omitempty"`
	// PublicKey is that of the signature; nil where nobody signed.
	PublicKey []byte `json:"public_key,omitempty"`
}

// Tenant is whose archive it is.
type Tenant struct {
	ID   uuid.UUID `json:"id"`
	Slug string    `json:"slug"`
	Name string    `json:"name"`
	Type string    `json:"tenant_type"`
	Key  string    `json:"tenant_key"`
}

// File is what an archive has of one table.
type File struct {
	Table
	File   string `json:"file"`   // its path in the archive
	Rows   int64  `json:"rows"`   // and lines
	Bytes  int64  `json:"bytes"`  // of the lines, as they were before they were compressed
	SHA256 string `json:"sha256"` // of the lines; HMAC-SHA-256 of them, with a key of the tenant's, where they are sealed
}

// Table is a table with rows of tenants.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// TenantColumn says whose a row is; "" for accounts, which are their members'.
	TenantColumn string   `json:"tenant_column,omitempty"`
	Key          []string `json:"key"` // its primary key, which its lines are sorted by
	// Columns are those that are stored, in the table's order; generated ones are in the lines as well.
	Columns []Column `json:"columns"`
}

// Column is one of a table.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // as PostgreSQL prints it
}

// String is the table's name, qualified.
func (t Table) String() string { return t.Schema + "." + t.Name }

// Rows is how many the archive holds.
func (m *Manifest) Rows() (n int64) {
	for _, file := range m.Tables {
		n += file.Rows
	}
	return n
}

// Subject is a short name of whose archive it is.
func (m *Manifest) Subject() string {
	if m.Person != nil {
		return "person-" + m.Person.ID.String()
	}
	return m.Tenant.Slug
}

// fingerprint is a SHA-256 over the tables' columns: where it is the same, a row of the one fits into the other.
func fingerprint(tables []Table) string {
	text, err := json.Marshal(tables)
	if err != nil {
		panic(err) // strings alone
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
