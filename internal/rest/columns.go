package rest

import (
	"bytes"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Rows that are read come as columns, not as JSON, where all that is left to do is to put braces, names and
// quotes around them: row_to_json looks up for each value how its type is shown, which costs more than
// reading the row. What is written is the same to the byte. Whatever takes knowing a type is still made by the
// database, with to_json.

// outputColumn is one column of an answer.
type outputColumn struct {
	name string
	json bool // the database is to make JSON of it
}

// plainTypes are those whose text becomes JSON without knowing more than the type.
var plainTypes = map[string]bool{
	"text": true, "character varying": true, "character": true, "uuid": true, "boolean": true, "json": true, "jsonb": true,
	"smallint": true, "integer": true, "bigint": true, "numeric": true, "real": true, "double precision": true,
	"date": true, "timestamp with time zone": true, "timestamp without time zone": true,
}

// outputColumns returns the columns of what is read, or nil where only the database knows them: aggregates, two
// of one name, a * of what is no table.
func (p *plan) outputColumns() []outputColumn {
	handled := p.handler.kind == asArray || p.handler.kind == asObject
	if p.request.action != readRows || p.request.headOnly || !handled || p.handler.stripped || p.handler.media.kind == mediaPlan {
		return nil
	}
	var columns []outputColumn
	for i := range p.read.fields {
		s := &p.read.fields[i]
		switch {
		case s.aggregate != "" || s.column.wholeRow:
			return nil
		case s.column.name == "*" && p.read.table == nil:
			return nil
		case s.column.name == "*":
			for _, c := range p.read.table.Columns {
				columns = append(columns, outputColumn{c.Name, !plainTypes[c.Type]})
			}
		default:
			columns = append(columns, s.output())
		}
	}
	for _, e := range p.read.embeds {
		if e.child.spread == notSpread {
			if !e.empty {
				columns = append(columns, outputColumn{name: e.child.shownAs()})
			}
			continue
		}
		for _, c := range e.spread {
			if c.aggregate != "" || c.name == "*" {
				return nil
			}
			columns = append(columns, outputColumn{c.shownAs(), true})
		}
	}
	return distinct(columns)
}

func (s *selected) output() outputColumn {
	name, sql := s.alias, s.column.base
	if name == "" {
		name = s.column.name
	}
	switch {
	case s.cast != "":
		sql = s.cast
	case s.column.transform != "":
		sql = "json"
	case len(s.column.json) > 0:
		sql = "jsonb" // or text
	}
	return outputColumn{name, !plainTypes[sql]}
}

// distinct returns columns unless two have one name, or there is none.
func distinct(columns []outputColumn) []outputColumn {
	seen := make(map[string]bool, len(columns))
	for _, c := range columns {
		if seen[c.name] {
			return nil
		}
		seen[c.name] = true
	}
	return columns
}

// errUnknownText is a value whose text this code does not know how to turn into JSON: the catalog's types are
// no longer the database's, or dates are shown in a style of their own. The database is to do it then.
var errUnknownText = errors.New("a column is not shown as its type was known to be")

// isOutdated says that the columns of an answer were not, or not of the types, that the catalog says: a value of
// another type came, or a column that only * stood for is gone.
func (p *plan) isOutdated(err error) bool {
	var pgErr *pgconn.PgError
	starred := slices.ContainsFunc(p.read.fields, func(s selected) bool { return s.column.name == "*" })
	return errors.Is(err, errUnknownText) || starred && errors.As(err, &pgErr) && pgErr.Code == "42703"
}

// columnWriter writes rows that come as columns as the JSON objects row_to_json would make.
type columnWriter struct {
	to     rowWriter
	keys   [][]byte
	fields []pgconn.FieldDescription
	object []byte
}

func newColumnWriter(to rowWriter, columns []outputColumn, fields []pgconn.FieldDescription) *columnWriter {
	w := &columnWriter{to: to, fields: fields}
	for i, c := range columns {
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		w.keys = append(w.keys, append(appendJSONString(key, []byte(c.name)), ':'))
	}
	return w
}

func (w *columnWriter) row(n int64, values [][]byte) error {
	w.object = w.object[:0]
	for i, value := range values {
		w.object = append(w.object, w.keys[i]...)
		var known bool
		if w.object, known = appendJSON(w.object, w.fields[i].DataTypeOID, value); !known {
			return errUnknownText
		}
	}
	w.object = append(w.object, '}')
	return w.to.row(n, [][]byte{w.object})
}

func (w *columnWriter) end(rows int64) error { return w.to.end(rows) }

// appendJSON appends a value, given as text, as JSON; known is false where its type or text is not.
func appendJSON(to []byte, oid uint32, value []byte) (_ []byte, known bool) {
	if value == nil {
		return append(to, "null"...), true
	}
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.JSONOID, pgtype.JSONBOID:
		return append(to, value...), true
	case pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		if first := bytes.TrimPrefix(value, []byte("-")); len(first) > 0 && '0' <= first[0] && first[0] <= '9' {
			return append(to, value...), true
		}
		return appendJSONString(to, value), true // NaN, Infinity
	case pgtype.BoolOID:
		if value[0] == 't' {
			return append(to, "true"...), true
		}
		return append(to, "false"...), true
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.UUIDOID:
		return appendJSONString(to, value), true
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return appendTime(to, oid, value)
	}
	return to, false
}

// appendTime appends a date or a time of the ISO style as RFC 3339 has it: a T between date and time, and the
// minutes of an offset even where there are none.
func appendTime(to []byte, oid uint32, value []byte) ([]byte, bool) {
	if value[len(value)-1] == 'y' { // infinity, -infinity
		return appendJSONString(to, value), true
	}
	date, rest := value, []byte(nil)
	if i := bytes.IndexByte(value, ' '); i >= 0 {
		date, rest = value[:i], value[i+1:]
	}
	if n := len(date); n < 10 || date[n-3] != '-' || date[n-6] != '-' || date[0] < '0' || date[0] > '9' {
		return to, false
	}
	to = append(append(to, '"'), date...)
	if oid == pgtype.DateOID {
		if len(rest) > 0 { // BC
			to = append(append(to, ' '), rest...)
		}
		return append(to, '"'), true
	}
	if len(rest) < 8 || rest[2] != ':' || rest[5] != ':' {
		return to, false
	}
	clock, era := rest, []byte(nil)
	if i := bytes.IndexByte(rest, ' '); i >= 0 {
		clock, era = rest[:i], rest[i:]
	}
	to = append(append(to, 'T'), clock...)
	if oid == pgtype.TimestamptzOID {
		offset := bytes.LastIndexAny(clock, "+-")
		if offset < 8 {
			return to, false
		}
		if len(clock)-offset == len("+00") {
			to = append(to, ":00"...)
		}
	}
	return append(append(to, era...), '"'), true
}

const hexDigits = "0123456789abcdef"

// appendJSONString quotes text as the database does.
func appendJSONString(to, text []byte) []byte {
	to = append(to, '"')
	start := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		to = append(to, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			to = append(to, '\\', c)
		case '\b':
			to = append(to, `\b`...)
		case '\f':
			to = append(to, `\f`...)
		case '\n':
			to = append(to, `\n`...)
		case '\r':
			to = append(to, `\r`...)
		case '\t':
			to = append(to, `\t`...)
		default:
			to = append(to, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(to, text[start:]...), '"')
}
