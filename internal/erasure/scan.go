package erasure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Scan is what was looked at for what is left of somebody, and what was found: where and how often, never what.
type Scan struct {
	At     time.Time `json:"at"`
	Tables int       `json:"tables"` // of every schema, partitions, large objects and the planner's statistics included
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"` // that the tables and their indexes take
	Jobs   int64     `json:"jobs"`  // background jobs among the rows
	// RedisKeys is nil where there is no Redis.
	RedisKeys *int64 `json:"redis_keys,omitempty"`
	Files     []File `json:"files,omitempty"`
	// NotSearched is what could not be looked into, and why.
	NotSearched []string `json:"not_searched,omitempty"`
	// Kept is what stays as proof: ids, in columns that say who did what.
	Kept []Finding `json:"kept,omitempty"`
	Left []Finding `json:"left"`
}

// File is one that was read.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Finding is a place that names whom nothing should name.
type Finding struct {
	Where string `json:"where"` // schema.table.column, redis key, or file:offset
	Kind  string `json:"kind"`  // table, job, statistics, redis, log or file
	Count int64  `json:"count"`
}

// Search says where to look beside the database.
type Search struct {
	// Files are files and directories that are read, archives among them.
	Files []string
	// Redis hands over every key and value of a Redis; nil where there is none.
	Redis func(ctx context.Context, each func(key string, value []byte) error) (int64, error)
	// Progress is told of what is being read. Defaults to nothing.
	Progress func(what string)
}

// kept are columns in which an id stays: it says who acted, whom an erasure was of, or that nothing that is remembered of it holds, and
// names nobody any more.
var kept = map[string]bool{
	"public.organization_audit_log.actor_id": true, "public.organization_audit_log.entity_id": true,
	"vital.erasures.subject_id": true, "vital.erasures.people": true, "vital.erasures.certificate": true,
	"vital.tenant_keys.tenant_id": true, "vital.versions.key": true,
	"access_records.tenant_id": true, "access_records.user_id": true, "access_records.filter": true,
}

// accessRecords are partitions of records of who has read what, which the law has kept.
var accessRecords = regexp.MustCompile(`^vital\.access_records_(default|\d{6})\.`)

// stays says whether ids may stay in a column, named with its table.
func stays(where string) bool { return kept[accessRecords.ReplaceAllString(where, "access_records.")] }

// addressColumn is where addresses are while an erasure runs.
const addressColumn = "vital.erasures.addresses"

// Find looks for what is left of an erasure's subject. conn is an operator's, who may read every row. It is run by Certify, and again whenever
// somebody wants to know; addresses are known while the erasure runs, later they have to be given.
func Find(ctx context.Context, conn *pgx.Conn, id uuid.UUID, addresses []string, search Search) (*Scan, error) {
	var subject string
	var subjectID uuid.UUID
	var people []uuid.UUID
	var known []string
	err := conn.QueryRow(ctx, scanQueries.Get("Needles"), id).Scan(&subject, &subjectID, &people, &known)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "There is no such erasure.", "See `vital erasure list`.")
	} else if err != nil {
		return nil, fmt.Errorf("read erasure: %w", err)
	}
	e := Erasure{Subject: subject, SubjectID: subjectID, People: people}
	return look(ctx, conn, newMatcher(e.ids(), append(known, addresses...)), search)
}

// look is one look at everything.
func look(ctx context.Context, conn *pgx.Conn, match matcher, search Search) (*Scan, error) {
	if search.Progress == nil {
		search.Progress = func(string) {}
	}
	if err := gently(ctx, conn); err != nil {
		return nil, err
	}
	pace := postgres.PaceOf(conn) // what reads holds nobody up
	pace.RestInside(true)
	defer pace.RestInside(false)
	s := &Scan{At: time.Now().UTC().Truncate(time.Second), Left: []Finding{}}
	if err := s.database(ctx, conn, match, search); err != nil {
		return nil, err
	}
	if search.Redis != nil {
		if err := s.redis(ctx, match, search); err != nil {
			return nil, err
		}
	}
	for _, path := range search.Files {
		if err := s.path(match, path, search.Progress); err != nil {
			return nil, err
		}
	}
	for _, list := range []*[]Finding{&s.Left, &s.Kept} {
		slices.SortFunc(*list, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Where, b.Where)) })
	}
	return s, nil
}

// relation is something that keeps rows.
type relation struct {
	Schema, Name string
	Columns      []string
	AreBytes     []bool
	Bytes        int64
	Blocks       int64 // of the table alone
}

func (r relation) String() string { return r.Schema + "." + r.Name }

// hay is a row as text: as it prints, and bytes once more as the text they may be.
func (r relation) hay() string {
	parts := []string{"t::text"}
	for i, name := range r.Columns {
		if r.AreBytes[i] {
			parts = append(parts, readable(name))
		}
	}
	return strings.Join(parts, " || ' ' || ")
}

func readable(column string) string {
	return "coalesce(pg_catalog.encode(t." + quote(column) + ", 'escape'), '')"
}

// fill puts the relation's names into a statement, and then what is looked for.
func (r relation) fill(name string, match matcher, pairs ...string) string {
	pairs = append(pairs, "{table}", pgx.Identifier{r.Schema, r.Name}.Sanitize(), "{hay}", r.hay())
	return match.expand(strings.NewReplacer(pairs...).Replace(scanQueries.Get(name)))
}

func (s *Scan) database(ctx context.Context, conn *pgx.Conn, match matcher, search Search) error {
	rows, err := conn.Query(ctx, scanQueries.Get("Relations"))
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	relations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	patterns, words := match.parameters()
	for _, r := range relations {
		search.Progress(r.String())
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			for _, setting := range []string{"Look", "LookSettings"} {
				if _, err := tx.Exec(ctx, scanQueries.Get(setting)); err != nil {
					return err
				}
			}
			return s.relation(ctx, tx, r, match, patterns, words)
		})
		switch {
		case isState(err, "42501", "55P03"):
			s.NotSearched = append(s.NotSearched, r.String()+": this login may not read it, or somebody holds it locked")
		case isState(err, "42P01"): // it was dropped meanwhile
		case err != nil:
			return fmt.Errorf("search %s: %w", r, err)
		}
	}
	if err := s.statistics(ctx, conn, match); err != nil {
		return err
	}
	return s.unsearchable(ctx, conn)
}

// statistics looks at what the planner remembers of values. Of ids that stay it may.
func (s *Scan) statistics(ctx context.Context, conn *pgx.Conn, match matcher) error {
	found, err := remembered(ctx, conn, match)
	for _, r := range found {
		if where := r.Relation + "." + r.Column; !stays(where) {
			s.Left = append(s.Left, Finding{where, "statistics", 1})
		}
	}
	return err
}

// column is one of a table.
type column struct{ Relation, Column string }

// remembered are the columns of which the planner remembers values that are looked for.
func remembered(ctx context.Context, conn *pgx.Conn, match matcher) ([]column, error) {
	patterns, words := match.parameters()
	rows, err := conn.Query(ctx, match.expand(scanQueries.Get("Statistics")), patterns, words)
	if err != nil {
		return nil, fmt.Errorf("search statistics: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		return nil, fmt.Errorf("search statistics: %w", err)
	}
	return found, nil
}

// scanBlocks is how much of a table one statement looks through, after which others have their turn, 1 MiB.
const scanBlocks = 128

func (s *Scan) relation(ctx context.Context, tx pgx.Tx, r relation, match matcher, patterns, words []string) error {
	var rows, hits int64
	found := make([]int64, len(r.Columns))
	for from := int64(0); from == 0 || from < r.Blocks; from += scanBlocks {
		to := fmt.Sprintf("(%d,0)", from+scanBlocks)
		if from+scanBlocks >= r.Blocks {
			to = lastRow
		}
		args := []any{patterns, words, fmt.Sprintf("(%d,0)", from), to}
		var looked, hit int64
		if err := tx.QueryRow(ctx, r.fill("CountHits", match), args...).Scan(&looked, &hit); err != nil {
			return err
		}
		rows, hits = rows+looked, hits+hit
		if hit > 0 {
			if err := r.countColumns(ctx, tx, match, args, found); err != nil {
				return err
			}
		}
	}
	s.Tables, s.Rows, s.Bytes = s.Tables+1, s.Rows+rows, s.Bytes+r.Bytes
	if r.String() == jobTable {
		s.Jobs = rows
	}
	if hits > 0 {
		s.columns(r, found, hits)
	}
	return nil
}

// lastRow is behind the last row any table can have.
const lastRow = "(4294967295,0)"

// countColumns adds to found how many rows of a stretch have what is looked for in each column.
func (r relation) countColumns(ctx context.Context, tx pgx.Tx, match matcher, args []any, found []int64) error {
	counts := make([]string, len(r.Columns))
	for i, name := range r.Columns {
		value := "t." + quote(name) + "::text"
		if r.AreBytes[i] {
			value += " || ' ' || " + readable(name)
		}
		counts[i] = match.expandFor(scanQueries.Get("CountColumn"), "pg_catalog.lower("+value+")")
	}
	var here []int64
	if err := tx.QueryRow(ctx, r.fill("CountColumns", match, "{counts}", strings.Join(counts, ", ")), args...).Scan(&here); err != nil {
		return err
	}
	for i, n := range here {
		found[i] += n
	}
	return nil
}

const jobTable = "vital.river_job"

// columns notes which columns of a relation name whom nothing should name.
func (s *Scan) columns(r relation, found []int64, hits int64) {
	kind := "table"
	if r.String() == jobTable {
		kind = "job"
	}
	placed := false
	for i, count := range found {
		if count == 0 {
			continue
		}
		placed = true
		f := Finding{r.String() + "." + r.Columns[i], kind, count}
		if f.Where == addressColumn {
			continue // it is emptied when this is done
		}
		if stays(f.Where) {
			s.Kept = append(s.Kept, f)
		} else {
			s.Left = append(s.Left, f)
		}
	}
	if !placed { // across two of them
		s.Left = append(s.Left, Finding{r.String(), kind, hits})
	}
}

// unsearchable notes what no search reads.
func (s *Scan) unsearchable(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, scanQueries.Get("ForeignTables"))
	if err != nil {
		return fmt.Errorf("list foreign tables: %w", err)
	}
	foreign, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list foreign tables: %w", err)
	}
	for _, name := range foreign {
		s.NotSearched = append(s.NotSearched, name+": its rows are another server's")
	}
	var sealed int64
	if err := conn.QueryRow(ctx, scanQueries.Get("SealedAudit")).Scan(&sealed); err != nil {
		return fmt.Errorf("count sealed audit rows: %w", err)
	}
	if sealed > 0 {
		s.NotSearched = append(s.NotSearched, fmt.Sprintf("public.organization_audit_log.sealed: %d rows of others, sealed with their tenants' keys", sealed))
	}
	return nil
}

func (s *Scan) redis(ctx context.Context, match matcher, search Search) error {
	search.Progress("redis")
	hits := map[string]int64{}
	keys, err := search.Redis(ctx, func(key string, value []byte) error {
		_, named := match.find([]byte(key))
		_, held := match.find(value)
		if named+held > 0 {
			hits[key] += int64(named + held)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.RedisKeys = &keys
	for key, count := range hits {
		s.Left = append(s.Left, Finding{match.mask(key), "redis", count})
	}
	return nil
}
