package feature

import (
	"errors"
	"sync"
)

// Limits of an evaluation. A step is one node of a rule, one element of an array or some bytes of text;
// a rule of a person takes tens of them.
const (
	maxSteps      = 100_000    // for one flag
	maxTotalSteps = 10_000_000 // for all flags of one request
	bytesPerStep  = 32
	maxRuleDepth  = 64 // of a rule, with the shared evaluators it refers to
	maxJoinDepth  = 64 // of an array that is made a text
)

var (
	errSteps = errors.New("the rule took too many steps in this context")
	errDepth = errors.New("the rule made an array that is nested too deep")
)

// machine evaluates one rule. It is reused, so that evaluating allocates nothing of its own.
type machine struct {
	flagKey any // a string, boxed once
	now     int64
	context map[string]any
	steps   int // left
	trace   *trace

	// Working memory, each used as a stack or anew.
	stack  []any   // arguments of the operators being evaluated
	shares []share // buckets of the fractional being evaluated
	text   []byte  // what cat puts together
}

var machines = sync.Pool{New: func() any { return new(machine) }}

// undefined is the value of an argument that was not given; a rule's result is never undefined.
type undefined struct{}

// spend pays for work, and ends the evaluation when the budget is gone. run catches the panic.
func (m *machine) spend(steps int) {
	if m.steps -= steps; m.steps < 0 {
		panic(errSteps)
	}
}

func (m *machine) spendText(length int) { m.spend(length / bytesPerStep) }

// run evaluates a rule, once in the life of a machine. A rule can end only its own evaluation: running out of steps, and any panic of an
// operator, becomes the error of this flag.
func (m *machine) run(r rule) (value any, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			value, err = nil, asError(caught)
		}
	}()
	return r.eval(m, m.context), nil
}

func asError(caught any) error {
	if err, ok := caught.(error); ok && (errors.Is(err, errSteps) || errors.Is(err, errDepth)) {
		return err
	}
	return errors.New("the rule could not be evaluated")
}

// close gives the machine back. It keeps nothing of the request, and no more memory than rules of people
// need.
func (m *machine) close() {
	const keep = 64
	*m = machine{stack: emptied(m.stack, keep), shares: emptied(m.shares, keep), text: emptied(m.text, keep*bytesPerStep)}
	machines.Put(m)
}

func emptied[T any](memory []T, keep int) []T {
	if cap(memory) > keep {
		return nil
	}
	clear(memory[:cap(memory)])
	return memory[:0]
}

// arguments evaluates rules onto the stack. The result is valid until release.
func (m *machine) arguments(rules []rule, data any) []any {
	base := len(m.stack)
	for _, r := range rules {
		value := r.eval(m, data)
		m.stack = append(m.stack, value)
	}
	return m.stack[base:len(m.stack):len(m.stack)]
}

func (m *machine) release(arguments []any) {
	m.stack = m.stack[:len(m.stack)-len(arguments)]
}
