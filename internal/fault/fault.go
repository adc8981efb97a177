// Package fault is the one error type users and operators meet: a stable code, a message a person
// understands, and a hint that names the next step. Packages return faults and wrapped errors, the
// edges (httpapi, cli) turn the code into a status or an exit code and log it once.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Error carries what may be shown to a caller (Code, Message, Hint, Detail) and what may only be
// logged (Err). Message and Detail never hold a secret or data of another tenant.
type Error struct {
	Code    Code
	Message string
	Hint    string
	Detail  string
	Err     error
}

// New returns a fault without a cause.
func New(code Code, message, hint string) *Error {
	return &Error{Code: code, Message: message, Hint: hint}
}

// Wrap returns a fault that keeps err as its cause, for the log.
func Wrap(err error, code Code, message, hint string) *Error {
	return &Error{Code: code, Message: message, Hint: hint, Err: err}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// FaultCode is the code CodeOf finds. An error type of another protocol has this method too, to be logged and
// counted under the code its callers see.
func (e *Error) FaultCode() Code { return e.Code }

// Is reports whether target is a fault of the same code, so errors.Is(err, fault.New(code, "", ""))
// compares codes and never texts.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// From returns err as a fault. Anything that is not one yet is Internal: its text stays in Err, for
// the log, and the caller sees only that something went wrong here.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Wrap(err, Internal, "Something went wrong on our side.",
		"Try again; if it stays, give the request id to whoever runs this server.")
}

// CodeOf returns the code of err: Internal for anything that has none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var coded interface{ FaultCode() Code }
	if errors.As(err, &coded) {
		return coded.FaultCode()
	}
	return Internal
}

// Cancelled wraps err, of something that was given up for cause: it tells a caller who went away from a deadline of ours.
func Cancelled(cause, err error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return Wrap(err, RequestTimeout, "The request took longer than it may.", "Try again; if it stays, narrow the request.")
	}
	return Wrap(err, RequestCancelled, "The request was cancelled.", "Nothing to do: the caller went away.")
}
