package isolation

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

// attackAs takes on who's identity and tries everything, each in a savepoint.
func (t *suite) attackAs(ctx context.Context, who caller) error {
	if err := t.enter(ctx, who); err != nil {
		if codeOf(err) == "" {
			return err
		}
		t.proof.Results = append(t.proof.Results, Result{Attack: "enter", Family: "context", Verb: "identity", Object: who.role, Caller: who.name,
			Title: "become the caller", Outcome: Untried, SQLState: codeOf(err), Evidence: refusal(err)})
		return t.leave(ctx)
	}
	err := t.attackEntered(ctx, who)
	return errors.Join(err, t.leave(ctx))
}

// enter makes the transaction who's, up to the savepoint that each attack goes back to; leave makes it the operator's again.
func (t *suite) enter(ctx context.Context, who caller) error {
	_, err := t.exec(ctx, "savepoint caller;\n"+strings.Join(t.s.enter(who), ";\n")+";\nsavepoint attack")
	return err
}

func (t *suite) leave(ctx context.Context) error {
	_, err := t.exec(context.WithoutCancel(ctx), "rollback to savepoint caller; release savepoint caller")
	return err
}

func (t *suite) attackEntered(ctx context.Context, who caller) error {
	t.whileRunning(who.name)
	for _, r := range t.c.relations {
		if !t.s.exposes(r) || t.s.rule(r).Ignore != "" || r.partition && t.s.tenantColumn(r) == "" || t.only != "" && t.only != r.label() {
			continue
		}
		if why := t.untried(r); why != "" {
			t.proof.Results = append(t.proof.Results, Result{Attack: "any", Family: "read", Verb: "any", Object: r.label(), Caller: who.name,
				Title: "make a row of each tenant", Outcome: Untried, Evidence: why})
		}
		if err := t.tryAll(ctx, who, r, "read", "write"); err != nil {
			return err
		}
	}
	if r := t.closed(who); r != nil && !who.owner && t.only == "" {
		if err := t.tryAll(ctx, who, r, "context"); err != nil {
			return err
		}
	}
	if who.owner {
		return nil
	}
	return t.callFunctions(ctx, who)
}

// readWritable learns which columns role may update, before it is taken on.
func (t *suite) readWritable(ctx context.Context, role string) error {
	if t.writable[role] != nil {
		return nil
	}
	t.writable[role] = map[uint32][]string{}
	var oid uint32
	var name string
	return each(ctx, t.conn, "WritableColumns", []any{&oid, &name}, func() {
		t.writable[role][oid] = append(t.writable[role][oid], name)
	}, role, t.s.Schemas)
}

// readMemberships learns which tenants the attackers belong to: a trigger may have given each one of its own.
func (t *suite) readMemberships(ctx context.Context) error {
	t.memberOf = []string{t.mine.tenant}
	m := t.s.Memberships
	table := t.c.find(m.Table)
	if table == nil {
		return nil
	}
	var users []string
	for _, user := range t.mine.members {
		users = append(users, literal(user))
	}
	text, _ := fills{"tenant": identifier(m.Tenant), "user": identifier(m.User), "relation": table.quoted(), "users": strings.Join(users, ", ")}.
		render(catalogQueries.Get("MemberOf"))
	results, err := t.exec(ctx, text)
	if err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	for _, row := range results[len(results)-1].Rows {
		t.memberOf = append(t.memberOf, string(row[0]))
	}
	return nil
}

// readViews finds each world's row of the views that say whose a row is.
func (t *suite) readViews(ctx context.Context, w *world) {
	for _, r := range t.c.relations {
		if name := t.s.tenantColumn(r); !r.isTable() && t.s.exposes(r) && name != "" {
			if row, err := t.builder.query(ctx, "select * from "+r.quoted()+" where "+equals(name, &w.tenant)+" limit 1"); err == nil && row != nil {
				w.rows[r] = row
			}
		}
	}
}

func (t *suite) untried(r *relation) string {
	return cmp.Or(t.mine.failed[r], t.other.failed[r])
}

// tryAll runs the attacks of families on r.
func (t *suite) tryAll(ctx context.Context, who caller, r *relation, families ...string) error {
	fill := t.fill(r, who)
	for _, a := range t.attacks {
		if !slices.Contains(families, a.Family) {
			continue
		}
		if err := t.try(ctx, who, a, r, fill); err != nil {
			return err
		}
	}
	return nil
}

// closed is a table whose rows of the other tenant stayed closed to who, if nothing else is tried.
func (t *suite) closed(who caller) *relation {
	for _, r := range t.c.relations {
		reached := func(of Result) bool { return of.Caller == who.name && of.Object == r.label() && of.Outcome == Leaked }
		if r.isTable() && t.s.exposes(r) && t.s.tenantColumn(r) != "" && t.other.rows[r] != nil && !t.s.isTable(t.s.Tenants, r) &&
			!slices.ContainsFunc(t.proof.Results, reached) {
			return r
		}
	}
	return nil
}

// try runs one attack for each of what it is for.
func (t *suite) try(ctx context.Context, who caller, a Attack, r *relation, fill fills) error {
	if a.sealedOnly && !t.s.Sealed || who.owner && (a.Verb == "truncate" || a.Verb == "trigger" || a.Verb == "alter") {
		return nil
	}
	if a.Verb == "role" && who.login == "" {
		t.proof.Results = append(t.proof.Results, Result{Attack: a.Name, Family: a.Family, Verb: a.Verb, Title: a.Title, Object: "transaction", Caller: who.name,
			Outcome: Untried, Evidence: "which login requests arrive on is not known: name it as roles.login, and attack as a superuser"})
		return nil
	}
	object := r.label()
	if a.Family == "context" {
		object = "transaction"
	}
	for _, fill := range t.variants(a, who, r, fill) {
		if err := t.launch(ctx, who, a, object, fill); err != nil {
			return err
		}
	}
	return nil
}

// launch runs a on object, if fill has all that a takes.
func (t *suite) launch(ctx context.Context, who caller, a Attack, object string, fill fills) error {
	statement, applies := fill.render(a.text)
	control, controlled := fill.render(a.control)
	before, prepared := fill.render(a.before)
	if !applies || !controlled || !prepared {
		return nil
	}
	result := Result{Attack: a.Name, Family: a.Family, Verb: a.Verb, Reference: a.Reference, Object: object, Caller: who.name}
	result.Title, _ = fill.render(a.Title)
	a.risk = cmp.Or(a.risk, fill["known_risk"])
	result.sent = &sent{attack: a, before: before, control: control}
	result.sent.lead, result.sent.last = a.split(fill)
	if err := t.execute(ctx, who, a, before, statement, control, &result); err != nil {
		return err
	}
	return t.add(result)
}

// add keeps result; a suite that only asks whether there is a leak ends with the first.
func (t *suite) add(result Result) error {
	t.proof.Results = append(t.proof.Results, result)
	if result.Outcome == Leaked && t.stopAtLeak {
		return errLeak
	}
	return nil
}

// execute runs one attack and judges it.
func (t *suite) execute(ctx context.Context, who caller, a Attack, before, statement, control string, result *Result) error {
	got, err := t.attempt(ctx, who, a, before, statement)
	if err != nil {
		return err
	}
	t.proof.Verbs[a.Verb]++
	t.proof.Statements++
	result.Outcome, result.SQLState = Blocked, codeOf(got.err)
	switch result.SQLState {
	case "57014", "55P03": // it timed out, or waited for somebody's lock
		result.Outcome, result.Evidence = Untried, refusal(got.err)
		return nil
	}
	evidence := got.evidence
	if found := t.canaryIn(got.output, strings.Join([]string{before, statement, who.user, who.tenant}, " ")); found != "" {
		evidence = "the other tenant's value " + found + " came back"
	}
	switch {
	case evidence != "":
	case a.leak == "rows" && got.err == nil && got.reached:
		evidence = fmt.Sprintf("it reached the other tenant's rows (%s)", got.tag)
	case a.leak == "success" && got.err == nil:
		evidence = "it was let through"
	case codeOf(got.err) == ranAsOwner:
		evidence = refusal(got.err)
	case a.leak == "difference":
		t.proof.Statements++
		about, err := t.attempt(ctx, who, a, before, control)
		if err != nil {
			return err
		}
		if theirs, ours := got.signature(), about.signature(); theirs != ours {
			evidence = fmt.Sprintf("it answers %q where the other tenant has it and %q where nobody has", theirs, ours)
		}
	}
	if evidence == "" {
		return nil
	}
	result.Outcome, result.Evidence = Leaked, evidence
	if known := a.known(t.s); known != "" {
		result.Outcome, result.Evidence = AtRisk, evidence+"; "+known
	}
	result.Script = t.script(who, before, statement, result)
	return nil
}

// ranAsOwner is the error by which an attacker's own code says that it ran with the rights of another.
const ranAsOwner = "VTATK"

// answer is what an attacker got.
type answer struct {
	output   string // every value and the error, for canaries
	reached  bool   // the last statement reached rows, or said so
	tag      string
	err      error  // the database's refusal
	evidence string // of a change
	plan     string
	value    string // the one value, where the answer is that
}

// signature is what tells an answer from another: where it went wrong, else how much it reached.
func (a answer) signature() string {
	if a.err != nil {
		return codeOf(a.err)
	}
	return a.tag + a.plan + a.value
}

// attempt runs statement, looks at what it changed, and takes it back.
func (t *suite) attempt(ctx context.Context, who caller, a Attack, before, statement string) (answer, error) {
	if before != "" {
		// What was prepared outlives the savepoint; the identity it was prepared under does not.
		as := []string{"savepoint before", "set local session authorization default", "reset role"}
		if a.asOther {
			as = append(as, t.s.enter(t.otherCaller(who))...)
		}
		as = append(as, before, "rollback to savepoint before")
		if _, err := t.exec(ctx, strings.Join(as, ";\n")); err != nil {
			_, undo := t.exec(ctx, "rollback to savepoint attack; deallocate all")
			return answer{err: err}, undo
		}
	}
	got := answer{}
	results, err := t.send(ctx, statement)
	if err == nil && ctx.Err() != nil {
		return got, ctx.Err()
	}
	got.read(results, err)
	if err != nil && codeOf(err) == "" {
		return got, fmt.Errorf("the connection was lost: %w", err)
	}
	if err == nil && a.writes() {
		if got.evidence, err = t.othersChange(ctx); err != nil {
			return got, err
		}
	}
	undo := "rollback to savepoint attack"
	if before != "" {
		undo += "; deallocate all"
	}
	_, err = t.exec(context.WithoutCancel(ctx), undo)
	return got, err
}

// send runs an attacker's statements. What COPY writes comes another way than a query's rows, and is read too.
func (t *suite) send(ctx context.Context, statement string) ([]*pgconn.Result, error) {
	if !strings.HasPrefix(statement, "copy ") {
		return t.conn.PgConn().Exec(ctx, statement).ReadAll()
	}
	var out bytes.Buffer
	tag, err := t.conn.PgConn().CopyTo(ctx, &out, statement)
	return []*pgconn.Result{{Rows: [][][]byte{{out.Bytes()}}, CommandTag: tag}}, err
}

func (t *suite) otherCaller(like caller) caller {
	return caller{name: "other", login: like.login, role: t.s.Roles.SignedIn, user: t.other.user, tenant: t.other.tenant}
}

func (a *answer) read(results []*pgconn.Result, err error) {
	a.err = err
	var out strings.Builder
	for _, result := range results {
		for _, row := range result.Rows {
			for _, cell := range row {
				out.Write(cell)
				out.WriteByte('\n')
			}
		}
		out.WriteString(result.CommandTag.String())
		out.WriteByte('\n')
		a.tag = result.CommandTag.String()
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		fmt.Fprintln(&out, pg.Message, pg.Detail, pg.Hint, pg.Where)
	}
	a.output = out.String()
	if len(results) == 0 || err != nil {
		return
	}
	last := results[len(results)-1]
	if strings.HasPrefix(a.tag, "EXPLAIN") {
		for _, row := range last.Rows {
			if _, rows, ok := strings.Cut(string(row[0]), "(actual rows="); ok {
				a.plan += " " + rows
			}
		}
		return
	}
	if len(last.Rows) == 1 && len(last.Rows[0]) == 1 {
		a.value = " " + string(last.Rows[0][0])
	}
	for _, row := range last.Rows {
		for _, cell := range row {
			if v := string(cell); cell != nil && v != "0" && v != "f" && v != "" {
				a.reached = true
			}
		}
	}
	if len(last.FieldDescriptions) == 0 {
		a.reached = last.CommandTag.RowsAffected() > 0
	}
	if last.CommandTag.Select() && len(last.FieldDescriptions) > 1 {
		a.reached = len(last.Rows) > 0
	}
}

// canaryIn returns a value of the other tenant in output that the attacker did not bring along.
func (t *suite) canaryIn(output, sent string) string {
	for _, canary := range t.canaries {
		if strings.Contains(output, canary) && !strings.Contains(sent, canary) {
			return canary
		}
	}
	return ""
}

// exec runs the suite's own statements.
func (t *suite) exec(ctx context.Context, statements string) ([]*pgconn.Result, error) {
	return t.conn.PgConn().Exec(ctx, statements).ReadAll()
}

func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// keyOf is the condition that finds row among r's, by its key.
func keyOf(r *relation, row values, alias string) string {
	columns := []string{}
	if len(r.keys) > 0 {
		columns = r.keys[0]
	}
	if len(columns) == 0 {
		for _, c := range r.columns {
			if c.typ == "uuid" || c.category == "S" && cellText(row[c.name]) != "" {
				columns = append(columns, c.name)
			}
		}
	}
	var parts []string
	for _, name := range columns {
		condition := equals(name, row[name])
		if alias != "" {
			condition = alias + "." + condition
		}
		parts = append(parts, condition)
	}
	if len(parts) == 0 {
		return "false"
	}
	return strings.Join(parts, " and ")
}

// unknownUUID belongs to nobody.
var unknownUUID = uuid.MustParse("deadbeef-0000-4000-8000-000000000000")
