package rest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// payload is the body of a request that writes or calls.
type payload struct {
	// body is JSON, or what it is when raw.
	body []byte
	raw  bool
	// columns are the names of what is sent, sorted: the keys of every object, or of the parameter columns.
	columns []string
	// form are the arguments of a call whose body is a form.
	form []Param
}

// isObject says whether the body is one JSON object and not a list of them.
func (p *payload) isObject() bool {
	trimmed := bytes.TrimLeft(p.body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

func bodyError(message string) error { return newError(400, "PGRST102", message) }

// readPayload reads the body where the request has one that matters.
func (r *request) readPayload(most int64) error {
	call := r.action == callRoutine && !r.reading
	if !call && r.action != createRows && r.action != updateRows && r.action != upsertRow {
		return nil
	}
	if r.Body != nil {
		var err error
		if r.payload.body, err = io.ReadAll(io.LimitReader(r.Body, most+1)); err != nil {
			return fmt.Errorf("read body: %w", err)
		}
	}
	if int64(len(r.payload.body)) > most {
		return newError(413, "PGRST102", fmt.Sprintf("The body is larger than %d bytes", most))
	}
	p := &r.payload
	switch kind := r.content.kind; {
	case kind == mediaJSON && r.query.Columns != nil && r.action != upsertRow:
		p.columns = r.query.Columns // the database finds what is wrong with the rest
		return nil
	case kind == mediaJSON && call && len(p.body) == 0:
		p.body = []byte("{}")
		return nil
	case kind == mediaJSON:
		return p.takeJSON()
	case kind == mediaCSV:
		return p.takeCSV()
	case kind == mediaForm:
		return p.takeForm(call)
	case call && (kind == mediaText || kind == mediaXML || kind == mediaOctets):
		p.raw = true
		return nil
	}
	return bodyError("Content-Type not acceptable: " + r.content.String())
}

// takeJSON finds the keys; all objects of a list must have the same.
func (p *payload) takeJSON() error {
	if p.isObject() {
		var object map[string]json.RawMessage
		if json.Unmarshal(p.body, &object) != nil {
			return bodyError("Empty or invalid json")
		}
		p.columns = slices.Sorted(maps.Keys(object))
		return nil
	}
	trimmed := bytes.TrimLeft(p.body, " \t\r\n")
	if !json.Valid(trimmed) {
		return bodyError("Empty or invalid json")
	}
	var list []map[string]json.RawMessage
	if trimmed[0] != '[' {
		p.body = []byte("[]") // neither an object nor a list of them: nothing to store
		return nil
	}
	if json.Unmarshal(trimmed, &list) != nil {
		return bodyError("All object keys must match")
	}
	for i, object := range list {
		if object == nil {
			return bodyError("All object keys must match")
		}
		if i == 0 {
			p.columns = slices.Sorted(maps.Keys(object))
			continue
		}
		if len(object) != len(p.columns) || slices.ContainsFunc(p.columns, func(key string) bool {
			_, has := object[key]
			return !has
		}) {
			return bodyError("All object keys must match")
		}
	}
	return nil
}

// takeCSV turns lines under a header into a list of objects; NULL is null, everything else a string.
func (p *payload) takeCSV() error {
	reader := csv.NewReader(bytes.NewReader(p.body))
	lines, err := reader.ReadAll()
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return bodyError("All lines must have same number of fields")
	case err != nil:
		return bodyError("The CSV cannot be read: " + err.Error())
	case len(lines) == 0:
		return bodyError("not enough input")
	}
	names := lines[0]
	list := make([]map[string]*string, 0, len(lines)-1)
	for _, line := range lines[1:] {
		object := make(map[string]*string, len(names))
		for i := range names {
			if line[i] == "NULL" {
				object[names[i]] = nil
			} else {
				object[names[i]] = &line[i]
			}
		}
		list = append(list, object)
	}
	if p.body, err = json.Marshal(list); err != nil {
		return fmt.Errorf("turn CSV into JSON: %w", err)
	}
	if len(list) > 0 {
		p.columns = slices.Compact(slices.Sorted(slices.Values(names)))
	}
	return nil
}

// takeForm reads a form: the arguments of a call, or one object of strings.
func (p *payload) takeForm(call bool) error {
	object := map[string]string{}
	for _, pair := range splitQuery(strings.TrimSpace(string(p.body))) {
		p.form = append(p.form, Param{pair.name, pair.value})
		object[pair.name] = pair.value
	}
	p.columns = slices.Sorted(maps.Keys(object))
	if call {
		return nil
	}
	var err error
	p.form = nil
	p.body, err = json.Marshal(object)
	return err
}
