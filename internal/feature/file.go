package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// FlagdSchema is the JSON Schema of flagd's format, as files name it.
const FlagdSchema = "https://flagd.dev/schema/v0/flags.json"

// maxFileBytes is the longest file ParseFlagd reads.
const maxFileBytes = 64 << 20

// The states of flagd.
const (
	stateEnabled  = "ENABLED"
	stateDisabled = "DISABLED"
)

// File is a file in flagd's format. Members flagd has no word for are kept in Extra.
type File struct {
	Schema     string
	Flags      []FileFlag // by key
	Evaluators map[string]json.RawMessage
	Metadata   json.RawMessage
	Extra      map[string]json.RawMessage
}

// FileFlag is one flag of a File. A defaultVariant of null is none.
type FileFlag struct {
	Key            string
	State          string
	Variants       json.RawMessage
	DefaultVariant string
	Targeting      json.RawMessage
	Metadata       json.RawMessage
	Extra          map[string]json.RawMessage
}

// ParseFlagd reads flagd's format; flags may be an object, or an array of flags with a key. What is
// wrong with the form of the file is an InvalidError. What is wrong with variants and rules is found by
// Compile, which can see the other flags too.
func ParseFlagd(r io.Reader) (*File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read flag file: %w", err)
	}
	var p fileParser
	if len(raw) > maxFileBytes {
		p.problems.fail("", "the file is longer than %d MiB", maxFileBytes>>20)
		return nil, p.problems.Err()
	}
	file := p.file(raw)
	if err := p.problems.sorted().Err(); err != nil {
		return nil, err
	}
	return file, nil
}

type fileParser struct{ problems Problems }

func (p *fileParser) file(raw json.RawMessage) *File {
	file := &File{Evaluators: map[string]json.RawMessage{}, Extra: map[string]json.RawMessage{}}
	hasFlags := false
	for _, m := range p.members(raw, "") {
		switch m.name {
		case "$schema":
			p.text(m.value, "/$schema", &file.Schema)
		case "flags":
			hasFlags = true
			file.Flags = p.flags(m.value)
		case "$evaluators":
			for _, e := range p.members(m.value, "/$evaluators") {
				file.Evaluators[e.name] = e.value
			}
		case "metadata":
			p.members(m.value, "/metadata")
			file.Metadata = m.value
		default:
			file.Extra[m.name] = m.value
		}
	}
	if !hasFlags && len(p.problems) == 0 {
		p.problems.fail("/flags", "the file has no flags")
	}
	return file
}

func (p *fileParser) flags(raw json.RawMessage) []FileFlag {
	var flags []FileFlag
	if bytes.HasPrefix(raw, []byte("[")) {
		flags = p.array(raw)
	} else {
		for _, m := range p.members(raw, "/flags") {
			flags = append(flags, p.flag(m.name, m.value, pointer("/flags", m.name)))
		}
	}
	sortFlags(flags)
	for i := range flags {
		if i > 0 && flags[i].Key == flags[i-1].Key {
			p.problems.fail(pointer("/flags", flags[i].Key), "there are two flags of this key")
		}
	}
	return flags
}

func sortFlags(flags []FileFlag) {
	slices.SortStableFunc(flags, func(a, b FileFlag) int { return strings.Compare(a.Key, b.Key) })
}

func (p *fileParser) array(raw json.RawMessage) []FileFlag {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		p.problems.fail("/flags", "not JSON: %v", err)
		return nil
	}
	flags := make([]FileFlag, len(elements))
	for i, element := range elements {
		path := fmt.Sprintf("/flags/%d", i)
		flags[i] = p.flag("", element, path)
		if key, has := flags[i].Extra["key"]; has {
			p.text(key, path+"/key", &flags[i].Key)
			delete(flags[i].Extra, "key")
		}
		if flags[i].Key == "" {
			p.problems.fail(path+"/key", "a flag of an array has a key")
		}
	}
	return flags
}

func (p *fileParser) flag(key string, raw json.RawMessage, path string) FileFlag {
	f := FileFlag{Key: key, Extra: map[string]json.RawMessage{}}
	for _, m := range p.members(raw, path) {
		at := pointer(path, m.name)
		switch m.name {
		case "state":
			p.text(m.value, at, &f.State)
			if f.State != stateEnabled && f.State != stateDisabled {
				p.problems.fail(at, "the state is ENABLED or DISABLED")
			}
		case "variants":
			if len(p.members(m.value, at)) == 0 {
				p.problems.fail(at, "a flag has at least one variant")
			}
			f.Variants = m.value
		case "defaultVariant":
			if string(m.value) != "null" {
				p.text(m.value, at, &f.DefaultVariant)
			}
		case "targeting":
			f.Targeting = m.value
		case "metadata":
			p.members(m.value, at)
			f.Metadata = m.value
		default:
			f.Extra[m.name] = m.value
		}
	}
	if f.State == "" {
		p.problems.fail(path+"/state", "a flag has a state: ENABLED or DISABLED")
	}
	if f.Variants == nil {
		p.problems.fail(path+"/variants", "a flag has variants")
	}
	return f
}

func (p *fileParser) text(raw json.RawMessage, path string, into *string) {
	if json.Unmarshal(raw, into) != nil || string(raw) == "null" {
		p.problems.fail(path, "not a text")
	}
}

type member struct {
	name  string
	value json.RawMessage
}

var errNotObject = errors.New("not an object")

// members reads an object in its order. A name that is there twice is a problem: one of the two would be
// lost.
func (p *fileParser) members(raw json.RawMessage, path string) []member {
	found, err := readMembers(raw)
	if err != nil {
		p.problems.fail(path, "%v", err)
	}
	seen := map[string]bool{}
	for _, m := range found {
		if m.name == "" || seen[m.name] {
			p.problems.fail(pointer(path, m.name), "a name is not empty and is there once")
		}
		seen[m.name] = true
	}
	return found
}

func readMembers(raw json.RawMessage) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	} else if token != json.Delim('{') {
		return nil, errNotObject
	}
	var found []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		var m member
		m.name, _ = name.(string)
		if err := decoder.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		found = append(found, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the end of the object")
	}
	return found, nil
}
