package isolation

import "strings"

// Figures say how far the policies reach.
type Figures struct {
	Total   SchemaFigures   `json:"total"`
	Schemas []SchemaFigures `json:"schemas"`
	Roles   []RoleFigures   `json:"roles"`
	// Assessment is what the assessment asked of schema public; only of VITAL's own database.
	Assessment *Assessment `json:"assessment,omitempty"`
}

// SchemaFigures are those of one schema.
type SchemaFigures struct {
	Schema    string `json:"schema"`
	Relations int    `json:"relations"`
	// Unfiltered are relations whose rows a role reaches past any row filter, owners, superusers and roles
	// with BYPASSRLS apart.
	Unfiltered int `json:"unfiltered"`
	Tables     int `json:"tables"`
	// RowSecurity and Forced are tables with row-level security enabled, and forced.
	RowSecurity int `json:"row_security"`
	Forced      int `json:"forced"`
	// Decided are tables where select, insert, update and delete are each decided for every role: row-level
	// security is on, and no role but the owner has a privilege that no policy speaks of.
	Decided  int `json:"decided"`
	Policies int `json:"policies"`
	// ByCommand are the policies by select, insert, update, delete and all.
	ByCommand map[string]int `json:"policies_by_command"`
	Functions int            `json:"functions"`
	Definer   int            `json:"definer_functions"`
}

// RoleFigures say what one role reaches.
type RoleFigures struct {
	Role        string `json:"role"`
	Relations   int    `json:"relations"`    // that it reaches with any command on rows
	RowFiltered int    `json:"row_filtered"` // of these, with a row filter on each such command
	Functions   int    `json:"functions"`    // that it may execute
}

// Assessment is the number of policies and tables the assessment asked for, beside those of public.
type Assessment struct {
	Policies       int `json:"policies"`
	PoliciesWanted int `json:"policies_wanted"`
	Tables         int `json:"tables"`
	TablesWanted   int `json:"tables_wanted"`
}

// What the assessment asked for: "XX/30 policies", "RLS on all tenant-aware tables (20+)".
const (
	policiesWanted = 30
	tablesWanted   = 20
)

// policyCount is how many policies a schema has for one command, by the letter of pg_policy.
type policyCount struct {
	Schema   string
	Letter   string
	Policies int
}

var commandOfLetter = map[string]string{"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}

// touchesRows are the commands policies are about.
var touchesRows = map[string]bool{"select": true, "insert": true, "update": true, "delete": true}

func count(m *Matrix, schemas []string, policies []policyCount, ours bool) Figures {
	of := map[string]*SchemaFigures{}
	figures := Figures{Total: SchemaFigures{ByCommand: map[string]int{}}, Schemas: make([]SchemaFigures, len(schemas))}
	for i, name := range schemas {
		figures.Schemas[i] = SchemaFigures{Schema: name, ByCommand: map[string]int{}}
		of[name] = &figures.Schemas[i]
	}
	for _, p := range policies {
		f := of[p.Schema]
		f.Policies += p.Policies
		f.ByCommand[commandOfLetter[p.Letter]] += p.Policies
	}
	objects := m.Objects()
	bypasses := map[string]bool{}
	for _, role := range m.Roles {
		bypasses[role.Name] = role.BypassRLS || role.Superuser
	}
	for i := range objects {
		if f := of[objects[i].Schema()]; objects[i].Kind != "schema" {
			f.add(&objects[i], bypasses)
		}
	}
	for _, f := range figures.Schemas {
		figures.Total.sum(f)
	}
	for _, role := range m.Roles {
		figures.Roles = append(figures.Roles, countRole(objects, role.Name))
	}
	if public := of["public"]; ours && public != nil {
		figures.Assessment = &Assessment{
			Policies: public.Policies, PoliciesWanted: policiesWanted, Tables: public.RowSecurity, TablesWanted: tablesWanted,
		}
	}
	return figures
}

func (f *SchemaFigures) add(o *Object, bypasses map[string]bool) {
	if o.IsRelation() {
		f.Relations++
		if o.unfiltered(bypasses) {
			f.Unfiltered++
		}
	}
	switch {
	case o.IsTable():
		f.Tables++
		if o.RowSecurity != "off" {
			f.RowSecurity++
			if o.decided() {
				f.Decided++
			}
		}
		if o.RowSecurity == "forced" {
			f.Forced++
		}
	case o.IsFunction():
		f.Functions++
		if o.RunsAs == "definer" {
			f.Definer++
		}
	}
}

func (f *SchemaFigures) sum(of SchemaFigures) {
	f.Relations += of.Relations
	f.Unfiltered += of.Unfiltered
	f.Tables += of.Tables
	f.RowSecurity += of.RowSecurity
	f.Forced += of.Forced
	f.Decided += of.Decided
	f.Policies += of.Policies
	f.Functions += of.Functions
	f.Definer += of.Definer
	for command, n := range of.ByCommand {
		f.ByCommand[command] += n
	}
}

func countRole(objects []Object, name string) RoleFigures {
	f := RoleFigures{Role: name}
	for i := range objects {
		object := &objects[i]
		cells := object.Cells[name]
		if object.IsFunction() {
			if cells[0].Access != Denied {
				f.Functions++
			}
			continue
		}
		reached, filtered := false, true
		for _, c := range cells {
			if object.IsRelation() && touchesRows[c.Command] && c.Access != Denied {
				reached = true
				filtered = filtered && c.Access == RowFiltered
			}
		}
		if reached {
			f.Relations++
			if filtered {
				f.RowFiltered++
			}
		}
	}
	return f
}

// Object is one row of the matrix: what its cells have in common, and the cells by role.
type Object struct {
	Kind, Name, RowSecurity, RunsAs, Owner, Volatility string

	Cells map[string][]*Cell
}

// Schema is the schema it is in, as its name has it; of a schema itself.
func (o *Object) Schema() string {
	end := strings.IndexByte(o.Name, '.')
	if strings.HasPrefix(o.Name, `"`) {
		rest := strings.ReplaceAll(o.Name[1:], `""`, "  ") // a doubled quote is part of the name
		end = strings.IndexByte(rest, '"') + 2
	}
	if end < 0 || o.Kind == "schema" {
		return o.Name
	}
	return o.Name[:end]
}

// IsTable reports whether it may have policies.
func (o *Object) IsTable() bool { return o.RowSecurity != "" }

// IsRelation reports whether it has rows.
func (o *Object) IsRelation() bool {
	return strings.HasSuffix(o.Kind, "table") || strings.HasSuffix(o.Kind, "view")
}

// IsFunction reports whether one executes it.
func (o *Object) IsFunction() bool { return o.Volatility != "" }

// Objects groups the cells by object, in their order.
func (m *Matrix) Objects() []Object {
	var objects []Object
	for i := range m.Cells {
		c := &m.Cells[i]
		if len(objects) == 0 || objects[len(objects)-1].Name != c.Object || objects[len(objects)-1].Kind != c.Kind {
			objects = append(objects, Object{
				Kind: c.Kind, Name: c.Object, RowSecurity: c.RowSecurity, RunsAs: c.RunsAs, Owner: c.Owner, Volatility: c.Volatility,
				Cells: map[string][]*Cell{},
			})
		}
		last := &objects[len(objects)-1]
		last.Cells[c.Role] = append(last.Cells[c.Role], c)
	}
	return objects
}

// decided reports whether no role but the owner has a privilege on the rows that no policy speaks of.
func (o *Object) decided() bool {
	for role, cells := range o.Cells {
		for _, c := range cells {
			if role != o.Owner && touchesRows[c.Command] && c.Reason == noPolicy {
				return false
			}
		}
	}
	return true
}

// unfiltered reports whether a role that is neither the owner nor among those that bypass row-level
// security reaches rows past any filter.
func (o *Object) unfiltered(bypasses map[string]bool) bool {
	for role, cells := range o.Cells {
		for _, c := range cells {
			if role != o.Owner && !bypasses[role] && touchesRows[c.Command] && c.Access == Allowed {
				return true
			}
		}
	}
	return false
}
