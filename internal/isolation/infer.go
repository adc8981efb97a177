package isolation

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	ast "github.com/pganalyze/pg_query_go/v6"
)

// Database is what is read of a database nobody has described to us, for one role.
type Database struct {
	Guards  []Guard
	Tables  []Table
	Helpers []Helper
}

// Table is one table's columns and keys.
type Table struct {
	Name       string // schema.name
	Columns    []string
	References map[string]string // the table a column refers to, schema.name
	Keys       [][]string        // the columns of each unique key
}

// Helper is a function without arguments.
type Helper struct {
	Name     string // schema.name
	Language string
	Body     string
	Pinned   bool // its names mean the same whoever calls it
}

// ReadDatabase reads the tables of schemas, what stands between them and role, and every helper.
func ReadDatabase(ctx context.Context, conn *pgx.Conn, role string, schemas []string) (Database, error) {
	var d Database
	err := underEmptyPath(ctx, conn, func(tx pgx.Tx) (err error) {
		if d.Guards, err = collect[Guard](ctx, tx, "Guards", role, schemas); err != nil {
			return err
		}
		if d.Tables, err = collect[Table](ctx, tx, "Tables", schemas); err != nil {
			return err
		}
		d.Helpers, err = collect[Helper](ctx, tx, "Helpers")
		return err
	})
	return d, err
}

// Inference is a guess at how a database tells tenants apart. What is proved by it holds if Assumed does.
type Inference struct {
	Axioms
	TenantColumn string   // the name most tables give it; "" where none was recognised
	TenantTable  string   // the table that column refers to, if it does
	Assumed      []string // what was guessed, to be shown beside every proof

	tables map[string]Table
}

// Infer guesses what d takes the caller's tenant from: of policies and of helpers, whatever is compared
// with the tenant column or with that of a membership. Claims that users write themselves are never it, and
// no helper is believed whose body is not understood.
func Infer(d Database) Inference {
	i := Inference{
		Axioms: Axioms{
			Functions: map[string]Meaning{},
			Settings:  map[string]Meaning{"request.jwt.claims": Claims, "request.jwt.claim": Claims, "request.jwt.claim.sub": MyUser},
			Claims:    map[string]Meaning{"sub": MyUser},
		},
		tables: map[string]Table{},
	}
	for _, table := range d.Tables {
		i.tables[table.Name] = table
	}
	i.findTenantColumn(d.Tables)
	for _, table := range d.Tables {
		i.findMembership(table)
	}
	for known := -1; known < len(i.Functions)+len(i.Settings)+len(i.Claims); {
		known = len(i.Functions) + len(i.Settings) + len(i.Claims)
		for _, helper := range d.Helpers {
			i.learnHelper(helper)
		}
		for _, guard := range d.Guards {
			for _, policy := range guard.Policies {
				i.learnPolicy(policy, i.Ground(guard.Relation), d.Helpers)
			}
		}
	}
	return i
}

// TenantSettings are the settings a caller's tenant is read from.
func (i Inference) TenantSettings() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(i.Settings)) {
		if i.Settings[name] == MyTenant {
			names = append(names, name)
		}
	}
	return names
}

// Ground is what the guess makes of one table.
func (i Inference) Ground(relation string) Ground {
	table := i.tables[relation]
	ground := Ground{Axioms: i.Axioms, Relation: relation}
	switch {
	case slices.Contains(table.Columns, i.TenantColumn):
		ground.TenantColumn = i.TenantColumn
	case relation == i.TenantTable && slices.Contains(table.Columns, "id"):
		ground.TenantColumn = "id"
	default:
		ground.UserColumn = table.user()
	}
	for _, m := range i.Memberships {
		if m.Relation == relation {
			ground.UserColumn = m.User
		}
	}
	return ground
}

func (i *Inference) assume(format string, args ...any) {
	i.Assumed = append(i.Assumed, fmt.Sprintf(format, args...))
}

// findTenantColumn takes the usual name that most tables have.
func (i *Inference) findTenantColumn(tables []Table) {
	most := 0
	for _, name := range tenantColumns {
		count, refers := 0, ""
		for _, table := range tables {
			if slices.Contains(table.Columns, name) {
				count++
				refers = max(refers, table.References[name])
			}
		}
		if count > most {
			most, i.TenantColumn, i.TenantTable = count, name, refers
		}
	}
	if i.TenantColumn != "" {
		i.assume("%s is the tenant a row belongs to, in %d tables", i.TenantColumn, most)
	}
}

// user is the column that holds a user, where it is the key of the table or called user_id.
func (t Table) user() string {
	if bareName(t.Name) == "users" && t.hasKey("id") {
		return "id"
	}
	for _, column := range t.Columns {
		name := bareName(t.References[column])
		if (name == "users" || name == "profiles") && (column == "user_id" || t.hasKey(column)) {
			return column
		}
	}
	if slices.Contains(t.Columns, "user_id") {
		return "user_id"
	}
	return ""
}

func (t Table) hasKey(columns ...string) bool {
	return slices.ContainsFunc(t.Keys, func(key []string) bool {
		key = slices.Sorted(slices.Values(key))
		return slices.Equal(key, slices.Sorted(slices.Values(columns)))
	})
}

// findMembership takes a table for one of memberships when it says of a user once, or once a tenant,
// that they belong to it: a document of a tenant may have an author, but an author has many.
func (i *Inference) findMembership(table Table) {
	user := table.user()
	if user == "" || i.TenantColumn == "" || !slices.Contains(table.Columns, i.TenantColumn) ||
		!table.hasKey(user) && !table.hasKey(user, i.TenantColumn) {
		return
	}
	i.Memberships = append(i.Memberships, Membership{Relation: table.Name, Tenant: i.TenantColumn, User: user})
	i.assume("a row of %s makes the user in %s a member of the tenant in %s", table.Name, user, i.TenantColumn)
}

// learnPolicy takes what a policy compares with a tenant or a user for the caller's.
func (i *Inference) learnPolicy(policy GuardPolicy, ground Ground, helpers []Helper) {
	for _, expression := range []string{policy.Using, policy.Check} {
		node, err := parseExpression(expression)
		if err != nil {
			continue
		}
		p := prover{ground: ground}
		p.missed = func(column Meaning, of source) {
			meaning := MyUser
			if column == rowTenant || column == memberTenant {
				meaning = MyTenant
			}
			i.learn(of, meaning, helpers)
		}
		p.prove(node, p.row())
	}
}

// learn takes a setting or a claim for what it is compared with, and of a helper what its body reads.
func (i *Inference) learn(of source, meaning Meaning, helpers []Helper) {
	switch of.kind {
	case ofSetting:
		if i.Settings[of.name] == Meaningless && strings.Contains(of.name, ".") {
			i.Settings[of.name] = meaning
			i.assume("current_setting('%s') is set by the server to the caller's %s, and by nobody else", of.name, meaning.word())
		}
	case ofClaim: // whatever users write was left out before
		if i.Claims[of.name] == Meaningless {
			i.Claims[of.name] = meaning
			i.assume("the claim %s of the verified token is the caller's %s", of.name, meaning.word())
		}
	case ofFunction:
		for _, helper := range helpers {
			if inner := i.yields(helper).source; helper.Name == of.name && inner.kind != 0 && inner != of && inner.kind != ofFunction {
				i.learn(inner, meaning, nil)
			}
		}
	}
}

func (m Meaning) word() string {
	if m == MyTenant {
		return "tenant"
	}
	return "user"
}

// learnHelper notes what a helper yields, where its body says so.
func (i *Inference) learnHelper(helper Helper) {
	of := i.yields(helper)
	if i.Functions[helper.Name] == Meaningless && (of.meaning.isMine() || of.meaning == Claims && len(of.path) == 0) {
		i.Functions[helper.Name] = of.meaning
	}
}

var (
	atomic = regexp.MustCompile(`(?is)^\s*begin\s+atomic\s+(select\s[^;]*);\s*end\s*$`)
	sqlRun = regexp.MustCompile(`(?is)^\s*return\s+([^;]*)$`)
	block  = regexp.MustCompile(`(?is)^\s*begin\s+return\s+(query\s+select\s)?([^;]*);\s*end\s*;?\s*$`)
)

// yields is what a helper returns: it is one SELECT, or no more than returns one expression. What reads
// a table must not leave it to the caller which one that is.
func (i *Inference) yields(helper Helper) value {
	query := ""
	switch helper.Language {
	case "sql":
		query = strings.TrimSuffix(strings.TrimSpace(helper.Body), ";")
		if found := atomic.FindStringSubmatch(query); found != nil {
			query = found[1]
		} else if found := sqlRun.FindStringSubmatch(query); found != nil {
			query = "SELECT " + found[1]
		}
	case "plpgsql":
		if found := block.FindStringSubmatch(helper.Body); found != nil {
			query = "SELECT " + found[2]
		}
	}
	if query == "" {
		return value{}
	}
	s, err := parseStatement(query)
	if err != nil || len(s.GetFromClause()) > 0 && !helper.Pinned || onlyTarget(s) == nil {
		return value{}
	}
	p := prover{ground: Ground{Axioms: i.Axioms}}
	link := &ast.SubLink{
		SubLinkType: ast.SubLinkType_EXPR_SUBLINK,
		Subselect:   &ast.Node{Node: &ast.Node_SelectStmt{SelectStmt: s}},
	}
	return p.selected(link, &scope{})
}
