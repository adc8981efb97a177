package feature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one difference between two JSON values. No Before was added, no After was removed.
type Change struct {
	Path   string          `json:"path"` // JSON pointer
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Diff lists the differences between two versions, by path: objects member by member, arrays element by
// element. What is equal as JSON does not differ; an empty value is one that is not there.
func Diff(before, after json.RawMessage) ([]Change, error) {
	a, err := decodeExactly(before)
	if err != nil {
		return nil, fmt.Errorf("read the version before: %w", err)
	}
	b, err := decodeExactly(after)
	if err != nil {
		return nil, fmt.Errorf("read the version after: %w", err)
	}
	var changes []Change
	compareValues("", a, b, &changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
}

// absent is the value of what is not there, which is not null.
type absent struct{}

func decodeExactly(raw json.RawMessage) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return absent{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return value, nil
}

func compareValues(path string, before, after any, changes *[]Change) {
	if a, ok := before.(map[string]any); ok {
		if b, both := after.(map[string]any); both {
			compareObjects(path, a, b, changes)
			return
		}
	}
	if a, ok := before.([]any); ok {
		if b, both := after.([]any); both {
			compareArrays(path, a, b, changes)
			return
		}
	}
	x, y := encodeChange(before), encodeChange(after)
	if !bytes.Equal(x, y) && !sameNumber(before, after) {
		*changes = append(*changes, Change{path, x, y})
	}
}

func compareObjects(path string, before, after map[string]any, changes *[]Change) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for name := range names {
		compareValues(pointer(path, name), memberOf(before, name), memberOf(after, name), changes)
	}
}

func memberOf(object map[string]any, name string) any {
	if value, has := object[name]; has {
		return value
	}
	return absent{}
}

func compareArrays(path string, before, after []any, changes *[]Change) {
	for i := range max(len(before), len(after)) {
		var a, b any = absent{}, absent{}
		if i < len(before) {
			a = before[i]
		}
		if i < len(after) {
			b = after[i]
		}
		compareValues(fmt.Sprintf("%s/%d", path, i), a, b, changes)
	}
}

// sameNumber is true of 1 and 1.0.
func sameNumber(before, after any) bool {
	a, ok := before.(json.Number)
	b, both := after.(json.Number)
	if !ok || !both {
		return false
	}
	if x, err := a.Int64(); err == nil {
		if y, err := b.Int64(); err == nil {
			return x == y
		}
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

func encodeChange(value any) json.RawMessage {
	if value == (absent{}) {
		return nil
	}
	return json.RawMessage(quoted(value))
}
