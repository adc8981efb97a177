package feature

import "time"

// The steps of precedence, as an Explanation names them.
const (
	stepDefinition    = "definition"
	stepActive        = "active"
	stepPrerequisites = "prerequisites"
	stepOverride      = "override"
	stepTargeting     = "targeting"
	stepDefault       = "default"
)

// The outcomes of a step: it decided the result, it was looked at and left the decision to the next ones,
// or there was nothing to look at.
const (
	outcomeDecided = "decided"
	outcomePassed  = "passed"
	outcomeSkipped = "skipped"
)

// Explanation is a Result and the steps that led to it, the deciding one last. Its words are stable.
type Explanation struct {
	Result
	Steps []Step `json:"steps"`
}

// Step is one step of precedence.
type Step struct {
	Step          string               `json:"step"`
	Outcome       string               `json:"outcome"`
	Detail        string               `json:"detail,omitempty"`
	Prerequisites []PrerequisiteResult `json:"prerequisites,omitempty"`
	Rule          []RuleStep           `json:"rule,omitempty"`
	// Truncated says that the rule took more steps than are shown.
	Truncated bool `json:"truncated,omitempty"`
}

// PrerequisiteResult is what another flag evaluated to. The first that is not met ends the step.
type PrerequisiteResult struct {
	FlagKey string   `json:"flag_key"`
	Needs   []string `json:"needs"`
	Variant string   `json:"variant,omitempty"`
	Reason  Reason   `json:"reason"`
	Met     bool     `json:"met"`
}

// Explain evaluates a flag as Evaluate does and says how it came to the result.
func (s *Set) Explain(key string, overrides Overrides, context Context, now time.Time) Explanation {
	r := &recorder{}
	i, has := s.index[key]
	if !has {
		result := r.ended(stepDefinition, "there is no such flag", "", s.notFound(key))
		return Explanation{result, r.steps}
	}
	e := evaluation{set: s, overrides: overrides, context: context, now: now, steps: maxTotalSteps, record: r}
	result := e.flag(i)
	return Explanation{result, r.steps}
}

// recorder collects the steps. A nil recorder, as every other evaluation has, does nothing.
type recorder struct {
	steps         []Step
	prerequisites []PrerequisiteResult
	rule          *trace
}

// ended records the step that decided. Detail and name are put together only if somebody asked why.
func (r *recorder) ended(step, detail, name string, result Result) Result {
	if r != nil {
		r.add(step, outcomeDecided, detail+name)
	}
	return result
}

func (r *recorder) passed(step, detail string) {
	if r != nil {
		r.add(step, outcomePassed, detail)
	}
}

func (r *recorder) skipped(step, detail string) {
	if r != nil {
		r.add(step, outcomeSkipped, detail)
	}
}

func (r *recorder) add(step, outcome, detail string) {
	s := Step{Step: step, Outcome: outcome, Detail: detail}
	switch {
	case step == stepPrerequisites:
		s.Prerequisites = r.prerequisites
	case step == stepTargeting && r.rule != nil:
		s.Rule, s.Truncated = r.rule.steps, r.rule.truncated
	}
	r.steps = append(r.steps, s)
}

func (r *recorder) prerequisite(p Prerequisite, result Result, met bool) {
	if r != nil {
		r.prerequisites = append(r.prerequisites, PrerequisiteResult{p.FlagKey, p.Variants, result.Variant, result.Reason, met})
	}
}

func (r *recorder) trace() *trace {
	if r == nil {
		return nil
	}
	r.rule = &trace{}
	return r.rule
}

func (o Override) describe() string {
	switch {
	case o.Enabled != nil && !*o.Enabled:
		return "the tenant switched it off"
	case o.Variant != "":
		return "the tenant chose a variant"
	}
	return "the tenant switched it on"
}

func (f *flag) defaultName() string {
	if f.defaultVariant == nil {
		return "none, the caller's own holds"
	}
	return f.defaultVariant.name
}
