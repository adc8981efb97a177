package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

// Fault is one thing wrong with a document: where, as a JSON pointer (RFC 6901), and what.
type Fault struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Faults are all of them; they are the cause of an invalid fault.
type Faults []Fault

func (f Faults) Error() string {
	parts := make([]string, len(f))
	for i, one := range f {
		parts[i] = one.Path + " " + one.Message
	}
	return strings.Join(parts, "; ")
}

// schemaOfTenant is that of one tenant of a file.
const schemaOfTenant = "tenant_onboarding#/$defs/tenant"

// schemas are those of database/schemas, compiled once.
var schemas = sync.OnceValue(func() map[string]*jsonschema.Schema {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	files, err := fs.Glob(database.Schemas, "schemas/*.json")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var names []string
	for _, path := range files {
		text, err := database.Schemas.Open(path)
		if err != nil {
			panic(err) // it is embedded
		}
		document, err := jsonschema.UnmarshalJSON(text)
		name := strings.TrimSuffix(strings.TrimPrefix(path, "schemas/"), ".json")
		if err == nil {
			err = compiler.AddResource("urn:vital:schema:"+name, document)
		}
		if err != nil {
			panic(fmt.Sprintf("schema %s: %v", name, err)) // a test of any package that validates meets it at once
		}
		names = append(names, name)
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, name := range append(names, schemaOfTenant) { // schemas refer to each other
		compiled[name] = compiler.MustCompile("urn:vital:schema:" + name)
	}
	return compiled
})

// CheckSchema compares value, decoded with json.Number, to database/schemas/NAME.json. What does not fit
// is an invalid fault whose cause is Faults.
func CheckSchema(name string, value any) error {
	faults := schemaFaults(name, value)
	if len(faults) == 0 {
		return nil
	}
	f := fault.Wrap(faults, fault.Invalid, "The document is not what it must be.",
		"See errors for each place, and /schemas/"+name+".json for what belongs there.")
	f.Detail = faults.Error()
	return f
}

// schemaFaults are the places of value that are not what the schema asks for.
func schemaFaults(name string, value any) Faults {
	schema, found := schemas()[name]
	if !found {
		panic(fmt.Sprintf("no schema is named %q", name))
	}
	err := schema.Validate(value)
	if err == nil {
		return nil
	}
	var wrong *jsonschema.ValidationError
	if !errors.As(err, &wrong) {
		return Faults{{Path: "", Message: "is not a value of JSON"}}
	}
	faults := slices.CompactFunc(appendFaults(nil, wrong), func(a, b Fault) bool { return a == b })
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Path, b.Path) })
	return faults
}

// Decode reads one JSON object, compares it to database/schemas/NAME.json and fills into.
func Decode(name string, text []byte, into any) error {
	object, err := decodeObject(text)
	if err != nil {
		return err
	}
	if err := CheckSchema(name, object); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fault.Wrap(err, fault.Invalid, "The body is not what it must be.", "See /schemas/"+name+".json.")
	}
	return nil
}

// appendFaults turns the leaves of an error into faults, each at the very member that is wrong.
func appendFaults(faults Faults, wrong *jsonschema.ValidationError) Faults {
	path := pointer(wrong.InstanceLocation)
	switch k := wrong.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			faults = append(faults, Fault{path + pointer([]string{name}), "is no field of this object"})
		}
		return faults
	case *kind.Required:
		for _, name := range k.Missing {
			faults = append(faults, Fault{path + pointer([]string{name}), "is required"})
		}
		return faults
	}
	if len(wrong.Causes) == 0 {
		return append(faults, Fault{path, sayWhy(wrong.ErrorKind)})
	}
	for _, cause := range wrong.Causes {
		faults = appendFaults(faults, cause)
	}
	return faults
}

// sayWhy words what is wrong with a value without repeating the value.
func sayWhy(why jsonschema.ErrorKind) string {
	switch k := why.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, is %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("must not repeat an item: %d and %d are the same", k.Duplicates[0], k.Duplicates[1])
	case *kind.Enum:
		allowed, _ := json.Marshal(k.Want) // it came from JSON
		return "must be one of " + string(allowed)
	case *kind.Format:
		return "must be a " + k.Want
	case *kind.Not:
		return "names the same thing twice"
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d fields", k.Want)
	default:
		return "breaks the rule " + strings.Join(why.KeywordPath(), "/")
	}
}

// pointer is a JSON pointer to a place.
func pointer(place []string) string {
	var b strings.Builder
	for _, part := range place {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	return b.String()
}
