package tenant

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed template.sql
var templateText string

var templateQueries = database.ParseQueries(templateText)

// defaultTemplate is that of every tenant_type without one of its own.
const defaultTemplate = "default"

// Template is what a new tenant is set up with (database/schemas/tenant_template.json).
type Template struct {
	Name          string                  `json:"name"`
	Description   string                  `json:"description"`
	Configuration map[string]any          `json:"configuration"`
	Apps          []TemplateApp           `json:"apps"`
	Flags         map[string]TemplateFlag `json:"flags"`
	UpdatedAt     time.Time               `json:"-"`
}

// TemplateApp is an app of a template.
type TemplateApp struct {
	Key     string         `json:"key"`
	Name    string         `json:"name"`
	Route   string         `json:"route"`
	Icon    *string        `json:"icon,omitempty"`
	Visible *bool          `json:"visible,omitempty"` // nil for true
	Enabled *bool          `json:"enabled,omitempty"` // nil for true
	Order   int            `json:"order"`
	Config  map[string]any `json:"config,omitempty"`
}

// TemplateFlag is an override of a template.
type TemplateFlag struct {
	Enabled *bool          `json:"enabled,omitempty"`
	Variant *string        `json:"variant,omitempty"`
	Config  map[string]any `json:"config,omitempty"`
}

// UnmarshalJSON takes true, false and the name of a variant for an object of the one field.
func (f *TemplateFlag) UnmarshalJSON(text []byte) error {
	switch text[0] {
	case 't', 'f':
		return unmarshal(text, &f.Enabled)
	case '"':
		return unmarshal(text, &f.Variant)
	}
	type whole TemplateFlag
	return unmarshal(text, (*whole)(f))
}

// ListTemplates returns all templates by name, the one called default last.
func ListTemplates(ctx context.Context, tx pgx.Tx) ([]Template, error) {
	rows, err := tx.Query(ctx, templateQueries.Get("TemplateList"))
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	templates, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Template, err error) {
		var configuration, apps, flags []byte
		if err = row.Scan(&t.Name, &t.Description, &configuration, &apps, &flags, &t.UpdatedAt); err != nil {
			return t, err
		}
		t.Configuration, err = decodeCanonical(configuration)
		return t, errors.Join(err, unmarshal(apps, &t.Apps), unmarshal(flags, &t.Flags))
	})
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return templates, nil
}

// ShowTemplate returns the template of that name.
func ShowTemplate(ctx context.Context, tx pgx.Tx, name string) (Template, error) {
	templates, err := ListTemplates(ctx, tx)
	if err != nil {
		return Template{}, err
	}
	i := slices.IndexFunc(templates, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, errNoTemplate(name)
	}
	return templates[i], nil
}

func errNoTemplate(name string) error {
	return fault.New(fault.NotFound, fmt.Sprintf("There is no template %s for tenants.", name), "`vital tenant template list` names those there are.")
}

// ReadTemplate reads a file that holds one template, strictly.
func ReadTemplate(text []byte, format FileFormat) (Template, error) {
	documents, err := parseDocuments(text, format)
	if err != nil {
		return Template{}, err
	}
	if len(documents) != 1 {
		return Template{}, fault.New(fault.Invalid, fmt.Sprintf("A file holds one template, this one %d.", len(documents)), "Write one file for each.")
	}
	var template Template
	plain := documents[0].plain()
	faults := &TenantFileError{}
	for _, w := range schemaFaults("tenant_template", plain) {
		faults.record(TenantFault{"template", documents[0].lineOf(w.Path), w.Path, w.Message})
	}
	if err := faults.err(); err != nil {
		return Template{}, err
	}
	encoded, err := json.Marshal(plain)
	if err == nil {
		err = unmarshal(encoded, &template)
	}
	if err != nil {
		return Template{}, fmt.Errorf("read template: %w", err)
	}
	return template, template.check(documents[0])
}

// check refuses a template that would make tenants which lack something.
func (t Template) check(source node) error {
	faults := &TenantFileError{}
	add := func(path, format string, args ...any) {
		faults.record(TenantFault{"template", source.lineOf(path), path, fmt.Sprintf(format, args...)})
	}
	keys, usable := map[string]bool{}, false
	for i, a := range t.Apps {
		if keys[a.Key] {
			add(fmt.Sprintf("/apps/%d/key", i), "%s is named twice", a.Key)
		}
		keys[a.Key] = true
		usable = usable || isTrue(a.Visible) && isTrue(a.Enabled)
	}
	if !usable {
		add("/apps", "none is both visible and enabled")
	}
	enabled, _ := t.Configuration["enabled_apps"].([]any)
	for i, key := range enabled {
		if name, _ := key.(string); !keys[name] {
			add(fmt.Sprintf("/configuration/enabled_apps/%d", i), "there is no app %s in apps", name)
		}
	}
	return faults.err()
}

func isTrue(value *bool) bool { return value == nil || *value }

// SetTemplate makes the template, or makes the one of that name so. It says whether it was made, and whether anything changed.
func SetTemplate(ctx context.Context, tx pgx.Tx, t Template, reason string) (made, changed bool, err error) {
	if err := t.checkFlags(ctx, tx); err != nil {
		return false, false, err
	}
	if t.Flags == nil {
		t.Flags = map[string]TemplateFlag{}
	}
	if _, err = tx.Exec(ctx, writeQueries.Get("ReasonGive"), reason); err != nil {
		return false, false, fmt.Errorf("give reason: %w", err)
	}
	parts := make([]string, 3)
	for i, part := range []any{t.Configuration, t.Apps, t.Flags} {
		text, err := json.Marshal(part)
		if err != nil {
			return false, false, fmt.Errorf("encode template: %w", err)
		}
		parts[i] = string(text)
	}
	err = tx.QueryRow(ctx, templateQueries.Get("TemplateSet"), t.Name, t.Description, parts[0], parts[1], parts[2]).Scan(&made)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("set template: %w", err)
	}
	return made, true, nil
}

// checkFlags refuses flags and variants there are not.
func (t Template) checkFlags(ctx context.Context, tx pgx.Tx) error {
	known, err := flagsByKey(ctx, tx, slices.Collect(maps.Keys(t.Flags)))
	if err != nil {
		return err
	}
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(t.Flags)) {
		flag, found := known[key]
		switch variant := t.Flags[key].Variant; {
		case !found || !flag.Active:
			wrong = append(wrong, fmt.Sprintf("/flags/%s: there is no such active flag", key))
		case variant != nil && !flag.has(*variant):
			wrong = append(wrong, fmt.Sprintf("/flags/%s: it has no variant %s", key, *variant))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	f := fault.New(fault.Invalid, "The template names flags or variants there are not.", "`vital flags list` names those there are.")
	f.Detail = strings.Join(wrong, "\n")
	return f
}
