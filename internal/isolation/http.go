package isolation

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/identity"
)

//go:embed http.sql
var httpText string

var httpQueries = database.ParseQueries(httpText)

const (
	// crowdSize is how many users ask at once: more than the server has connections to the database.
	crowdSize = 31
	// attackTime bounds one request of an attacker.
	attackTime = 30 * time.Second
	password   = "correct horse battery staple"
	// copies is the schema that keeps the rows as they were made.
	copies = "vital_prove"
)

// HTTPServer is a server over a database that was made to be attacked, and what its operator knows of it.
type HTTPServer struct {
	URL string
	// Secret signs HS256 tokens, with Issuer and Audience.
	Secret           []byte
	Issuer, Audience string
	// AnonKey and ServiceKey are API keys; RevokedKey is a service key that was revoked.
	AnonKey, ServiceKey, RevokedKey string
	// Request runs statements as a request of who does on the server, all on one connection, and returns what the
	// last one gives. RequestThrough makes it. Nil leaves out the attacks on what a request leaves behind.
	Request func(ctx context.Context, who identity.Caller, statements []string) (last string, err error)
}

// httpSuite attacks a server as its clients do. Two tenants and their users stay in its database.
type httpSuite struct {
	*suite
	server       HTTPServer
	client       *http.Client
	credentials  map[string]string // a bearer token by the name of who sends it
	refresh      map[string]string // tokens that are sent in a body
	crowd        []member
	theirs       fills // what an attack names of the other tenant
	nobodys      fills // the same of nobody
	kept         []fills
	restored     string // the latest transaction when every row was as it was made
	grants       map[*relation]grant
	callable     map[uint32]bool
	readable     map[*relation][]string
	mineCanaries []string
}

// member is a user of one of the tenants.
type member struct {
	id, token string
	w         *world
}

type grant struct{ read, insert, update, remove bool }

// AttackHTTP attacks server as a client would and adds what it finds to p. conn is an operator's connection
// to the server's database, in which everything may be written: two tenants are made there that stay.
func (p *Proof) AttackHTTP(ctx context.Context, conn *pgx.Conn, subject *Subject, server HTTPServer, progress func(string)) error {
	return p.attackHTTP(ctx, conn, subject, server, progress, "")
}

// attackHTTP is AttackHTTP in some of its parts, and on one relation, where any are named.
func (p *Proof) attackHTTP(ctx context.Context, conn *pgx.Conn, subject *Subject, server HTTPServer, progress func(string), only string, parts ...string) error {
	scratch := &Proof{Verbs: map[string]int{}}
	h := &httpSuite{
		suite:  &suite{conn: conn, s: subject, proof: scratch, whileRunning: progress, only: only},
		server: server, credentials: map[string]string{"nobody": ""}, refresh: map[string]string{},
		client: &http.Client{Timeout: attackTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	defer h.client.CloseIdleConnections()
	if err := h.makeTenants(ctx); err != nil {
		return fmt.Errorf("make tenants: %w", err)
	}
	if err := h.signEverybodyIn(ctx); err != nil {
		return err
	}
	if err := h.makeTenantKeys(ctx); err != nil {
		return err
	}
	if err := h.keepRows(ctx); err != nil {
		return err
	}
	h.fillPlaces()
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"routes", h.attackRoutes}, {"relations", h.attackRelations}, {"functions", h.attackFunctions},
		{"caches", h.attackCaches}, {"flags", h.attackFlags}, {"events", h.attackEvents}, {"clock", h.attackClock}, {"pool", h.attackPool}, {"connection", h.attackConnection}, {"sessions", h.attackSessions},
	} {
		if len(parts) > 0 && !slices.Contains(parts, part.name) {
			continue
		}
		progress("the server's " + part.name)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("attack %s: %w", part.name, err)
		}
	}
	p.Results = append(p.Results, scratch.Results...)
	p.Statements += scratch.Statements
	for verb, n := range scratch.Verbs {
		p.Verbs[verb] += n
	}
	for _, r := range scratch.Results {
		if !slices.Contains(p.Callers, r.Caller) {
			p.Callers = append(p.Callers, r.Caller)
		}
	}
	return nil
}

// makeTenants commits two tenants with a member of each role, a crowd beside them, a super admin, and a row
// of every table; a copy of all rows is kept.
func (h *httpSuite) makeTenants(ctx context.Context) (err error) {
	if _, err := h.exec(ctx, "begin; set local search_path = pg_catalog, public, pg_temp"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, undo := h.exec(context.WithoutCancel(ctx), "rollback")
			err = errors.Join(err, undo)
		}
	}()
	if err := h.prepare(ctx); err != nil {
		return err
	}
	for i, w := range []*world{h.mine, h.other} {
		var ids []string
		for _, id := range w.members {
			ids = append(ids, id)
			h.crowd = append(h.crowd, member{id: id, w: w})
		}
		for range crowdSize/2 + i - len(w.members) {
			id, err := h.addUser(ctx, w, "member")
			if err != nil {
				return err
			}
			ids = append(ids, id)
			h.crowd = append(h.crowd, member{id: id, w: w})
		}
		for _, query := range []string{"Address", "Profile"} {
			if _, err := h.conn.Exec(ctx, httpQueries.Get(query), ids, wordOf(w)); err != nil {
				return fmt.Errorf("give users an address: %w", err)
			}
		}
	}
	if _, err := h.conn.Exec(ctx, httpQueries.Get("SuperAdmin"), superAdmin, h.s.Shared[0], mail(nil, superAdmin)); err != nil {
		return fmt.Errorf("make a super admin: %w", err)
	}
	if err := h.readGrants(ctx); err != nil {
		return err
	}
	_, err = h.exec(ctx, "commit")
	return err
}

// superAdmin is the user who runs the platform.
const superAdmin = "5afe0000-0000-4000-8000-000000000001"

// spares are accounts that controls change and delete.
var spares = []string{"5afe0002-0000-4000-8000-000000000002", "5afe0003-0000-4000-8000-000000000003"}

// wordOf begins the names of w's users, which are canaries like the other words of w.
func wordOf(w *world) string {
	if w == nil {
		return "spare"
	}
	return "vt" + w.name[:1] + "0x"
}

// mail is the address of w's user id.
func mail(w *world, id string) string {
	return wordOf(w) + strings.ReplaceAll(id, "-", "")[:8] + "@vital.test"
}

func (h *httpSuite) addUser(ctx context.Context, w *world, role string) (string, error) {
	row, err := h.builder.insert(ctx, w, h.c.find(h.s.Users), values{})
	if err != nil {
		return "", fmt.Errorf("make a user: %w", err)
	}
	id := cellText(row[h.s.userColumn(h.c.find(h.s.Users))])
	_, err = h.builder.insert(ctx, w, h.c.find(h.s.Memberships.Table), values{h.s.Memberships.User: &id, h.s.Memberships.Role: &role})
	if err != nil {
		return "", fmt.Errorf("make a member: %w", err)
	}
	return id, nil
}

// keepRows copies every row that requests can reach, so that what an attack or its control wrote can be undone.
func (h *httpSuite) keepRows(ctx context.Context) error {
	if _, err := h.exec(ctx, "create schema "+copies); err != nil {
		return fmt.Errorf("make a schema for copies: %w", err)
	}
	for _, r := range h.c.relations {
		if !r.isTable() || r.partition || !h.s.exposes(r) {
			continue
		}
		var columns []string
		for _, c := range r.columns {
			if !c.always {
				columns = append(columns, identifier(c.name))
			}
		}
		kept := fills{"relation": r.quoted(), "copy": pgx.Identifier{copies, r.name}.Sanitize(), "columns": strings.Join(columns, ", ")}
		statement, _ := kept.render(httpQueries.Get("Keep"))
		if _, err := h.exec(ctx, statement); err != nil {
			return fmt.Errorf("copy %s: %w", r.label(), err)
		}
		h.kept = append(h.kept, kept)
	}
	if err := h.restoreRows(ctx); err != nil {
		return err
	}
	return h.noteOthers(ctx)
}

// untouched reports that no transaction has written anything since the rows were put back, which most attacks do not come to.
func (h *httpSuite) untouched(ctx context.Context) (bool, error) {
	now, err := h.latestTransaction(ctx)
	return now == h.restored, err
}

func (h *httpSuite) latestTransaction(ctx context.Context) (number string, err error) {
	if err := h.conn.QueryRow(ctx, httpQueries.Get("LatestTransaction")).Scan(&number); err != nil {
		return "", fmt.Errorf("look for transactions: %w", err)
	}
	return number, nil
}

// restoreRows puts every row back as it was made, if any was written. Triggers and foreign keys are off meanwhile.
func (h *httpSuite) restoreRows(ctx context.Context) (err error) {
	if untouched, err := h.untouched(ctx); err != nil || untouched {
		return err
	}
	statements := []string{"begin", "set local session_replication_role = replica", "set local row_security = off"}
	for _, kept := range h.kept {
		statement, _ := kept.render(httpQueries.Get("Restore"))
		statements = append(statements, strings.TrimSuffix(strings.TrimSpace(statement), ";"))
	}
	if _, err := h.exec(ctx, strings.Join(append(statements, "commit"), ";\n")); err != nil {
		_, undo := h.exec(context.WithoutCancel(ctx), "rollback")
		return errors.Join(fmt.Errorf("restore rows: %w", err), undo)
	}
	h.restored, err = h.latestTransaction(ctx)
	return err
}

// readGrants learns what the role of a request may do at all.
func (h *httpSuite) readGrants(ctx context.Context) error {
	h.grants, h.callable, h.readable = map[*relation]grant{}, map[uint32]bool{}, map[*relation][]string{}
	var oid uint32
	var g grant
	rows, err := h.conn.Query(ctx, httpQueries.Get("Grants"), h.s.Schemas, h.s.Roles.SignedIn)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&oid, &g.read, &g.insert, &g.update, &g.remove}, func() error {
			h.grants[h.c.byOID[oid]] = g
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	var columns []string
	rows, err = h.conn.Query(ctx, httpQueries.Get("Readable"), h.s.Schemas, h.s.Roles.SignedIn)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&oid, &columns}, func() error { h.readable[h.c.byOID[oid]] = columns; columns = nil; return nil })
	}
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	rows, err = h.conn.Query(ctx, httpQueries.Get("Callable"), h.s.Schemas, h.s.Roles.SignedIn)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&oid}, func() error { h.callable[oid] = true; return nil })
	}
	if err != nil {
		return fmt.Errorf("read functions: %w", err)
	}
	return h.readWritable(ctx, h.s.Roles.SignedIn)
}

// fillPlaces says what {tenant}, {slug} and so on stand for in an attack, and in its twin about nobody.
func (h *httpSuite) fillPlaces() {
	cell := func(w *world, table, column string) string {
		if r := h.c.find(table); r != nil && w.rows[r] != nil {
			return cellText(w.rows[r][column])
		}
		return ""
	}
	places := func(w *world) fills {
		return fills{
			"tenant": w.tenant, "slug": cell(w, h.s.Tenants, "slug"), "user": w.user, "email": mail(w, w.user),
			"agent": cell(w, "public.agents", "id"), "flag": cell(w, "public.feature_flags", "flag_key"),
			"invitation": cell(w, "public.invitations", "id"), "tool": cell(w, "public.tools", "id"),
			"flag_change": cell(w, "public.feature_flag_changes", "id"), "override_change": cell(w, "public.tenant_feature_flag_changes", "id"),
			"flag_version": cell(w, "public.feature_flag_versions", "version"), "override_version": cell(w, "public.tenant_feature_flag_versions", "version"),
		}
	}
	h.theirs = places(h.other)
	unknown := unknownUUID.String()
	h.nobodys = fills{"tenant": unknown, "slug": "vto0xdeadbeef", "user": unknown, "email": mail(h.other, unknown),
		"agent": unknown, "flag": h.theirs["flag"], "invitation": unknown, "tool": unknown,
		"flag_change": unknown, "override_change": unknown, "flag_version": h.theirs["flag_version"], "override_version": h.theirs["override_version"]}
	h.theirs["their_viewer"], h.nobodys["their_viewer"] = h.other.members["viewer"], unknown
	for _, f := range []fills{h.theirs, h.nobodys} {
		f["platform"] = h.s.Shared[0]
		f["spare"], f["other_spare"] = spares[0], spares[1]
	}
	for name, value := range places(h.mine) {
		h.theirs["own_"+name], h.nobodys["own_"+name] = value, value
	}
	h.canaries = append(h.findCanaries(), h.theirs["slug"])
	swapped := *h.suite
	swapped.mine, swapped.other = h.other, h.mine
	h.mineCanaries = append(swapped.findCanaries(), h.theirs["own_slug"])
	for _, m := range h.crowd {
		if m.w == h.other {
			h.canaries = append(h.canaries, m.id, mail(m.w, m.id))
		} else {
			h.mineCanaries = append(h.mineCanaries, m.id, mail(m.w, m.id))
		}
	}
	notEmpty := func(s string) bool { return s == "" || uuid.Validate(s) != nil && len(s) < 6 }
	// A view of the one's holds what is everybody's, and was made for the other.
	h.mineCanaries = slices.DeleteFunc(h.mineCanaries, func(s string) bool { return strings.HasPrefix(s, "vto") })
	h.canaries, h.mineCanaries = slices.DeleteFunc(h.canaries, notEmpty), slices.DeleteFunc(h.mineCanaries, notEmpty)
}
