package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

// Outcome is how an attack ended.
type Outcome string

// The outcomes there are.
const (
	Blocked Outcome = "blocked" // it ran, and got nothing
	Leaked  Outcome = "leaked"  // the other tenant was seen, changed, or found out about
	AtRisk  Outcome = "risk"    // it succeeded where the design of the database lets it
	Untried Outcome = "unknown" // it could not be tried
)

// Result is one attack by one caller on one object.
type Result struct {
	Attack    string  `json:"attack"`
	Family    string  `json:"family"`
	Verb      string  `json:"verb"`
	Title     string  `json:"title"`
	Object    string  `json:"object"`
	Caller    string  `json:"caller"`
	Reference string  `json:"reference,omitempty"`
	Outcome   Outcome `json:"outcome"`
	SQLState  string  `json:"sqlstate,omitempty"` // of the refusal
	Evidence  string  `json:"evidence,omitempty"`
	Script    string  `json:"script,omitempty"` // of a leak: SQL that shows it again

	sent *sent // nil where nothing was
}

// sent is what an attacker's SQL was.
type sent struct {
	attack                      Attack
	before, lead, last, control string
}

// Standing is what is known of one relation and command.
type Standing struct {
	Relation string `json:"relation"`
	Command  string `json:"command"`
	Level    string `json:"level"` // proved, tested or unknown
	Reason   string `json:"reason"`
}

// Proof is what was found out about a database.
type Proof struct {
	Database    string         `json:"database"`
	Server      string         `json:"server"`
	Fingerprint string         `json:"fingerprint"` // of the schema: SHA-256, hex
	Started     time.Time      `json:"started"`
	Seconds     float64        `json:"seconds"`
	Subject     *Subject       `json:"subject"`
	Assumed     []string       `json:"assumed"`
	Callers     []string       `json:"callers"`
	Verbs       map[string]int `json:"verbs"`      // attacks executed, by verb
	Statements  int            `json:"statements"` // sent by attackers
	Results     []Result       `json:"results"`
	Standings   []Standing     `json:"standings"`
	Findings    []Finding      `json:"findings"` // of the lints
	Mutation    *Mutation      `json:"mutation,omitempty"`

	replay replay
	lints  []Lint // that Findings are of
}

// replay is what the attacks met, for a script that runs them again.
type replay struct {
	rows     []madeRow
	callers  []caller   // the last is the other tenant's user
	entering [][]string // statements that make each of them
	canaries []string
	others   []*othersRows
}

// Count is how many results ended so.
func (p *Proof) Count(outcome Outcome) int {
	n := 0
	for _, r := range p.Results {
		if r.Outcome == outcome {
			n++
		}
	}
	return n
}

// caller is somebody who attacks.
type caller struct {
	name         string
	login, role  string // database roles; login "" stays the operator's
	user, tenant string
	nameless     bool // no identity at all
	owner        bool // owns the tables: its own DDL is no attack
}

// suite attacks one database in one transaction.
type suite struct {
	conn         *pgx.Conn
	s            *Subject
	c            *catalog
	mine, other  *world
	operator     string   // a user's id, or ""
	replays      []string // values of the subject's Replays
	memberOf     []string // tenants
	canaries     []string
	others       []*othersRows
	written      string   // a query for what the transaction has written to their tables, or "" where that cannot be known
	privileged   []string // roles that own tables or bypass policies
	unfiltered   []string // those of them that bypass policies
	attacks      []Attack
	proof        *Proof
	only         string // a relation, or ""
	stopAtLeak   bool
	builder      *builder
	whileRunning func(string)
	writable     map[string]map[uint32][]string // columns by role and relation
}

// errLeak ends a suite that only asks whether there is a leak.
var errLeak = errors.New("leak found")

// Prove attacks the database behind conn, an operator's connection, as the tenants of subject would, and
// says of each relation and command what holds. Everything happens in one transaction that is rolled back.
// progress is told what is under attack.
func Prove(ctx context.Context, conn *pgx.Conn, subject *Subject, progress func(string)) (*Proof, error) {
	p := newProof(subject)
	assumed, err := subject.Describe(ctx, conn)
	if err != nil {
		return nil, err
	}
	p.Assumed = assumed
	attacks, err := LoadAttacks(database.Attacks)
	if err != nil {
		return nil, err
	}
	t := &suite{conn: conn, s: subject, attacks: attacks, proof: p, whileRunning: progress}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	if err := p.judge(ctx, conn); err != nil {
		return nil, err
	}
	p.Seconds = time.Since(p.Started).Seconds()
	return p, nil
}

func newProof(s *Subject) *Proof {
	return &Proof{Started: time.Now().UTC(), Subject: s, Verbs: map[string]int{}, Results: []Result{}, Findings: []Finding{}}
}

// run makes the two worlds and lets every caller try everything.
func (t *suite) run(ctx context.Context) (err error) {
	if err := t.begin(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()
	callers := t.callers()
	for _, who := range callers {
		t.proof.Callers = append(t.proof.Callers, who.name)
	}
	if t.proof.replay, err = t.replay(ctx, callers); err != nil {
		return err
	}
	return t.attackAll(ctx)
}

// begin opens the transaction and makes the two worlds in it.
func (t *suite) begin(ctx context.Context) error {
	// The search path stays what the database gives its requests: a stranger's triggers may need it.
	if _, err := t.exec(ctx, "begin; set local lock_timeout = '5s'"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := t.prepare(ctx)
	if err != nil {
		err = errors.Join(err, t.end(ctx))
	}
	return err
}

// end takes everything back.
func (t *suite) end(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if _, err := t.exec(ctx, "rollback"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	// Attacks deallocate what they prepared, and with it what the connection keeps for itself.
	if err := t.conn.DeallocateAll(ctx); err != nil {
		return fmt.Errorf("forget prepared statements: %w", err)
	}
	return nil
}

// attackAll lets every caller try everything, or what there is on one object.
func (t *suite) attackAll(ctx context.Context) error {
	for _, who := range t.callers() {
		if err := t.attackAs(ctx, who); err != nil {
			if errors.Is(err, errLeak) {
				return nil
			}
			return fmt.Errorf("attack as %s: %w", who.name, err)
		}
	}
	return nil
}

func (t *suite) prepare(ctx context.Context) (err error) {
	if t.c, err = readCatalog(ctx, t.conn, t.s.Schemas); err != nil {
		return err
	}
	t.proof.Database, t.proof.Server = t.c.server.database, t.c.server.version
	if t.proof.Fingerprint, err = readFingerprint(ctx, t.conn, t.s.Schemas); err != nil {
		return err
	}
	var role string
	var bypasses bool
	err = each(ctx, t.conn, "PrivilegedRoles", []any{&role, &bypasses}, func() {
		t.privileged = append(t.privileged, role)
		if bypasses {
			t.unfiltered = append(t.unfiltered, role)
		}
	})
	if err != nil {
		return err
	}
	t.builder = &builder{conn: t.conn, s: t.s, c: t.c, recipes: map[*relation]rowPlan{}}
	if t.mine, err = t.builder.build(ctx, "mine"); err != nil {
		return cannotBuild(err)
	}
	if t.other, err = t.builder.build(ctx, "other"); err != nil {
		return cannotBuild(err)
	}
	if err := t.builder.addContrasts(ctx, t.other); err != nil {
		return err
	}
	if len(t.s.Operator) > 0 {
		if t.operator, err = t.builder.addOperator(ctx, t.mine); err != nil {
			return cannotBuild(err)
		}
	}
	if err := t.readReplays(ctx); err != nil {
		return err
	}
	t.readViews(ctx, t.mine)
	t.readViews(ctx, t.other)
	t.writable = map[string]map[uint32][]string{}
	// What triggers put off until the commit is done now, so that it is nobody's attack.
	if _, err := t.exec(ctx, "set constraints all immediate"); err != nil {
		return cannotBuild(err)
	}
	if err := t.readMemberships(ctx); err != nil {
		return err
	}
	t.canaries = t.findCanaries()
	for _, who := range t.callers() {
		if err := t.readWritable(ctx, who.role); err != nil {
			return err
		}
	}
	return t.rememberOther(ctx)
}

// rememberOther notes how everything is that is the other tenant's.
func (t *suite) rememberOther(ctx context.Context) (err error) {
	var counting bool
	if err := t.conn.QueryRow(ctx, catalogQueries.Get("Counting")).Scan(&counting); err != nil {
		return fmt.Errorf("ask whether written rows are counted: %w", err)
	}
	if t.others, err = t.findOthers(ctx); err != nil {
		return err
	}
	if counting {
		t.written = writtenTo(t.others)
	}
	return t.noteOthers(ctx)
}

// Fingerprint names the schema behind conn as Prove does: privileges, columns, policies, functions, roles.
func Fingerprint(ctx context.Context, conn *pgx.Conn, schemas []string) (fingerprint string, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local search_path = pg_catalog, public, pg_temp"); err != nil { // names are printed by it
			return fmt.Errorf("set search_path: %w", err)
		}
		fingerprint, err = readFingerprint(ctx, conn, schemas)
		return err
	})
	return fingerprint, err
}

func readFingerprint(ctx context.Context, conn *pgx.Conn, schemas []string) (fingerprint string, err error) {
	if err := conn.QueryRow(ctx, catalogQueries.Get("Fingerprint"), schemas).Scan(&fingerprint); err != nil {
		return "", fmt.Errorf("read fingerprint: %w", err)
	}
	return fingerprint, nil
}

func cannotBuild(err error) error {
	return fault.Wrap(err, fault.ConfigInvalid, "No tenant could be made to attack with: "+refusal(err)+".",
		"Describe the tables of tenants, users and memberships with --config; docs/reference/isolation.md has the format.")
}

// callers are all who attack, from the least.
func (t *suite) callers() []caller {
	login := t.s.Roles.Login
	if !t.c.server.superuser {
		login = "" // nobody else may change a session's login
	}
	var all []caller
	if role := t.s.Roles.Anonymous; role != "" {
		all = append(all, caller{name: "anonymous", login: login, role: role})
	}
	all = append(all, caller{name: "no identity", login: login, role: t.s.Roles.SignedIn, nameless: true})
	highest := ""
	for _, role := range t.roleNames() {
		highest = t.mine.members[role]
		all = append(all, caller{name: role, login: login, role: t.s.Roles.SignedIn, user: highest, tenant: t.mine.tenant})
	}
	all = append(all, caller{name: "intruder", login: login, role: t.s.Roles.SignedIn, user: highest, tenant: t.other.tenant})
	if login != "" {
		all = append(all, caller{name: "login after RESET ROLE", login: login, role: login, user: highest, tenant: t.mine.tenant})
	}
	var owners []string
	for _, r := range t.c.relations {
		if r.isTable() && t.s.exposes(r) && !slices.Contains(owners, r.owner) {
			owners = append(owners, r.owner)
		}
	}
	for _, owner := range owners {
		if !slices.Contains(t.unfiltered, owner) { // no policy was ever meant for those
			all = append(all, caller{name: "owner " + owner, role: owner, nameless: true, owner: true})
		}
	}
	return all
}

// operators are those whose rights are looked at beside the callers'.
func (t *suite) operators() []caller {
	if t.operator == "" {
		return nil
	}
	return []caller{{name: "operator", login: t.callers()[0].login, role: t.s.Roles.SignedIn, user: t.operator, tenant: t.mine.tenant}}
}

func (t *suite) roleNames() []string {
	if len(t.s.Memberships.Roles) > 0 {
		return t.s.Memberships.Roles
	}
	return []string{"member"}
}
