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
		return p.takeCSV(csvGrowth * most)
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
		var object map[string]passedOver
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
	if trimmed[0] != '[' {
		p.body = []byte("[]") // neither an object nor a list of them: nothing to store
		return nil
	}
	return p.takeList(json.NewDecoder(bytes.NewReader(trimmed)))
}

// passedOver is a JSON value nobody looks at yet: the database reads it.
type passedOver struct{}

// UnmarshalJSON keeps nothing.
func (*passedOver) UnmarshalJSON([]byte) error { return nil }

// takeList looks at one object of a list after the other, and keeps none.
func (p *payload) takeList(list *json.Decoder) error {
	_, _ = list.Token() // the bracket
	var object map[string]passedOver
	for first := true; list.More(); first = false {
		clear(object)
		if list.Decode(&object) != nil || object == nil {
			return bodyError("All object keys must match")
		}
		if first {
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

const (
	// csvGrowth is how much longer a body of CSV may be as JSON, where every line repeats the names.
	csvGrowth = 4
	// maxFormFields bounds the fields of a form.
	maxFormFields = 10_000
)

// takeCSV turns lines under a header into a list of objects; NULL is null, everything else a string.
func (p *payload) takeCSV(most int64) error {
	reader := csv.NewReader(bytes.NewReader(p.body))
	names, err := reader.Read()
	if err != nil {
		return csvError(err)
	}
	last := map[string]int{} // of a name that comes twice the last counts
	for i, name := range names {
		last[name] = i
	}
	columns := slices.Sorted(maps.Keys(last))
	keys := make([][]byte, len(columns))
	for i, name := range columns {
		keys[i], _ = json.Marshal(name) // a string always can be
	}
	reader.ReuseRecord = true
	var list bytes.Buffer
	list.WriteByte('[')
	for {
		line, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvError(err)
		}
		if p.columns == nil {
			p.columns = columns
		} else {
			list.WriteByte(',')
		}
		for i, name := range columns {
			list.WriteByte("{,"[min(i, 1)])
			list.Write(keys[i])
			list.WriteByte(':')
			value := []byte("null")
			if text := line[last[name]]; text != "NULL" {
				value, _ = json.Marshal(text)
			}
			list.Write(value)
		}
		list.WriteByte('}')
		if int64(list.Len()) > most {
			return newError(413, "PGRST102", fmt.Sprintf("The CSV is larger than %d bytes as JSON", most))
		}
	}
	list.WriteByte(']')
	p.body = list.Bytes()
	return nil
}

func csvError(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return bodyError("not enough input")
	case errors.Is(err, csv.ErrFieldCount):
		return bodyError("All lines must have same number of fields")
	}
	return bodyError("The CSV cannot be read: " + err.Error())
}

// takeForm reads a form: the arguments of a call, or one object of strings.
func (p *payload) takeForm(call bool) error {
	if bytes.Count(p.body, []byte("&")) >= maxFormFields {
		return newError(413, "PGRST102", fmt.Sprintf("The form has more than %d fields", maxFormFields))
	}
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
