package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"

	_ "embed"
)

//go:embed restore.sql
var restoreText string

var restoreQueries = database.ParseQueries(restoreText)

// organizations is the table of the tenants themselves.
const organizations = "public.organizations"

// Restoration puts a tenant back to what an archive has, in one transaction that touches rows of no other.
type Restoration struct {
	Archive *Archive
	// Tenant is whose; the archive must be theirs. It may be gone.
	Tenant uuid.UUID
	// Tables are those to put back, as schema.name; without them, all but those that are left apart.
	Tables []string
	// DryRun finds out what would be done, and does nothing.
	DryRun bool
	// Reason is for the audit log.
	Reason string
	// Progress is told what is being read or written, of how many tables. Defaults to nothing.
	Progress func(table string, number, of int)
}

// Restored is what was done.
type Restored struct {
	Tables  []TableRestored `json:"tables"`
	LeftOut []LeftOut       `json:"left_out"`
	Notes   []string        `json:"notes"`
	DryRun  bool            `json:"dry_run"`
}

// TableRestored is what was done to a table's rows.
type TableRestored struct {
	Table    string `json:"table"`
	Inserted int64  `json:"inserted"`
	Updated  int64  `json:"updated"`
	Deleted  int64  `json:"deleted"`
	Held     int64  `json:"held,omitempty"` // that the archive has not, and that stay because others refer to them
}

// LeftOut is a table of the archive whose rows are not put back.
type LeftOut struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Reason string `json:"reason"`
}

// work is a restoration at work.
type work struct {
	*plan
	tx       pgx.Tx
	done     map[string]*TableRestored
	notes    []string
	hadOwner bool
}

// Run puts the tenant back, or says what that would do. Where it returns an error, nothing was changed. Errors: ArchiveInvalid,
// ArchiveMismatch, Conflict, LastOwner, PermissionDenied, Usage.
func (r Restoration) Run(ctx context.Context, conn *pgx.Conn) (report *Restored, err error) {
	if r.Progress == nil {
		r.Progress = func(string, int, int) {}
	}
	if err := r.Archive.verifyFor(r.Tenant); err != nil {
		return nil, err
	}
	undo := errors.New("a dry run keeps nothing")
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if report, err = r.run(ctx, tx); err == nil && r.DryRun {
			return undo
		}
		return err
	})
	if err != nil && !errors.Is(err, undo) {
		return nil, refused(err, "the tenant")
	}
	return report, nil
}

func (r Restoration) run(ctx context.Context, tx pgx.Tx) (*Restored, error) {
	w, err := r.begin(ctx, tx)
	if err != nil {
		return nil, err
	}
	tables := w.restored()
	if len(tables) == 0 {
		return nil, fault.New(fault.Usage, "None of these tables is put back.", "docs/reference/archive.md says which are left as they are, and why.")
	}
	if err := w.findBlank(ctx, tx, tables); err != nil {
		return nil, err
	}
	for _, s := range tables {
		w.done[s.String()] = &TableRestored{Table: s.String()}
	}
	tables = w.restored()
	if err := w.stage(ctx, tx, r.Archive, tables, r.Progress); err != nil {
		return nil, err
	}
	if err := w.findMissing(ctx, tables); err != nil {
		return nil, err
	}
	if err := w.findDifferences(ctx, tables); err != nil {
		return nil, err
	}
	if err := w.doom(ctx, tables); err != nil {
		return nil, err
	}
	if !r.DryRun {
		if err := w.write(ctx, tables, r.Progress); err != nil {
			return nil, err
		}
		if err := w.settle(ctx, tables); err != nil {
			return nil, err
		}
	}
	return w.report(&r), nil
}

// begin opens the transaction's work: the tenant is locked, and what is written is one thing for the audit log.
func (r Restoration) begin(ctx context.Context, tx pgx.Tx) (*work, error) {
	if err := prepare(ctx, tx); err != nil {
		return nil, err
	}
	w := &work{tx: tx, done: map[string]*TableRestored{}}
	var err error
	if w.plan, err = makePlan(ctx, tx, &r.Archive.Manifest, r.Tenant, r.Tables); err != nil {
		return nil, err
	}
	w.notes = w.plan.notes
	for _, s := range w.tables {
		s.ignored = append(s.ignored, kept[s.String()]...)
		for _, name := range s.counted {
			if !slices.Contains(s.Key, name) {
				s.ignored = append(s.ignored, name)
			}
		}
	}
	if w.isRestored(organizations) {
		if err := namesTaken(ctx, tx, r.Tenant, r.Archive.Tenant.Slug, r.Archive.Tenant.Key); err != nil {
			return nil, err
		}
		if w.known[organizations].file.Rows != 1 {
			return nil, invalid(nil, "The archive has not the one row of its tenant.", "It was not written by vital: do not trust it.")
		}
	}
	if r.DryRun {
		return w, nil
	}
	if _, err := tx.Exec(ctx, stageQueries.Get("LockTenant"), r.Tenant); err != nil {
		return nil, refused(err, "the tenant")
	}
	if err := tx.QueryRow(ctx, restoreQueries.Get("HasOwner"), r.Tenant).Scan(&w.hadOwner); err != nil {
		return nil, fmt.Errorf("look for an owner: %w", err)
	}
	return w, beginWriting(ctx, tx, r.Tenant, r.Reason, "restored", map[string]any{
		"archive": r.Archive.Hash(), "made_at": r.Archive.MadeAt, "schema_version": r.Archive.SchemaVersion,
	})
}

// prepare sets what holds for a transaction that restores or clones.
func prepare(ctx context.Context, tx pgx.Tx) error {
	for _, statement := range []string{queries.Get("SeeEverything"), stageQueries.Get("Patience"), restoreQueries.Get("Defer")} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return refused(err, "the transaction")
		}
	}
	postgres.PaceOf(tx.Conn()).RestInside(true)
	return nil
}

// beginWriting has triggers leave what is written as it is, which is one row of the tenant's audit log.
func beginWriting(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, reason, action string, about map[string]any) error {
	text, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("write audit row: %w", err)
	}
	if _, err := tx.Exec(ctx, restoreQueries.Get("Begin"), reason, tenant, action, string(text)); err != nil {
		return refused(err, "the tenant")
	}
	return nil
}

// finishWriting ends beginWriting, and does what waits for the commit.
func finishWriting(ctx context.Context, tx pgx.Tx, about map[string]any) error {
	text, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("write audit row: %w", err)
	}
	if _, err := tx.Exec(ctx, restoreQueries.Get("Finish"), string(text)); err != nil {
		return refused(err, "the tenant")
	}
	if _, err := tx.Exec(ctx, restoreQueries.Get("Settle")); err != nil {
		return refused(err, "the tenant")
	}
	return nil
}

func namesTaken(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, slug, key string) error {
	var taken bool
	if err := tx.QueryRow(ctx, restoreQueries.Get("NamesTaken"), tenant, slug, key).Scan(&taken); err != nil {
		return fmt.Errorf("look for names: %w", err)
	}
	if taken {
		return fault.New(fault.Conflict, "The slug or the key of the tenant is taken by now.", "Make a new tenant of the archive, with --as, or restore other tables alone, with --tables.")
	}
	return nil
}

// findDifferences counts what is to be done.
func (w *work) findDifferences(ctx context.Context, tables []*staged) error {
	for _, s := range tables {
		found, err := w.count(ctx, w.tx, s)
		if err != nil {
			return err
		}
		w.done[s.String()] = &TableRestored{Table: s.String(), Inserted: found.Removed, Updated: found.Changed, Deleted: found.Added}
	}
	return nil
}

// doom names the rows that go: those the archive has not, unless something that stays refers to them.
func (w *work) doom(ctx context.Context, tables []*staged) error {
	for _, s := range tables {
		if len(s.Key) > 0 {
			if _, err := w.exec(ctx, s, "Doom", nil, w.tenant); err != nil {
				return err
			}
		}
	}
	for _, s := range slices.Backward(tables) {
		if len(s.Key) == 0 {
			continue
		}
		for again := true; again; {
			again = false
			for _, ref := range w.refs {
				if ref.parent != s.String() {
					continue
				}
				n, err := w.hold(ctx, s, ref)
				if err != nil {
					return err
				}
				again = again || n > 0 && ref.child == ref.parent
			}
		}
	}
	return nil
}

// hold keeps rows of s that are referred to by what stays.
func (w *work) hold(ctx context.Context, s *staged, ref reference) (int64, error) {
	stays := "true"
	child := w.known[ref.child]
	names := []string{"{child}", quotedName(ref.child), "{refers}", equal("c", ref.columns, "p", ref.referenced), "{parent}", s.quoted()}
	if w.isRestored(ref.child) {
		stays = restoreQueries.Get("StaysOther")
		if len(child.Key) > 0 {
			stays = restoreQueries.Get("StaysOwn")
		}
		names = append(names, child.asChild()...)
	}
	n, err := w.exec(ctx, s, "Hold", append([]string{"{stays}", stays}, names...), w.tenant)
	if n > 0 {
		done := w.done[s.String()]
		done.Held, done.Deleted = done.Held+n, done.Deleted-n
		w.notes = append(w.notes, fmt.Sprintf("%d of %s stay: rows of %s refer to them", n, s, ref.child))
	}
	return n, err
}

// asChild are the names of a table whose rows refer to another's.
func (s *staged) asChild() []string {
	return []string{
		"{tenant_column}", quote(s.TenantColumn), "{child_doomed}", s.doomed, "{child_then}", s.then, "{keys_of_c}", list("c", s.Key),
		"{key_of_child_doomed}", equal("e", s.Key, "c", s.Key), "{same_key_of_child}", equal("s", s.Key, "c", s.Key),
	}
}

// exec runs one of the statements, with names for what it has beside the table's.
func (w *work) exec(ctx context.Context, s *staged, query string, names []string, args ...any) (int64, error) {
	statement := restoreQueries.Get(query)
	for i := 0; i+1 < len(names); i += 2 { // conditions have names in turn
		statement = strings.ReplaceAll(statement, names[i], names[i+1])
	}
	statement = s.fill(statement)
	tag, err := w.tx.Exec(ctx, statement, arguments(statement, args...)...)
	if err != nil {
		return 0, refused(err, s.String())
	}
	return tag.RowsAffected(), nil
}

func quotedName(name string) string {
	schema, table, _ := strings.Cut(name, ".")
	return pgx.Identifier{schema, table}.Sanitize()
}

func (w *work) report(r *Restoration) *Restored {
	report := &Restored{Tables: []TableRestored{}, LeftOut: []LeftOut{}, Notes: append([]string{}, w.notes...), DryRun: r.DryRun}
	for _, s := range w.tables {
		if s.left == "" {
			report.Tables = append(report.Tables, *w.done[s.String()])
		}
	}
	slices.SortFunc(report.Tables, func(a, b TableRestored) int { return strings.Compare(a.Table, b.Table) })
	report.LeftOut = w.leftOut()
	return report
}

// leftOut are the wanted tables that are not put back.
func (p *plan) leftOut() []LeftOut {
	left := []LeftOut{}
	for _, s := range p.tables {
		if s.left != "" {
			left = append(left, LeftOut{Table: s.String(), Rows: s.file.Rows, Reason: s.left})
		}
	}
	slices.SortFunc(left, func(a, b LeftOut) int { return strings.Compare(a.Table, b.Table) })
	return left
}
