// Package feature decides what a feature flag is worth, and why. It is pure: definitions, a tenant's
// overrides, the evaluation context and the time come in, a value and a reason go out. It reads no
// database, no clock and no environment.
//
// # Use
//
// Compile decodes and checks a Source once; the Set it gives is immutable and safe for any number of
// goroutines. With and Without give the next Set from the last one when a flag changes. Set.Evaluate,
// Set.EvaluateAs and Set.EvaluateAll answer, Set.Explain answers and says how it came to the answer.
//
// A flag that is wrong does not take the others down: Set.Problems says what is wrong and where, and the
// flag itself evaluates to PARSE_ERROR.
//
// # Precedence
//
// The first of these that decides ends the evaluation:
//
//  1. There is no such flag: ERROR, FLAG_NOT_FOUND.
//  2. It is inactive: DISABLED, no value. The caller's own default holds.
//  3. It could not be compiled: ERROR, PARSE_ERROR.
//  4. A prerequisite is not met: PREREQUISITE_FAILED; a boolean flag is false, any other has its
//     default variant.
//  5. The tenant's override, if it has not run out. enabled=false makes a boolean flag false and
//     disables any other; else its variant; else enabled=true makes a boolean flag true. Reason:
//     TARGETING_MATCH. An override that says none of these leaves the decision to the next steps.
//  6. Targeting: a rule in JSON logic that names a variant (TARGETING_MATCH), or gives null.
//  7. The default variant: STATIC where the flag has no rule, DEFAULT where its rule gave null. A flag
//     without a default variant has reason DEFAULT and no value.
//
// # Rules
//
// Rules are JSON logic with the operators of flagd: fractional, starts_with, ends_with, sem_ver and
// {"$ref": name} for a shared evaluator. JSON logic is evaluated as its reference implementation does,
// the operators as flagd specifies them; docs/reference/flags.md lists both. Rules are compiled to a
// tree and evaluated by this package, not by a general library, because a rule is somebody's input: each
// evaluation has a budget of steps that also pays for memory, so that no rule and no context can hold a
// request up or exhaust the process.
//
// # Files
//
// ParseFlagd and File.WriteTo read and write flagd's file format without loss; File.Source and NewFile
// go between files and definitions.
package feature
