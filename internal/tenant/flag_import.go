package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
)

// FlagImport is what importing flags came to.
type FlagImport struct {
	Flags      []ImportedFlag      `json:"flags"`
	Evaluators []ImportedEvaluator `json:"evaluators"`
	Unchanged  int                 `json:"unchanged"` // flags and evaluators that are so already
	// Problems are of flags that will not evaluate until an evaluator they name is there, as in flagd.
	Problems []feature.Problem `json:"problems"`
}

// ImportedFlag is a flag that was made (from version 0) or changed.
type ImportedFlag struct {
	Key     string       `json:"flag_key"`
	From    int          `json:"from_version"`
	To      int          `json:"to_version"`
	Changes []Difference `json:"changes"`
}

// ImportedEvaluator is an evaluator that was made or changed.
type ImportedEvaluator struct {
	Name string `json:"name"`
	Made bool   `json:"made"`
}

// ImportFlags makes and changes definitions and evaluators so that they are those of source, within tx: all
// or nothing. Flags and evaluators that are not in source stay as they are. The set's metadata becomes that
// of each flag that has none of that name. A definition that would not evaluate is invalid, and the detail names
// the place, unless only an evaluator is missing that it names.
func ImportFlags(ctx context.Context, tx pgx.Tx, source feature.Source, reason string) (*FlagImport, error) {
	stored, err := LoadFlags(ctx, tx)
	if err != nil {
		return nil, err
	}
	unresolved, err := checkImport(stored.Source, source)
	if err != nil {
		return nil, err
	}
	versions := map[string]int{}
	for _, d := range stored.Source.Definitions {
		versions[d.Key] = d.Version
	}
	report := &FlagImport{Flags: []ImportedFlag{}, Evaluators: []ImportedEvaluator{}, Problems: unresolved}
	for _, name := range slices.Sorted(maps.Keys(source.Evaluators)) {
		if err := report.evaluator(ctx, tx, name, source.Evaluators[name]); err != nil {
			return nil, err
		}
	}
	for _, d := range inOrder(source.Definitions) {
		if d.Metadata, err = mergeObjects(source.Metadata, d.Metadata); err != nil {
			return nil, fmt.Errorf("metadata of flag %s: %w", d.Key, err)
		}
		if err := report.flag(ctx, tx, d, versions[d.Key], reason); err != nil {
			return nil, fmt.Errorf("import flag %s: %w", d.Key, err)
		}
	}
	if _, err := tx.Exec(ctx, flagQueries.Get("FlagsSettle")); err != nil { // what is held at commit, one that is undone included
		return nil, fmt.Errorf("check imported flags: %w", err)
	}
	return report, nil
}

// checkImport refuses definitions that would not evaluate among those that are there, and returns what only lacks an
// evaluator.
func checkImport(stored, source feature.Source) (unresolved []feature.Problem, err error) {
	imported := map[string]bool{}
	for _, d := range source.Definitions {
		imported[d.Key] = true
	}
	together := feature.Source{Definitions: slices.Clone(source.Definitions), Evaluators: maps.Clone(stored.Evaluators), Metadata: source.Metadata}
	for _, d := range stored.Definitions {
		if !imported[d.Key] {
			together.Definitions = append(together.Definitions, d)
		}
	}
	if together.Evaluators == nil {
		together.Evaluators = map[string]json.RawMessage{}
	}
	maps.Copy(together.Evaluators, source.Evaluators)
	problems := problemsOf(together, func(key string) bool { return imported[key] })
	unresolved = []feature.Problem{}
	for _, p := range problems {
		if p.Unresolved {
			unresolved = append(unresolved, p)
		}
	}
	return unresolved, flagFault(slices.DeleteFunc(problems, func(p feature.Problem) bool { return p.Unresolved }))
}

// CheckFlag is invalid, and the detail names the places, when a definition would not evaluate as it stands.
func CheckFlag(ctx context.Context, tx pgx.Tx, key string) error {
	flags, err := LoadFlags(ctx, tx)
	if err != nil {
		return err
	}
	return flagFault(problemsOf(flags.Source, func(other string) bool { return other == key }))
}

// problemsOf are what keeps the flags that are asked about from evaluating.
func problemsOf(source feature.Source, asked func(key string) bool) feature.Problems {
	return slices.DeleteFunc(feature.Compile(source).Problems().Errors(), func(p feature.Problem) bool {
		return slices.ContainsFunc(source.Definitions, func(d feature.Definition) bool {
			return !asked(d.Key) && strings.HasPrefix(p.Path+"/", "/flags/"+pointerEscape.Replace(d.Key)+"/")
		})
	})
}

// flagFault is the error of problems, nil for none.
func flagFault(problems feature.Problems) error {
	err := problems.Err()
	if err == nil {
		return nil
	}
	f := fault.Wrap(err, fault.Invalid, "A flag would not evaluate.", "Mend each place; nothing was changed.")
	f.Detail = err.Error()
	return f
}

// pointerEscape writes a key as a step of a JSON pointer.
var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

func (r *FlagImport) evaluator(ctx context.Context, tx pgx.Tx, name string, rule json.RawMessage) error {
	var made bool
	err := tx.QueryRow(ctx, flagQueries.Get("EvaluatorSet"), name, string(rule)).Scan(&made)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		r.Unchanged++
		return nil
	case err != nil:
		return fmt.Errorf("import evaluator %s: %w", name, err)
	}
	r.Evaluators = append(r.Evaluators, ImportedEvaluator{name, made})
	return nil
}

func (r *FlagImport) flag(ctx context.Context, tx pgx.Tx, d feature.Definition, from int, reason string) error {
	changes, err := definitionChanges(d)
	if err != nil {
		return err
	}
	target := FlagTarget{Key: d.Key}
	to, err := ChangeFlag(ctx, tx, target, changes, &from, reason)
	if err != nil {
		return err
	}
	if to == from {
		r.Unchanged++
		return nil
	}
	var before *int
	if from > 0 {
		before = &from
	}
	differences, err := DiffFlag(ctx, tx, target, before, &to)
	if err != nil {
		return err
	}
	r.Flags = append(r.Flags, ImportedFlag{d.Key, from, to, differences})
	return nil
}

// definitionChanges are all fields of a definition; null puts one back to what it is without.
func definitionChanges(d feature.Definition) (json.RawMessage, error) {
	return json.Marshal(map[string]any{
		"name": orNull(d.Name), "description": orNull(d.Description), "flag_type": d.Type, "default_enabled": d.DefaultEnabled,
		"variants": d.Variants, "default_variant": orNull(d.DefaultVariant), "targeting": d.Targeting, "is_active": d.Active,
		"category": orNull(d.Category), "owner": orNull(d.Owner), "tags": d.Tags, "expires_at": d.ExpiresAt,
		"metadata": d.Metadata, "prerequisites": d.Prerequisites,
	})
}

// inOrder puts each flag behind those it needs: the database wants them to be there, as they will be.
func inOrder(definitions []feature.Definition) []feature.Definition {
	byKey := map[string]feature.Definition{}
	for _, d := range definitions {
		byKey[d.Key] = d
	}
	var ordered []feature.Definition
	done := map[string]bool{}
	var visit func(key string)
	visit = func(key string) {
		d, known := byKey[key]
		if !known || done[key] {
			return
		}
		done[key] = true
		var needed []feature.Prerequisite
		_ = json.Unmarshal(d.Prerequisites, &needed) // what cannot be read the database refuses, and says why
		for _, n := range needed {
			visit(n.FlagKey)
		}
		ordered = append(ordered, d)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		visit(key)
	}
	return ordered
}

// mergeObjects is an object with the members of base that it does not have itself.
func mergeObjects(base, own json.RawMessage) (json.RawMessage, error) {
	if len(base) == 0 {
		return own, nil
	}
	merged := map[string]json.RawMessage{}
	for _, raw := range []json.RawMessage{base, own} {
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, &merged); err != nil {
			return nil, err
		}
	}
	return json.Marshal(merged)
}
