package isolation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// variants are what a runs for on r: one, or one for each of what it is about.
func (t *suite) variants(a Attack, who caller, r *relation, base fills) []fills {
	switch a.each {
	case "foreign":
		return t.foreignVariants(r, base)
	case "unique":
		return t.uniqueVariants(r, base)
	case "materialized view":
		if r.kind != "m" {
			return nil
		}
	case "privileged role":
		return t.roleVariants(who)
	case "replay":
		return t.replayVariants(base)
	case "sequence":
		return t.sequenceVariants()
	}
	return []fills{base}
}

// roleVariants are the roles that own tables or bypass policies, and are not who's own.
func (t *suite) roleVariants(who caller) []fills {
	var variants []fills
	for _, role := range t.privileged {
		if role != who.role && role != who.login {
			variants = append(variants, fills{"role": identifier(role)})
		}
	}
	return variants
}

// replayVariants are the other tenant's identities that must count for nothing.
func (t *suite) replayVariants(base fills) []fills {
	var variants []fills
	for i, replayed := range t.s.Replays {
		f := maps.Clone(base)
		f["replay_name"], f["replay_setting"], f["replay"] = replayed.Name, literal(replayed.Setting), literal(t.replays[i])
		variants = append(variants, f)
	}
	return variants
}

// readReplays has the operator make them, before anybody attacks.
func (t *suite) readReplays(ctx context.Context) error {
	other := t.otherCaller(caller{})
	for _, replayed := range t.s.Replays {
		results, err := t.exec(ctx, t.s.identify(replayed.Value, other))
		if err != nil || len(results[0].Rows) == 0 {
			return cannotBuild(errors.Join(fmt.Errorf("make an identity that is %s", replayed.Name), err))
		}
		t.replays = append(t.replays, string(results[0].Rows[0][0]))
	}
	return nil
}

func (t *suite) sequenceVariants() []fills {
	var variants []fills
	for _, sequence := range t.c.sequences {
		variants = append(variants, fills{"sequence": sequence, "sequence_name": literal(sequence)})
	}
	return variants
}

// foreignVariants are own rows that point to the other tenant's, and to nobody's, for each foreign key.
func (t *suite) foreignVariants(r *relation, base fills) []fills {
	var variants []fills
	tenant := t.s.tenantColumn(r)
	for _, k := range r.foreign {
		parent := t.other.rows[k.to]
		if parent == nil || t.mine.rows[r] == nil || t.s.rule(k.to).Global != "" {
			continue
		}
		other, unknown := map[string]string{}, map[string]string{}
		for i, name := range k.columns {
			if name == tenant {
				continue
			}
			other[name] = quoteValue(parent[k.references[i]])
			unknown[name] = other[name]
			if k.references[i] != t.s.tenantColumn(k.to) || len(k.columns) == 1 {
				unknown[name] = literal(nobody(r.column(name)))
			}
		}
		if len(other) == 0 {
			continue
		}
		f := maps.Clone(base)
		f["insert_reference_other"], f["insert_reference_unknown"] = t.insertTail(t.mine, r, other), t.insertTail(t.mine, r, unknown)
		if t.s.tenantColumn(k.to) == "" && !slices.ContainsFunc(k.references, func(name string) bool { return k.to.column(name).base != "uuid" }) {
			f["known_risk"] = guessedByNobody
		}
		variants = append(variants, f)
	}
	return variants
}

// guessedByNobody is why a channel about a random id carries nothing.
const guessedByNobody = "it is about a random id, which nobody guesses or meets by chance"

// uniqueVariants are own rows that have the other tenant's values, and free ones, for each unique key that
// the tenant is no part of.
func (t *suite) uniqueVariants(r *relation, base fills) []fills {
	var variants []fills
	row, tenant := t.other.rows[r], t.s.tenantColumn(r)
	if row == nil || t.mine.rows[r] == nil || t.s.rule(r).Global != "" {
		return nil
	}
	for _, key := range r.keys {
		if slices.Contains(key, tenant) {
			continue
		}
		taken := map[string]string{}
		for _, name := range key {
			taken[name] = quoteValue(row[name])
		}
		f := maps.Clone(base)
		f["insert_collision"], f["insert_free"] = t.insertTail(t.mine, r, taken), t.insertTail(t.mine, r, nil)
		if !slices.ContainsFunc(key, func(name string) bool { return r.column(name).base != "uuid" }) {
			f["known_risk"] = guessedByNobody
		}
		variants = append(variants, f)
	}
	return variants
}
