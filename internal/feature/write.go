package feature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxLine is how long a line may be that holds a whole array or object.
const maxLine = 100

// WriteTo writes the file. The same flags always give the same bytes: names are in order, each variant
// and each metadata member has a line of its own, and a rule breaks only where it must.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	raw, err := f.Marshal()
	if err != nil {
		return 0, err
	}
	n, err := w.Write(raw)
	return int64(n), err
}

// Marshal gives the bytes of WriteTo.
func (f *File) Marshal() ([]byte, error) {
	p := &printer{}
	file := node{}
	if f.Schema != "" {
		file.add("$schema", p.value(json.RawMessage(quoted(f.Schema))))
	}
	flags := node{}
	for _, flag := range f.Flags {
		flags.add(flag.Key, p.flag(flag))
	}
	file.add("flags", flags)
	if len(f.Evaluators) > 0 {
		file.add("$evaluators", p.expanded(f.Evaluators))
	}
	if f.Metadata != nil {
		file.add("metadata", p.expandedRaw(f.Metadata))
	}
	p.extra(&file, f.Extra)
	if p.err != nil {
		return nil, p.err
	}
	p.write(file, 0, 0)
	p.out.WriteByte('\n')
	return p.out.Bytes(), nil
}

// node is an object whose members each have lines of their own.
type node []nodeMember

type nodeMember struct {
	name  string
	value any // node, or what encoding/json decodes to, with json.Number
}

func (n *node) add(name string, value any) { *n = append(*n, nodeMember{name, value}) }

type printer struct {
	out bytes.Buffer
	err error
}

func (p *printer) flag(f FileFlag) node {
	n := node{}
	n.add("state", f.State)
	n.add("variants", p.expandedRaw(f.Variants))
	if f.DefaultVariant != "" {
		n.add("defaultVariant", f.DefaultVariant)
	}
	if f.Targeting != nil {
		n.add("targeting", p.value(f.Targeting))
	}
	if f.Metadata != nil {
		n.add("metadata", p.expandedRaw(f.Metadata))
	}
	p.extra(&n, f.Extra)
	return n
}

func (p *printer) extra(n *node, extra map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		n.add(name, p.value(extra[name]))
	}
}

func (p *printer) expandedRaw(raw json.RawMessage) node {
	m, err := object(raw)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("write flag file: %w", err)
	}
	return p.expanded(m)
}

func (p *printer) expanded(m map[string]json.RawMessage) node {
	n := node{}
	p.extra(&n, m)
	return n
}

// value decodes JSON; numbers keep their digits.
func (p *printer) value(raw json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil && p.err == nil {
		p.err = fmt.Errorf("write flag file: %w", err)
	}
	return value
}

// write puts a value on the current line if it fits, else its elements on lines of their own. Used is what
// is on the line already.
func (p *printer) write(value any, indent, used int) {
	if n, ok := value.(node); ok {
		p.block('{', '}', len(n), indent, func(i int) {
			p.name(n[i].name)
			p.write(n[i].value, indent+2, indent+len(n[i].name)+6)
		})
		return
	}
	line := inline(value)
	if used+len(line) <= maxLine {
		p.out.WriteString(line)
		return
	}
	switch v := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		p.block('{', '}', len(v), indent, func(i int) {
			p.name(names[i])
			p.write(v[names[i]], indent+2, indent+len(names[i])+6)
		})
	case []any:
		p.block('[', ']', len(v), indent, func(i int) { p.write(v[i], indent+2, indent+2) })
	default:
		p.out.WriteString(line)
	}
}

func (p *printer) name(name string) {
	p.out.WriteString(inline(name))
	p.out.WriteString(": ")
}

func (p *printer) block(open, end byte, length, indent int, element func(i int)) {
	p.out.WriteByte(open)
	for i := range length {
		if i > 0 {
			p.out.WriteByte(',')
		}
		p.out.WriteByte('\n')
		p.out.WriteString(strings.Repeat(" ", indent+2))
		element(i)
	}
	if length > 0 {
		p.out.WriteByte('\n')
		p.out.WriteString(strings.Repeat(" ", indent))
	}
	p.out.WriteByte(end)
}

// inline is a value on one line, its members by name.
func inline(value any) string {
	var b strings.Builder
	writeInline(&b, value)
	return b.String()
}

func writeInline(b *strings.Builder, value any) {
	switch v := value.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			writeInline(b, name)
			b.WriteString(": ")
			writeInline(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeInline(b, element)
		}
		b.WriteByte(']')
	default:
		b.WriteString(quoted(v))
	}
}
