package schema

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
)

//go:embed drift.sql
var driftText string

//go:embed drift_language.sql
var driftLanguageText string

//go:embed drift_foreign.sql
var driftForeignText string

var driftQueries = func() database.Queries {
	all := database.Queries{}
	for _, text := range []string{driftText, driftLanguageText, driftForeignText} {
		maps.Copy(all, database.ParseQueries(text))
	}
	return all
}()

// fact is one thing that is so in a database.
type fact struct {
	severity             Severity
	kind, object, parent string // parent is the object it is part of: "table public.agents"
	aspect               string // "" is that the object exists
	value                string
	make, unmake         string    // SQL that makes it so, and no longer so; "" where there is none
	since                time.Time // when the catalog's row of it was last written; zero is unknown
}

type factKey struct{ kind, object, aspect string }

func (f fact) key() factKey { return factKey{f.kind, f.object, f.aspect} }

// Inventory is what a database is: its objects and all that is said of them, as text that two databases can be compared by.
type Inventory struct {
	facts   map[factKey]fact
	objects map[string]bool   // that are there
	owners  map[string]string // of objects
}

func newInventory() *Inventory {
	return &Inventory{facts: map[factKey]fact{}, objects: map[string]bool{}, owners: map[string]string{}}
}

// Inventoried returns the schemas that VITAL makes in the database behind conn. On a Supabase project auth is not
// among them.
func Inventoried(ctx context.Context, conn pgxQuerier) ([]string, error) {
	var schemas []string
	if err := conn.QueryRow(ctx, driftQueries.Get("Inventoried")).Scan(&schemas); err != nil {
		return nil, fmt.Errorf("find schemas: %w", err)
	}
	return schemas, nil
}

// The queries of an inventory: of the schemas that are looked at, of what is in no schema, and of what all databases of a server share,
// by the roles that are declared.
var (
	perSchema = []string{
		"Schemas", "Relations", "Columns", "Constraints", "Indexes", "Functions", "Triggers", "Policies", "Rules", "Types", "Privileges",
		"DefaultPrivileges", "Statistics", "Comments", "Extensions", "Publications",
		"Casts", "Operators", "OperatorFamilies", "Conversions", "Collations", "TextSearch", "ForeignTables",
	}
	perDatabase = []string{"EventTriggers", "Languages", "AccessMethods", "Transforms", "ForeignDataWrappers", "ForeignServers", "UserMappings", "Subscriptions"}
	perCluster  = []string{"Settings", "Roles", "Memberships", "ParameterPrivileges"}
)

// ReadInventory reads what the database behind conn is, of the schemas that VITAL makes. It changes nothing, and sees
// what the transaction it runs in has changed.
func ReadInventory(ctx context.Context, conn pgxQuerier, schemas []string) (_ *Inventory, err error) {
	// With it, everything is printed with its schema, and nothing the database brings can stand in for an operator.
	restore, err := setSearchPath(ctx, conn, "pg_catalog")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, restore()) }()
	inventory, declared, writers := newInventory(), declaredRoles(), map[factKey]uint32{}
	for _, of := range []struct {
		queries []string
		args    []any
	}{{perSchema, []any{schemas}}, {perDatabase, nil}, {perCluster, []any{declared.names()}}} {
		for _, name := range of.queries {
			if err := inventory.read(ctx, conn, writers, name, of.args...); err != nil {
				return nil, fmt.Errorf("read inventory (%s): %w", name, err)
			}
		}
	}
	if err := inventory.date(ctx, conn, writers); err != nil {
		return nil, fmt.Errorf("read when the catalog was written: %w", err)
	}
	return inventory, nil
}

type pgxQuerier interface {
	Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

// setSearchPath changes the session's search_path and returns what takes that back.
func setSearchPath(ctx context.Context, conn pgxQuerier, path string) (restore func() error, err error) {
	set := func(path string) error {
		if _, err := conn.Exec(context.WithoutCancel(ctx), driftQueries.Get("SearchPathSet"), path); err != nil {
			return fmt.Errorf("set search_path: %w", err)
		}
		return nil
	}
	var before string
	if err := conn.QueryRow(ctx, driftQueries.Get("SearchPath")).Scan(&before); err != nil {
		return nil, fmt.Errorf("read search_path: %w", err)
	}
	return func() error { return set(before) }, set(path)
}

// read adds the facts of one query, and to writers which transaction wrote each, where that is said.
func (i *Inventory) read(ctx context.Context, conn pgxQuerier, writers map[factKey]uint32, name string, args ...any) error {
	rows, err := conn.Query(ctx, driftQueries.Get(name), args...)
	if err != nil {
		return err
	}
	var f fact
	var makes, unmakes *string
	var writer *uint32
	_, err = pgx.ForEachRow(rows, []any{&f.severity, &f.kind, &f.object, &f.parent, &f.aspect, &f.value, &makes, &unmakes, &writer}, func() error {
		f.make, f.unmake = deref(makes), deref(unmakes)
		if f.aspect == secretAspect {
			f.value = sealed(f.value)
		}
		i.add(f)
		if writer != nil {
			writers[f.key()] = *writer
		}
		return nil
	})
	return err
}

// secretAspect is the aspect whose values may be passwords.
const secretAspect = "option values"

// seal is this process's own, so that nobody can try passwords against what it printed.
var seal = sync.OnceValue(func() []byte { return []byte(rand.Text()) })

// sealed tells one value from another, in one process, without saying what it is.
func sealed(value string) string {
	mac := hmac.New(sha256.New, seal())
	mac.Write([]byte(value))
	return "not shown (" + hex.EncodeToString(mac.Sum(nil)[:6]) + ")"
}

// date says of each fact when the transaction that wrote it was committed. The server knows it of those since it was told to keep
// it, with track_commit_timestamp, and forgets it of those whose rows it has frozen.
func (i *Inventory) date(ctx context.Context, conn pgxQuerier, writers map[factKey]uint32) error {
	var kept bool
	if err := conn.QueryRow(ctx, driftQueries.Get("CommitTimesKept")).Scan(&kept); err != nil || !kept {
		return err
	}
	times, err := commitTimes(ctx, conn, slices.Sorted(maps.Values(writers)))
	if err != nil {
		return err
	}
	for key, writer := range writers {
		f := i.facts[key]
		f.since = times[writer]
		i.facts[key] = f
	}
	return nil
}

// commitTimes are those of transactions, as far as they are known.
func commitTimes(ctx context.Context, conn pgxQuerier, transactions []uint32) (map[uint32]time.Time, error) {
	asked := make([]int64, 0, len(transactions))
	for _, transaction := range slices.Compact(transactions) {
		asked = append(asked, int64(transaction))
	}
	rows, err := conn.Query(ctx, driftQueries.Get("CommitTimes"), asked)
	if err != nil {
		return nil, err
	}
	times := map[uint32]time.Time{}
	var transaction uint32
	var at *time.Time
	_, err = pgx.ForEachRow(rows, []any{&transaction, &at}, func() error {
		if at != nil {
			times[transaction] = at.UTC()
		}
		return nil
	})
	return times, err
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (i *Inventory) add(f fact) {
	i.facts[f.key()] = f
	switch f.aspect {
	case "":
		i.objects[f.kind+" "+f.object] = true
	case "owner":
		i.owners[f.kind+" "+f.object] = f.value
	}
}

// since is when what is said of key was last written, else when its object was: what it lacks was taken from it then, or
// before. Zero is unknown.
func (i *Inventory) since(key factKey) time.Time {
	if f, there := i.facts[key]; there {
		return f.since
	}
	return i.facts[factKey{key.kind, key.object, ""}].since
}

// has reports whether an object is there: "table public.agents". What is part of nothing always is.
func (i *Inventory) has(object string) bool { return object == "" || i.objects[object] }
