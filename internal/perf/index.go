package perf

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed index.sql
var indexText string

var indexQueries = database.ParseQueries(indexText)

// IndexReport is what there is to say of a database's indexes. Its JSON names are stable.
type IndexReport struct {
	// Since is when the statistics were last reset; null where they never were.
	Since    *time.Time     `json:"since"`
	Findings []IndexFinding `json:"findings"`
	Indexes  []Index        `json:"indexes"`
}

// The kinds of findings.
const (
	// ForeignKeyUnindexed: deleting or changing a row that is referenced reads the whole table.
	ForeignKeyUnindexed = "foreign_key_unindexed"
	// IndexInvalid: it was not completed; it is kept up with every write, and nothing reads it.
	IndexInvalid = "index_invalid"
	// IndexDuplicate: another is the same.
	IndexDuplicate = "index_duplicate"
	// IndexRedundant: another begins with the same columns.
	IndexRedundant = "index_redundant"
	// IndexUnused: nothing has read it since the statistics were reset.
	IndexUnused = "index_unused"
)

// IndexFinding is one thing that was found.
type IndexFinding struct {
	Kind   string `json:"kind"`
	Table  string `json:"table"`
	Object string `json:"object"` // the index or the constraint
	Detail string `json:"detail"`
	Bytes  int64  `json:"bytes"`
	// Repair are the statements that would mend it. They are never run here, and cannot be run in a transaction; empty
	// where there is something to decide first.
	Repair []string `json:"repair"`
}

// Index is one index. The names of its columns in the query are its own in lower case.
type Index struct {
	Schema      string   `json:"schema"`
	Table       string   `json:"table"`
	Name        string   `json:"name"`
	Definition  string   `json:"definition"`
	Method      string   `json:"method"`
	IsUnique    bool     `json:"unique"`
	IsPrimary   bool     `json:"primary"`
	IsValid     bool     `json:"valid"`
	Partitioned bool     `json:"partitioned"`
	Held        string   `json:"constraint,omitempty"` // that it holds
	Supports    []string `json:"supports,omitempty"`   // foreign keys
	Columns     []string `json:"columns"`
	Predicate   string   `json:"predicate,omitempty"`
	Bytes       int64    `json:"bytes"`
	Scans       int64    `json:"scans"`

	TableQuoted string   `json:"-"`
	Quoted      string   `json:"-"`
	Identifies  bool     `json:"-"` // rows, for logical replication
	Referenced  bool     `json:"-"` // by a foreign key
	Keys        []string `json:"-"`
	KeyCount    int      `json:"-"`
}

func (i Index) tableName() string { return i.Schema + "." + i.Table }

// kept says that something other than speed needs it.
func (i Index) kept() bool {
	return i.IsUnique || i.IsPrimary || i.Identifies || i.Referenced || i.Held != ""
}

// RequireOperator refuses a login that is no operator's: figures of indexes and statements are of all tenants.
func RequireOperator(ctx context.Context, conn *pgx.Conn) error {
	var may bool
	if err := conn.QueryRow(ctx, indexQueries.Get("IndexOperator")).Scan(&may); err != nil {
		return fmt.Errorf("look at the login: %w", err)
	}
	if !may {
		return fault.New(fault.PermissionDenied, "This login is no operator's.",
			"Log in as a superuser, as the owner of the tables, or as a member of pg_read_all_stats: what is shown is of all tenants.")
	}
	return nil
}

// Indexes looks at the indexes of the schemas' tables, all schemas where none is named, as far as this login owns them.
func Indexes(ctx context.Context, conn *pgx.Conn, schemas []string) (*IndexReport, error) {
	if err := RequireOperator(ctx, conn); err != nil {
		return nil, err
	}
	r := &IndexReport{Findings: []IndexFinding{}}
	if err := conn.QueryRow(ctx, indexQueries.Get("IndexSince")).Scan(&r.Since); err != nil {
		return nil, fmt.Errorf("read when statistics began: %w", err)
	}
	rows, err := conn.Query(ctx, indexQueries.Get("IndexList"), schemas)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	if r.Indexes, err = pgx.CollectRows(rows, pgx.RowToStructByName[Index]); err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	if err := r.findUnindexed(ctx, conn, schemas); err != nil {
		return nil, err
	}
	r.judgeIndexes()
	return r, nil
}

// unindexed is a foreign key without an index on its side.
type unindexed struct {
	Schema, Table, TableQuoted, Constraint, Referenced, ColumnsQuoted, Partly string

	Partitioned bool
	Columns     []string
}

func (r *IndexReport) findUnindexed(ctx context.Context, conn *pgx.Conn, schemas []string) error {
	rows, err := conn.Query(ctx, indexQueries.Get("IndexMissing"), schemas)
	if err != nil {
		return fmt.Errorf("look for foreign keys without an index: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[unindexed])
	if err != nil {
		return fmt.Errorf("look for foreign keys without an index: %w", err)
	}
	for _, u := range found {
		f := IndexFinding{Kind: ForeignKeyUnindexed, Table: u.Schema + "." + u.Table, Object: u.Constraint,
			Detail: fmt.Sprintf("no index begins with %s, which references %s", strings.Join(u.Columns, ", "), u.Referenced),
			Repair: []string{fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", u.TableQuoted, u.ColumnsQuoted)}}
		if u.Partly != "" {
			f.Detail += "; " + u.Partly + " begins with one of them"
		}
		if u.Partitioned {
			f.Detail += "; of a partitioned table the index is made on each partition, and then on the table"
			f.Repair = []string{}
		}
		r.Findings = append(r.Findings, f)
	}
	return nil
}

// judgeIndexes looks at each index, and at each beside the others of its table.
func (r *IndexReport) judgeIndexes() {
	for n, i := range r.Indexes {
		if !i.IsValid {
			r.add(IndexInvalid, i, "it was not completed: nothing reads it, and every write keeps it up",
				[]string{"DROP INDEX CONCURRENTLY " + i.Quoted + ";", strings.Replace(i.Definition, "INDEX ", "INDEX CONCURRENTLY ", 1) + ";"})
			continue
		}
		if kind, other := r.beside(n); other != nil {
			detail := "the same as " + other.Name
			if kind == IndexRedundant {
				detail = other.Name + " begins with the same columns"
			}
			r.add(kind, i, detail, drop(i))
			continue
		}
		if i.Scans == 0 && !i.kept() && len(i.Supports) == 0 { // a foreign key's is read when a row that is referenced goes
			r.add(IndexUnused, i, "nothing has read it", drop(i))
		}
	}
}

func (r *IndexReport) add(kind string, i Index, detail string, repair []string) {
	r.Findings = append(r.Findings, IndexFinding{Kind: kind, Table: i.tableName(), Object: i.Schema + "." + i.Name, Detail: detail, Bytes: i.Bytes, Repair: repair})
}

// drop is how an index is taken away while others write; of a partitioned one it cannot be done so.
func drop(i Index) []string {
	if i.Partitioned {
		return []string{"DROP INDEX " + i.Quoted + "; -- locks the table and its partitions"}
	}
	return []string{"DROP INDEX CONCURRENTLY " + i.Quoted + ";"}
}

// beside finds the index that makes the n-th superfluous. Of two alike it is the second; one that holds a constraint
// never is.
func (r *IndexReport) beside(n int) (kind string, other *Index) {
	i := r.Indexes[n]
	if i.kept() {
		return "", nil
	}
	for m := range r.Indexes {
		o := &r.Indexes[m]
		if m == n || !o.IsValid || o.tableName() != i.tableName() || o.Method != i.Method || o.Predicate != i.Predicate {
			continue
		}
		alike := slices.Equal(i.Keys, o.Keys) && slices.Equal(i.Columns, o.Columns)
		if alike && (o.kept() || m < n) {
			return IndexDuplicate, o
		}
		if !alike && i.Method == "btree" && covers(o, i) {
			return IndexRedundant, o
		}
	}
	return "", nil
}

// covers says whether o answers whatever i does: its keys begin with all of i's, and what i carries along is in o too.
func covers(o *Index, i Index) bool {
	if len(o.Keys) < len(i.Keys) || !slices.Equal(o.Keys[:len(i.Keys)], i.Keys) {
		return false
	}
	carried := i.Columns[i.KeyCount:]
	return !slices.ContainsFunc(carried, func(c string) bool { return !slices.Contains(o.Columns, c) })
}
