package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// relationOf is the table in question.
type relationOf struct {
	oid             uint32
	schema, name    string
	kind            string
	enabled, forced bool
}

func (r relationOf) String() string { return r.schema + "." + r.name }

// columnOf is a column of it, and what the caller's role may do with it.
type columnOf struct {
	Name, Type, Equality      string
	Generated, Key            bool
	Selects, Inserts, Updates bool
}

func (c columnOf) may(command string) bool {
	return map[string]bool{"select": c.Selects, "insert": c.Inserts, "update": c.Updates}[command]
}

func (e *explainer) column(name string) *columnOf {
	if i := slices.IndexFunc(e.columns, func(c columnOf) bool { return c.Name == name }); i >= 0 {
		return &e.columns[i]
	}
	return nil
}

func (e *explainer) findRelation(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainRelations"), e.q.Table)
	if err != nil {
		return fmt.Errorf("find table: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r relationOf, err error) {
		return r, row.Scan(&r.oid, &r.schema, &r.name, &r.kind, &r.enabled, &r.forced)
	})
	if err != nil {
		return fmt.Errorf("find table: %w", err)
	}
	switch {
	case len(found) == 0:
		return e.unknownTable(ctx)
	case len(found) > 1 && found[0].schema != "public":
		names := make([]string, len(found))
		for i, r := range found {
			names[i] = r.String()
		}
		return fault.New(fault.Usage, fmt.Sprintf("There is more than one %s: %s.", e.q.Table, strings.Join(names, ", ")), "Name it with its schema.")
	}
	e.relation = found[0]
	e.out.Table = e.relation.String()
	if e.relation.kind == "v" || e.relation.kind == "m" {
		return e.refuseView(ctx)
	}
	if e.relation.kind == "f" {
		return fault.New(fault.Usage, e.out.Table+" is a foreign table; no policy of this database decides about its rows.", "Explain it where the table is.")
	}
	return nil
}

func (e *explainer) unknownTable(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainRelationNames"))
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	hint := "Name a table, with its schema where it is not public."
	if near := nearest(e.q.Table, names); len(near) > 0 {
		hint = "Did you mean " + strings.Join(near, ", ") + "?"
	}
	return fault.New(fault.NotFound, fmt.Sprintf("There is no table %s.", e.q.Table), hint)
}

func (e *explainer) refuseView(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainViewReads"), e.relation.oid)
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	var invoker bool
	var owner, table string
	var tables []string
	_, err = pgx.ForEachRow(rows, []any{&invoker, &owner, &table}, func() error {
		tables = append(tables, table)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	if len(tables) == 0 {
		return fault.New(fault.Usage, e.out.Table+" is a view; it reads no table.", "Policies belong to tables.")
	}
	hint := fmt.Sprintf("It reads %s ", strings.Join(tables, ", "))
	switch {
	case e.relation.kind == "m":
		hint += fmt.Sprintf("when it is refreshed, as its owner %s: whoever may read it sees every row of it.", owner)
	case invoker:
		hint += "with the caller's own rights (security_invoker): explain the row there."
	default:
		hint += fmt.Sprintf("as its owner %s (no security_invoker): the caller's policies are not asked there.", owner)
	}
	return fault.New(fault.Usage, e.out.Table+" is a view; policies belong to the tables it reads.", hint)
}

func (e *explainer) readColumns(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainColumns"), e.relation.oid, string(e.q.Caller.Role))
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	e.columns, err = pgx.CollectRows(rows, pgx.RowToStructByName[columnOf])
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	return nil
}

// keyColumns are those of the primary key, in its order.
func (e *explainer) keyColumns() []string {
	var names []string
	for _, c := range e.columns {
		if c.Key {
			names = append(names, c.Name)
		}
	}
	return names
}

// parseRow reads what names the row. A comma within a value is one that no column's name follows.
func (e *explainer) parseRow() ([]KeyValue, error) {
	key := e.keyColumns()
	if !strings.Contains(e.q.Row, "=") {
		name := "id"
		if len(key) == 1 {
			name = key[0]
		}
		if e.column(name) == nil || len(key) > 1 && !slices.Contains(key, name) {
			return nil, fault.New(fault.Usage, fmt.Sprintf("A row of %s is not named by one value.", e.out.Table), e.keyHint())
		}
		return []KeyValue{{name, e.q.Row}}, nil
	}
	var given []KeyValue
	for part := range strings.SplitSeq(e.q.Row, ",") {
		name, value, isPair := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		switch known := isPair && e.column(name) != nil; {
		case known && slices.ContainsFunc(given, func(k KeyValue) bool { return k.Column == name }):
			return nil, fault.New(fault.Usage, fmt.Sprintf("The row names %s twice.", name), e.keyHint())
		case known:
			given = append(given, KeyValue{name, value})
		case len(given) > 0:
			given[len(given)-1].Value += "," + part
		default:
			return nil, fault.New(fault.Usage, fmt.Sprintf("%s has no column %s.", e.out.Table, name), e.keyHint())
		}
	}
	return given, nil
}

func (e *explainer) keyHint() string {
	key := e.keyColumns()
	if len(key) == 0 {
		return "Name the row as column=value,column=value; the table has no primary key."
	}
	return "Name the row as " + strings.Join(key, "=…,") + "=…."
}

// findRow finds the one row that is meant, as the operator, whom no policy filters.
func (e *explainer) findRow(ctx context.Context) error {
	given, err := e.parseRow()
	if err != nil {
		return err
	}
	shown := e.keyColumns()
	if len(shown) == 0 {
		for _, k := range given {
			shown = append(shown, k.Column)
		}
	}
	tenantAt := -1
	if name := e.tenantColumn(); name != "" {
		tenantAt = len(shown)
		shown = append(shown, name)
	}
	rows, values, err := e.selectRows(ctx, given, shown)
	if err != nil {
		return err
	}
	names := shown
	if tenantAt >= 0 {
		names = shown[:tenantAt]
	}
	switch len(rows) {
	case 0:
		return fault.New(fault.NotFound, fmt.Sprintf("%s has no row %s.", e.out.Table, e.q.Row),
			"Nobody sees it, whatever the policies say: this looked behind them.")
	case 1:
	default:
		return ambiguous(e.out.Table, e.q.Row, names, values)
	}
	e.row = rows[0]
	for i, name := range names {
		e.out.Key = append(e.out.Key, KeyValue{name, values[0][i]})
	}
	if tenantAt >= 0 {
		e.tenant = values[0][tenantAt]
	}
	return nil
}

// tenantColumn is the one that says whose a row is, in a database of ours: part of the key. Elsewhere, as in
// profiles, it grants nothing.
func (e *explainer) tenantColumn() string {
	if !e.sealed {
		return ""
	}
	names := []string{"tenant_id", "organization_id"}
	if e.out.Table == "public.organizations" {
		names = []string{"id"}
	}
	for _, name := range names {
		if c := e.column(name); c != nil && c.Key && c.Type == "uuid" {
			return name
		}
	}
	return ""
}

func (e *explainer) selectRows(ctx context.Context, given []KeyValue, shown []string) (rows []string, values [][]string, err error) {
	condition, args, err := e.condition(ctx, given)
	if err != nil {
		return nil, nil, err
	}
	text, err := e.statement(ctx, "ExplainRowStatement", e.relation.schema, e.relation.name, condition, shown)
	if err != nil {
		return nil, nil, err
	}
	var row string
	var columns []string
	answer, err := e.tx.Query(ctx, text, append([]any{pgx.QueryExecModeDescribeExec}, args...)...)
	if err == nil {
		_, err = pgx.ForEachRow(answer, []any{&row, &columns}, func() error {
			rows, values = append(rows, row), append(values, slices.Clone(columns))
			return nil
		})
	}
	var pgErr *pgconn.PgError
	switch {
	case err == nil:
		return rows, values, nil
	case errors.As(err, &pgErr) && pgErr.Code == "42501":
		return nil, nil, fault.Wrap(err, fault.PermissionDenied, fmt.Sprintf("This login may not read all of %s.", e.out.Table),
			"Log in as a superuser, or with BYPASSRLS and SELECT on it: a row its reader may not see has to be found first.")
	case errors.As(err, &pgErr) && strings.HasPrefix(pgErr.Code, "22"):
		return nil, nil, fault.Wrap(err, fault.Invalid, fmt.Sprintf("The row %s cannot be read: %s.", e.q.Row, pgErr.Message), e.keyHint())
	}
	return nil, nil, fmt.Errorf("find row: %w", err)
}

// condition returns the one that finds a row by key, and its parameters.
func (e *explainer) condition(ctx context.Context, key []KeyValue) (text string, args []any, err error) {
	var names, equalities, types []string
	for _, k := range key {
		c := e.column(k.Column)
		names, equalities, types = append(names, c.Name), append(equalities, c.Equality), append(types, c.Type)
		args = append(args, k.Value)
	}
	text, err = e.statement(ctx, "ExplainCondition", names, equalities, types)
	return text, args, err
}

// statement has the database write one, its names quoted.
func (e *explainer) statement(ctx context.Context, query string, args ...any) (text string, err error) {
	if err := e.tx.QueryRow(ctx, explainQueries.Get(query), args...).Scan(&text); err != nil {
		return "", fmt.Errorf("write %s: %w", query, err)
	}
	return text, nil
}

func ambiguous(table, row string, names []string, values [][]string) error {
	var lines []string
	for _, v := range values[:min(len(values), 10)] {
		pairs := make([]string, len(names))
		for i, name := range names {
			pairs[i] = name + "=" + v[i]
		}
		lines = append(lines, strings.Join(pairs, ","))
	}
	if len(values) > 10 {
		lines = append(lines, "…")
	}
	f := fault.New(fault.Usage, fmt.Sprintf("More than one row of %s is %s.", table, row), "Name the row by "+strings.Join(names, " and ")+".")
	f.Detail = strings.Join(lines, "\n")
	return f
}

// nearest returns up to three of names that wanted may have been meant for.
func nearest(wanted string, names []string) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	for _, name := range names {
		d := distance(strings.ToLower(wanted), strings.ToLower(name))
		if _, bare, qualified := strings.Cut(name, "."); qualified {
			d = min(d, distance(strings.ToLower(wanted), strings.ToLower(bare)))
		}
		if d <= max(2, len(wanted)/3) {
			found = append(found, near{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var best []string
	for _, n := range found[:min(len(found), 3)] {
		best = append(best, n.name)
	}
	return best
}

// distance is Levenshtein's, of bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
