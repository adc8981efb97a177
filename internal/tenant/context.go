// Package tenant is what the product is about: a user's context in a tenant, and later everything that
// belongs to one. It speaks SQL through internal/postgres and knows nothing of HTTP.
package tenant

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync/atomic"
	"time"
	"weak"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed context.sql
var contextText string

var contextQueries = database.ParseQueries(contextText)

// Context is who a user is, which tenants are theirs and how the one they act in is set up. It is one JSON object:
// user, organization, membership, tenants, config, version.
type Context struct {
	*callerPart
	document *document
	*reached
}

// VersionText is the context's version as a header carries it.
func (c Context) VersionText() string { return c.text }

// callerPart is what of a context is the caller's own.
type callerPart struct {
	TenantID uuid.UUID
	// Version names the state that the context shows.
	Version Version
	// ETag is a strong validator of the whole, quoted.
	ETag string
	// Versions are those of all that it shows.
	Versions []cache.Change
	// Until is when an override that it shows, or the caller's entry into the tenant, runs out by itself; zero for never.
	Until time.Time

	reached atomic.Pointer[reached]

	body     []byte                 // {"user":…,"membership":…,"tenants":…,"version":…}
	stamp    string                 // of the document it was read with
	document weak.Pointer[document] // that one; what keeps it is the memory of documents, where its bytes are counted
}

// reached is how far the log was when a caller's part was read, or found to be still true.
type reached struct {
	// since is a position that the log had reached before: whatever was committed when somebody was told of a lesser
	// one is shown. At an equal one a commit may have been under way.
	since postgres.LSN
	// at is where it was afterwards: what was committed meanwhile lies before that and may not be shown.
	at   postgres.LSN
	text string // of the version at that position
}

// document is what all members of a tenant see of it in their contexts.
type document struct {
	body  []byte // {"organization":…,"config":…}
	stamp string // tells this state of it from all others
	sum   [sha256.Size]byte
}

func newDocument(body []byte, stamp string) *document {
	return &document{body: body, stamp: stamp, sum: sha256.Sum256(body)}
}

// shows says whether p surely shows all that was committed when somebody was told of least: because that was before p
// was read, or with p itself when nothing had been written meanwhile.
func (p *callerPart) shows(least Version) bool {
	if least.newest || !least.countersReachedBy(p.Version) {
		return false
	}
	r := p.reached.Load()
	return least.position == 0 || least.position < r.since || least.position == r.since && least == p.Version.At(r.at)
}

// confirm takes note that p was found to be still true by who asked when the log had reached position.
func (p *callerPart) confirm(db *postgres.DB, position postgres.LSN) {
	for before := p.reached.Load(); before.since < position; before = p.reached.Load() {
		now := &reached{since: position, at: max(before.at, position)}
		now.text = p.Version.At(now.at).Text(db)
		if p.reached.CompareAndSwap(before, now) {
			return
		}
	}
}

// Len is how many bytes the context takes.
func (c Context) Len() int { return len(c.document.body) + len(c.body) - 1 }

// WriteTo writes the JSON object. Both parts go out as they lie in memory; nothing is copied.
func (c Context) WriteTo(w io.Writer) (written int64, err error) {
	shared := c.document.body
	for _, part := range [...][]byte{shared[:len(shared)-1], comma, c.body[1:]} {
		n, err := w.Write(part)
		if written += int64(n); err != nil {
			return written, err
		}
	}
	return written, nil
}

var comma = []byte(",")

// Contexts answers callers with their contexts, from memory where nothing they show has changed.
type Contexts struct {
	db        *postgres.DB
	follower  *cache.Follower
	callers   *cache.Memory[acting, *callerPart]
	documents *cache.Memory[uuid.UUID, *document]
	shared    *Shared // nil without Redis
}

// acting is all that a context depends on: who asks, by which session, and the tenant they name.
type acting struct {
	user, session uuid.UUID
	role          identity.Role
	tenant        string
}

// NewContexts remembers about at most bytes of contexts, and shares tenants' documents where shared is not nil.
func NewContexts(db *postgres.DB, follower *cache.Follower, bytes uint64, shared *Shared) *Contexts {
	return &Contexts{
		db: db, follower: follower, shared: shared,
		callers:   cache.NewMemory[acting, *callerPart](follower, bytes/2),
		documents: cache.NewMemory[uuid.UUID, *document](follower, bytes/2),
	}
}

// ContextStat is what Contexts hold.
type ContextStat struct{ Callers, Documents cache.Stat }

// Stat returns what c holds now.
func (c *Contexts) Stat() ContextStat {
	return ContextStat{Callers: c.callers.Stat(), Documents: c.documents.Stat()}
}

// Read returns the context of caller in the tenant they name (an id, a slug, or "" for the token's tenant claim and
// then the user's default), no older than least, which they have seen. hit says that it came from memory; else it was
// one round trip and one statement.
//
// Errors: user_required without a user; user_unknown, user_without_profile, user_without_organization,
// membership_missing, tenant_pending, tenant_suspended, tenant_archived, tenant_unconfigured, each naming
// the step that failed; tenant_not_found alike for a tenant that does not exist and one the user is no
// member of; version_not_reached.
func (c *Contexts) Read(ctx context.Context, caller identity.Caller, named string, least Version) (answer Context, hit bool, err error) {
	reference, err := contextReference(caller, named)
	if err != nil {
		return answer, false, err
	}
	key := acting{caller.UserID, caller.SessionID, caller.Role, reference}
	if answer, hit = c.recall(key); hit && answer.shows(least) {
		return answer, true, nil
	}
	if hit && least.countersReachedBy(answer.Version) {
		if c.follower.Confirm(ctx, answer.Versions, int64(least.position)) {
			answer.confirm(c.db, least.position)
			answer.reached = answer.callerPart.reached.Load()
			return answer, true, nil
		}
	}
	var mine atomic.Bool // the load began when least had been given out
	load := func(ctx context.Context) (cache.Loaded[*callerPart], error) {
		mine.Store(true)
		own, _, err := c.load(ctx, caller, key, least)
		return own, err
	}
	get := c.callers.Get
	if hit {
		get = c.callers.Refresh
	}
	own, err := get(ctx, key, load)
	if err == nil && !mine.Load() && !own.shows(least) {
		own, err = c.callers.Refresh(ctx, key, load) // a load that others had begun may have read before
	}
	if err != nil {
		return answer, false, err
	}
	if !least.countersReachedBy(own.Version) { // its position was seen to by the load
		return answer, false, errVersionNotReached()
	}
	if shared := own.document.Value(); shared != nil {
		return newContext(own, shared), false, nil
	}
	loaded, shared, err := c.load(ctx, caller, key, least) // nothing kept it, and the collector was quicker
	if err != nil {
		return answer, false, err
	}
	return newContext(loaded.Value, shared), false, nil
}

func newContext(own *callerPart, shared *document) Context {
	return Context{callerPart: own, document: shared, reached: own.reached.Load()}
}

// ContextStatement is the statement by which a server reads a context, with the values it gives where it has no
// document of the tenant at hand. It is for measuring: run in the caller's own transaction, it answers as Read does.
func ContextStatement() (text string, args []any) {
	return contextQueries.Get("ContextRead"), []any{(*uuid.UUID)(nil), (*string)(nil)}
}

// ReadContext is Contexts.Read from the database.
func ReadContext(ctx context.Context, db *postgres.DB, caller identity.Caller, named string) (Context, error) {
	reference, err := contextReference(caller, named)
	if err != nil {
		return Context{}, err
	}
	read, err := readContext(ctx, db, caller, reference, Version{}, uuid.Nil, nil)
	if err != nil {
		return Context{}, err
	}
	return newContext(read.own, read.shared), nil
}

func contextReference(caller identity.Caller, named string) (string, error) {
	if caller.UserID == uuid.Nil {
		return "", fault.New(fault.UserRequired, "A signed-in user is required here.",
			"Send the access token of a user; an API key alone stands for nobody.")
	}
	return Reference(caller, named)
}

// recall returns what is remembered, where both parts are still true.
func (c *Contexts) recall(key acting) (Context, bool) {
	own, ok := c.callers.Recall(key)
	if !ok {
		return Context{}, false
	}
	shared, ok := c.documents.Recall(own.TenantID)
	return newContext(own, shared), ok && shared.stamp == own.stamp
}

// load reads a context from the database, in the caller's own sealed transaction, and remembers its document.
func (c *Contexts) load(ctx context.Context, caller identity.Caller, key acting, least Version) (own cache.Loaded[*callerPart], shared *document, err error) {
	began := c.documents.Now()
	must := c.atLeast(least)
	read, err := c.read(ctx, caller, key, must)
	if fault.CodeOf(err) == fault.VersionNotReached && must != least {
		read, err = c.read(ctx, caller, key, least) // a server that crashed has lost the end of its log, which nobody had relied on
	}
	if err != nil {
		return own, nil, err
	}
	c.documents.Offer(read.own.TenantID, read.document(), began)
	return cache.Loaded[*callerPart]{
		Value: read.own, Versions: read.own.Versions, Bytes: callerBytes + len(read.own.body) + scopeBytes*len(read.own.Versions),
		Until: read.until, // it names a document that no longer holds then
	}, read.shared, nil
}

// atLeast is what a load must show: what the caller has seen, and every change that was looked at here.
func (c *Contexts) atLeast(seen Version) Version {
	if seen == (Version{}) || seen.position != 0 {
		seen.position = max(seen.position, postgres.LSN(c.follower.Position()))
	}
	return seen
}

// read reads a context with the document of the tenant that key probably means, as memory or Redis have it: the
// database says whether that still holds.
func (c *Contexts) read(ctx context.Context, caller identity.Caller, key acting, least Version) (read contextRead, err error) {
	tenantID := c.guess(key)
	remembered, ok := c.documents.Peek(tenantID)
	if ok || c.shared == nil || tenantID == uuid.Nil {
		read, err = readContext(ctx, c.db, caller, key.tenant, least, tenantID, remembered.Value)
		if err == nil && c.shared != nil && read.shared != remembered.Value {
			c.shared.fill(read.own.TenantID)
		}
		return read, err
	}
	err = c.shared.with(ctx, tenantID, func(known *document) (cache.Loaded[*document], error) {
		read, err = readContext(ctx, c.db, caller, key.tenant, least, tenantID, known)
		switch {
		case err != nil:
			return cache.Loaded[*document]{}, err
		case read.own.TenantID != tenantID:
			return cache.Loaded[*document]{}, errOtherTenant
		}
		return read.document(), nil
	})
	if errors.Is(err, errOtherTenant) {
		err = nil
	}
	return read, err
}

// errOtherTenant says that a document is not of the tenant it was asked for.
var errOtherTenant = errors.New("another tenant's document")

// About what remembering takes beside what is remembered: a version with its scope, a caller's part with its key, and
// a document with the versions it shares. `go run ./bench caching-scale` holds the sum against the heap.
const (
	scopeBytes    = 120
	callerBytes   = 320
	documentBytes = 320
)

// guess is the tenant that key probably means: whatever is read is told which it is.
func (c *Contexts) guess(key acting) uuid.UUID {
	if id, err := uuid.Parse(key.tenant); err == nil {
		return id
	}
	last, _ := c.callers.Peek(key)
	if last.Value == nil {
		return uuid.Nil
	}
	return last.Value.TenantID
}

// contextRead is a context as one snapshot of the database has it.
type contextRead struct {
	own    *callerPart
	shared *document
	until  time.Time // an override runs out then; zero for none
}

// document is the tenant's part, with how long it may be remembered.
func (r contextRead) document() cache.Loaded[*document] {
	loaded := cache.Loaded[*document]{Value: r.shared, Bytes: documentBytes + len(r.shared.body), Until: r.until}
	for _, v := range r.own.Versions {
		if v.Scope == cache.Global || v.Scope == (cache.Scope{Kind: "tenant", Key: r.own.TenantID}) {
			loaded.Versions = append(loaded.Versions, v)
		}
	}
	return loaded
}

// readContext reads the context of caller in the tenant that reference names. known, which may be nil, is a document
// of tenantID: it is read anew where it no longer holds.
func readContext(
	ctx context.Context, db *postgres.DB, caller identity.Caller, reference string, least Version, tenantID uuid.UUID, known *document,
) (contextRead, error) {
	var read contextRead
	var id *uuid.UUID
	var stamp *string
	if known != nil {
		id, stamp = &tenantID, &known.stamp
	}
	work := &postgres.Work{Name: "ContextRead"}
	least.Bound(work)
	work.Query(contextQueries.Get("ContextRead"), func(rows pgx.Rows) error {
		read = contextRead{own: &callerPart{}}
		for rows.Next() {
			if err := read.scan(rows, known, &work.Position); err != nil {
				return err
			}
		}
		work.Tenant = read.own.TenantID
		return rows.Err()
	}, id, stamp)
	if err := db.InTenant(ctx, caller, reference, work); err != nil {
		return read, err
	}
	own := read.own
	own.Until = read.until
	own.Version = own.Version.At(work.Position)
	sum := sha256.New()
	sum.Write(read.shared.sum[:])
	sum.Write(own.body)
	own.ETag = `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18]) + `"`
	own.document = weak.Make(read.shared)
	own.reached.Store(&reached{since: least.position, at: work.Position, text: own.Version.Text(db)}) // least was met before the snapshot was taken
	return read, nil
}

// scan reads a row of ContextRead, and how far the log was behind it.
func (r *contextRead) scan(rows pgx.Rows, known *document, position *postgres.LSN) error {
	var version string
	var document, versions []byte
	var until *time.Time
	err := rows.Scan(&r.own.TenantID, &version, &r.own.stamp, &r.own.body, &document, &versions, &until, position)
	if err != nil {
		return err
	}
	if r.shared = known; document != nil {
		r.shared = newDocument(document, r.own.stamp)
	}
	r.own.stamp = r.shared.stamp // the same text, kept once
	if until != nil {
		r.until = *until
	}
	if r.own.Version, err = ParseCounters(version); err != nil {
		return err
	}
	r.own.Versions, err = readVersions(versions)
	return err
}

// readVersions reads versions as the database's functions write them.
func readVersions(text []byte) ([]cache.Change, error) {
	var scopes []struct {
		Kind    string    `json:"kind"`
		Key     uuid.UUID `json:"key"`
		Version int64     `json:"version"`
	}
	if err := json.Unmarshal(text, &scopes); err != nil {
		return nil, fmt.Errorf("decode versions: %w", err)
	}
	versions := make([]cache.Change, len(scopes))
	for i, s := range scopes {
		versions[i] = cache.Change{Scope: cache.Scope{Kind: kindOf(s.Kind), Key: s.Key}, Version: s.Version}
	}
	return versions, nil
}

// kindOf is kind as a constant: there are few, and very many versions are remembered.
func kindOf(kind string) string {
	for _, known := range [...]string{cache.Tenant, cache.Global.Kind, "membership", "self", "session"} {
		if kind == known {
			return known
		}
	}
	return kind
}

// referencePattern is an id or a slug: nothing else may reach the sealed context.
var referencePattern = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]+(-[a-z0-9]+)*)$`)

// Reference returns the tenant a request acts in: the one it names, else the one its token names, else
// "" for the user's default. It refuses what can be neither an id nor a slug.
func Reference(caller identity.Caller, named string) (string, error) {
	if named == "" {
		named = caller.Tenant
	}
	if id, err := uuid.Parse(named); err == nil && len(named) == 36 {
		return id.String(), nil
	}
	if named != "" && (len(named) > 100 || !referencePattern.MatchString(named)) {
		return "", fault.New(fault.TenantReferenceInvalid, "The tenant is named by neither an id nor a slug.",
			"A slug is lower-case letters, digits and single hyphens, as in organizations.slug.")
	}
	return named, nil
}
