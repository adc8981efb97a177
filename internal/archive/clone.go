package archive

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"

	_ "embed"
)

//go:embed clone.sql
var cloneText string

var cloneQueries = database.ParseQueries(cloneText)

const (
	idsTable    = "pg_temp.vital_ids"
	memberships = "public.user_tenants"
)

var slugs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Clone makes another tenant of an archive: each row under a new id, and what refers to it, too. The same accounts and shared rows are
// referred to; what is left apart when a tenant is put back is not copied.
type Clone struct {
	Archive *Archive
	// Slug, Name and Key are the new tenant's. Name and Key default to the slug.
	Slug, Name, Key string
	// Owner has the copy masked and for themselves: nobody else is a member, and what referred to a person refers to them. Without an
	// owner nothing is masked, and the members whose accounts are still there are members of the copy.
	Owner *uuid.UUID
	// Reason is for the audit log.
	Reason string
	// Progress is told what is being read, of how many tables. Defaults to nothing.
	Progress func(table string, number, of int)
}

// Cloned is what was made.
type Cloned struct {
	Tenant  uuid.UUID     `json:"tenant"`
	Slug    string        `json:"slug"`
	Tables  []TableCloned `json:"tables"`
	LeftOut []LeftOut     `json:"left_out"`
	Notes   []string      `json:"notes"`
}

// TableCloned is what was made of a table.
type TableCloned struct {
	Table  string         `json:"table"`
	Rows   int64          `json:"rows"`
	Masked []MaskedColumn `json:"masked"`
}

// MaskedColumn is what became of a column, by a rule of vital.masking_rules or for its name.
type MaskedColumn struct {
	Column string `json:"column"`
	Rule   string `json:"rule"`
}

// cloning is a clone at work.
type cloning struct {
	*Clone
	*work
	rules map[string]map[string]string
	salt  string
}

// Run makes the tenant. Where it returns an error, nothing was made. Errors: ArchiveInvalid, ArchiveMismatch, Conflict, Invalid,
// PermissionDenied.
func (c Clone) Run(ctx context.Context, conn *pgx.Conn) (made *Cloned, err error) {
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	if c.Name == "" {
		c.Name = c.Slug
	}
	if c.Key == "" {
		c.Key = c.Slug
	}
	if !slugs.MatchString(c.Slug) || len(c.Slug) > 100 || uuid.Validate(c.Slug) == nil {
		return nil, fault.New(fault.Invalid, "A slug is of lower-case letters, digits and hyphens, and no id.", "Name one like acme-sandbox.")
	}
	if err := c.Archive.Verify(); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		made, err = c.run(ctx, tx)
		return err
	})
	if err != nil {
		return nil, refused(err, "the new tenant")
	}
	return made, nil
}

func (c Clone) run(ctx context.Context, tx pgx.Tx) (*Cloned, error) {
	if err := prepare(ctx, tx); err != nil {
		return nil, err
	}
	made := &Cloned{Tenant: uuid.New(), Slug: c.Slug, Tables: []TableCloned{}}
	p, err := makePlan(ctx, tx, &c.Archive.Manifest, made.Tenant, nil)
	if err != nil {
		return nil, err
	}
	if err := namesTaken(ctx, tx, made.Tenant, c.Slug, c.Key); err != nil {
		return nil, err
	}
	w := &cloning{Clone: &c, work: &work{plan: p, tx: tx, done: map[string]*TableRestored{}, notes: p.notes}, salt: rand.Text()}
	if err := w.readRules(ctx); err != nil {
		return nil, err
	}
	tables := w.restored()
	if err := w.mapIDs(ctx, tables); err != nil {
		return nil, err
	}
	if err := beginWriting(ctx, tx, made.Tenant, c.Reason, "cloned", map[string]any{"archive": c.Archive.Hash(), "masked": c.Owner != nil}); err != nil {
		return nil, err
	}
	for i, s := range tables {
		c.Progress(s.String(), i+1, len(tables))
		masked, err := w.stageCopy(ctx, s)
		if err != nil {
			return nil, err
		}
		made.Tables = append(made.Tables, TableCloned{Table: s.String(), Masked: masked})
	}
	if err := w.findMissing(ctx, tables); err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for i, s := range tables {
		if made.Tables[i].Rows, err = w.insert(ctx, s); err != nil {
			return nil, err
		}
		counts[s.String()] = made.Tables[i].Rows
	}
	if c.Owner != nil {
		if _, err := tx.Exec(ctx, cloneQueries.Get("MakeOwner"), made.Tenant, *c.Owner); err != nil {
			return nil, refused(err, memberships)
		}
	}
	made.LeftOut, made.Notes = w.leftOut(), append([]string{}, w.notes...)
	slices.SortFunc(made.Tables, func(a, b TableCloned) int { return strings.Compare(a.Table, b.Table) })
	return made, finishWriting(ctx, tx, map[string]any{"tables": counts})
}

func (w *cloning) readRules(ctx context.Context) error {
	rows, err := w.tx.Query(ctx, cloneQueries.Get("Rules"))
	if err != nil {
		return refused(err, "vital.masking_rules")
	}
	w.rules = map[string]map[string]string{}
	var relation, column, rule string
	_, err = pgx.ForEachRow(rows, []any{&relation, &column, &rule}, func() error {
		if w.rules[relation] == nil {
			w.rules[relation] = map[string]string{}
		}
		w.rules[relation][column] = rule
		return nil
	})
	return err
}

// mapIDs finds a new id for every row, and whom what refers to people refers to.
func (w *cloning) mapIDs(ctx context.Context, tables []*staged) error {
	for _, query := range []string{fill(cloneQueries.Get("IdsMake")), fill(stageQueries.Get("LinesMake"))} {
		if _, err := w.tx.Exec(ctx, query); err != nil {
			return refused(err, "temporary tables")
		}
	}
	if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("IdsAdd")), w.Archive.Tenant.ID, w.tenant); err != nil {
		return fmt.Errorf("map ids: %w", err)
	}
	for _, s := range tables {
		own, err := w.ownIDs(s)
		if err != nil {
			return err
		}
		if err := w.load(ctx, s); err != nil {
			return err
		}
		for _, column := range own {
			if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("IdsOfKeys")), column); err != nil {
				return refused(err, s.String())
			}
		}
		if w.Owner == nil {
			continue
		}
		if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("IdsOfUsers")), *w.Owner); err != nil {
			return refused(err, s.String())
		}
	}
	return nil
}

// ownIDs are the columns of a table's key that nobody else gives it. A key that would be the same in the copy is refused.
func (w *cloning) ownIDs(s *staged) ([]string, error) {
	foreign := map[string]bool{s.TenantColumn: s.String() != organizations}
	for _, ref := range w.refs {
		if ref.child == s.String() {
			for _, name := range ref.columns {
				foreign[name] = true
			}
		}
	}
	if s.String() == organizations {
		return nil, nil
	}
	var own []string
	isOther := slices.Contains(s.Key, s.TenantColumn) || len(s.Key) == 0
	for _, column := range s.Columns {
		if column.Type == "uuid" && slices.Contains(s.Key, column.Name) {
			isOther = true
			if !foreign[column.Name] {
				own = append(own, column.Name)
			}
		}
	}
	if !isOther && s.file.Rows > 0 {
		return nil, mismatch("Rows of "+s.String()+" cannot be copied: their primary key has neither the tenant nor a uuid.", "Put the tenant's column into the primary key.")
	}
	return own, nil
}

func (w *cloning) load(ctx context.Context, s *staged) error {
	if _, err := w.tx.Exec(ctx, fill(stageQueries.Get("LinesEmpty"))); err != nil {
		return fmt.Errorf("empty lines: %w", err)
	}
	if w.Owner != nil && s.String() == memberships {
		return nil // nobody comes along
	}
	return copyLines(ctx, w.tx, w.Archive, s.file)
}

// stageCopy makes the copy's rows of a table: under new ids, masked, and of the new tenant's name.
func (w *cloning) stageCopy(ctx context.Context, s *staged) ([]MaskedColumn, error) {
	if err := w.load(ctx, s); err != nil {
		return nil, err
	}
	if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("IdsReplace"))); err != nil {
		return nil, refused(err, s.String())
	}
	masked := []MaskedColumn{}
	if w.Owner != nil {
		masked = w.masks(s)
		columns, rules := []string{}, []string{}
		for _, m := range masked {
			columns, rules = append(columns, m.Column), append(rules, m.Rule)
		}
		if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("Mask")), columns, rules, w.salt); err != nil {
			return nil, refused(err, s.String())
		}
	}
	if s.String() == organizations {
		text, err := json.Marshal(map[string]any{
			"slug": w.Slug, "name": w.Name, "tenant_key": w.Key, "parent_organization_id": nil, "is_active": true, "lifecycle_state": "active",
		})
		if err != nil {
			return nil, fmt.Errorf("name the tenant: %w", err)
		}
		if _, err := w.tx.Exec(ctx, fill(cloneQueries.Get("Overwrite")), string(text)); err != nil {
			return nil, refused(err, s.String())
		}
	}
	return masked, w.fillThen(ctx, w.tx, s)
}

// insert writes the copy's rows of a table.
func (w *cloning) insert(ctx context.Context, s *staged) (int64, error) {
	var wanted int64
	if err := w.tx.QueryRow(ctx, s.fill(stageQueries.Get("ThenCount"))).Scan(&wanted); err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	inserted, err := w.exec(ctx, s, "InsertUntaken", nil)
	switch {
	case err != nil:
		return 0, err
	case s.String() == organizations && inserted != 1:
		return 0, fault.New(fault.Conflict, "The slug or the key of the tenant is taken by now.", "Name another with --as.")
	case inserted < wanted:
		w.notes = append(w.notes, fmt.Sprintf("%d of %s are left out: the copy has a row like them already", wanted-inserted, s))
	}
	return inserted, nil
}
