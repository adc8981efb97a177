package perf

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Lineage is why a load fared as it did: what was done for it, whom else it concerns, since when, and what was changed just
// before.
type Lineage struct {
	Load    Told   `json:"load"`
	Verdict string `json:"verdict"` // failed, slow or well
	// Typical is what such a load takes that no memory answers, in milliseconds; null where none is known.
	Typical *float64 `json:"typical_ms"`
	// Scope is how far it reaches: user, tenant or everybody; "" for a load that fared well.
	Scope string `json:"scope,omitempty"`
	// Since is when the first such load was recorded behind the last good one.
	Since  *time.Time `json:"since"`
	began  time.Time  // when the first of them had ended: what is behind it all was done by then
	Reach  []Reach    `json:"reach,omitempty"`
	Before []Change   `json:"changes_before,omitempty"` // the latest first
}

// Told is a record in full.
type Told struct {
	At           time.Time  `json:"at"`
	Type         string     `json:"query_type"`
	Name         string     `json:"query_name"`
	TenantID     uuid.UUID  `json:"tenant_id"`
	Tenant       *string    `json:"tenant"` // slug
	UserID       *uuid.UUID `json:"user_id"`
	User         *string    `json:"user"` // address
	UserTenant   *string    `json:"user_default_tenant"`
	UserTenantID *uuid.UUID `json:"-"`
	Duration     *float64   `json:"duration_ms"`
	Rows         *int64     `json:"rows"`
	CacheHit     bool       `json:"cache_hit"`
	Success      bool       `json:"success"`
	Code         string     `json:"code,omitempty"`
	Message      string     `json:"message,omitempty"`
	Weight       int64      `json:"weight"`
	Steps        []ToldStep `json:"steps"`
}

// ended is when it was answered.
func (t *Told) ended() time.Time {
	if t.Duration == nil {
		return t.At
	}
	return t.At.Add(time.Duration(*t.Duration * float64(time.Millisecond)))
}

// ToldStep is a step as it was recorded.
type ToldStep struct {
	Name   string `json:"step"`
	Micros int64  `json:"duration_us"`
	Rows   int64  `json:"rows,omitempty"`
	Code   string `json:"code,omitempty"`
}

// Reach is how such loads fare for one user, one tenant, and everybody.
type Reach struct {
	Scope    string     `json:"scope"`
	LastGood *time.Time `json:"last_good"` // before it
	NextGood *time.Time `json:"next_good"` // behind it
	Since    *time.Time `json:"since"`
	Until    *time.Time `json:"until"` // the last of them
	Loads    int64      `json:"loads"` // that have failed, or were slow, in between
	Users    int64      `json:"users"`
	Tenants  int64      `json:"tenants"`

	NextGoodEnded, FirstEnded *time.Time `json:"-"`
}

// Change is something that was done to a tenant, the platform or its servers.
type Change struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // audit, flag, override, migration or deploy
	What   string    `json:"what"`
	Who    *string   `json:"who"`
	Reason *string   `json:"reason"`
	Times  int       `db:"-" json:"times"` // how often in a row; At is the latest
}

const (
	// lookedBack is how far the last good load is looked for, changesBefore how long before the first bad one changes are.
	lookedBack, changesBefore = 7 * 24 * time.Hour, 24 * time.Hour
)

// Why returns the lineage of each load that was recorded of a request. slow is from when on a load is.
func Why(ctx context.Context, db Querier, requestID string, slow time.Duration) ([]Lineage, error) {
	rows, err := db.Query(ctx, statsQueries.Get("OfRequest"), requestID)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Told])
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "No load of a request with this id is recorded.",
			"The id is that of X-Request-Id, an error's request_id or a log line. Of loads that fared well only some are kept, and all for VITAL_LOAD_DAYS alone.")
	}
	lineages := make([]Lineage, len(found))
	for i, load := range found {
		if lineages[i], err = why(ctx, db, load, slow); err != nil {
			return nil, err
		}
	}
	return lineages, nil
}

func why(ctx context.Context, db Querier, load Told, slow time.Duration) (Lineage, error) {
	line := Lineage{Load: load, Verdict: "well"}
	if err := one(ctx, db, "Typical", &line.Typical, load.Name, load.At); err != nil {
		return line, err
	}
	switch {
	case !load.Success:
		line.Verdict = "failed"
	case load.Duration != nil && *load.Duration > float64(slow.Microseconds())/1000:
		line.Verdict = "slow"
	default:
		return line, nil
	}
	tenant := &load.TenantID
	if *tenant == platform {
		tenant = load.UserTenantID
	}
	rows, err := db.Query(ctx, statsQueries.Get("Reach"), load.Name, load.Code, load.At, load.UserID, &load.TenantID, slow.Microseconds(), lookedBack, load.ended())
	if err != nil {
		return line, err
	}
	if line.Reach, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Reach]); err != nil {
		return line, err
	}
	line.judge()
	rows, err = db.Query(ctx, statsQueries.Get("ChangesBefore"), line.began, changesBefore, tenant)
	if err != nil {
		return line, err
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Change])
	line.Before = gathered(changes)
	return line, err
}

// changesShown bounds how many different changes are shown.
const changesShown = 10

// gathered puts changes that are alike and follow on each other into one.
func gathered(changes []Change) (kept []Change) {
	same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	for _, c := range changes {
		if last := len(kept) - 1; last >= 0 && kept[last].Kind == c.Kind && kept[last].What == c.What && same(kept[last].Who, c.Who) && same(kept[last].Reason, c.Reason) {
			kept[last].Times++
			continue
		}
		if len(kept) == changesShown {
			break
		}
		c.Times = 1
		kept = append(kept, c)
	}
	return kept
}

// judge finds the widest scope in which others fare alike and nobody has fared well meanwhile: what is wrong there is wrong for
// all of it. Loads that overlap say nothing of each other: the one that began first may have been answered last.
func (l *Lineage) judge() {
	l.Since, l.began = &l.Load.At, l.Load.At
	users, until := int64(0), l.Load.At
	for _, r := range l.Reach {
		switch {
		case r.Since == nil, l.Scope != "" && r.Users <= users:
			continue
		case l.Scope != "" && (r.LastGood != nil && r.LastGood.After(l.began) || r.NextGoodEnded != nil && r.NextGoodEnded.Before(until)):
			return
		}
		l.Scope, l.Since, l.began, users, until = r.Scope, r.Since, *r.FirstEnded, r.Users, *r.Until
	}
}

// one reads the one value of a query's one row.
func one(ctx context.Context, db Querier, query string, into any, args ...any) error {
	rows, err := db.Query(ctx, statsQueries.Get(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into); err != nil {
			return err
		}
	}
	return rows.Err()
}
