package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// Error is an error as clients of PostgREST know it. Details and Hint are nil, a string, or what else JSON
// holds.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Details any    `json:"details"`
	Hint    any    `json:"hint"`

	// Header is sent along.
	Header map[string]string `json:"-"`
	raised bool              // a function of the database has chosen the code
	cause  error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Message + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// FaultCode is the code for logs and metrics. What a function has raised may be anything, even a value of the
// request: the SQLSTATE that it did so with stands for it.
func (e *Error) FaultCode() fault.Code {
	if e.raised {
		return raisedState
	}
	return fault.Code(e.Code)
}

func newError(status int, code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

// requestError turns an error of parsing into an answer.
func requestError(err error) error {
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		e := newError(400, "PGRST100", fmt.Sprintf("\"%s\" (line 1, column %d)", syntax.what, syntax.column()))
		e.Details = syntax.detail()
		return e
	}
	return err
}

// databaseError turns an error of the database into an answer, if it is one; authenticated says whether
// signing in could help.
func databaseError(err error, authenticated bool) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || isOurs(err, pgErr) {
		return err
	}
	if pgErr.Code == raisedState {
		return raisedError(pgErr)
	}
	e := &Error{
		Status: statusOf(pgErr, authenticated), Code: pgErr.Code, Message: pgErr.Message,
		Details: orNil(pgErr.Detail), Hint: orNil(pgErr.Hint), cause: err,
	}
	if e.Status == 401 {
		e.Header = map[string]string{"WWW-Authenticate": "Bearer"}
	}
	return e
}

// isOurs says that err is a fault with a code of its own: raised by VITAL's functions, or about the way to the
// database and not about the statement.
func isOurs(err error, pgErr *pgconn.PgError) bool {
	switch fault.CodeOf(err) {
	case fault.RequestCancelled, fault.RequestTimeout, fault.DatabaseUnavailable, fault.PoolExhausted:
		return true
	default:
		return strings.HasPrefix(pgErr.Code, "VT")
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// statusOfState are SQLSTATEs and their classes; what is not listed is 400. A state outranks its class.
var statusOfState = map[string]int{
	"08": 503, "09": 500, "0L": 403, "0P": 403, "23503": 409, "23505": 409, "25006": 405, "25": 500, "28": 403,
	"2D": 500, "38": 500, "39": 500, "3B": 500, "40": 500, "53": 503, "53400": 500, "54": 500, "55": 500,
	"57P01": 503, "57": 500, "58": 500, "F0": 500, "HV": 500, "P0001": 400, "P0": 500, "XX": 500,
	"42883": 404, "42P01": 404, "42P17": 500,
}

func statusOf(e *pgconn.PgError, authenticated bool) int {
	switch {
	case e.Code == "21000" && !strings.HasSuffix(e.Message, "requires a WHERE clause"):
		return 500
	case e.Code == "22023" && strings.HasPrefix(e.Message, "role") && strings.HasSuffix(e.Message, "does not exist"):
		return 401
	case e.Code == "42883" && strings.HasPrefix(e.Message, "function xmlagg("):
		return 406
	case e.Code == "42501" && !authenticated:
		return 401
	case e.Code == "42501":
		return 403
	case strings.HasPrefix(e.Code, "PT"):
		if status, err := strconv.Atoi(e.Code[2:]); err == nil && status >= firstFinal && status < 1000 {
			return status
		}
		return 500
	}
	if status, ok := statusOfState[e.Code]; ok {
		return status
	}
	if status, ok := statusOfState[e.Code[:min(2, len(e.Code))]]; ok {
		return status
	}
	return 400
}

// raisedState is the SQLSTATE by which a function answers in full.
const raisedState = "PGRST"

// raisedError reads an answer that a function of the database has raised in full: SQLSTATE PGRST, a JSON
// object each for the message and the detail.
func raisedError(pgErr *pgconn.PgError) error {
	malformed := func(details, hint string) error {
		e := newError(500, "PGRST121", `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error`)
		e.Details, e.Hint, e.cause = details, hint, pgErr
		return e
	}
	const detailHint = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
	var message struct {
		Code, Message *string
		Details, Hint *string
	}
	if json.Unmarshal([]byte(pgErr.Message), &message) != nil || message.Code == nil || message.Message == nil {
		return malformed("Invalid JSON value for MESSAGE: '"+pgErr.Message+"'",
			"MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.")
	}
	if pgErr.Detail == "" {
		return malformed("DETAIL is missing in the RAISE statement", detailHint)
	}
	var detail struct {
		Status  *int
		Headers map[string]string
	}
	if json.Unmarshal([]byte(pgErr.Detail), &detail) != nil || detail.Status == nil || detail.Headers == nil {
		return malformed("Invalid JSON value for DETAIL: '"+pgErr.Detail+"'", detailHint)
	}
	e := newError(*detail.Status, *message.Code, *message.Message)
	e.raised = true
	if e.Status < firstFinal || e.Status > 999 {
		e.Status = 500
	}
	e.Header, e.cause = detail.Headers, pgErr
	if message.Details != nil {
		e.Details = *message.Details
	}
	if message.Hint != nil {
		e.Hint = *message.Hint
	}
	return e
}

func (c *Catalog) tableNotFound(n Name) error {
	e := newError(404, "PGRST205", "Could not find the table '"+n.Schema+"."+n.Name+"' in the schema cache")
	var names []string
	for name := range c.tables {
		if name.Schema == n.Schema {
			names = append(names, name.Name)
		}
	}
	if meant := closest(names, n.Name, closeEnough); meant != "" {
		e.Hint = "Perhaps you meant the table '" + n.Schema + "." + meant + "'"
	}
	return e
}

func columnNotFound(t *Table, column string) error {
	return newError(400, "PGRST204", "Could not find the '"+column+"' column of '"+t.Name.Name+"' in the schema cache")
}

func (c *Catalog) noRelationship(schema, parent, child, hint string) error {
	e := newError(400, "PGRST200", "Could not find a relationship between '"+parent+"' and '"+child+"' in the schema cache")
	using := ""
	if hint != "" {
		using = "' using the hint '" + hint
	}
	e.Details = "Searched for a foreign key relationship between '" + parent + "' and '" + child + using +
		"' in the schema '" + schema + "', but no matches were found."
	from, known := c.relations[relationKey{Name{schema, parent}, schema}]
	var meant, instead string
	if !known {
		var parents []string
		for key := range c.relations {
			if key.schema == schema {
				parents = append(parents, key.origin.Name)
			}
		}
		meant, instead = closest(parents, parent, farthest), parent
	} else {
		var children []string
		for _, r := range from {
			if r.target.Name == child {
				return e // it is the hint that is wrong
			}
			children = append(children, r.target.Name)
		}
		meant, instead = closest(children, child, farthest), child
	}
	if meant != "" {
		e.Hint = "Perhaps you meant '" + meant + "' instead of '" + instead + "'."
	}
	return e
}

func ambiguousRelationship(parent, child string, found []*Relationship) error {
	e := newError(300, "PGRST201", "Could not embed because more than one relationship was found for '"+parent+"' and '"+child+"'")
	var details []map[string]string
	var hints []string
	for _, r := range found {
		details = append(details, map[string]string{
			"cardinality": r.cardinality.String(), "relationship": r.describe(), "embedding": r.table.Name + " with " + r.target.Name,
		})
		by := r.constraint
		if r.junction != nil {
			by = r.junction.table.Name
		}
		hints = append(hints, "'"+r.target.Name+"!"+by+"'")
	}
	e.Details = details
	e.Hint = "Try changing '" + child + "' to one of the following: " + strings.Join(hints, ", ") +
		". Find the desired relationship in the 'details' key."
	return e
}

func (r *Relationship) describe() string {
	list := func(pairs [][2]string, side int) string {
		names := make([]string, len(pairs))
		for i, p := range pairs {
			names[i] = p[side]
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	if j := r.junction; j != nil {
		return j.table.Name + " using " + j.sourceConstraint + list(j.sourceColumns, 1) + " and " + j.targetConstraint + list(j.targetColumns, 1)
	}
	return r.constraint + " using " + r.table.Name + list(r.columns, 0) + " and " + r.target.Name + list(r.columns, 1)
}

func (c *Catalog) noRoutine(n Name, keys []string, content mediaKind, post bool) error {
	raw := post && (content == mediaText || content == mediaXML || content == mediaOctets)
	full := n.Schema + "." + n.Name
	called, searched := full, full
	switch {
	case raw:
		searched += " with a single unnamed " + map[mediaKind]string{mediaText: "text", mediaXML: "xml", mediaOctets: "bytea"}[content] + " parameter"
	case len(keys) == 0:
		called += " without parameters"
		searched += " without parameters"
	default:
		called += "(" + strings.Join(keys, ", ") + ")"
		searched += " with parameter"
		if len(keys) > 1 {
			searched += "s"
		}
		searched += " " + strings.Join(keys, ", ")
	}
	if post && content == mediaJSON {
		searched += " or with a single unnamed json/jsonb parameter"
	}
	e := newError(404, "PGRST202", "Could not find the function "+called+" in the schema cache")
	e.Details = "Searched for the function " + searched + ", but no matches were found in the schema cache."
	if hint := c.routineHint(n, keys); hint != "" && !raw {
		e.Hint = "Perhaps you meant to call the function " + n.Schema + "." + hint
	}
	return e
}

func (c *Catalog) routineHint(n Name, keys []string) string {
	overloads := c.routines[n]
	if len(overloads) == 0 {
		var names []string
		for name := range maps.Keys(c.routines) {
			if name.Schema == n.Schema {
				names = append(names, name.Name)
			}
		}
		return closest(names, n.Name, closeEnough)
	}
	signature := func(names []string) string {
		return "(" + strings.Join(slices.Sorted(slices.Values(names)), ", ") + ")"
	}
	var signatures []string
	for _, r := range overloads {
		var names []string
		for _, p := range r.Params {
			names = append(names, p.Name)
		}
		signatures = append(signatures, signature(names))
	}
	if meant := closest(signatures, signature(keys), farthest); meant != "" {
		return n.Name + meant
	}
	return ""
}

func ambiguousRoutine(found []*Routine) error {
	var signatures []string
	for _, r := range found {
		var params []string
		for _, p := range r.Params {
			params = append(params, p.Name+" => "+p.Type)
		}
		signatures = append(signatures, r.Schema+"."+r.Name.Name+"("+strings.Join(params, ", ")+")")
	}
	e := newError(300, "PGRST203", "Could not choose the best candidate function between: "+strings.Join(signatures, ", "))
	e.Hint = "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
	return e
}
