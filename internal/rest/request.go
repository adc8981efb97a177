package rest

import (
	"io"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Request is one HTTP request, as far as the dialect reads it.
type Request struct {
	Method string
	// Path is the escaped path below the base path: /films.
	Path     string
	RawQuery string
	Header   textproto.MIMEHeader
	Body     io.Reader
}

// action is what a request wants.
type action int

const (
	readRows action = iota
	createRows
	updateRows
	upsertRow
	deleteRows
	callRoutine
	describeSchema
	optionsOfRelation
	optionsOfRoutine
	optionsOfSchema
)

func (a action) mutates() bool { return a >= createRows && a <= deleteRows }

// request is a Request that has been read.
type request struct {
	*Request
	action action
	// headOnly says that the body is not wanted; reading, that a function is called with GET or HEAD.
	headOnly, reading bool
	schema            string
	profiled          bool // the answer names the schema
	target            Name
	query             *Query
	top               Range // of the root
	prefer            preferences
	accept            []mediaType
	content           mediaType
	payload           payload
}

// everything is the Range without bounds.
var everything = Range{Limit: Unlimited}

// read makes sense of a request; it knows nothing of the database yet.
func (c *Config) read(in *Request) (*request, error) {
	r := &request{Request: in}
	name, isRoutine, err := resource(in.Path)
	if err != nil {
		return nil, err
	}
	if name == "" && c.RootFunction != "" {
		name, isRoutine = c.RootFunction, true
	}
	if err := r.chooseSchema(c.Schemas); err != nil {
		return nil, err
	}
	r.target = Name{r.schema, name}
	if err := r.chooseAction(name, isRoutine); err != nil {
		return nil, err
	}
	r.prefer = parsePreferences(in.Header["Prefer"], c.TxOverride)
	r.accept = parseAccept(strings.Join(in.Header["Accept"], ", "))
	r.content = mediaType{kind: mediaJSON}
	if content := in.Header.Get("Content-Type"); content != "" {
		r.content = parseMediaType(content)
	}
	if r.query, err = parseQuery(in.RawQuery, r.action == callRoutine && r.reading); err != nil {
		return nil, requestError(err)
	}
	if r.top, err = r.window(); err != nil {
		return nil, err
	}
	return r, r.readPayload(c.MaxBodyBytes)
}

// resource splits a path into the relation or function it names; the root has no name.
func resource(path string) (name string, isRoutine bool, err error) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, segment := range segments {
		if segments[i], err = url.PathUnescape(segment); err != nil {
			return "", false, newError(404, "PGRST125", "Invalid path specified in request URL")
		}
	}
	switch {
	case len(segments) == 1:
		return segments[0], false, nil
	case len(segments) == 2 && segments[0] == "rpc" && segments[1] != "":
		return segments[1], true, nil
	}
	return "", false, newError(404, "PGRST125", "Invalid path specified in request URL")
}

// chooseSchema takes the schema the profile header names, else the first.
func (r *request) chooseSchema(exposed []string) error {
	header := "Accept-Profile"
	switch r.Method {
	case "POST", "PATCH", "PUT", "DELETE":
		header = "Content-Profile"
	}
	r.schema, r.profiled = exposed[0], len(exposed) != 1
	named := r.Header.Get(header)
	if named == "" {
		return nil
	}
	if !slices.Contains(exposed, named) {
		e := newError(406, "PGRST106", "Invalid schema: "+named)
		e.Hint = "Only the following schemas are exposed: " + strings.Join(exposed, ", ")
		return e
	}
	r.schema, r.profiled = named, true
	return nil
}

func (r *request) chooseAction(name string, isRoutine bool) error {
	r.headOnly = r.Method == "HEAD"
	r.reading = r.Method != "POST"
	relation := map[string]action{
		"HEAD": readRows, "GET": readRows, "POST": createRows, "PUT": upsertRow, "PATCH": updateRows,
		"DELETE": deleteRows, "OPTIONS": optionsOfRelation,
	}
	routine := map[string]action{"HEAD": callRoutine, "GET": callRoutine, "POST": callRoutine, "OPTIONS": optionsOfRoutine}
	root := map[string]action{"HEAD": describeSchema, "GET": describeSchema, "OPTIONS": optionsOfSchema}
	known, ok := relation[r.Method]
	switch {
	case isRoutine:
		if known, ok = routine[r.Method]; !ok {
			return newError(405, "PGRST101", "Cannot use the "+r.Method+" method on RPC")
		}
	case name == "":
		known, ok = root[r.Method]
	}
	if !ok {
		return newError(405, "PGRST117", "Unsupported HTTP method: "+r.Method)
	}
	r.action = known
	return nil
}

var rangeHeader = regexp.MustCompile(`^([0-9]+)-([0-9]*)$`)

// window is the range of rows asked for, by the header Range (of GET alone, RFC 9110) and by limit and offset:
// what both allow.
func (r *request) window() (Range, error) {
	asked, limited := r.query.Ranges["limit"]
	if !limited {
		asked = everything
	}
	if asked.Limit < 0 && asked.Limit != Unlimited {
		return asked, rangeError("Limit should be greater than or equal to zero.")
	}
	if header := rangeHeader.FindStringSubmatch(r.Header.Get("Range")); header != nil && r.Method == "GET" {
		from, err := strconv.ParseInt(header[1], 10, 62)
		to, openEnd := strconv.ParseInt(header[2], 10, 62)
		if err != nil || openEnd == nil && to < from {
			return asked, rangeError("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
		}
		if openEnd != nil {
			to = -1
		}
		asked = asked.within(from, to)
		if asked.Limit < 0 && asked.Limit != Unlimited {
			return asked, rangeError("Limit should be greater than or equal to zero.")
		}
	}
	if r.Method == "PUT" && asked != everything {
		return asked, newError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
	}
	return asked, nil
}

func rangeError(details string) *Error {
	e := newError(416, "PGRST103", "Requested range not satisfiable")
	e.Details = details
	return e
}

// within narrows r to the rows from and to, where to -1 is the last; a limit of zero stays one.
func (r Range) within(from, to int64) Range {
	if r.Limit == 0 {
		return r
	}
	end := Unlimited
	if r.Limit != Unlimited {
		end = r.Offset + r.Limit
	}
	if to >= 0 && (end == Unlimited || to+1 < end) {
		end = to + 1
	}
	narrow := Range{Offset: max(r.Offset, from), Limit: Unlimited}
	if end != Unlimited {
		if narrow.Limit = end - narrow.Offset; narrow.Limit <= 0 {
			narrow.Limit = -1
		}
	}
	return narrow
}

// atMost narrows r to n rows.
func (r Range) atMost(n int64) Range {
	if n > 0 && (r.Limit == Unlimited || r.Limit > n) {
		r.Limit = n
	}
	return r
}
