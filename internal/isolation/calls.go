package isolation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxCalls bounds how often a function is called by each caller, maxGuesses with values that only fit by type.
const maxCalls, maxGuesses = 40, 6

// callFunctions calls every exposed function with the other tenant's ids.
func (t *suite) callFunctions(ctx context.Context, who caller) error {
	for i := range t.c.functions {
		f := &t.c.functions[i]
		if t.only != "" && t.only != f.signature() {
			continue
		}
		for n := range maxCalls {
			statement, more := t.call(f, n, false)
			if n > 0 && !more {
				break
			}
			result := Result{Attack: "call", Family: "function", Verb: "function", Title: "call it with the other tenant's ids",
				Reference: "OWASP API5:2023 Broken Function Level Authorization", Object: f.signature(), Caller: who.name}
			a := Attack{Name: "call", Family: "function", Verb: "function"}
			control := ""
			if len(f.types) > 0 && !f.volatile {
				control, _ = t.call(f, n, true)
				a.leak = "difference"
			}
			result.sent = &sent{attack: a, last: statement, control: control}
			if err := t.execute(ctx, who, a, "", statement, control, &result); err != nil {
				return err
			}
			if err := t.add(result); err != nil {
				return err
			}
			if result.SQLState == "42501" && n == 0 { // no right to it, whatever it is called with
				break
			}
		}
		if err := t.attackFunction(ctx, who, f); err != nil {
			return err
		}
	}
	return nil
}

// attackFunction runs the attacks on functions.
func (t *suite) attackFunction(ctx context.Context, who caller, f *function) (err error) {
	if t.c.server.superuser && f.definer {
		if err := t.forgetCompiled(ctx, who, f); err != nil {
			return err
		}
		defer func() {
			_, undo := t.exec(context.WithoutCancel(ctx), "rollback to savepoint forget; release savepoint forget")
			err = errors.Join(err, undo)
		}()
	}
	statement, _ := t.call(f, 0, false)
	fill := fills{"call": statement, "caller_role": literal(who.role)}
	for _, a := range t.attacks {
		if a.Family != "function" || a.each == "definer function" && !f.definer {
			continue
		}
		if err := t.launch(ctx, who, a, f.signature(), fill); err != nil {
			return err
		}
	}
	return nil
}

// forgetCompiled makes f as it is on a fresh connection: one that ran here keeps the types it found then.
func (t *suite) forgetCompiled(ctx context.Context, who caller, f *function) error {
	statements := append([]string{"savepoint forget", "set local session authorization default", "reset role",
		"alter routine " + f.quoted() + "(" + f.arguments + ") security definer"}, append(t.s.enter(who), "savepoint attack")...)
	if _, err := t.exec(ctx, strings.Join(statements, ";\n")); err != nil {
		return fmt.Errorf("make %s be compiled anew: %w", f.signature(), err)
	}
	return nil
}

// call is the nth way to call f with what is the other tenant's, or with nobody's ids instead. more says that
// it differs from the ways before.
func (t *suite) call(f *function, n int, unknown bool) (statement string, more bool) {
	var arguments []string
	for i, typ := range f.types {
		name := ""
		if i < len(f.names) {
			name = strings.TrimPrefix(f.names[i], "p_")
		}
		options := t.arguments(name, typ)
		more = more || n < len(options)
		option := options[n%len(options)]
		if unknown && typ == "uuid" && option != "null" {
			option = literal(unknownUUID.String())
		}
		arguments = append(arguments, option+"::"+typ)
	}
	verb := "select * from "
	if f.kind == "p" {
		verb = "call "
	}
	return verb + f.quoted() + "(" + strings.Join(arguments, ", ") + ")", more
}

// arguments are values of the other tenant for an argument, by its name where that tells, else by its type.
func (t *suite) arguments(name, typ string) []string {
	var named, typed []string
	for _, r := range t.c.relations {
		row := t.other.rows[r]
		if row == nil || !t.s.exposes(r) {
			continue
		}
		for _, c := range r.columns {
			value := row[c.name]
			if value == nil || c.base != typ && (c.category != "S" || typ != "text") {
				continue
			}
			subject := strings.TrimSuffix(r.name, "s") + "_" + c.name
			if c.name == name || subject == name {
				named = append(named, literal(*value))
			} else if typ == "uuid" && slices.Contains([]string{"id", "user_id", "tenant_id"}, c.name) {
				typed = append(typed, literal(*value))
			} else if c.category == "S" {
				typed = append(typed, literal(*value))
			}
		}
	}
	switch {
	case name == "tenant_id" || name == "organization_id":
		named = []string{literal(t.other.tenant)}
	case name == "user_id":
		named = nil
		for _, user := range slices.Sorted(maps.Values(t.other.members)) {
			named = append(named, literal(user))
		}
	case typ == "boolean":
		named = []string{"true", "false"}
	case typ == "jsonb" || typ == "json":
		named = []string{"'{}'"}
	case strings.HasPrefix(typ, "timestamp"), typ == "date":
		named = []string{"now()"}
	case slices.Contains([]string{"integer", "bigint", "smallint", "numeric"}, typ):
		named = append(named, strconv.Itoa(24), "1")
	}
	all := slices.Compact(slices.Sorted(slices.Values(named)))
	if len(all) == 0 {
		all = typed[:min(len(typed), maxGuesses)]
	}
	if len(all) == 0 {
		return []string{"null"}
	}
	return all[:min(len(all), maxCalls)]
}
