package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/vital-db/vital/internal/fault"
)

// FileFormat is how a file of tenants or a template is written.
type FileFormat string

// The formats there are. JSON may be one value or many, as in JSON Lines; YAML may be many documents.
const (
	YAML FileFormat = "YAML"
	JSON FileFormat = "JSON"
)

// FormatOf tells the format from a file's name, and where that says nothing from how it begins.
func FormatOf(name string, text []byte) FileFormat {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".yaml"), strings.HasSuffix(lower, ".yml"):
		return YAML
	case strings.HasSuffix(lower, ".json"), strings.HasSuffix(lower, ".jsonl"), strings.HasSuffix(lower, ".ndjson"):
		return JSON
	}
	if start := bytes.TrimLeft(bytes.TrimPrefix(text, byteOrderMark), " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return JSON
	}
	return YAML
}

// deepest is how far values of a file nest: far more than any of ours, and no danger to the stack.
const deepest = 64

// widest is how many fields an object of a file has at most.
const widest = 2000

var byteOrderMark = []byte("\xef\xbb\xbf")

// node is a value of a file and the line it stands on. One of scalar, items and fields holds it.
type node struct {
	line   int
	kind   nodeKind
	scalar any // nil, bool, string or json.Number
	items  []node
	fields []nodeField
}

type nodeField struct {
	name  string
	value node
}

type nodeKind uint8

const (
	isScalar nodeKind = iota
	isList
	isObject
)

// plain is the value as encoding/json would have it, its numbers as json.Number.
func (n node) plain() any {
	switch n.kind {
	case isList:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case isObject:
		object := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			object[f.name] = f.value.plain()
		}
		return object
	default:
		return n.scalar
	}
}

// lineOf is the line of what a JSON pointer leads to, or of the last step there is.
func (n node) lineOf(pointer string) int {
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		next, found := n.child(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		if !found {
			break
		}
		n = next
	}
	return n.line
}

func (n node) child(step string) (node, bool) {
	for _, f := range n.fields {
		if f.name == step {
			return f.value, true
		}
	}
	if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i], true
	}
	return node{}, false
}

// parseDocuments reads every value of a file. It is strict: no name twice in one object, nothing that is not JSON's.
func parseDocuments(text []byte, format FileFormat) ([]node, error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	if !utf8.Valid(text) {
		return nil, fault.New(fault.Invalid, "The file is not UTF-8.", "Write it as UTF-8.")
	}
	read := parseYAML
	if format == JSON {
		read = parseJSON
	}
	documents, err := read(text)
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return documents, err
	}
	f := fault.Wrap(err, fault.Invalid, fmt.Sprintf("The file is not %s that can be taken.", format), "Mend it there; nothing was changed.")
	f.Detail = strings.TrimPrefix(err.Error(), "yaml: ")
	return nil, f
}

func lineError(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...))
}

// jsonReader reads JSON token by token, and keeps the line.
type jsonReader struct {
	text    []byte
	decoder *json.Decoder
	counted int
	line    int
}

func parseJSON(text []byte) ([]node, error) {
	r := &jsonReader{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), line: 1}
	r.decoder.UseNumber()
	var documents []node
	for {
		token, err := r.next()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		document, err := r.value(token, 0)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

func (r *jsonReader) next() (json.Token, error) {
	token, err := r.decoder.Token()
	end := int(r.decoder.InputOffset())
	r.line += bytes.Count(r.text[r.counted:end], []byte("\n"))
	r.counted = end
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, lineError(r.line, "%s", err)
	}
	return token, err
}

// inner is next where the value is not over yet.
func (r *jsonReader) inner() (json.Token, error) {
	token, err := r.next()
	if errors.Is(err, io.EOF) {
		err = lineError(r.line, "the file ends in the middle of a value")
	}
	return token, err
}

func (r *jsonReader) value(token json.Token, depth int) (node, error) {
	n := node{line: r.line}
	if depth > deepest {
		return n, lineError(n.line, "values nest deeper than %d", deepest)
	}
	delimiter, isDelimiter := token.(json.Delim)
	if !isDelimiter {
		var err error
		n.scalar, err = scalarOf(token, n.line)
		return n, err
	}
	n.kind = isList
	if delimiter == '{' {
		n.kind = isObject
	}
	for {
		token, err := r.inner()
		if err != nil {
			return n, err
		}
		if d, ok := token.(json.Delim); ok && (d == ']' || d == '}') {
			return n, nil
		}
		if n.kind == isList {
			item, err := r.value(token, depth+1)
			if err != nil {
				return n, err
			}
			n.items = append(n.items, item)
			continue
		}
		name, _ := token.(string) // the decoder takes nothing else there
		value, err := r.inner()
		if err != nil {
			return n, err
		}
		child, err := r.value(value, depth+1)
		if err != nil {
			return n, err
		}
		if n, err = n.with(name, child); err != nil {
			return n, err
		}
	}
}

// with adds a field, and refuses a name that is there already.
func (n node) with(name string, value node) (node, error) {
	if _, err := scalarOf(name, value.line); err != nil {
		return n, err
	}
	for _, f := range n.fields {
		if f.name == name {
			return n, lineError(value.line, "%q is named twice", name)
		}
	}
	if len(n.fields) == widest {
		return n, lineError(value.line, "an object has more than %d fields", widest)
	}
	n.fields = append(n.fields, nodeField{name, value})
	return n, nil
}

// scalarOf is a token as the database can keep it: text without NUL, numbers written in one way.
func scalarOf(token any, line int) (any, error) {
	switch value := token.(type) {
	case string:
		if strings.ContainsRune(value, 0) {
			return nil, lineError(line, "text holds the character U+0000, which the database cannot keep")
		}
	case json.Number:
		number, ok := canonical(value)
		if !ok {
			return nil, lineError(line, "a number is too large or too long")
		}
		return number, nil
	}
	return token, nil
}

// canonical writes a number in one way, so that 1e3, 1000.0 and 1000 are the same.
func canonical(number json.Number) (json.Number, bool) {
	text := string(number)
	if len(text) > 40 {
		return "", false
	}
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			text = "0"
		}
		return json.Number(text), true
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return "", false
	}
	if text = strconv.FormatFloat(value, 'f', -1, 64); text == "-0" {
		text = "0"
	}
	return json.Number(text), true
}

func parseYAML(text []byte) ([]node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var documents []node
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		document, err := fromYAML(&root, 0)
		if err != nil {
			return nil, err
		}
		if document.kind == isScalar && document.scalar == nil {
			continue // nothing between two separators
		}
		documents = append(documents, document)
	}
}

func fromYAML(y *yaml.Node, depth int) (node, error) {
	n := node{line: y.Line}
	if depth > deepest {
		return n, lineError(y.Line, "values nest deeper than %d", deepest)
	}
	if y.Anchor != "" || y.Kind == yaml.AliasNode {
		return n, lineError(y.Line, "anchors and aliases are not taken; say it where it belongs, or in a template")
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return fromYAML(y.Content[0], depth)
	case yaml.SequenceNode:
		n.kind = isList
		for _, item := range y.Content {
			child, err := fromYAML(item, depth+1)
			if err != nil {
				return n, err
			}
			n.items = append(n.items, child)
		}
		return n, nil
	case yaml.MappingNode:
		n.kind = isObject
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := y.Content[i]
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || key.Anchor != "" {
				return n, lineError(key.Line, "names of fields are text; write others in quotes")
			}
			child, err := fromYAML(y.Content[i+1], depth+1)
			if err != nil {
				return n, err
			}
			if n, err = n.with(key.Value, child); err != nil {
				return n, err
			}
		}
		return n, nil
	default:
		var err error
		n.scalar, err = yamlScalar(y)
		return n, err
	}
}

// yamlScalar reads what JSON has, too; a moment in time stays the text it is.
func yamlScalar(y *yaml.Node) (any, error) {
	switch y.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!str", "!!timestamp":
		return scalarOf(y.Value, y.Line)
	case "!!bool":
		var value bool
		err := y.Decode(&value)
		return value, err
	case "!!int", "!!float":
		if json.Valid([]byte(y.Value)) {
			return scalarOf(json.Number(y.Value), y.Line)
		}
		var value float64
		if err := y.Decode(&value); err != nil || math.Abs(value) > 1<<53 || math.IsNaN(value) {
			return nil, lineError(y.Line, "%q is no number that can be taken; write text in quotes", y.Value)
		}
		return scalarOf(json.Number(strconv.FormatFloat(value, 'f', -1, 64)), y.Line)
	default:
		return nil, lineError(y.Line, "the tag %s is not taken", y.ShortTag())
	}
}
