package erasure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// owned is a table, or a partition of one, with rows of tenants.
type owned struct {
	Schema, Name, Column string
	Root                 int64
	Refers               []int64  // tables it refers to
	Own                  []string // columns of references to its own rows
}

func (o owned) table() string { return pgx.Identifier{o.Schema, o.Name}.Sanitize() }

func (o owned) String() string { return o.Schema + "." + o.Name }

// fill puts names of the catalog where a statement leaves room for them.
func fill(name string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(queries.Get(name))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// accounts ends sessions and deletes accounts first, so that nobody signs in to what is half there. Those of a Supabase project are its own.
func (r *running) accounts(ctx context.Context) error {
	var ours bool
	if err := r.conn.QueryRow(ctx, queries.Get("AccountsAreOurs")).Scan(&ours); err != nil {
		return fmt.Errorf("look at accounts: %w", err)
	}
	if !ours || len(r.People) == 0 {
		return nil
	}
	if _, err := r.batch(ctx, "", func(tx pgx.Tx) (int64, error) {
		_, err := tx.Exec(ctx, queries.Get("EndSessions"), texts(r.People))
		return 0, err
	}); err != nil {
		return err
	}
	return r.drain(ctx, "auth.users", queries.Get("EraseAccounts"), peopleBatch, texts(r.People))
}

// naming erases what others keep of those who are erased: answers, jobs, invitations, and what audit rows of other chains say of them.
func (r *running) naming(ctx context.Context) error {
	if r.isTenant() {
		if err := r.drain(ctx, "vital.api_keys", queries.Get("EraseKeys"), 1, r.SubjectID); err != nil {
			return err
		}
	}
	patterns, words := r.match.parameters()
	if err := r.drain(ctx, "vital.river_job", r.match.expand(queries.Get("EraseJobs")), r.Batch, patterns, words); err != nil {
		return err
	}
	if err := r.drain(ctx, "vital.idempotency_keys", r.match.expand(queries.Get("EraseAnswers")), r.Batch, patterns, words); err != nil {
		return err
	}
	return r.drain(ctx, "public.invitations", queries.Get("EraseInvitations"), r.Batch, r.Addresses)
}

// rows erases a tenant's rows from every table that has some.
func (r *running) rows(ctx context.Context) error {
	if !r.isTenant() {
		return nil
	}
	tables, err := r.owned(ctx)
	if err != nil {
		return err
	}
	for range mostPasses {
		before := total(r.Erased)
		for _, o := range tables {
			if err := r.table(ctx, o); err != nil {
				return err
			}
		}
		if total(r.Erased) == before {
			break
		}
	}
	return r.pointers(ctx)
}

func total(counts map[string]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}

func (r *running) table(ctx context.Context, o owned) error {
	if len(o.Own) > 0 {
		set, present := make([]string, len(o.Own)), make([]string, len(o.Own))
		for i, name := range o.Own {
			set[i], present[i] = quote(name)+" = null", "d."+quote(name)+" is not null"
		}
		cut := fill("CutOwn", "{table}", o.table(), "{column}", quote(o.Column), "{assignments}", strings.Join(set, ", "), "{any}", strings.Join(present, " or "))
		if err := r.drainQuietly(ctx, cut, r.SubjectID); err != nil {
			return err
		}
	}
	return r.drain(ctx, o.String(), fill("EraseRows", "{table}", o.table(), "{column}", quote(o.Column)), r.Batch, r.SubjectID)
}

// drainQuietly is drain for changes that erase no row.
func (r *running) drainQuietly(ctx context.Context, statement string, args ...any) error {
	args = append(slices.Clone(args), r.Batch)
	for {
		changed, err := r.batch(ctx, "", func(tx pgx.Tx) (int64, error) {
			tag, err := tx.Exec(ctx, statement, args...)
			return tag.RowsAffected(), err
		})
		if err != nil || changed == 0 {
			return err
		}
	}
}

// owned are the tables with rows of tenants, those that refer to others before them.
func (r *running) owned(ctx context.Context) ([]owned, error) {
	rows, err := r.conn.Query(ctx, queries.Get("Owned"))
	if err != nil {
		return nil, fmt.Errorf("find tenants' tables: %w", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[owned])
	if err != nil {
		return nil, fmt.Errorf("find tenants' tables: %w", err)
	}
	return inOrder(tables), nil
}

// inOrder sorts tables so that each comes before those it refers to. Of a circle one comes first.
func inOrder(tables []owned) []owned {
	byRoot := map[int64][]owned{}
	referring := map[int64][]int64{} // who refers to a table
	for _, o := range tables {
		byRoot[o.Root] = append(byRoot[o.Root], o)
		for _, to := range o.Refers {
			referring[to] = append(referring[to], o.Root)
		}
	}
	var sorted []owned
	seen := map[int64]bool{}
	var visit func(root int64)
	visit = func(root int64) {
		if seen[root] {
			return
		}
		seen[root] = true
		for _, from := range referring[root] {
			visit(from)
		}
		sorted = append(sorted, byRoot[root]...)
	}
	for _, o := range tables {
		visit(o.Root)
	}
	return sorted
}

// pointers empties what may name the tenant in rows that are not its own.
func (r *running) pointers(ctx context.Context) error {
	if err := r.drainQuietly(ctx, queries.Get("Rehome"), r.SubjectID); err != nil {
		return err
	}
	rows, err := r.conn.Query(ctx, queries.Get("Pointers"))
	if err != nil {
		return fmt.Errorf("find references to tenants: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Schema, Name, Column string }])
	if err != nil {
		return fmt.Errorf("find references to tenants: %w", err)
	}
	for _, p := range found {
		statement := fill("PointAway", "{table}", pgx.Identifier{p.Schema, p.Name}.Sanitize(), "{column}", quote(p.Column))
		if err := r.drainQuietly(ctx, statement, r.SubjectID); err != nil {
			return err
		}
	}
	return nil
}

// persons takes those who are erased out of what stays: ids out of columns, names out of what audit rows of other chains say.
func (r *running) persons(ctx context.Context) error {
	if err := r.forgetPeople(ctx); err != nil {
		return err
	}
	own := uuid.Nil // its chain goes as a whole
	if r.isTenant() {
		own = r.SubjectID
	}
	patterns, words := r.match.parameters()
	statement := r.match.expand(queries.Get("EraseNamingAudit"))
	for {
		gone, err := r.batch(ctx, "", func(tx pgx.Tx) (n int64, err error) {
			err = tx.QueryRow(ctx, statement, patterns, words, texts(r.People), namingBatch, own).Scan(&n)
			return n, err
		})
		if err != nil || gone == 0 {
			return err
		}
		r.Progress("contents of audit rows", gone)
	}
}

// forgetPeople empties columns that hold the id of somebody who is erased, wherever they are; what must hold one is left to the scan.
func (r *running) forgetPeople(ctx context.Context) error {
	if len(r.People) == 0 {
		return nil
	}
	for _, name := range []string{"ForgetFlagPeople", "ForgetOverridePeople"} {
		if err := r.drainQuietly(ctx, queries.Get(name), texts(r.People)); err != nil {
			return err
		}
	}
	rows, err := r.conn.Query(ctx, queries.Get("PersonColumns"))
	if err != nil {
		return fmt.Errorf("find columns of users: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[personTable])
	if err != nil {
		return fmt.Errorf("find columns of users: %w", err)
	}
	for _, t := range found {
		if err := r.forget(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

type personTable struct {
	Schema, Name string
	Columns      []string
	Blocks       int64
}

// forget empties a table's columns, a stretch of the table at a time. A constraint that wants a value keeps it, for the scan to tell.
func (r *running) forget(ctx context.Context, t personTable) error {
	table := pgx.Identifier{t.Schema, t.Name}.Sanitize()
	set, named := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, name := range t.Columns {
		column := quote(name)
		named[i] = "t." + column + " = any ($1::uuid[])"
		set[i] = column + " = case when " + named[i] + " then null else t." + column + " end"
	}
	conditions := strings.Join(named, " or ")
	var present bool
	if err := r.conn.QueryRow(ctx, fill("NamesPeople", "{table}", table, "{any}", conditions), texts(r.People)).Scan(&present); err != nil || !present {
		return err
	}
	statement := fill("ForgetPeople", "{table}", table, "{any}", conditions, "{assignments}", strings.Join(set, ", "))
	for from := int64(0); from <= t.Blocks; from += blocks {
		_, err := r.batch(ctx, "", func(tx pgx.Tx) (int64, error) {
			tag, err := tx.Exec(ctx, statement, texts(r.People), fmt.Sprintf("(%d,0)", from), fmt.Sprintf("(%d,0)", from+blocks))
			return tag.RowsAffected(), err
		})
		if isState(err, "23502", "23514") {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// people deletes those who are erased, with memberships and whatever else is theirs alone.
func (r *running) people(ctx context.Context) error {
	return r.drain(ctx, "public.users", queries.Get("ErasePeople"), peopleBatch, texts(r.People))
}

// chain deletes the tenant's audit chain. Where it ended is in the platform's.
func (r *running) chain(ctx context.Context) error {
	for r.isTenant() {
		gone, err := r.batch(ctx, "public.organization_audit_log", func(tx pgx.Tx) (n int64, err error) {
			err = tx.QueryRow(ctx, queries.Get("EraseChain"), r.ID, r.Batch).Scan(&n)
			return n, err
		})
		if err != nil || gone == 0 {
			return err
		}
	}
	return nil
}

// key destroys the tenant's key, so that what was sealed with it is gone from backups, too.
func (r *running) key(ctx context.Context) error {
	if !r.isTenant() {
		return nil
	}
	_, err := r.batch(ctx, "", func(tx pgx.Tx) (int64, error) {
		return 0, tx.QueryRow(ctx, queries.Get("KeyDestroyed"), r.ID).Scan(&r.KeyDestroyedAt)
	})
	return err
}

// last deletes the tenant itself, and drops what is kept outside of the database. Versions stay: a server that remembers something of a
// tenant or user learns by them that it holds no more.
func (r *running) last(ctx context.Context) error {
	if r.isTenant() {
		if err := r.drain(ctx, "public.organizations", queries.Get("EraseOrganization"), 1, r.SubjectID); err != nil {
			return err
		}
		if r.Evict != nil {
			dropped, err := r.Evict(ctx, r.SubjectID)
			if err != nil {
				return err
			}
			if dropped > 0 {
				r.Progress("redis", dropped)
			}
		}
	}
	return refresh(ctx, r.conn, r.Erasure)
}

// vacuum takes what was erased out of tables and indexes, and makes the planner forget values of it. It returns the tables it went over.
func vacuum(ctx context.Context, conn *pgx.Conn, match matcher, tables []string) ([]string, error) {
	found, err := remembered(ctx, conn, match)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		tables = append(tables, c.Relation)
	}
	tables, err = names(ctx, conn, "Reached", tables)
	if err != nil {
		return nil, err
	}
	roots, err := names(ctx, conn, "Roots", tables)
	if err != nil {
		return nil, err
	}
	for statement, list := range map[string][]string{"Vacuum": tables, "Analyze": roots} {
		for _, name := range list {
			schema, table, _ := strings.Cut(name, ".")
			if _, err := conn.Exec(ctx, fill(statement, "{table}", pgx.Identifier{schema, table}.Sanitize())); err != nil && !isState(err, "42P01") {
				return nil, explain(ctx, fmt.Errorf("clean %s: %w", name, err))
			}
		}
	}
	if _, err := conn.Exec(ctx, queries.Get("ForgetEmpty"), slices.Concat(roots, tables)); err != nil && !isState(err, "42501") { // the scan finds what is left
		return nil, fmt.Errorf("forget values: %w", err)
	}
	return tables, nil
}

// names are tables that a query knows of others.
func names(ctx context.Context, conn *pgx.Conn, query string, of []string) ([]string, error) {
	rows, err := conn.Query(ctx, queries.Get(query), of)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return found, nil
}

// texts are ids as parameters take them.
func texts(ids []uuid.UUID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return list
}
