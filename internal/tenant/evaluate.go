package tenant

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed evaluate.sql
var evaluateText string

var evaluateQueries = database.ParseQueries(evaluateText)

// changeChannel is where vital.settle_versions tells of changes.
const changeChannel = "vital_change"

// Follow returns a follower of the versions of what contexts and flags are made of. Run starts it. What db itself
// commits is looked at before whoever wrote it is told, so that this process shows it from then on.
func Follow(db *postgres.DB, source cache.Source) *cache.Follower {
	source.Listen = func(ctx context.Context, heard func(string), current func(time.Time), lost func()) {
		db.Listen(ctx, changeChannel, heard, current, lost)
	}
	source.Versions = versions(db)
	follower := cache.NewFollower(source)
	db.OnCommit(func(ctx context.Context, seen postgres.Observed) { follower.Settle(ctx, seen.Raised) })
	return follower
}

// versions reads the versions of scopes, and how far the log is.
func versions(db *postgres.DB) func(context.Context, []cache.Scope, int64) ([]cache.Change, int64, error) {
	return func(ctx context.Context, scopes []cache.Scope, least int64) (changes []cache.Change, position int64, err error) {
		kinds, keys := make([]string, len(scopes)), make([]string, len(scopes))
		for i, s := range scopes {
			kinds[i], keys[i] = s.Kind, s.Key.String()
		}
		work := &postgres.Work{Name: "VersionsRead", Least: postgres.LSN(least)}
		work.Query(evaluateQueries.Get("Versions"), func(rows pgx.Rows) error {
			changes = make([]cache.Change, 0, len(scopes)) // a transaction may be tried again
			var c cache.Change
			var age *float64 // in seconds
			_, err := pgx.ForEachRow(rows, []any{&c.Kind, &c.Key, &c.Version, &age, &position}, func() error {
				c.Age = 0
				if age != nil {
					c.Age = time.Duration(*age * float64(time.Second))
				}
				changes = append(changes, c)
				return nil
			})
			return err
		}, kinds, keys)
		err = db.Look(ctx, work)
		return changes, position, err
	}
}

// Evaluator says what flags are worth to callers. Definitions, and what a caller's tenant has of its own, are
// remembered until they change.
type Evaluator struct {
	db          *postgres.DB
	follower    *cache.Follower
	definitions *cache.Memory[struct{}, *definitions]
	callers     *cache.Memory[evaluating, *FlagContext]
	compiled    atomic.Pointer[definitions] // the last ones, for what of them has not changed
	usage       usage
}

// evaluating is all that a caller's flag context depends on.
type evaluating struct {
	user, session uuid.UUID
	role          identity.Role
	tenant        string
}

// definitions are the compiled flags at one version.
type definitions struct {
	set     *feature.Set
	source  feature.Source
	version int64
	timed   bool // a rule asks for the time
	// The log had reached since before they were read, and position afterwards; as of contexts.
	since, position postgres.LSN
}

// NewEvaluator remembers at most about bytes of callers' contexts.
func NewEvaluator(db *postgres.DB, follower *cache.Follower, bytes uint64) *Evaluator {
	return &Evaluator{
		db: db, follower: follower,
		definitions: cache.NewMemory[struct{}, *definitions](follower, 1<<62),
		callers:     cache.NewMemory[evaluating, *FlagContext](follower, bytes),
	}
}

// EvaluatorStat is what an Evaluator holds.
type EvaluatorStat struct {
	cache.Stat       // of callers
	Dropped    int64 // evaluations that could not be counted
}

// Stat returns what e holds now.
func (e *Evaluator) Stat() EvaluatorStat {
	return EvaluatorStat{Stat: e.callers.Stat(), Dropped: e.usage.dropped.Load()}
}

// FlagContext is where a caller evaluates flags, who they are there, and what the tenant has instead of the flags'
// defaults.
type FlagContext struct {
	TenantID uuid.UUID
	// Versions are those of all that is in it.
	Versions []cache.Change
	// Until is when the caller's entry into the tenant ends; zero for whoever is a member, and for a key.
	Until time.Time

	since          postgres.LSN   // the log had reached it before this was read
	position       postgres.LSN   // how far the log was afterwards
	tenant, member map[string]any // member is nil for a key
	overrides      feature.Overrides
	ends           []time.Time // of overrides, ascending
}

// CallerFlags are the flags of one caller at one moment.
type CallerFlags struct {
	*FlagContext
	// Caller is who asks now, which may be with another token than the one the context was read with.
	Caller identity.Caller

	definitions *definitions
	evaluator   *Evaluator
	preview     bool         // what is evaluated is not counted
	confirmed   postgres.LSN // the position of the log at which all was found to be still true
}

// Flags returns the flags of caller in the tenant they name, else of their token or key, else in their default, no
// older than least, which they have seen.
//
// Errors are those of Contexts.Read, without the steps that only a whole context takes.
func (e *Evaluator) Flags(ctx context.Context, caller identity.Caller, named string, least Version) (CallerFlags, error) {
	if caller.UserID == uuid.Nil && caller.Rights&identity.RightFlags == 0 {
		return CallerFlags{}, fault.New(fault.UserRequired, "A signed-in user, or a key of a tenant with the right to flags, is required here.",
			"Send the access token of a user, or a key made with `vital key create --tenant TENANT`.")
	}
	reference, err := Reference(caller, named)
	if err != nil {
		return CallerFlags{}, err
	}
	key := evaluating{caller.UserID, caller.SessionID, caller.Role, reference}
	load := func(ctx context.Context) (cache.Loaded[*FlagContext], error) {
		return e.loadCaller(ctx, caller, reference, least)
	}
	get, getDefinitions := e.callers.Get, e.definitions.Get
	for _, anew := range [...]bool{false, true} {
		flags := CallerFlags{Caller: caller, evaluator: e}
		if flags.FlagContext, err = get(ctx, key, load); err != nil {
			return CallerFlags{}, err
		}
		if flags.definitions, err = getDefinitions(ctx, struct{}{}, e.loadDefinitions); err != nil {
			return CallerFlags{}, err
		}
		enough := least.countersReachedBy(flags.Version())
		if flags.shows(least) || anew && enough {
			return flags, nil
		}
		if enough {
			if e.follower.Confirm(ctx, flags.Versions(), int64(least.position)) {
				flags.confirmed = least.position
				return flags, nil
			}
		}
		// What is remembered is older than what they have seen, or they have made that up: to read all definitions anew
		// costs more than to ask whether they have changed.
		get = e.callers.Refresh
		getDefinitions = e.definitions.Refresh
		if e.follower.Confirm(ctx, []cache.Change{{Scope: cache.Global, Version: flags.definitions.version}}, 0) {
			getDefinitions = func(context.Context, struct{}, func(context.Context) (cache.Loaded[*definitions], error)) (*definitions, error) {
				return flags.definitions, nil
			}
		}
	}
	return CallerFlags{}, errVersionNotReached()
}

// loadCaller reads who caller is in the tenant that reference names, in the caller's own sealed transaction.
func (e *Evaluator) loadCaller(ctx context.Context, caller identity.Caller, reference string, least Version) (loaded cache.Loaded[*FlagContext], err error) {
	who := &FlagContext{since: postgres.LSN(e.follower.Position())}
	work := &postgres.Work{Name: "FlagContextRead", Least: least.position}
	work.Query(evaluateQueries.Get("FlagContext"), func(rows pgx.Rows) error {
		for rows.Next() {
			var tenant, member, overrides, versions []byte
			var until *time.Time
			if err := rows.Scan(&tenant, &member, &overrides, &versions, &until, &work.Position); err != nil {
				return err
			}
			if err := who.read(tenant, member, overrides, versions); err != nil {
				return err
			}
			if until != nil {
				who.Until = *until
			}
			loaded.Bytes = len(tenant) + len(member) + 4*len(overrides) + 64*len(who.Versions)
		}
		work.Tenant = who.TenantID
		return rows.Err()
	})
	if err := e.db.InTenant(ctx, caller, reference, work); err != nil {
		return loaded, err
	}
	who.position = work.Position
	loaded.Value, loaded.Versions = who, who.Versions
	loaded.Until = caller.ExpiresAt
	if !who.Until.IsZero() && (loaded.Until.IsZero() || who.Until.Before(loaded.Until)) {
		loaded.Until = who.Until
	}
	return loaded, nil
}

// FlagsFor returns, to an operator, the flags of a user in a tenant, or of no user in particular.
func FlagsFor(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, user *uuid.UUID) (CallerFlags, error) {
	defined, err := LoadFlags(ctx, tx)
	if err != nil {
		return CallerFlags{}, err
	}
	own, err := LoadOverrides(ctx, tx, tenantID)
	if err != nil {
		return CallerFlags{}, err
	}
	who := &FlagContext{TenantID: tenantID, overrides: own.Overrides}
	if err := json.Unmarshal(own.Tenant, &who.tenant); err != nil {
		return CallerFlags{}, fmt.Errorf("decode tenant: %w", err)
	}
	if user != nil {
		var role *string
		if err := tx.QueryRow(ctx, evaluateQueries.Get("MemberRole"), tenantID, *user).Scan(&role); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return CallerFlags{}, fmt.Errorf("read membership: %w", err)
		}
		if role == nil {
			return CallerFlags{}, fault.New(fault.MembershipMissing, "That user is not a member of that tenant.", "See `vital member list`.")
		}
		who.member = map[string]any{"user_id": user.String(), "role": *role}
	}
	return CallerFlags{FlagContext: who, definitions: &definitions{set: feature.Compile(defined.Source), version: defined.Version}}, nil
}

// Keys are the keys of all flags, in order.
func (f CallerFlags) Keys() []string { return f.definitions.set.Keys() }

func (c *FlagContext) read(tenant, member, overrides, versions []byte) error {
	var list []struct {
		Key string `json:"flag_key"`
		feature.Override
	}
	if member == nil { // a key
		member = []byte("null")
	}
	for _, part := range []struct {
		from []byte
		into any
	}{{tenant, &c.tenant}, {member, &c.member}, {overrides, &list}} {
		if err := json.Unmarshal(part.from, part.into); err != nil {
			return fmt.Errorf("decode flag context: %w", err)
		}
	}
	c.overrides = make(feature.Overrides, len(list))
	for _, o := range list {
		c.overrides[o.Key] = o.Override
		if o.ExpiresAt != nil {
			c.ends = append(c.ends, *o.ExpiresAt)
		}
	}
	slices.SortFunc(c.ends, time.Time.Compare)
	var err error
	if c.Versions, err = readVersions(versions); err != nil {
		return err
	}
	id, _ := c.tenant["id"].(string)
	if c.TenantID, err = uuid.Parse(id); err != nil {
		return fmt.Errorf("decode flag context: %w", err)
	}
	return nil
}

// loadDefinitions reads and compiles the flags; those that are as they were stay compiled.
func (e *Evaluator) loadDefinitions(ctx context.Context) (loaded cache.Loaded[*definitions], err error) {
	var read Flags
	since, position := e.follower.Position(), int64(0)
	err = e.db.AsService(ctx, "FlagDefinitionsRead", func(tx pgx.Tx) error {
		if read, err = LoadFlags(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, evaluateQueries.Get("Position")).Scan(&position)
	})
	if err != nil {
		return loaded, err
	}
	compiled := &definitions{
		since: postgres.LSN(since), position: postgres.LSN(position),
		set: recompile(e.compiled.Load(), read.Source), source: read.Source, version: read.Version, timed: readsTime(read.Source),
	}
	e.compiled.Store(compiled)
	return cache.Loaded[*definitions]{Value: compiled, Versions: []cache.Change{{Scope: cache.Global, Version: read.Version}}}, nil
}

// recompile compiles what has changed since last, or everything where evaluators have, which any rule may name.
func recompile(last *definitions, source feature.Source) *feature.Set {
	if last == nil || !reflect.DeepEqual(last.source.Evaluators, source.Evaluators) {
		return feature.Compile(source)
	}
	were := make(map[string]*feature.Definition, len(last.source.Definitions))
	for i := range last.source.Definitions {
		were[last.source.Definitions[i].Key] = &last.source.Definitions[i]
	}
	var changed []feature.Definition
	for i := range source.Definitions {
		d := &source.Definitions[i]
		if was := were[d.Key]; was == nil || !reflect.DeepEqual(was, d) {
			changed = append(changed, *d)
		}
		delete(were, d.Key)
	}
	return last.set.Without(slices.Collect(maps.Keys(were))...).With(changed...)
}

// readsTime reports whether a rule may ask for the time, so that what it gives changes by itself. Of what flagd adds to
// a context only the flag's key, which most splits ask for, surely is not the time.
func readsTime(source feature.Source) bool {
	asks := func(rule json.RawMessage) bool {
		return bytes.Count(rule, []byte("$flagd")) > bytes.Count(rule, []byte(`"$flagd.flagKey"`))
	}
	for _, rule := range source.Evaluators {
		if asks(rule) {
			return true
		}
	}
	return slices.ContainsFunc(source.Definitions, func(d feature.Definition) bool { return asks(d.Targeting) })
}

// Versions are those of all that the flags are made of.
func (f CallerFlags) Versions() []cache.Change {
	return append(slices.Clone(f.FlagContext.Versions), cache.Change{Scope: cache.Global, Version: f.definitions.version})
}

// Version names the state that the flags show. What they are not made of, as of a key, which has neither a membership
// nor a user, counts as far as it can.
func (f CallerFlags) Version() Version {
	v := Version{counters: [4]int64{f.definitions.version, 0, unknown, unknown}}
	for _, c := range f.FlagContext.Versions {
		switch c.Kind {
		case cache.Tenant:
			v.counters[1] = c.Version
		case "membership":
			v.counters[2] = c.Version
		case "self":
			v.counters[3] = c.Version
		}
	}
	return v.At(max(f.confirmed, min(f.position, f.definitions.position)))
}

// shows says whether f surely shows what least was given out for, as callerPart.shows does of contexts.
func (f CallerFlags) shows(least Version) bool {
	now := f.Version()
	if least.newest || !least.countersReachedBy(now) {
		return false
	}
	since := min(f.since, f.definitions.since)
	return least.position == 0 || least.position < since || least.position == since && least == now
}

// State names what flags are made of, whatever a client says of itself: versions, and overrides that have run out.
func (f CallerFlags) State(now time.Time) string {
	sum := f.state(now).Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// Validator names what an answer depends on, without evaluating any flag: the state, what the client asked and is
// told besides, and the time if a rule asks for it.
func (f CallerFlags) Validator(now time.Time, asked, told []byte) string {
	h := f.state(now)
	if f.definitions.timed {
		addNumber(h, now.Unix())
	}
	addNumber(h, int64(len(asked)))
	h.Write(asked)
	h.Write(told)
	sum := h.Sum(nil)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

func (f CallerFlags) state(now time.Time) hash.Hash {
	h := sha256.New()
	h.Write(f.TenantID[:])
	for _, v := range f.FlagContext.Versions { // of the tenant, and of the user or key
		h.Write(v.Key[:])
		addNumber(h, v.Version)
	}
	addNumber(h, f.definitions.version)
	ended, _ := slices.BinarySearchFunc(f.ends, now, func(end, now time.Time) int {
		if end.After(now) {
			return 1
		}
		return -1
	})
	addNumber(h, int64(ended))
	return h
}

func addNumber(h hash.Hash, n int64) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(n))
	h.Write(number[:])
}

// Context is the client's, with what the server knows of tenant and member in place of whatever it says of them.
func (f CallerFlags) Context(client feature.Context) feature.Context {
	return client.WithAll(map[string]any{"tenant": f.tenant, "member": f.memberAttribute()})
}

func (f CallerFlags) memberAttribute() any {
	if f.member == nil {
		return nil
	}
	return f.member
}

// Preview is the same flags, for somebody who only looks at what they are worth: evaluations are not counted.
func (f CallerFlags) Preview() CallerFlags {
	f.preview = true
	return f
}

// Evaluate says what one flag is worth, and counts it.
func (f CallerFlags) Evaluate(key string, client feature.Context, now time.Time) feature.Result {
	result := f.definitions.set.Evaluate(key, f.overrides, f.Context(client), now)
	f.count(&result, now)
	return result
}

// EvaluateAll says what every flag is worth, and counts them.
func (f CallerFlags) EvaluateAll(client feature.Context, now time.Time) iter.Seq[feature.Result] {
	context := f.Context(client)
	return func(yield func(feature.Result) bool) {
		for result := range f.definitions.set.EvaluateAll(f.overrides, context, now) {
			f.count(&result, now)
			if !yield(result) {
				return
			}
		}
	}
}

func (f CallerFlags) count(result *feature.Result, now time.Time) {
	if !f.preview {
		f.evaluator.usage.count(f.TenantID, result, now)
	}
}

// Explain evaluates a flag and says how it came to the result. It is not counted.
func (f CallerFlags) Explain(key string, client feature.Context, now time.Time) feature.Explanation {
	return f.definitions.set.Explain(key, f.overrides, f.Context(client), now)
}
