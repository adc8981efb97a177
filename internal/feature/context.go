package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/vital-db/vital/internal/fault"
)

// maxContextDepth is how deep objects and arrays of a context may nest.
const maxContextDepth = 32

var errTooDeep = errors.New("nested too deep")

// Context holds the attributes rules ask for. The zero Context has none. It is not changed once made.
type Context struct {
	attributes map[string]any
}

// ParseContext reads an evaluation context: a JSON object, or nothing. The caller limits its size.
func ParseContext(raw []byte) (Context, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return Context{}, nil
	}
	if deeper(raw, maxContextDepth) {
		return Context{}, invalidContext(errTooDeep)
	}
	attributes := map[string]any{}
	if err := json.Unmarshal(raw, &attributes); err != nil {
		return Context{}, invalidContext(err)
	}
	delete(attributes, flagdRoot)
	return Context{attributes}, nil
}

// ParseRequest reads the context of a request to evaluate, as OpenFeature's remote evaluation has it: an object in which it is one
// of the members, or nothing. It reads the whole at once, since that is much of what an evaluation costs.
func ParseRequest(body []byte) (Context, error) {
	if len(body) == 0 {
		return Context{}, nil
	}
	if deeper(body, maxContextDepth+1) {
		return Context{}, invalidContext(errTooDeep)
	}
	var request struct {
		Context map[string]any `json:"context"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		var within *json.UnmarshalTypeError
		if errors.As(err, &within) && strings.HasPrefix(within.Field, "context") {
			return Context{}, invalidContext(err)
		}
		return Context{}, fault.Wrap(err, fault.BadJSON, "The body is not a JSON object.", `Send {"context": {"targetingKey": "…"}}.`)
	}
	delete(request.Context, flagdRoot)
	return Context{request.Context}, nil
}

func invalidContext(err error) error {
	return fault.Wrap(err, fault.Invalid, "The evaluation context is not a JSON object this server can read.",
		fmt.Sprintf("Send an object of attributes, nested at most %d deep.", maxContextDepth))
}

// With returns the context with an attribute set, as the server does with tenant and user. The value is
// what encoding/json makes of it; texts, booleans, float64 and maps of them cost nothing to convert.
func (c Context) With(attribute string, value any) Context {
	attributes := make(map[string]any, len(c.attributes)+1)
	maps.Copy(attributes, c.attributes)
	attributes[attribute] = decoded(value)
	return Context{attributes}
}

// WithAll is With for many attributes, which cost one copy.
func (c Context) WithAll(set map[string]any) Context {
	attributes := make(map[string]any, len(c.attributes)+len(set))
	maps.Copy(attributes, c.attributes)
	maps.Copy(attributes, set)
	return Context{attributes}
}

// Has reports whether the context has an attribute.
func (c Context) Has(attribute string) bool {
	_, has := c.attributes[attribute]
	return has
}

// decoded is a value in the types encoding/json decodes to. What has no JSON is null.
func decoded(value any) any {
	switch v := value.(type) {
	case nil, bool, float64, string:
		return v
	case map[string]any:
		if plain(v) {
			return v
		}
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var result any
	if json.Unmarshal(raw, &result) != nil {
		return nil
	}
	return result
}

func plain(object map[string]any) bool {
	for _, value := range object {
		switch value.(type) {
		case nil, bool, float64, string:
		default:
			return false
		}
	}
	return true
}

// deeper reports whether JSON nests deeper than limit, by its brackets alone.
func deeper(raw []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
