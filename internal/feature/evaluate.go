package feature

import (
	"iter"
	"slices"
	"time"
)

// Evaluate says what a flag is worth to a tenant in a context.
func (s *Set) Evaluate(key string, overrides Overrides, context Context, now time.Time) Result {
	e := evaluation{set: s, overrides: overrides, context: context, now: now, steps: maxTotalSteps}
	i, has := s.index[key]
	if !has {
		return s.notFound(key)
	}
	return e.flag(i)
}

// EvaluateAs is Evaluate for a caller that wants a value of one type.
func (s *Set) EvaluateAs(wanted Type, key string, overrides Overrides, context Context, now time.Time) Result {
	result := s.Evaluate(key, overrides, context, now)
	if t, _ := s.TypeOf(key); t != wanted && result.Value != nil {
		return failed(result.Key, result.Metadata, TypeMismatch, "the flag is of type "+string(t)+", not "+string(wanted))
	}
	return result
}

// EvaluateAll evaluates every flag, in the order of their keys.
func (s *Set) EvaluateAll(overrides Overrides, context Context, now time.Time) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		e := evaluation{set: s, overrides: overrides, context: context, now: now, steps: maxTotalSteps}
		for i := range s.flags {
			if !yield(e.flag(i)) {
				return
			}
		}
	}
}

func (s *Set) notFound(key string) Result {
	return failed(key, s.encoded, FlagNotFound, "there is no such flag")
}

func failed(key string, metadata []byte, code ErrorCode, details string) Result {
	return Result{Key: key, Reason: ReasonError, ErrorCode: code, ErrorDetails: details, Metadata: metadata}
}

// evaluation answers one request: for one flag or for all of them.
type evaluation struct {
	set       *Set
	overrides Overrides
	context   Context
	now       time.Time
	steps     int            // left for all rules of this request
	known     map[int]Result // flags that others needed
	record    *recorder      // nil: nobody asked why
}

// flag takes the steps of precedence, as the package comment lists them.
func (e *evaluation) flag(i int) Result {
	f := e.set.flags[i]
	if !f.active {
		return e.record.ended(stepActive, "the flag is inactive", "", Result{Key: f.key, Reason: ReasonDisabled, Metadata: f.metadata})
	}
	e.record.passed(stepActive, "the flag is active")
	if failure := e.failure(i); failure != "" {
		return e.record.ended(stepDefinition, failure, "", failed(f.key, f.metadata, ParseError, failure))
	}
	if len(f.prerequisites) > 0 && !e.prerequisitesMet(f) {
		return e.record.ended(stepPrerequisites, "not met", "", f.unmet())
	}
	if len(f.prerequisites) > 0 {
		e.record.passed(stepPrerequisites, "met")
	}
	metadata := f.metadata
	if override, has := e.override(f.key); has {
		metadata = f.metadataWith(override)
		if result, decided := f.overridden(override); decided {
			result.Metadata = metadata
			return e.record.ended(stepOverride, override.describe(), "", result)
		}
		e.record.passed(stepOverride, "it leaves the decision to the rule and the default")
	}
	result, decided := e.targeting(f)
	if !decided {
		result = e.record.ended(stepDefault, "the flag's default variant: ", f.defaultName(), f.byDefault())
	}
	result.Metadata = metadata
	return result
}

func (e *evaluation) failure(i int) string {
	f := e.set.flags[i]
	if f.failure == "" && len(f.prerequisites) > 0 {
		return e.set.unlinked[i]
	}
	return f.failure
}

// prerequisitesMet evaluates the flags that this one needs, each once in a request.
func (e *evaluation) prerequisitesMet(f *flag) bool {
	for _, p := range f.prerequisites {
		result := e.needed(e.set.index[p.FlagKey])
		met := result.Variant != "" && slices.Contains(p.Variants, result.Variant)
		e.record.prerequisite(p, result, met)
		if !met {
			return false
		}
	}
	return true
}

func (e *evaluation) needed(i int) Result {
	if result, known := e.known[i]; known {
		return result
	}
	record := e.record
	e.record = nil
	result := e.flag(i)
	e.record = record
	if e.known == nil {
		e.known = map[int]Result{}
	}
	e.known[i] = result
	return result
}

func (f *flag) unmet() Result {
	result := f.byDefault()
	if f.valueType == Boolean {
		off := f.boolean(false)
		result.Value, result.Variant = off.value, off.name
	}
	result.Reason = ReasonPrerequisiteFailed
	return result
}

// override finds the tenant's override; one that has run out is none.
func (e *evaluation) override(key string) (Override, bool) {
	o, has := e.overrides[key]
	if has && o.ExpiresAt != nil && !e.now.Before(*o.ExpiresAt) {
		e.record.skipped(stepOverride, "it has run out")
		return Override{}, false
	}
	if !has {
		e.record.skipped(stepOverride, "the tenant has none")
	}
	return o, has
}

func (f *flag) overridden(o Override) (Result, bool) {
	switch {
	case o.Enabled != nil && !*o.Enabled && f.valueType != Boolean:
		return Result{Key: f.key, Reason: ReasonDisabled}, true
	case o.Enabled != nil && !*o.Enabled:
		return f.matched(f.boolean(false)), true
	case o.Variant != "":
		v := f.variant(o.Variant)
		if v == nil {
			return failed(f.key, nil, General, "the tenant's override names the variant "+quoted(o.Variant)+", which the flag does not have"), true
		}
		return f.matched(*v), true
	case o.Enabled != nil && f.valueType == Boolean:
		return f.matched(f.boolean(true)), true
	}
	return Result{}, false
}

func (f *flag) matched(v variant) Result {
	return Result{Key: f.key, Value: v.value, Variant: v.name, Reason: ReasonTargetingMatch, Metadata: f.metadata}
}

// metadataWith adds the scalars of an override's config to the flag's metadata.
func (f *flag) metadataWith(o Override) []byte {
	if len(o.Config) == 0 {
		return f.metadata
	}
	var ignored Problems
	config := scalars(o.Config, "", &ignored)
	if len(config) == 0 {
		return f.metadata
	}
	own, err := object(f.metadata)
	if err != nil {
		return f.metadata // never: it was encoded here
	}
	return own.with(config).encode()
}

// targeting evaluates the rule; not decided means the rule gave null, or there is none.
func (e *evaluation) targeting(f *flag) (Result, bool) {
	if f.rule == nil {
		e.record.skipped(stepTargeting, "the flag has no rule")
		return Result{}, false
	}
	m, _ := machines.Get().(*machine)
	defer m.close()
	budget := min(maxSteps, e.steps)
	m.flagKey, m.now, m.context = f.boxedKey, e.now.Unix(), e.context.attributes
	m.steps, m.trace = budget, e.record.trace()
	value, err := m.run(f.rule)
	e.steps -= budget - max(m.steps, 0)
	switch name, ok := variantName(value); {
	case err != nil:
		return e.record.ended(stepTargeting, err.Error(), "", failed(f.key, f.metadata, General, err.Error())), true
	case value == nil:
		e.record.passed(stepTargeting, "the rule gave null")
		return Result{}, false
	case ok && f.variant(name) != nil:
		return e.record.ended(stepTargeting, "the rule gave the variant ", name, f.matched(*f.variant(name))), true
	}
	details := "the rule gave " + quoted(brief(value)) + ", which is not a variant"
	return e.record.ended(stepTargeting, details, "", failed(f.key, f.metadata, General, details)), true
}

func (f *flag) byDefault() Result {
	result := Result{Key: f.key, Reason: ReasonDefault, Metadata: f.metadata}
	if f.defaultVariant == nil {
		return result
	}
	result.Value, result.Variant = f.defaultVariant.value, f.defaultVariant.name
	if f.rule == nil {
		result.Reason = ReasonStatic
	}
	return result
}
