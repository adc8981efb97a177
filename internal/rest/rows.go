package rest

import (
	"bytes"
	"encoding/hex"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rowWriter turns rows into a body; n counts them from one.
type rowWriter interface {
	row(n int64, values [][]byte) error
	end(rows int64) error
}

// rowWriter chooses how rows are written: by the handler, and by what a function returns.
func (o *outcome) rowWriter(answer *pgconn.ResultReader) rowWriter {
	p := o.plan
	single := p.call != nil && !p.call.routine.setOf
	switch {
	case p.mutate != nil && p.request.prefer.representation == "headers-only":
		return &locationWriter{o}
	case p.call != nil && p.call.routine.returnsVoid():
		return discardWriter{}
	case p.handler.kind == byFunction:
		return &rawWriter{to: o.body, fields: answer.FieldDescriptions()}
	case p.handler.kind == asCSV:
		fields := answer.FieldDescriptions()
		if p.counted {
			fields = fields[2:]
		}
		return &csvWriter{to: o.body, fields: fields}
	case p.handler.kind == asGeoJSON:
		return &arrayWriter{to: o.body, before: `{"type" : "FeatureCollection", "features" : [`, after: "]}"}
	}
	var writer rowWriter = &arrayWriter{to: o.body, before: "[", after: "]"}
	if p.handler.kind == asObject || single {
		writer = &objectWriter{to: o.body}
	}
	if p.columns == nil {
		return writer
	}
	fields := answer.FieldDescriptions()
	if p.counted {
		fields = fields[2:]
	}
	return newColumnWriter(writer, p.columns, fields)
}

// arrayWriter writes JSON values between brackets.
type arrayWriter struct {
	to            io.Writer
	before, after string
}

var betweenRows = []byte(",\n")

func (w *arrayWriter) row(n int64, values [][]byte) error {
	var err error
	if n == 1 {
		_, err = io.WriteString(w.to, w.before)
	} else {
		_, err = w.to.Write(betweenRows)
	}
	if err == nil {
		_, err = w.to.Write(values[0])
	}
	return err
}

func (w *arrayWriter) end(rows int64) error {
	text := w.after
	if rows == 0 {
		text = w.before + w.after
	}
	_, err := io.WriteString(w.to, text)
	return err
}

// objectWriter writes the first value alone, null where there is none.
type objectWriter struct{ to io.Writer }

func (w *objectWriter) row(n int64, values [][]byte) error {
	if n > 1 {
		return nil
	}
	return w.write(values[0])
}

func (w *objectWriter) end(rows int64) error {
	if rows > 0 {
		return nil
	}
	return w.write(nil)
}

func (w *objectWriter) write(value []byte) error {
	if value == nil {
		value = []byte("null")
	}
	_, err := w.to.Write(value)
	return err
}

// rawWriter writes values as they are; bytes come from the database in hexadecimal.
type rawWriter struct {
	to     io.Writer
	fields []pgconn.FieldDescription
}

func (w *rawWriter) row(_ int64, values [][]byte) error {
	value := values[0]
	if w.fields[len(w.fields)-1].DataTypeOID == pgtype.ByteaOID && bytes.HasPrefix(value, []byte(`\x`)) {
		decoded := make([]byte, hex.DecodedLen(len(value)-2))
		if _, err := hex.Decode(decoded, value[2:]); err != nil {
			return err
		}
		value = decoded
	}
	_, err := w.to.Write(value)
	return err
}

func (w *rawWriter) end(int64) error { return nil }

// csvWriter writes columns between commas, under their names.
type csvWriter struct {
	to     io.Writer
	fields []pgconn.FieldDescription
	line   []byte
}

func (w *csvWriter) row(n int64, values [][]byte) error {
	if n == 1 {
		w.line = w.line[:0]
		for i, field := range w.fields {
			if i > 0 {
				w.line = append(w.line, ',')
			}
			w.line = append(w.line, field.Name...)
		}
		if _, err := w.to.Write(w.line); err != nil {
			return err
		}
	}
	w.line = append(w.line[:0], '\n')
	for i, value := range values {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = appendCSV(w.line, value)
	}
	_, err := w.to.Write(w.line)
	return err
}

func (w *csvWriter) end(rows int64) error {
	if rows > 0 {
		return nil
	}
	_, err := w.to.Write([]byte("\n"))
	return err
}

// appendCSV quotes what would not be read back as it is; null is nothing, the empty string is quoted.
func appendCSV(line, value []byte) []byte {
	if value == nil {
		return line
	}
	if len(value) > 0 && !bytes.ContainsAny(value, "\"\\(), \t\n\r\v\f") {
		return append(line, value...)
	}
	line = append(line, '"')
	for _, b := range value {
		if b == '"' {
			line = append(line, b)
		}
		line = append(line, b)
	}
	return append(line, '"')
}

// discardWriter reads without keeping.
type discardWriter struct{}

func (discardWriter) row(int64, [][]byte) error { return nil }
func (discardWriter) end(int64) error           { return nil }

// locationWriter keeps where the one created row can be found.
type locationWriter struct{ o *outcome }

func (w *locationWriter) row(n int64, values [][]byte) error {
	if n > 1 {
		w.o.location = nil
		return nil
	}
	return w.o.locate(values[0])
}

func (w *locationWriter) end(int64) error { return nil }
