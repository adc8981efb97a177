package isolation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxTries bounds the search for values that a table's constraints take.
const maxTries = 60

// values are a row's columns, as text or nil for null.
type values map[string]*string

// world is one synthetic tenant: its id, its people, and a row of each table.
type world struct {
	name    string // own or other
	tenant  string
	user    string            // of the highest role
	members map[string]string // users by role
	rows    map[*relation]values
	failed  map[*relation]string // why a table has no row here
	making  map[*relation]bool
}

// builder makes worlds on an operator's connection, in the transaction that is rolled back.
type builder struct {
	conn *pgx.Conn
	s    *Subject
	c    *catalog
	n    int // values made so far
	made []madeRow
	// recipes are the choices that a table's constraints took.
	recipes map[*relation]rowPlan
}

// build makes a tenant with a member of each role and a row of every exposed table.
func (b *builder) build(ctx context.Context, name string) (*world, error) {
	w := &world{
		name: name, members: map[string]string{}, rows: map[*relation]values{}, failed: map[*relation]string{}, making: map[*relation]bool{},
	}
	tenants := b.c.find(b.s.Tenants)
	if tenants == nil {
		w.tenant = b.tenantLiteral()
	} else {
		row, err := b.ensure(ctx, w, tenants)
		if err != nil {
			return nil, fmt.Errorf("make a tenant in %s: %w", tenants.label(), err)
		}
		w.tenant = cellText(row[b.s.tenantColumn(tenants)])
	}
	if err := b.addMembers(ctx, w); err != nil {
		return nil, err
	}
	for _, r := range b.c.relations {
		if r.isTable() && !r.partition && b.s.exposes(r) && b.s.rule(r).Ignore == "" {
			if _, err := b.ensure(ctx, w, r); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				w.failed[r] = err.Error()
			}
		}
	}
	return w, nil
}

// tenantLiteral is an id for a tenant that no table lists, of the type most tenant columns have.
func (b *builder) tenantLiteral() string {
	for _, r := range b.c.relations {
		if name := b.s.tenantColumn(r); b.s.exposes(r) && name != "" {
			return strings.Trim(b.candidates(&world{name: "t"}, r, r.column(name))[0], "'")
		}
	}
	return uuid.NewString()
}

// addMembers makes a user for each role of a membership; without memberships there is one user.
func (b *builder) addMembers(ctx context.Context, w *world) error {
	table := b.c.find(b.s.Memberships.Table)
	if table == nil {
		w.user = uuid.NewString()
		if users := b.c.find(b.s.Users); users != nil {
			row, err := b.ensure(ctx, w, users)
			if err != nil {
				return fmt.Errorf("make a user in %s: %w", users.label(), err)
			}
			w.user = cellText(row[b.s.userColumn(users)])
		}
		w.members["member"] = w.user
		return nil
	}
	roles := b.s.Memberships.Roles
	if len(roles) == 0 {
		roles = []string{"member"}
	}
	for _, role := range slices.Backward(roles) { // the highest first, who keeps the others company
		user := uuid.NewString()
		if users := b.c.find(b.s.Users); users != nil {
			row, err := b.insert(ctx, w, users, values{})
			if err != nil {
				return fmt.Errorf("make a user in %s: %w", users.label(), err)
			}
			user = cellText(row[b.s.userColumn(users)])
			if w.rows[users] == nil {
				w.rows[users] = row
			}
		}
		given := values{b.s.Memberships.User: &user}
		if b.s.Memberships.Role != "" {
			given[b.s.Memberships.Role] = &role
		}
		row, err := b.insert(ctx, w, table, given)
		if err != nil {
			return fmt.Errorf("make a %s in %s: %w", role, table.label(), err)
		}
		w.members[role] = user
		if w.rows[table] == nil {
			w.rows[table], w.user = row, user
		}
	}
	return nil
}

// addOperator makes a user an operator and returns its id.
func (b *builder) addOperator(ctx context.Context, w *world) (string, error) {
	user := uuid.NewString()
	if users := b.c.find(b.s.Users); users != nil {
		row, err := b.insert(ctx, w, users, values{})
		if err != nil {
			return "", fmt.Errorf("make an operator in %s: %w", users.label(), err)
		}
		user = cellText(row[b.s.userColumn(users)])
	}
	for _, statement := range b.s.Operator {
		if _, err := b.query(ctx, strings.ReplaceAll(statement, "{user}", literal(user))); err != nil {
			return "", fmt.Errorf("make an operator: %w", err)
		}
	}
	return user, nil
}

// ensure returns w's row of r, which it makes where there is none.
func (b *builder) ensure(ctx context.Context, w *world, r *relation) (values, error) {
	if row := w.rows[r]; row != nil {
		return row, nil
	}
	if w.making[r] {
		return nil, errors.New("its foreign keys go round in a circle")
	}
	w.making[r] = true
	defer delete(w.making, r)
	row, err := b.insert(ctx, w, r, values{})
	if err != nil && w.tenant != "" && b.s.tenantColumn(r) != "" {
		// A trigger may have made one, and may be the only one who can.
		found, findErr := b.query(ctx, "select * from "+r.quoted()+" where "+equals(b.s.tenantColumn(r), &w.tenant)+" limit 1")
		if findErr == nil && found != nil {
			row, err = found, nil
		}
	}
	if err != nil {
		return nil, err
	}
	w.rows[r] = row
	return row, nil
}

// addContrasts adds, to each table whose rows are everybody's, one of which nothing is true, so that a policy
// that looks at that is seen to. A table that takes no such row does without.
func (b *builder) addContrasts(ctx context.Context, w *world) error {
	for _, r := range b.c.relations {
		if !r.isTable() || b.s.rule(r).Global == "" {
			continue
		}
		no, given := "false", values{}
		for _, c := range r.columns {
			if c.base == "boolean" && !c.always {
				given[c.name] = &no
			}
		}
		if _, err := b.insert(ctx, w, r, given); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// insert adds a row of w to r, searching for values that its constraints take.
func (b *builder) insert(ctx context.Context, w *world, r *relation, given values) (values, error) {
	p, err := b.plan(ctx, w, r, given)
	if err != nil {
		return nil, err
	}
	for range maxTries {
		row, err := b.query(ctx, p.statement()+" returning *")
		if err == nil {
			b.recipes[r] = *p
			b.made = append(b.made, madeRow{r, row})
			return row, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !p.learn(err) {
			return nil, errors.New(refusal(err))
		}
	}
	return nil, errors.New("no values were found that its constraints take; give some under tables in the subject's description")
}

// refusal is what the database said, without the values it was about.
func refusal(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Message + " (" + pg.Code + ")"
	}
	return err.Error()
}

// rowPlan is an attempt at a row: for each column a choice among candidates.
type rowPlan struct {
	r          *relation
	fixed      map[string]string // literals that are not up to choice
	candidates map[string][]string
	choice     map[string]int
	optional   map[string]bool
	least      bool // only what must be given is
	tries      int
}

func (b *builder) plan(ctx context.Context, w *world, r *relation, given values) (*rowPlan, error) {
	p := &rowPlan{r: r, fixed: map[string]string{}, candidates: map[string][]string{}, choice: map[string]int{}, optional: map[string]bool{}}
	if known, ok := b.recipes[r]; ok {
		p.choice, p.least = maps.Clone(known.choice), known.least
	}
	for name, value := range b.s.rule(r).Values {
		p.fixed[name] = value
	}
	if name := b.s.tenantColumn(r); name != "" && w.tenant != "" && b.c.find(b.s.Tenants) != r {
		p.fixed[name] = literal(w.tenant)
	}
	for name, value := range given {
		p.fixed[name] = quoteValue(value)
	}
	for _, k := range r.foreign {
		if err := b.follow(ctx, w, p, k); err != nil {
			return nil, err
		}
	}
	for _, c := range r.columns {
		if _, known := p.fixed[c.name]; known || c.always {
			continue
		}
		p.optional[c.name] = !c.notNull || c.hasDefault
		if c.hasDefault && c.category != "S" {
			p.candidates[c.name] = []string{"default"}
			continue
		}
		p.candidates[c.name] = b.candidates(w, r, c)
		if c.hasDefault {
			p.candidates[c.name] = append([]string{"default"}, p.candidates[c.name]...)
		}
	}
	return p, nil
}

// follow gives the columns of a foreign key the values of w's row they refer to.
func (b *builder) follow(ctx context.Context, w *world, p *rowPlan, k foreignKey) error {
	open := slices.ContainsFunc(k.columns, func(name string) bool { _, known := p.fixed[name]; return !known })
	if !open {
		return nil
	}
	var parent values
	err := errors.New("it refers to itself")
	if k.to != p.r {
		parent, err = b.ensure(ctx, w, k.to)
	}
	for i, name := range k.columns {
		if _, known := p.fixed[name]; known {
			continue
		}
		switch c := p.r.column(name); {
		case err == nil:
			p.fixed[name] = quoteValue(parent[k.references[i]])
		case !c.notNull:
			p.fixed[name] = "null"
		case !c.hasDefault:
			return fmt.Errorf("no row for its foreign key to %s: %w", k.to.label(), err)
		}
	}
	return nil
}

func (p *rowPlan) pick(name string) (string, bool) {
	if fixed, ok := p.fixed[name]; ok {
		return fixed, true
	}
	options := p.candidates[name]
	if len(options) == 0 || p.least && p.optional[name] {
		return "", false
	}
	return options[min(p.choice[name], len(options)-1)], true
}

// assignments are the columns to write and their SQL.
func (p *rowPlan) assignments() (columns, expressions []string) {
	for _, c := range p.r.columns {
		if expression, ok := p.pick(c.name); ok && expression != "default" {
			columns, expressions = append(columns, identifier(c.name)), append(expressions, expression)
		}
	}
	return columns, expressions
}

func (p *rowPlan) statement() string { return "insert into " + p.r.quoted() + " " + p.tail() }

// tail is an INSERT without its beginning.
func (p *rowPlan) tail() string {
	columns, expressions := p.assignments()
	if len(columns) == 0 {
		return "default values"
	}
	return "(" + strings.Join(columns, ", ") + ") values (" + strings.Join(expressions, ", ") + ")"
}

// learn changes the choice that err objects to. It is false when there is none left.
func (p *rowPlan) learn(err error) bool {
	p.tries++
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	var to []string
	switch pg.Code {
	case "23514": // check
		for _, k := range p.r.checks {
			if k.name == pg.ConstraintName {
				to = k.columns
			}
		}
	case "23502":
		to = []string{pg.ColumnName}
	case "23503":
		for _, k := range p.r.foreign {
			if k.name == pg.ConstraintName {
				to = k.columns
			}
		}
	}
	for _, name := range to {
		if _, fixed := p.fixed[name]; !fixed && p.choice[name]+1 < len(p.candidates[name]) {
			p.choice[name]++
			return true
		}
	}
	if len(to) > 1 { // round again, from another beginning
		for _, name := range to {
			if n := len(p.candidates[name]); n > 1 && p.tries < maxTries/2 {
				p.choice[name] = p.tries % n
				to = nil
			}
		}
		if to == nil {
			return true
		}
	}
	if !p.least {
		p.least = true
		return true
	}
	return false
}

// query runs one statement in a savepoint and returns its first row, or nil.
func (b *builder) query(ctx context.Context, statement string) (values, error) {
	if _, err := b.conn.PgConn().Exec(ctx, "savepoint made").ReadAll(); err != nil {
		return nil, err
	}
	results, err := b.conn.PgConn().Exec(ctx, statement).ReadAll()
	if err == nil && len(results) > 0 {
		err = results[len(results)-1].Err
	}
	if err != nil {
		_, undo := b.conn.PgConn().Exec(context.WithoutCancel(ctx), "rollback to savepoint made; release savepoint made").ReadAll()
		return nil, errors.Join(err, undo)
	}
	if _, err := b.conn.PgConn().Exec(ctx, "release savepoint made").ReadAll(); err != nil {
		return nil, err
	}
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return nil, nil
	}
	row := values{}
	for i, field := range last.FieldDescriptions {
		if cell := last.Rows[0][i]; cell != nil {
			value := string(cell)
			row[field.Name] = &value
		} else {
			row[field.Name] = nil
		}
	}
	return row, nil
}

// findCanaries returns the values by which the other tenant's rows are known wherever they turn up: such as
// neither the attacker's tenant nor anything for everybody has.
func (t *suite) findCanaries() []string {
	mine := map[string]bool{t.mine.tenant: true}
	for _, row := range t.mine.rows {
		for _, value := range row {
			mine[cellText(value)] = true
		}
	}
	found := map[string]bool{t.other.tenant: true}
	for _, user := range t.other.members {
		found[user] = true
	}
	for r, row := range t.other.rows {
		if t.s.rule(r).Global != "" {
			continue
		}
		for _, value := range row {
			v := cellText(value)
			if !mine[v] && (uuid.Validate(v) == nil || len(v) == 9 && v[0] == '7') {
				found[v] = true
			}
			for _, word := range canaryWord.FindAllString(v, -1) {
				found[word] = true
			}
		}
	}
	for r, row := range t.other.rows {
		if t.s.rule(r).Global != "" {
			for _, value := range row {
				delete(found, cellText(value))
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

var canaryWord = regexp.MustCompile(`vto\d+x[0-9a-f]{8}`)

func cellText(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// literal writes s as an SQL string, identifier a name.
func literal(s string) string       { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

func quoteValue(value *string) string {
	if value == nil {
		return "null"
	}
	return literal(*value)
}

// equals is a condition on one column.
func equals(column string, value *string) string {
	if value == nil {
		return identifier(column) + " is null"
	}
	return identifier(column) + " = " + literal(*value)
}
