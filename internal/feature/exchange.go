package feature

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// What flagd has no word for goes into a flag's metadata under these names, as texts, numbers and
// booleans, so that flagd itself can load an exported file. Arrays and objects are JSON in a text.
const (
	nameName           = "vital.name"
	nameDescription    = "vital.description"
	nameCategory       = "vital.category"
	nameOwner          = "vital.owner"
	nameTags           = "vital.tags"
	nameExpiresAt      = "vital.expires_at"
	nameDefaultEnabled = "vital.default_enabled"
	namePrerequisites  = "vital.prerequisites"
	nameNested         = "vital.metadata" // metadata that is not flat
)

// NewFile gives the file of a Source. Versions are the database's and stay there.
func NewFile(source Source) (*File, error) {
	file := &File{Schema: FlagdSchema, Evaluators: source.Evaluators, Metadata: source.Metadata}
	for _, d := range source.Definitions {
		f, err := d.fileFlag()
		if err != nil {
			return nil, fmt.Errorf("export flag %s: %w", d.Key, err)
		}
		file.Flags = append(file.Flags, f)
	}
	sortFlags(file.Flags)
	return file, nil
}

func (d Definition) fileFlag() (FileFlag, error) {
	f := FileFlag{Key: d.Key, State: stateDisabled, Variants: d.Variants, DefaultVariant: d.DefaultVariant}
	if d.Active {
		f.State = stateEnabled
	}
	variants, err := object(d.Variants)
	if err != nil {
		return f, err
	}
	if len(variants) == 0 && d.Type == Boolean {
		f.Variants = json.RawMessage(`{"on":true,"off":false}`)
		if f.DefaultVariant == "" {
			f.DefaultVariant = impliedDefault(d.DefaultEnabled)
		}
	}
	if !isEmptyObject(d.Targeting) {
		f.Targeting = d.Targeting
	}
	metadata, err := d.exported(f)
	f.Metadata = metadata.encode()
	return f, err
}

func isEmptyObject(raw json.RawMessage) bool {
	text := string(compact(raw))
	return text == "" || text == "{}" || text == "null"
}

func (d Definition) exported(f FileFlag) (members, error) {
	all, err := object(d.Metadata)
	if err != nil {
		return nil, err
	}
	flat, nested := members{}, members{}
	for name, value := range all {
		switch typeOf(value) {
		case Boolean, Number, String:
			flat[name] = value
		case Object, "":
			nested[name] = value
		}
	}
	put := func(name, text string) {
		if text != "" {
			flat[name] = json.RawMessage(quoted(text))
		}
	}
	put(nameNested, string(nested.encode()))
	put(nameName, d.Name)
	put(nameDescription, d.Description)
	put(nameCategory, d.Category)
	put(nameOwner, d.Owner)
	if len(d.Tags) > 0 {
		put(nameTags, quoted(d.Tags))
	}
	if d.ExpiresAt != nil {
		put(nameExpiresAt, d.ExpiresAt.UTC().Format(time.RFC3339Nano))
	}
	if p := string(compact(d.Prerequisites)); p != "[]" && p != "null" {
		put(namePrerequisites, p)
	}
	if d.DefaultEnabled != f.enabledByDefault() {
		flat[nameDefaultEnabled] = json.RawMessage(quoted(d.DefaultEnabled))
	}
	return flat, nil
}

// enabledByDefault is what default_enabled is where a file does not say: whether a boolean flag's default
// variant is true.
func (f FileFlag) enabledByDefault() bool {
	variants, err := object(f.Variants)
	return err == nil && f.DefaultVariant != "" && string(compact(variants[f.DefaultVariant])) == "true"
}

// Source gives the definitions of a file. A flag that is on and off with a default becomes one without
// variants, as a boolean flag is stored. What is wrong in the values of vital.* names is an InvalidError.
func (f *File) Source() (Source, error) {
	source := Source{Evaluators: f.Evaluators, Metadata: f.Metadata}
	var problems Problems
	for _, flag := range f.Flags {
		source.Definitions = append(source.Definitions, flag.definition(&problems))
	}
	if err := problems.sorted().Err(); err != nil {
		return Source{}, err
	}
	return source, nil
}

func (f FileFlag) definition(problems *Problems) Definition {
	path := pointer("/flags", f.Key) + "/metadata"
	d := Definition{
		Key: f.Key, Active: f.State == stateEnabled, Type: f.valueType(), Variants: compact(f.Variants),
		DefaultVariant: f.DefaultVariant, Targeting: compact(f.Targeting), DefaultEnabled: f.enabledByDefault(),
	}
	metadata, err := object(f.Metadata)
	if err != nil {
		problems.fail(path, "metadata is not an object: %v", err)
		return d
	}
	metadata = maps.Clone(metadata)
	i := importer{metadata, path, problems}
	i.text(nameName, &d.Name)
	i.text(nameDescription, &d.Description)
	i.text(nameCategory, &d.Category)
	i.text(nameOwner, &d.Owner)
	i.take(nameDefaultEnabled, &d.DefaultEnabled)
	i.nested(nameTags, &d.Tags)
	i.nested(namePrerequisites, &d.Prerequisites)
	var expiresAt time.Time
	if i.take(nameExpiresAt, &expiresAt) {
		d.ExpiresAt = &expiresAt
	}
	var nested members
	i.nested(nameNested, &nested)
	maps.Copy(metadata, nested)
	d.Metadata = metadata.encode()
	f.normalise(&d)
	return d
}

// normalise stores a flag that is on or off as such a flag is stored: without variants.
func (f FileFlag) normalise(d *Definition) {
	variants, err := object(f.Variants)
	plain := err == nil && len(variants) == 2 && string(variants["on"]) == "true" && string(variants["off"]) == "false"
	if plain && f.DefaultVariant == impliedDefault(d.DefaultEnabled) {
		d.Variants, d.DefaultVariant = nil, ""
	}
}

// valueType is the type of the first variant; Compile compares the others with it.
func (f FileFlag) valueType() Type {
	variants, err := object(f.Variants)
	if err != nil {
		return ""
	}
	first := ""
	for name := range variants {
		if first == "" || name < first {
			first = name
		}
	}
	return typeOf(variants[first])
}

// importer takes the vital.* names out of a flag's metadata.
type importer struct {
	metadata members
	path     string
	problems *Problems
}

func (i importer) take(name string, into any) bool {
	raw, has := i.metadata[name]
	if !has {
		return false
	}
	delete(i.metadata, name)
	if err := json.Unmarshal(raw, into); err != nil {
		i.problems.fail(pointer(i.path, name), "not a value it can have: %s", strings.TrimPrefix(err.Error(), "json: "))
		return false
	}
	return true
}

func (i importer) text(name string, into *string) { i.take(name, into) }

// nested takes a text that holds JSON.
func (i importer) nested(name string, into any) {
	var text string
	if i.take(name, &text) {
		i.metadata[name] = json.RawMessage(text)
		i.take(name, into)
	}
}
