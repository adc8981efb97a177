package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vital-db/vital/internal/fault"
)

// loose are the columns of a reference that can be made null without making the row another's or another.
func (ref reference) loose(child *staged) []string {
	return slices.DeleteFunc(slices.Clone(ref.nullable), func(name string) bool { return slices.Contains(child.Key, name) || name == child.TenantColumn })
}

// isTenancy says that a reference is that of a row to its tenant.
func (ref reference) isTenancy(child *staged) bool {
	return ref.parent == organizations && ref.child != organizations && len(ref.columns) == 1 && ref.columns[0] == child.TenantColumn
}

func nulls(columns []string) string {
	assignments := make([]string, len(columns))
	for i, name := range columns {
		assignments[i] = quote(name) + " = null"
	}
	return strings.Join(assignments, ", ")
}

// findMissing looks, parents first, for rows that refer to what is gone: an account, or a row that all share. They do without it where
// they can, and are left out where they cannot. Where it is a table of tenants that was not asked for, nothing is done at all.
func (w *work) findMissing(ctx context.Context, tables []*staged) error {
	for _, s := range tables {
		for again := true; again; {
			again = false
			for _, ref := range w.refs {
				if ref.child != s.String() || ref.isTenancy(s) && w.isRestored(organizations) {
					continue
				}
				n, err := w.leaveOut(ctx, s, ref)
				if err != nil {
					return err
				}
				again = again || n > 0 && ref.parent == ref.child
			}
		}
	}
	return nil
}

func (w *work) leaveOut(ctx context.Context, s *staged, ref reference) (int64, error) {
	referring := make([]string, len(ref.columns))
	for i, name := range ref.columns {
		referring[i] = "c." + quote(name) + " is not null"
	}
	names := []string{
		"{gone}", restoreQueries.Get("GoneShared"), "{referring}", strings.Join(referring, " and "),
		"{refers}", equal("c", ref.columns, "p", ref.referenced), "{parent}", quotedName(ref.parent),
	}
	parent := w.known[ref.parent]
	switch {
	case w.isRestored(ref.parent):
		names[1] = restoreQueries.Get("GoneOwn")
		names = append(names, "{parent_then}", parent.then, "{parent_tenant_column}", quote(parent.TenantColumn))
	case parent != nil && parent.left == "":
		var n int64
		statement := restoreQueries.Get("Unmoored")
		for i := 0; i < len(names); i += 2 {
			statement = strings.ReplaceAll(statement, names[i], names[i+1]) //nolint:gosec // they are pairs
		}
		if err := w.tx.QueryRow(ctx, s.fill(statement)).Scan(&n); err != nil {
			return 0, refused(err, s.String())
		}
		if n > 0 {
			return 0, mismatch(fmt.Sprintf("Rows of %s refer to rows of %s that are no longer there.", s, ref.parent), "Name "+ref.parent+" with --tables as well.")
		}
		return 0, nil
	}
	query, note := "LeaveOut", "%d of %s are left out: what they refer to in %s is gone"
	if loose := ref.loose(s); len(loose) > 0 {
		query, note = "Loosen", "%d of %s no longer refer to %s: what they referred to is gone"
		names = append(names, "{nulls}", nulls(loose))
	}
	n, err := w.exec(ctx, s, query, names, w.tenant)
	if n > 0 {
		w.notes = append(w.notes, fmt.Sprintf(note, n, s, ref.parent))
	}
	return n, err
}

// write does it: what refers to rows that go lets go of them, those go, children first, and then rows become what they were, parents first.
func (w *work) write(ctx context.Context, tables []*staged, progress func(string, int, int)) error {
	replaced, err := w.letGo(ctx, tables)
	if err != nil {
		return err
	}
	if replaced > 0 {
		if err := w.refuseHeld(ctx, tables); err != nil {
			return err
		}
	}
	for _, s := range slices.Backward(tables) {
		query := "Delete"
		if len(s.Key) == 0 {
			if done := w.done[s.String()]; done.Inserted == 0 && done.Deleted == 0 {
				continue
			}
			query = "DeleteAll"
		}
		if _, err := w.exec(ctx, s, query, nil, w.tenant); err != nil {
			return err
		}
	}
	for i, s := range tables {
		progress(s.String(), i+1, len(tables))
		if err := w.bringBack(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// letGo says how many rows go that come back.
func (w *work) letGo(ctx context.Context, tables []*staged) (replaced int64, err error) {
	for _, s := range tables {
		for _, ref := range w.refs {
			if ref.child != s.String() || !w.isRestored(ref.parent) || len(s.Key) == 0 || ref.isTenancy(s) {
				continue
			}
			parent := w.known[ref.parent]
			if len(parent.Key) == 0 {
				continue
			}
			query := "DoomReferring"
			names := append(s.asChild(), "{child}", s.quoted(), "{parent}", parent.quoted(), "{refers}", equal("c", ref.columns, "p", ref.referenced),
				"{doomed}", parent.doomed, "{key_of_doomed}", equal("p", parent.Key, "d", parent.Key))
			if loose := ref.loose(s); len(loose) > 0 {
				query = "Detach"
				names = append(names, "{nulls}", nulls(loose))
			} else if ref.child == ref.parent {
				continue
			}
			n, err := w.exec(ctx, s, query, names, w.tenant)
			if err != nil {
				return 0, err
			}
			if query == "DoomReferring" {
				replaced += n
			}
		}
	}
	return replaced, nil
}

// refuseHeld refuses to replace a row that what stays refers to: where such a reference cascades, records would go with it.
func (w *work) refuseHeld(ctx context.Context, tables []*staged) error {
	for _, s := range tables {
		for _, ref := range w.refs {
			if ref.parent != s.String() || len(s.Key) == 0 {
				continue
			}
			switch n, err := w.hold(ctx, s, ref); {
			case err != nil:
				return err
			case n > 0:
				return fault.New(fault.Conflict, "Rows of "+ref.child+" refer to rows of "+s.String()+" that would have to be made anew. Nothing was changed.",
					"Leave "+s.String()+" out: name the other tables with --tables.")
			}
		}
	}
	return nil
}

// bringBack makes a table's rows what they were. Where rows refer to others of the same table, those come first.
func (w *work) bringBack(ctx context.Context, s *staged) error {
	if len(s.Key) == 0 {
		if done := w.done[s.String()]; done.Inserted == 0 && done.Deleted == 0 {
			return nil
		}
		_, err := w.exec(ctx, s, "InsertAll", nil)
		return err
	}
	var own []string
	for _, ref := range w.refs {
		if ref.child == s.String() && ref.parent == s.String() {
			own = append(own, ref.columns...)
		}
	}
	if err := w.update(ctx, s, own); err != nil {
		return err
	}
	if _, err := w.exec(ctx, s, "Insert", nil, w.tenant); err != nil {
		return err
	}
	if len(own) == 0 {
		return nil
	}
	return w.update(ctx, s, nil)
}

// update sets every column that is not as it was, but for those that stay.
func (w *work) update(ctx context.Context, s *staged, but []string) error {
	var assignments []string
	for _, name := range s.columns {
		if !slices.Contains(s.Key, name) && !slices.Contains(s.ignored, name) && !slices.Contains(but, name) && name != s.TenantColumn {
			assignments = append(assignments, quote(name)+" = s."+quote(name))
		}
	}
	if len(assignments) == 0 {
		return nil
	}
	_, err := w.exec(ctx, s, "Update", []string{"{assignments}", strings.Join(assignments, ", ")}, w.tenant, s.ignored)
	return err
}

// settle looks once more whether every row is as it was, before anything is kept, and ends the work.
func (w *work) settle(ctx context.Context, tables []*staged) error {
	counts := map[string]any{}
	for _, s := range tables {
		found, err := w.count(ctx, w.tx, s)
		if err != nil {
			return err
		}
		done := w.done[s.String()]
		if found.Removed > 0 || found.Changed > 0 || found.Added != done.Held {
			return notAsItWas(s)
		}
		if done.Inserted+done.Updated+done.Deleted > 0 {
			counts[s.String()] = map[string]int64{"inserted": done.Inserted, "updated": done.Updated, "deleted": done.Deleted}
		}
	}
	for _, s := range w.tables {
		if !s.blank {
			continue
		}
		if some, err := w.hasRows(ctx, w.tx, s); err != nil {
			return err
		} else if some {
			return notAsItWas(s)
		}
	}
	if w.isRestored("public.user_tenants") {
		var hasOwner bool
		if err := w.tx.QueryRow(ctx, restoreQueries.Get("HasOwner"), w.tenant).Scan(&hasOwner); err != nil {
			return fmt.Errorf("look for an owner: %w", err)
		}
		if !hasOwner && w.hadOwner {
			return fault.New(fault.LastOwner, "The tenant would have no owner: those of the archive are no longer there. Nothing was changed.",
				"Leave public.user_tenants out: name the other tables with --tables.")
		}
	}
	return finishWriting(ctx, w.tx, map[string]any{"tables": counts})
}

func notAsItWas(s *staged) error {
	return fault.New(fault.Conflict, "Rows of "+s.String()+" would not be as they were. Nothing was changed.",
		"Members write meanwhile: suspend the tenant first (vital tenant suspend). If it is the same again, a trigger of the table changes what is written: have it ask vital.is_restoring().")
}
