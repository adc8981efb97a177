package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// members is a JSON object, its values still encoded.
type members map[string]json.RawMessage

// object reads a JSON object; none and null are the empty one.
func object(raw json.RawMessage) (members, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if deeper(raw, 4*maxRuleDepth) {
		return nil, errTooDeep
	}
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, errors.New("it is not a JSON object")
	}
	return m, nil
}

// scalars reads metadata, which OpenFeature wants flat: texts, numbers and booleans. What is nested is
// left out, with a warning.
func scalars(raw json.RawMessage, path string, problems *Problems) members {
	all, err := object(raw)
	if err != nil {
		problems.fail(path, "metadata is not an object: %v", err)
		return nil
	}
	flat := make(members, len(all))
	for name, value := range all {
		switch typeOf(value) {
		case Boolean, Number, String:
			flat[name] = compact(value)
		case Object, "":
			problems.warn(pointer(path, name), "metadata is a text, a number or a boolean")
		}
	}
	return flat
}

// with gives the members of both; those of other count where both have them.
func (m members) with(other members) members {
	both := make(members, len(m)+len(other))
	maps.Copy(both, m)
	maps.Copy(both, other)
	return both
}

// encode writes the members by name; none at all is nil.
func (m members) encode() json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	var b bytes.Buffer
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b.WriteByte(separator)
		b.WriteString(quoted(name))
		b.WriteByte(':')
		b.Write(m[name])
		separator = ','
	}
	b.WriteByte('}')
	return b.Bytes()
}

// compact is a JSON value without white space; what is not JSON stays as it is.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}
