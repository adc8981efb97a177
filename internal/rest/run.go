package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/postgres"
)

// outcome is what came of a plan.
type outcome struct {
	plan     *plan
	body     *spool
	rows     int64  // answered, or changed
	total    *int64 // that there are
	planned  *int64 // that the database expects
	inserted int64  // by an upsert
	location []string
	// What functions have set.
	status, headers string

	restarted func() error // called at each attempt, before anything is read
	columns   []string     // of CSV
}

// answer runs the plan and sends what comes of it.
func (e *Engine) answer(ctx context.Context, catalog *Catalog, p *plan, session Session, took timing, out Responder) error {
	o := &outcome{plan: p, body: newSpool(e.config.SpoolBytes)}
	defer o.body.close()
	started := time.Now()
	streaming := false
	o.restarted = func() error {
		if streaming {
			return errors.New("the answer was cut while it was being sent")
		}
		o.body.reset()
		o.rows, o.total, o.location, o.columns = 0, nil, nil, nil
		return nil
	}
	var work *postgres.Work
	if p.mayStream() {
		o.body.overflow = func() (io.Writer, error) {
			if work.Recorded { // nobody is told before the record is kept
				return o.body.openFile()
			}
			streaming = true
			took.transaction = time.Since(started)
			return e.beginStream(o, took, out)
		}
	}
	work = e.work(catalog, p, session, o)
	err := session.Run(ctx, work)
	if p.columns != nil && !streaming && p.isOutdated(err) {
		e.Reload()
		p.columns, p.text = nil, "" // the database knows
		work = e.work(catalog, p, session, o)
		err = session.Run(ctx, work)
	}
	if err != nil {
		return err
	}
	took.transaction = time.Since(started)
	if streaming {
		return flush(o.body.beyond)
	}
	return e.respond(o, session, took, out)
}

// mayStream says that the answer may go out before the transaction has ended: rows that are only read, whose
// number nobody checks.
func (p *plan) mayStream() bool {
	return p.request.action == readRows && !p.request.headOnly && p.handler.kind != asObject && p.handler.kind != byFunction &&
		p.handler.media.kind != mediaPlan
}

// work is the transaction of a plan.
func (e *Engine) work(catalog *Catalog, p *plan, session Session, o *outcome) *postgres.Work {
	r := p.request
	work := &postgres.Work{
		Name: workName(r), Subject: r.target.Name, Foreign: p.foreign, Timeout: catalog.timeout(session.Role, p),
		Rollback: r.prefer.transaction == "rollback" || e.config.RollbackAll && r.prefer.transaction != "commit",
		Settings: e.settings(p, session),
	}
	work.Writes = p.mutate != nil || p.call != nil && !r.reading && p.call.routine.volatility == "volatile"
	work.Confirm = work.Writes && p.mayBeRefused()
	if p.call != nil {
		work.Isolation = isolationOf(p.call.routine)
	}
	if session.Recorded {
		work.Access = p.access(o, session.Sealed)
	}
	if e.config.PreRequest.Name != "" {
		w := &sqlWriter{}
		w.text("SELECT ")
		w.qualified(e.config.PreRequest)
		w.text("()")
		work.Generated(w.String(), nil, nil)
		if p.mayStream() { // then its word on status and headers goes out before the rows
			work.Generated(afterwards, nil, o.readAfterwards)
		}
	}
	text, values := p.statement()
	work.Generated(text, values, o.readMain)
	if !session.Sealed && (r.prefer.count == "planned" || r.prefer.count == "estimated") && p.mutate == nil && p.call == nil {
		w := &sqlWriter{}
		w.text("EXPLAIN (FORMAT JSON) ")
		w.count(p.read)
		work.Generated(w.String(), w.values, o.readPlanned)
	}
	if !session.Sealed || p.foreign || p.upserts() {
		work.Generated(afterwards, nil, o.readAfterwards)
	}
	return work
}

// afterwards asks what functions have set for the answer, and what an upsert has counted.
const afterwards = "SELECT nullif(current_setting('response.status', true), ''), nullif(current_setting('response.headers', true), ''), " +
	"nullif(current_setting('" + insertedSetting + "', true), '')"

func workName(r *request) string {
	return map[action]string{
		readRows: "RestRead", createRows: "RestInsert", updateRows: "RestUpdate", upsertRow: "RestUpsert",
		deleteRows: "RestDelete", callRoutine: "RestCall",
	}[r.action]
}

func (p *plan) upserts() bool { return p.mutate != nil && p.mutate.resolution == "merge-duplicates" }

// mayBeRefused says that the number of rows decides whether a change is kept.
func (p *plan) mayBeRefused() bool {
	return p.handler.kind == asObject || p.request.action == upsertRow || p.counted && p.read.window.Offset > 0 ||
		p.request.prefer.maxAffected != nil && p.request.prefer.handling == "strict"
}

func isolationOf(r *Routine) postgres.Isolation {
	switch strings.ToLower(strings.Trim(r.isolation, `"' `)) {
	case "repeatable read":
		return postgres.RepeatableRead
	case "serializable":
		return postgres.Serializable
	}
	return postgres.ReadCommitted
}

// timeout is the bound of a statement: the function's own, else the role's; zero for the server's.
func (c *Catalog) timeout(role string, p *plan) time.Duration {
	if p.call != nil && p.call.routine.timeout != "" {
		return parseTimeout(p.call.routine.timeout)
	}
	return parseTimeout(c.timeouts[role])
}

// parseTimeout reads a duration as PostgreSQL writes it; a bare number is milliseconds.
func parseTimeout(text string) time.Duration {
	text = strings.Trim(text, `"' `)
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0
	}
	unit, ok := map[string]time.Duration{
		"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute,
		"h": time.Hour, "d": 24 * time.Hour,
	}[strings.TrimSpace(text[len(digits):])]
	if !ok {
		return 0
	}
	return time.Duration(n * float64(unit))
}

// settings are what functions of the database can know of the request. Where identities are sealed only
// functions that are not VITAL's would ask.
func (e *Engine) settings(p *plan, session Session) []postgres.Setting {
	r := p.request
	var settings []postgres.Setting
	if !session.Sealed {
		w := &sqlWriter{}
		list(w, ", ", append([]string{r.schema}, e.config.SearchPath...), w.name)
		settings = append(settings, postgres.Setting{Name: "search_path", Value: w.String()})
	}
	if r.prefer.timezone != "" {
		settings = append(settings, postgres.Setting{Name: "timezone", Value: r.prefer.timezone})
	}
	if session.Sealed && !p.foreign {
		return settings
	}
	headers, cookies := map[string]string{}, map[string]string{}
	for name, values := range r.Header {
		switch name = strings.ToLower(name); {
		case name == "cookie":
			for pair := range strings.SplitSeq(strings.Join(values, ";"), ";") {
				if key, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
					cookies[key] = value
				}
			}
		case !e.config.ShowCredentials && (name == "authorization" || name == "apikey"):
		default:
			headers[name] = strings.Join(values, ", ")
		}
	}
	asJSON := func(object map[string]string) string {
		encoded, _ := json.Marshal(object) // strings always can be
		return string(encoded)
	}
	return append(settings,
		postgres.Setting{Name: "request.method", Value: r.Method},
		postgres.Setting{Name: "request.path", Value: r.Path},
		postgres.Setting{Name: "request.headers", Value: asJSON(headers)},
		postgres.Setting{Name: "request.cookies", Value: asJSON(cookies)},
	)
}

// readMain reads the answer of the main statement.
func (o *outcome) readMain(answer *pgconn.ResultReader) error {
	if err := o.restarted(); err != nil {
		return err
	}
	p := o.plan
	switch {
	case p.handler.media.kind == mediaPlan:
		return o.readExplained(answer)
	case p.minimal():
		tag, err := answer.Close()
		o.rows = tag.RowsAffected()
		if err != nil {
			return err
		}
		return o.check()
	case p.request.headOnly:
		return o.readCounts(answer)
	}
	if err := o.readRows(answer); err != nil {
		return err
	}
	if _, err := answer.Close(); err != nil {
		return err
	}
	return o.check()
}

func (o *outcome) readCounts(answer *pgconn.ResultReader) error {
	for answer.NextRow() {
		values := answer.Values()
		o.rows = number(values[0])
		if o.plan.counted {
			total := number(values[1])
			o.total = &total
		}
	}
	if _, err := answer.Close(); err != nil {
		return err
	}
	return o.check()
}

func number(text []byte) int64 {
	n, _ := strconv.ParseInt(string(text), 10, 64) // the database wrote it
	return n
}

// readRows reads row by row and writes the body.
func (o *outcome) readRows(answer *pgconn.ResultReader) error {
	writer := o.rowWriter(answer)
	for answer.NextRow() {
		values := answer.Values()
		if o.plan.counted {
			if o.total == nil {
				total := number(values[0])
				o.total = &total
			}
			if values[1] == nil {
				continue // the row that only carries the total
			}
			values = values[2:]
		}
		o.rows++
		if err := writer.row(o.rows, values); err != nil {
			return err
		}
	}
	return writer.end(o.rows)
}

// check refuses what has another number of rows than the request allows.
func (o *outcome) check() error {
	p, strict := o.plan, o.plan.request.prefer.handling == "strict"
	limit := o.plan.request.prefer.maxAffected
	changes := p.request.action == updateRows || p.request.action == deleteRows || p.call != nil
	switch {
	case p.request.action == upsertRow && o.rows != 1:
		return newError(400, "PGRST115", "Payload values do not match URL in primary key column(s)")
	case p.handler.kind == asObject && p.request.action != upsertRow && o.rows != 1:
		e := newError(406, "PGRST116", "Cannot coerce the result to a single JSON object")
		e.Details = fmt.Sprintf("The result contains %d rows", o.rows)
		return e
	case changes && strict && limit != nil && o.rows > *limit:
		e := newError(400, "PGRST124", "Query result exceeds max-affected preference constraint")
		e.Details = fmt.Sprintf("The query affects %d rows", o.rows)
		return e
	case p.call != nil && o.total != nil && p.read.window.Offset > *o.total:
		return outOfBounds(p.read.window.Offset, o.total)
	}
	return nil
}

func (o *outcome) readExplained(answer *pgconn.ResultReader) error {
	for answer.NextRow() {
		if _, err := o.body.Write(append(answer.Values()[0], '\n')); err != nil {
			return err
		}
	}
	_, err := answer.Close()
	return err
}

// readPlanned reads how many rows the planner expects.
func (o *outcome) readPlanned(answer *pgconn.ResultReader) error {
	var explained []struct {
		Plan struct {
			Rows int64 `json:"Plan Rows"`
		}
	}
	for answer.NextRow() {
		if err := json.Unmarshal(answer.Values()[0], &explained); err != nil {
			return fmt.Errorf("read plan: %w", err)
		}
	}
	if len(explained) > 0 {
		o.planned = &explained[0].Plan.Rows
	}
	return nil
}

func (o *outcome) readAfterwards(answer *pgconn.ResultReader) error {
	for answer.NextRow() {
		values := answer.Values()
		o.status, o.headers, o.inserted = string(values[0]), string(values[1]), number(values[2])
	}
	return nil
}

// locate reads from a created row what its address is: its primary key.
func (o *outcome) locate(row []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(row, &values); err != nil {
		return fmt.Errorf("read created row: %w", err)
	}
	o.location = nil
	key := o.plan.mutate.table.PrimaryKey
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(key, name) {
			continue
		}
		raw := values[name]
		condition := "eq." + string(raw)
		var text string
		switch {
		case string(raw) == "null":
			condition = "is.null"
		case json.Unmarshal(raw, &text) == nil:
			condition = "eq." + text
		}
		o.location = append(o.location, escape(name)+"="+escape(condition))
	}
	return nil
}
