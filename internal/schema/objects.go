package schema

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// objectKinds is the order in which objects are applied: a view may call a function, a trigger needs
// its function, a policy may use any of them, and rules are rows of tables.
var objectKinds = []string{"functions", "views", "triggers", "policies", "rules"}

// object is one re-creatable file of database/objects.
type object struct {
	Path  string // kind/name.sql
	Kind  string
	Name  string   // the file's name without .sql
	Owner string   // role that creates it, from the header `-- owner:`
	After []string // paths of the same kind that come first, from the headers `-- after:`
	SQL   string
	Hash  string // SHA-256 of the text, hex
}

// loadObjects reads every object and returns them in the order to apply them.
func loadObjects(files fs.FS) ([]object, error) {
	var ordered []object
	for _, kind := range objectKinds {
		names, err := fs.Glob(files, path.Join("objects", kind, "*.sql"))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", kind, err)
		}
		var ofKind []object
		for _, name := range names {
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			ofKind = append(ofKind, parseObject(kind, path.Base(name), string(text)))
		}
		sorted, err := sortByDependency(ofKind)
		if err != nil {
			return nil, err
		}
		ordered = append(ordered, sorted...)
	}
	return ordered, nil
}

// parseObject reads the headers among the comment lines a file begins with.
func parseObject(kind, file, text string) object {
	o := object{
		Path: path.Join(kind, file), Kind: kind, Name: strings.TrimSuffix(file, ".sql"),
		Owner: "vital_owner", SQL: text, Hash: hash(text),
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line, isComment := strings.CutPrefix(lines.Text(), "--")
		if !isComment {
			break
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); key {
		case "owner":
			o.Owner = value
		case "after":
			o.After = append(o.After, path.Join(kind, value))
		}
	}
	return o
}

// sortByDependency orders objects by name, each after what it names, and refuses a circle or an
// unknown name.
func sortByDependency(objects []object) ([]object, error) {
	byPath := map[string]object{}
	for _, o := range objects {
		byPath[o.Path] = o
	}
	slices.SortFunc(objects, func(a, b object) int { return cmp.Compare(a.Path, b.Path) })

	const visiting, done = 1, 2
	state := map[string]int{}
	var sorted []object
	var visit func(o object) error
	visit = func(o object) error {
		switch state[o.Path] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("%s: depends on itself through -- after headers", o.Path)
		}
		state[o.Path] = visiting
		for _, dependency := range o.After {
			first, known := byPath[dependency]
			if !known {
				return fmt.Errorf("%s: -- after names %s, which does not exist", o.Path, dependency)
			}
			if err := visit(first); err != nil {
				return err
			}
		}
		state[o.Path] = done
		sorted = append(sorted, o)
		return nil
	}
	for _, o := range objects {
		if err := visit(o); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// changedObjects returns those whose text differs from what the database holds, and those that come
// after a changed one: a view dropped and made again takes its dependants with it.
func changedObjects(objects []object, applied map[string]string) []object {
	changed := map[string]bool{}
	var out []object
	for _, o := range objects {
		stale := applied[o.Path] != o.Hash
		for _, dependency := range o.After {
			stale = stale || changed[dependency]
		}
		if stale {
			changed[o.Path] = true
			out = append(out, o)
		}
	}
	return out
}

// applyObjects runs the changed objects within tx.
func (m *Migrator) applyObjects(ctx context.Context, tx pgx.Tx, changed []object) ([]string, error) {
	if len(changed) == 0 {
		return nil, nil
	}
	started := time.Now()
	if _, err := tx.Exec(ctx, sql("DeferBodies")); err != nil {
		return nil, fmt.Errorf("defer checking of function bodies: %w", err)
	}
	deadline := started.Add(m.yield())
	names := make([]string, len(changed))
	for i, o := range changed {
		// Locks taken for earlier objects are held meanwhile, so what is left of the time shrinks.
		left := max(time.Until(deadline), m.yield()/10, time.Millisecond).Milliseconds()
		if _, err := tx.Exec(ctx, sql("LockTimeout"), fmt.Sprint(left)); err != nil {
			return nil, fmt.Errorf("set lock timeout: %w", err)
		}
		if err := applyObject(ctx, tx, o); err != nil {
			return nil, objectFault(o, err)
		}
		names[i] = o.Path
	}
	if _, err := tx.Exec(ctx, sql("ActAsOperator")); err != nil {
		return nil, fmt.Errorf("act as operator: %w", err)
	}
	m.config.Log.Info("applied objects", "count", len(changed), "took", time.Since(started))
	return names, nil
}

// isLockConflict says whether err is a lock_timeout that ran out or a deadlock.
func isLockConflict(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "55P03" || pgErr.Code == "40P01")
}

func applyObject(ctx context.Context, tx pgx.Tx, o object) error {
	if o.Kind == "functions" {
		if err := handOver(ctx, tx, o); err != nil {
			return err
		}
	}
	if err := actAs(ctx, tx, o.Owner); err != nil {
		return err
	}
	if o.Kind == "policies" {
		if err := clearPolicies(ctx, tx, o.Name); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, o.SQL); err != nil {
		return err
	}
	if err := actAs(ctx, tx, "vital_owner"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, sql("ObjectRecord"), o.Path, o.Hash)
	return err
}

// handOver gives a function that is there already to the owner its file now names: only an owner may
// replace it. A file is named for its function, with vital_ in front for schema vital.
func handOver(ctx context.Context, tx pgx.Tx, o object) error {
	name, inVital := strings.CutPrefix(o.Name, "vital_")
	schema := "public"
	if inVital {
		schema = "vital"
	}
	if _, err := tx.Exec(ctx, "reset role"); err != nil {
		return fmt.Errorf("act as operator: %w", err)
	}
	rows, err := tx.Query(ctx, sql("FunctionsOfOthers"), schema, name, o.Owner)
	if err != nil {
		return fmt.Errorf("look for functions: %w", err)
	}
	signatures, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for functions: %w", err)
	}
	for _, signature := range signatures {
		if _, err := tx.Exec(ctx, "alter function "+signature+" owner to "+pgx.Identifier{o.Owner}.Sanitize()); err != nil {
			return fmt.Errorf("hand %s over to %s: %w", signature, o.Owner, err)
		}
	}
	return nil
}

// actAs makes the rest of the transaction run as role, which is one of ours and never input.
func actAs(ctx context.Context, tx pgx.Tx, role string) error {
	if _, err := tx.Exec(ctx, "set local role "+pgx.Identifier{role}.Sanitize()); err != nil {
		return fmt.Errorf("act as %s: %w", role, err)
	}
	return nil
}

// clearPolicies drops every policy and grant of the table, so that its file states all there are.
func clearPolicies(ctx context.Context, tx pgx.Tx, table string) error {
	name := pgx.Identifier{"public", table}.Sanitize()
	rows, err := tx.Query(ctx, sql("PolicyNames"), name)
	if err != nil {
		return fmt.Errorf("list policies: %w", err)
	}
	policies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list policies: %w", err)
	}
	for _, policy := range policies {
		if _, err := tx.Exec(ctx, "drop policy "+pgx.Identifier{policy}.Sanitize()+" on "+name); err != nil {
			return fmt.Errorf("drop policy %s: %w", policy, err)
		}
	}
	if _, err := tx.Exec(ctx, "revoke all on "+name+" from public, anon, authenticated, service_role"); err != nil {
		return fmt.Errorf("revoke grants: %w", err)
	}
	return nil
}
