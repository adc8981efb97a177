package schema_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// claim is one row of docs/reference/assessment.md.
type claim struct{ kind, name, status, where, note string }

var code = regexp.MustCompile("`([^`]+)`")

// readClaims parses the tables of the list.
func readClaims(t *testing.T) []claim {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "docs", "reference", "assessment.md"))
	require.NoError(t, err)
	var claims []claim
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| kind | name |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		require.Len(t, cells, 6, line)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := code.FindStringSubmatch(cells[1])
		require.NotNil(t, name, line)
		claims = append(claims, claim{kind: cells[0], name: name[1], status: cells[3], where: cells[4], note: cells[5]})
	}
	return claims
}

// everything lists what a database holds as "kind name"; names of schema public stand without it, and a
// function is there with its argument types and, as kind "function name", without.
const everything = `
with relations as (
  select c.oid, c.relkind, c.oid::regclass::text as name from pg_class c
  where c.relnamespace::regnamespace::text in ('public', 'vital', 'auth')
)
select 'table ' || name from relations where relkind in ('r', 'p')
union select 'view ' || name from relations where relkind in ('v', 'm')
union select 'index ' || name from relations where relkind in ('i', 'I')
union select 'column ' || r.name || '.' || a.attname from relations r
  join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  where r.relkind in ('r', 'p', 'v', 'm')
union select 'trigger ' || g.tgname from pg_trigger g join relations r on r.oid = g.tgrelid where not g.tgisinternal
union select 'policy ' || p.polname from pg_policy p join relations r on r.oid = p.polrelid
union select 'constraint ' || n.conname from pg_constraint n join relations r on r.oid = n.conrelid
union select unnest(array['function ' || p.oid::regprocedure, 'function name ' || p.proname]) from pg_proc p
  where p.pronamespace::regnamespace::text in ('public', 'vital', 'auth')
union select 'type ' || t.oid::regtype from pg_type t left join pg_class c on c.oid = t.typrelid
  where t.typnamespace::regnamespace::text in ('public', 'vital', 'auth') and (t.typtype in ('e', 'd') or c.relkind = 'c')`

// checkedKinds are those the database itself can confirm.
var checkedKinds = []string{"table", "view", "column", "function", "trigger", "index", "policy", "type", "constraint"}

// inventory is what a database holds, by kind and name.
type inventory map[string]bool

func (i inventory) has(kind, name string) bool {
	return i[kind+" "+strings.ReplaceAll(name, ", ", ",")]
}

func (i inventory) hasAny(name string) bool {
	for _, kind := range checkedKinds {
		if i.has(kind, name) {
			return true
		}
	}
	return false
}

// TestAssessment_ListIsTrue holds docs/reference/assessment.md to a migrated database and the source tree.
func TestAssessment_ListIsTrue(t *testing.T) {
	t.Parallel()
	holds := inventory{}
	for _, object := range column[string](t, pgtest.New(t).Connect(t), everything) {
		holds[object] = true
	}
	claims, kinds, seen := readClaims(t), map[string]int{}, map[claim]bool{}
	for _, c := range claims {
		if problem := c.problem(holds); problem != "" {
			t.Errorf("%s %s (%s): %s", c.kind, c.name, c.status, problem)
		}
		kinds[c.kind]++
		key := claim{kind: c.kind, name: c.name}
		require.False(t, seen[key], "%s %s is listed twice", c.kind, c.name)
		seen[key] = true
		for _, place := range code.FindAllStringSubmatch(c.where, -1) {
			if strings.Contains(place[1], "/") {
				_, err := os.Stat(filepath.Join(repository(t), place[1]))
				require.NoError(t, err, "%s %s", c.kind, c.name)
			}
		}
	}
	for _, kind := range checkedKinds {
		require.NotZero(t, kinds[kind], "no %s is listed", kind)
	}
}

// problem says what is wrong about a claim, "" when it is true.
func (c claim) problem(holds inventory) string {
	checked := false
	for _, kind := range checkedKinds {
		checked = checked || kind == c.kind
	}
	switch {
	case c.status == "planned":
		bare, _, _ := strings.Cut(c.name, "(")
		if checked && (holds.has(c.kind, c.name) || holds["function name "+bare]) {
			return "it exists: it is no longer planned"
		}
	case c.status != "here" && c.status != "different":
		return "the status is none of here, different, planned"
	case c.where == "":
		return "it does not say where"
	case c.status == "here":
		if checked && !holds.has(c.kind, c.name) {
			return "the database has none"
		}
	case c.note == "":
		return "it does not say why it differs"
	case checked:
		return c.elsewhere(holds)
	}
	return ""
}

// elsewhere says what is wrong about the places a different thing is said to be.
func (c claim) elsewhere(holds inventory) string {
	found := 0
	for _, place := range code.FindAllStringSubmatch(c.where, -1) {
		if strings.Contains(place[1], "/") {
			continue
		}
		if !holds.hasAny(place[1]) {
			return "the database has no " + place[1]
		}
		found++
	}
	if found == 0 {
		return "it names no object of the database"
	}
	return ""
}

func TestAssessment_FalseClaimsAreFound(t *testing.T) {
	t.Parallel()
	holds := inventory{"table here": true, "function f(uuid,text)": true, "function name f": true, "policy p": true}
	for name, c := range map[string]struct {
		claim claim
		want  string
	}{
		"True":             {claim{"table", "here", "here", "x", ""}, ""},
		"TrueFunction":     {claim{"function", "f(uuid, text)", "here", "x", ""}, ""},
		"TrueElsewhere":    {claim{"policy", "q", "different", "`p`", "why"}, ""},
		"Unchecked":        {claim{"route", "GET /x", "here", "x", ""}, ""},
		"Missing":          {claim{"table", "there", "here", "x", ""}, "the database has none"},
		"OtherSignature":   {claim{"function", "f(uuid)", "here", "x", ""}, "the database has none"},
		"CameAbout":        {claim{"table", "here", "planned", "", ""}, "it exists: it is no longer planned"},
		"CameOtherwise":    {claim{"function", "f()", "planned", "", ""}, "it exists: it is no longer planned"},
		"NoStatus":         {claim{"table", "here", "done", "x", ""}, "the status is none of here, different, planned"},
		"Nowhere":          {claim{"table", "here", "here", "", ""}, "it does not say where"},
		"NoReason":         {claim{"policy", "q", "different", "`p`", ""}, "it does not say why it differs"},
		"ElsewhereMissing": {claim{"policy", "q", "different", "`gone`", "why"}, "the database has no gone"},
		"ElsewherePath":    {claim{"policy", "q", "different", "`database/x`", "why"}, "it names no object of the database"},
	} {
		require.Equal(t, c.want, c.claim.problem(holds), name)
	}
}
