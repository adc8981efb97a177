package rest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

const streamBuffer = 64 << 10

// beginStream sends what goes before a body too large to keep. How many rows follow is not known yet unless
// they were counted; without Content-Range then, which may not come behind a body (RFC 9110, 6.5.1).
func (e *Engine) beginStream(o *outcome, took timing, out Responder) (io.Writer, error) {
	header := o.header()
	status := 200
	if o.total != nil {
		window := o.plan.read.window
		page := max(*o.total-window.Offset, 0)
		if window.Limit != Unlimited {
			page = min(page, window.Limit)
		}
		status = rangeStatus(window.Offset, page, o.total)
		header.Set("Content-Range", contentRange(window.Offset, window.Offset+page-1, o.total))
	}
	status, err := o.override(status, header) // what was set before the rows
	if err != nil {
		return nil, err
	}
	e.addTiming(header, took, 0)
	return bufio.NewWriterSize(out.Stream(status, header), streamBuffer), nil
}

// flush sends what a stream has left.
func flush(stream io.Writer) error {
	if buffered, ok := stream.(*bufio.Writer); ok {
		return buffered.Flush()
	}
	return nil
}

// maxLocationBytes is the longest Content-Location that is sent. It repeats the URL, which may be longer than
// what clients and proxies take as headers: Node's fetch ends at 16 KiB, nginx at 4 or 8.
const maxLocationBytes = 2 << 10

// header is what every answer of a plan carries.
func (o *outcome) header() textproto.MIMEHeader {
	r := o.plan.request
	header := textproto.MIMEHeader{}
	if applied := o.plan.applied().applied(); applied != "" {
		header.Set("Preference-Applied", applied)
	}
	if o.plan.showsBody() {
		header.Set("Content-Type", o.plan.handler.media.contentType())
		if r.profiled {
			header.Set("Content-Profile", r.schema)
		}
	}
	if r.action == readRows {
		location := "/" + r.target.Name
		if r.query.Canonical != "" {
			location += "?" + r.query.Canonical
		}
		if len(location) <= maxLocationBytes {
			header.Set("Content-Location", location)
		}
	}
	return header
}

// showsBody says that the answer is of a media type: rows that are read or returned.
func (p *plan) showsBody() bool {
	if p.mutate != nil {
		return p.request.prefer.representation == "representation"
	}
	return p.call == nil || !p.call.routine.returnsVoid()
}

// applied are the preferences that mattered.
func (p *plan) applied() preferences {
	applied := p.request.prefer
	change := p.request.action
	if change != createRows || len(p.mutate.table.PrimaryKey) == 0 && p.request.query.OnConflict == nil {
		applied.resolution = ""
	}
	if p.mutate == nil {
		applied.representation = ""
	}
	if change != createRows && change != updateRows {
		applied.missing = ""
	}
	if change != updateRows && change != deleteRows && p.call == nil {
		applied.maxAffected = nil
	}
	return applied
}

// respond sends an answer that has been kept whole.
func (e *Engine) respond(o *outcome, session Session, took timing, out Responder) error {
	started := time.Now()
	status, header, body := 200, o.header(), true
	switch p := o.plan; {
	case p.handler.media.kind == mediaPlan:
		header.Del("Content-Location")
	case p.mutate != nil:
		status, body = o.changed(header)
	default:
		total := e.total(o, session)
		lower := p.read.window.Offset
		status = rangeStatus(lower, o.page(), total)
		header.Set("Content-Range", contentRange(lower, lower+o.page()-1, total))
		if status == 416 {
			return outOfBounds(lower, total)
		}
		body = !p.request.headOnly
		if p.call != nil && p.call.routine.returnsVoid() {
			status, body = 204, false
		}
	}
	status, err := o.override(status, header)
	if err != nil {
		return err
	}
	e.addTiming(header, took, time.Since(started))
	if !body || status == 204 || status == 304 { // these have none, whoever says so
		if o.plan.request.action == createRows {
			header.Set("Content-Length", "0")
		}
		out.Begin(status, header)
		return nil
	}
	return o.send(status, header, out)
}

// page is how many rows are answered; a single value is one.
func (o *outcome) page() int64 {
	if o.plan.call != nil && !o.plan.call.routine.setOf {
		return 1
	}
	return o.rows
}

// send sends a body with its tag, or tells a client that has it that it is current.
func (o *outcome) send(status int, header textproto.MIMEHeader, out Responder) error {
	content, whole := o.body.whole()
	if whole {
		header.Set("Content-Length", strconv.Itoa(len(content)))
		if status == 200 && o.plan.request.Method == "GET" {
			tag := `"` + strconv.FormatUint(xxhash.Sum64(content), 36) + "-" + strconv.Itoa(len(content)) + `"`
			header.Set("Etag", tag)
			if matches(o.plan.request.Header.Get("If-None-Match"), tag) {
				header.Del("Content-Length")
				header.Del("Content-Type")
				out.Begin(304, header)
				return nil
			}
		}
	}
	return o.body.writeTo(out.Begin(status, header))
}

// matches says whether a list of tags has tag.
func matches(list, tag string) bool {
	for given := range strings.SplitSeq(list, ",") {
		if given = strings.TrimPrefix(strings.TrimSpace(given), "W/"); given == tag || given == "*" {
			return true
		}
	}
	return false
}

// changed is the status of a change, and whether its rows are answered.
func (o *outcome) changed(header textproto.MIMEHeader) (status int, body bool) {
	p := o.plan
	shown := p.showsBody()
	var total *int64
	if p.request.prefer.counts() || p.request.prefer.count == "planned" {
		total = &o.rows
	}
	switch p.request.action {
	case createRows:
		header.Set("Content-Range", contentRange(1, 0, total))
		if len(o.location) > 0 {
			header.Set("Location", "/"+p.table().Name.Name+"?"+strings.Join(o.location, "&"))
		}
		if p.upserts() && len(p.mutate.conflict) > 0 && o.inserted <= 0 {
			return 200, shown
		}
		return 201, shown
	case upsertRow:
		switch {
		case !shown:
			return 204, false
		case o.inserted > 0:
			return 201, true
		}
		return 200, true
	case updateRows:
		header.Set("Content-Range", contentRange(0, o.rows-1, total))
	default:
		header.Set("Content-Range", contentRange(1, 0, total))
	}
	if shown {
		return 200, true
	}
	return 204, false
}

func (p *plan) table() *Table { return p.mutate.table }

// total is how many rows there are, as far as the request wants to know.
func (e *Engine) total(o *outcome, session Session) *int64 {
	count := o.plan.request.prefer.count
	exact := o.total
	if exact == nil && (o.plan.request.prefer.counts() || session.Sealed && count != "") {
		rows := o.page()
		if o.plan.request.headOnly {
			rows = o.rows
		}
		exact = &rows
	}
	if session.Sealed {
		return exact
	}
	switch {
	case count == "planned":
		return o.planned
	case count == "estimated" && o.planned != nil && exact != nil && *exact > e.config.MaxRows:
		larger := max(*exact, *o.planned)
		return &larger
	}
	return exact
}

// firstFinal is the least status that ends an answer.
const firstFinal = 200

func rangeStatus(lower, page int64, total *int64) int {
	switch {
	case total == nil:
		return 200
	case lower > *total:
		return 416
	case page < *total:
		return 206
	}
	return 200
}

func contentRange(lower, upper int64, total *int64) string {
	text := "*"
	if lower <= upper && (total == nil || *total != 0) {
		text = strconv.FormatInt(lower, 10) + "-" + strconv.FormatInt(upper, 10)
	}
	if total == nil {
		return text + "/*"
	}
	return text + "/" + strconv.FormatInt(*total, 10)
}

func outOfBounds(lower int64, total *int64) error {
	e := rangeError(fmt.Sprintf("An offset of %d was requested, but there are only %d rows.", lower, *total))
	e.Header = map[string]string{"Content-Range": contentRange(1, 0, total)}
	return e
}

// override lets functions of the database have the last word on status and headers.
func (o *outcome) override(status int, header textproto.MIMEHeader) (int, error) {
	if o.headers != "" {
		var given []map[string]string
		malformed := newError(500, "PGRST111", "response.headers guc must be a JSON array composed of objects with a single key and a string value")
		if json.Unmarshal([]byte(o.headers), &given) != nil {
			return 0, malformed
		}
		set := map[string]bool{}
		for _, one := range given {
			if len(one) != 1 {
				return 0, malformed
			}
			for name, value := range one {
				name = textproto.CanonicalMIMEHeaderKey(name)
				if !set[name] {
					header.Del(name)
				}
				set[name] = true
				header.Add(name, value)
			}
		}
	}
	if o.status == "" {
		return status, nil
	}
	given, err := strconv.Atoi(o.status)
	if err != nil || given < firstFinal || given > 999 {
		return 0, newError(500, "PGRST112", "response.status guc must be a valid status code")
	}
	return given, nil
}

func (e *Engine) addTiming(header textproto.MIMEHeader, took timing, respond time.Duration) {
	if !e.config.Timing {
		return
	}
	ms := func(d time.Duration) string { return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', -1, 64) }
	header.Set("Server-Timing", "parse;dur="+ms(took.parse)+", plan;dur="+ms(took.plan)+", transaction;dur="+ms(took.transaction)+
		", response;dur="+ms(respond))
}

// respondOptions says what can be done with a relation, a function or the root.
func respondOptions(catalog *Catalog, r *request, out Responder) error {
	allow := "OPTIONS,GET,HEAD"
	switch r.action {
	case optionsOfRelation:
		t, err := catalog.table(r.target)
		if err != nil {
			return err
		}
		if t.Insertable {
			allow += ",POST"
		}
		if t.Insertable && t.Updatable && len(t.PrimaryKey) > 0 {
			allow += ",PUT"
		}
		if t.Updatable {
			allow += ",PATCH"
		}
		if t.Deletable {
			allow += ",DELETE"
		}
	case optionsOfRoutine:
		routine, err := catalog.routine(r.target, paramNames(r.query.Params), r.content.kind, false)
		if err != nil {
			return err
		}
		if allow += ",POST"; routine.volatility == "volatile" {
			allow = "OPTIONS,POST"
		}
	default: // the root
	}
	header := textproto.MIMEHeader{}
	header.Set("Allow", allow)
	header.Set("Content-Length", "0")
	out.Begin(200, header)
	return nil
}
