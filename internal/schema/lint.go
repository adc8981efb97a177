package schema

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	ast "github.com/pganalyze/pg_query_go/v6"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed lint.sql
var lintText string

var lintQueries = database.ParseQueries(lintText)

// Level is whether what a lint finds ends a migration.
type Level string

// The levels of lints: an error is refused, a warning is said.
const (
	LintError   Level = "error"
	LintWarning Level = "warning"
)

// Problem is what pending SQL would do to a database in use.
type Problem struct {
	Level  Level  `json:"level"`
	Lint   string `json:"lint"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
}

// lints are what is looked for in pending SQL, with what to do instead.
var lintHints = map[string]string{
	"index_not_concurrent":        "Make it beforehand with CREATE INDEX CONCURRENTLY, and write IF NOT EXISTS.",
	"not_null_without_default":    "Give the column a default, or add it nullable, fill it, and then forbid null.",
	"not_null_scans":              "Add CHECK (column IS NOT NULL) NOT VALID, validate it, and then forbid null.",
	"type_change_rewrites":        "Add a column of the new type, fill it, and swap names.",
	"default_rewrites":            "Add the column without the default, then set the default, then fill it in batches.",
	"constraint_scans":            "Add it NOT VALID, and VALIDATE CONSTRAINT afterwards.",
	"dropped_in_use":              "Stop using it in one release, and drop it in the next.",
	"renamed_in_use":              "Add the new name beside the old one, and drop that in the next release.",
	"table_without_row_security":  "Enable and force row-level security, in a file of database/objects/policies.",
	"table_without_policy":        "State who may do what, in a file of database/objects/policies.",
	"tenant_column_without_index": "Let the primary key or an index begin with it.",
	"policy_calls_for_each_row":   "Write (select f()), so that it runs once a statement.",
	"definer_without_search_path": "Add SET search_path = pg_catalog, pg_temp.",
	"granted_to_public":           "Name the roles.",
	"lock_without_timeout":        "Leave lock_timeout as the migrator sets it.",
	"row_security_off":            "Leave row-level security enabled and forced; a policy says who may.",
	"role_changed":                "An object's file names its owner in its header; a migration runs as vital_owner.",
	"transaction_ended":           "Leave it out.",
	"unreadable":                  "PostgreSQL's own parser does not take it.",
	"lock_held":                   "Leave it out: each statement takes the locks it needs. What must be alone is done by a job, a few rows at a time.",
	"view_without_invoker":        "Write WITH (security_invoker = true).",
	"materialized_view_exposed":   "Make it in schema vital, and show it through a function that compares the tenant.",
	"policy_always_true":          "Compare the tenant column with the caller's tenant.",
	"dynamic_sql":                 "Write the statement out, or put what varies in with %I and %L of format(). Read what it comes to, and say so in the file: -- lint: allow dynamic_sql.",
	"body_unread":                 "Read it yourself, and say so in the file: -- lint: allow body_unread.",
}

// warnings are the lints that say what could not be looked at.
var warnings = []string{"dynamic_sql", "body_unread"}

// Bounds over which a table is large: reading or writing all of it under a lock is felt.
const (
	largeRows  = 100_000
	largeBytes = 64 << 20
)

// tableSize is how large a table is, as the planner has it.
type tableSize struct{ rows, bytes int64 }

func (t tableSize) large() bool { return t.rows >= largeRows || t.bytes >= largeBytes }

// linter looks at the SQL that is pending.
type linter struct {
	tables   map[string]tableSize // that are there already
	made     map[string]*madeTable
	order    []string         // of made
	opened   map[string]place // where row-level security of a table is taken off, until it is put on again
	views    map[string]place // where a view is made that reads as its owner, until it does not
	problems []Problem
	file     string
	allowed  map[string]bool
	passage
}

// madeTable is a table that pending SQL makes.
type madeTable struct {
	place
	enabled, forced bool
	policies        int
	tenantColumn    string
	indexed         bool
}

// lint says what the pending SQL would do that harms a running database, or leaves a table open.
func (m *Migrator) lint(ctx context.Context, db pgxQuerier, p pending) ([]Problem, error) {
	sizes, err := readTableSizes(ctx, db)
	if err != nil {
		return nil, err
	}
	l := &linter{tables: sizes, made: map[string]*madeTable{}, opened: map[string]place{}, views: map[string]place{}}
	for _, file := range p.migrations {
		l.read(file.path(), upward(file.text))
	}
	for _, o := range p.objects {
		l.read(o.Path, o.SQL)
	}
	l.judgeTables()
	return l.problems, nil
}

func readTableSizes(ctx context.Context, db pgxQuerier) (map[string]tableSize, error) {
	rows, err := db.Query(ctx, lintQueries.Get("Tables"))
	if err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	sizes := map[string]tableSize{}
	var name string
	var size tableSize
	if _, err := pgx.ForEachRow(rows, []any{&name, &size.rows, &size.bytes}, func() error {
		sizes[name] = size
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	return sizes, nil
}

// refusedByLint is the error of problems one of which ends the migration, or nil; the others are logged.
func (m *Migrator) refusedByLint(problems []Problem) error {
	var lines []string
	for _, p := range problems {
		if p.Level == LintWarning {
			m.config.Log.Warn("in the pending SQL", "file", p.File, "line", p.Line, "lint", p.Lint, "detail", p.Detail)
			continue
		}
		lines = append(lines, fmt.Sprintf("%s:%d: %s: %s %s", p.File, p.Line, p.Lint, p.Detail, p.Hint))
	}
	if len(lines) == 0 {
		return nil
	}
	f := fault.New(fault.MigrationRefused, "The pending SQL would harm a running database; nothing was changed.",
		"Mend it. Where it is meant, say so in the file: -- lint: allow NAME.")
	f.Detail = strings.Join(lines, "\n")
	return f
}

func relationName(r *ast.RangeVar) string {
	schema := r.GetSchemaname()
	if schema == "" {
		schema = "public"
	}
	return schema + "." + r.GetRelname()
}

func (l *linter) statement(node *ast.Node) {
	switch {
	case node.GetIndexStmt() != nil:
		l.index(node.GetIndexStmt())
	case node.GetCreateStmt() != nil:
		l.createTable(node.GetCreateStmt())
	case node.GetAlterTableStmt() != nil:
		l.alterTable(node.GetAlterTableStmt())
	case node.GetDropStmt() != nil:
		l.drop(node.GetDropStmt())
	case node.GetRenameStmt() != nil:
		l.rename(node.GetRenameStmt())
	case node.GetCreatePolicyStmt() != nil:
		l.policy(node.GetCreatePolicyStmt())
	case node.GetCreateFunctionStmt() != nil:
		l.function(node.GetCreateFunctionStmt())
	case node.GetGrantStmt() != nil:
		l.grant(node.GetGrantStmt())
	case node.GetAlterDefaultPrivilegesStmt() != nil:
		l.grant(node.GetAlterDefaultPrivilegesStmt().GetAction())
	case node.GetCreateTableAsStmt() != nil:
		l.createTableAs(node.GetCreateTableAsStmt())
	case node.GetAlterPolicyStmt() != nil:
		l.alterPolicy(node.GetAlterPolicyStmt())
	case node.GetViewStmt() != nil:
		l.view(node.GetViewStmt())
	case node.GetLockStmt() != nil:
		l.lock(node.GetLockStmt())
	case node.GetDoStmt() != nil:
		l.do(node.GetDoStmt())
	case node.GetTruncateStmt() != nil:
		l.truncate(node.GetTruncateStmt())
	case node.GetTransactionStmt() != nil:
		l.report("transaction_ended", "All that is migrated is one transaction, and this is within it.")
	case node.GetVariableSetStmt() != nil:
		l.set(node.GetVariableSetStmt().GetName())
	}
}

// set looks at a setting that the migrator rests on.
func (l *linter) set(name string) {
	switch name {
	case "lock_timeout":
		l.report("lock_without_timeout", "It changes how long a lock is waited for.")
	case "role", "session_authorization":
		l.report("role_changed", "All that comes after it would be made by another role.")
	}
}

// strongestShared is the strongest mode of LOCK TABLE beside which others write.
const strongestShared = 4

func (l *linter) lock(s *ast.LockStmt) {
	for _, relation := range s.GetRelations() {
		if name := relationName(relation.GetRangeVar()); l.tables[name].rows > 0 && s.GetMode() > strongestShared {
			l.report("lock_held", fmt.Sprintf("%s is locked until the migration's end: nobody can write its %d rows meanwhile.", name, l.tables[name].rows))
		}
	}
}

func (l *linter) truncate(s *ast.TruncateStmt) {
	for _, relation := range s.GetRelations() {
		if name := relationName(relation.GetRangeVar()); l.tables[name].rows > 0 {
			l.report("dropped_in_use", fmt.Sprintf("The %d rows of %s are deleted.", l.tables[name].rows, name))
		}
	}
}

func (l *linter) index(s *ast.IndexStmt) {
	name := relationName(s.GetRelation())
	if made := l.made[name]; made != nil {
		if params := s.GetIndexParams(); len(params) > 0 && params[0].GetIndexElem().GetName() == made.tenantColumn && s.GetWhereClause() == nil {
			made.indexed = true
		}
		return
	}
	if size := l.tables[name]; size.large() && !s.GetConcurrent() {
		l.report("index_not_concurrent", fmt.Sprintf("%s has %d rows, and nobody can write it while the index is made.", name, size.rows))
	}
}

// tenantColumns say whose a row is.
var tenantColumns = []string{"tenant_id", "organization_id"}

func (l *linter) createTable(s *ast.CreateStmt) {
	name := relationName(s.GetRelation())
	if _, there := l.tables[name]; there || !strings.HasPrefix(name, "public.") || s.GetPartbound() != nil {
		return
	}
	made := l.make(name)
	for _, element := range s.GetTableElts() {
		if column := element.GetColumnDef(); column != nil && slices.Contains(tenantColumns, column.GetColname()) && made.tenantColumn == "" {
			made.tenantColumn = column.GetColname()
			for _, constraint := range column.GetConstraints() {
				made.indexed = made.indexed || isKey(constraint.GetConstraint())
			}
		}
		if constraint := element.GetConstraint(); isKey(constraint) && len(constraint.GetKeys()) > 0 && constraint.GetKeys()[0].GetString_().GetSval() == made.tenantColumn {
			made.indexed = true
		}
	}
}

func (l *linter) createTableAs(s *ast.CreateTableAsStmt) {
	name := relationName(s.GetInto().GetRel())
	switch {
	case !strings.HasPrefix(name, "public."):
	case s.GetObjtype() == ast.ObjectType_OBJECT_MATVIEW:
		l.report("materialized_view_exposed", fmt.Sprintf("%s holds rows that no policy can hold back.", name))
	default:
		l.make(name)
	}
}

// make notes that a table is made.
func (l *linter) make(name string) *madeTable {
	made := &madeTable{place: l.place()}
	l.made[name] = made
	l.order = append(l.order, name)
	return made
}

func isKey(c *ast.Constraint) bool {
	return c.GetContype() == ast.ConstrType_CONSTR_PRIMARY || c.GetContype() == ast.ConstrType_CONSTR_UNIQUE
}

func (l *linter) alterTable(s *ast.AlterTableStmt) {
	name := relationName(s.GetRelation())
	size, there := l.tables[name]
	made := l.made[name]
	for _, command := range s.GetCmds() {
		switch c := command.GetAlterTableCmd(); c.GetSubtype() {
		case ast.AlterTableType_AT_EnableRowSecurity:
			if made != nil {
				made.enabled = true
			}
			delete(l.opened, name+" disabled")
		case ast.AlterTableType_AT_ForceRowSecurity:
			if made != nil {
				made.forced = true
			}
			delete(l.opened, name+" not forced")
		case ast.AlterTableType_AT_DisableRowSecurity:
			l.opened[name+" disabled"] = l.place()
		case ast.AlterTableType_AT_NoForceRowSecurity:
			l.opened[name+" not forced"] = l.place()
		case ast.AlterTableType_AT_SetRelOptions, ast.AlterTableType_AT_ResetRelOptions:
			l.viewOptions(name, c)
		default:
			if there {
				l.alterExisting(name, size, c)
			}
		}
	}
}

// alterExisting looks at a change of a table that has rows.
func (l *linter) alterExisting(name string, size tableSize, c *ast.AlterTableCmd) {
	switch c.GetSubtype() { //nolint:exhaustive // the rest is quick
	case ast.AlterTableType_AT_AddColumn:
		l.addColumn(name, size, c.GetDef().GetColumnDef())
	case ast.AlterTableType_AT_SetNotNull:
		if size.large() {
			l.report("not_null_scans", fmt.Sprintf("All %d rows of %s are read while nobody can.", size.rows, name))
		}
	case ast.AlterTableType_AT_AlterColumnType:
		if size.rows > 0 {
			l.report("type_change_rewrites", fmt.Sprintf("%s.%s gets another type: its %d rows are written anew while nobody can read them.", name, c.GetName(), size.rows))
		}
	case ast.AlterTableType_AT_DropColumn:
		if size.rows > 0 {
			l.report("dropped_in_use", fmt.Sprintf("%s.%s is dropped with what its %d rows hold, while servers of the version before still ask for it.", name, c.GetName(), size.rows))
		}
	case ast.AlterTableType_AT_AddConstraint:
		if constraint := c.GetDef().GetConstraint(); size.large() && !constraint.GetSkipValidation() {
			l.report("constraint_scans", fmt.Sprintf("All %d rows of %s are read while nobody can write them.", size.rows, name))
		}
	}
}

func (l *linter) addColumn(name string, size tableSize, column *ast.ColumnDef) {
	var notNull, hasDefault bool
	var value *ast.Node
	for _, node := range column.GetConstraints() {
		switch constraint := node.GetConstraint(); constraint.GetContype() { //nolint:exhaustive // the rest says nothing of what rows hold
		case ast.ConstrType_CONSTR_NOTNULL:
			notNull = true
		case ast.ConstrType_CONSTR_DEFAULT:
			hasDefault, value = true, constraint.GetRawExpr()
		case ast.ConstrType_CONSTR_IDENTITY, ast.ConstrType_CONSTR_GENERATED:
			hasDefault = true
		}
	}
	if notNull && !hasDefault && size.rows > 0 {
		l.report("not_null_without_default", fmt.Sprintf("%s.%s may not be null and has no default, and there are %d rows.", name, column.GetColname(), size.rows))
	}
	if size.large() && callsVolatile(value) {
		l.report("default_rewrites", fmt.Sprintf("Each of the %d rows of %s gets a value of its own: all are written anew while nobody can read them.", size.rows, name))
	}
}

// steady are functions that give each row of a statement the same.
var steady = []string{"now", "transaction_timestamp", "statement_timestamp", "current_setting", "to_jsonb", "jsonb_build_object"}

func callsVolatile(value *ast.Node) bool {
	call := value.GetFuncCall()
	if cast := value.GetTypeCast(); cast != nil {
		call = cast.GetArg().GetFuncCall()
	}
	if call == nil {
		return false
	}
	names := call.GetFuncname()
	return !slices.Contains(steady, names[len(names)-1].GetString_().GetSval())
}

func (l *linter) drop(s *ast.DropStmt) {
	if s.GetRemoveType() == ast.ObjectType_OBJECT_VIEW {
		for _, object := range s.GetObjects() {
			delete(l.views, qualified(object.GetList().GetItems()))
		}
	}
	if s.GetRemoveType() != ast.ObjectType_OBJECT_TABLE {
		return
	}
	for _, object := range s.GetObjects() {
		if name := qualified(object.GetList().GetItems()); l.tables[name].rows > 0 {
			l.report("dropped_in_use", fmt.Sprintf("%s is dropped with its %d rows.", name, l.tables[name].rows))
		}
	}
}

func qualified(items []*ast.Node) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, item.GetString_().GetSval())
	}
	if len(parts) == 1 {
		parts = []string{"public", parts[0]}
	}
	return strings.Join(parts, ".")
}

func (l *linter) rename(s *ast.RenameStmt) {
	if s.GetRenameType() != ast.ObjectType_OBJECT_TABLE && s.GetRenameType() != ast.ObjectType_OBJECT_COLUMN {
		return
	}
	name := relationName(s.GetRelation())
	if _, there := l.tables[name]; there {
		what := name
		if column := s.GetSubname(); column != "" {
			what += "." + column
		}
		l.report("renamed_in_use", what+" is renamed, while servers of the version before still ask for it.")
	}
}

// judgeTables looks, after everything, at whether each new table is closed.
func (l *linter) judgeTables() {
	for _, what := range slices.Sorted(maps.Keys(l.opened)) {
		l.goTo(l.opened[what])
		name, how, _ := strings.Cut(what, " ")
		l.report("row_security_off", fmt.Sprintf("Row-level security of %s is left %s.", name, how))
	}
	for _, name := range slices.Sorted(maps.Keys(l.views)) {
		l.goTo(l.views[name])
		l.report("view_without_invoker", fmt.Sprintf("%s shows rows by its owner's policies, and not by its reader's.", name))
	}
	for _, name := range l.order {
		made := l.made[name]
		l.goTo(made.place)
		switch {
		case !made.enabled || !made.forced:
			l.report("table_without_row_security", fmt.Sprintf("%s is made without row-level security, enabled and forced.", name))
		case made.policies == 0:
			l.report("table_without_policy", fmt.Sprintf("%s is made without a policy: nobody can read it.", name))
		}
		if made.tenantColumn != "" && !made.indexed {
			l.report("tenant_column_without_index", fmt.Sprintf("No key or index of %s begins with %s.", name, made.tenantColumn))
		}
	}
}
