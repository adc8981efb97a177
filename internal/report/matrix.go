package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/vital-db/vital/internal/isolation"
)

//go:embed matrix.html
var matrixText string

var matrixTemplate = template.Must(template.New("matrix").Parse(matrixText))

// WriteMatrixHTML writes m as one page that loads nothing: a picture of relation by role and command, and
// behind each row what decides.
func WriteMatrixHTML(w io.Writer, m *isolation.Matrix) error {
	return matrixTemplate.Execute(w, newMatrixPage(m))
}

// matrixPage is what the template shows.
type matrixPage struct {
	*isolation.Matrix
	Cards   []matrixCard
	Schemas []matrixSchema
}

// matrixCard is one figure on top of the page. Share is of 100 and fills its bar.
type matrixCard struct {
	Value, Of, Label, Note string
	Share                  int
	Good                   bool
}

type matrixSchema struct {
	Name     string
	Figures  isolation.SchemaFigures
	Sections []matrixSection
}

// matrixSection is one heatmap: objects of one sort by role.
type matrixSection struct {
	Title string
	Rows  []matrixRow
}

type matrixRow struct {
	Name   string // without the schema
	Chips  []matrixChip
	Roles  []matrixTiles
	Groups []matrixGroup
}

type matrixChip struct{ Class, Text, Title string }

// matrixTiles are the cells of one role. Beside are the letters of commands that are not about rows, where
// they are allowed, and Commands their names.
type matrixTiles struct {
	Tiles            []matrixTile
	Beside, Commands string
}

type matrixTile struct{ Class, Letter, Title string }

// matrixGroup are the cells of one object with one answer for one reason.
type matrixGroup struct {
	Access   isolation.Access
	Reason   string
	Columns  []string
	Policies []isolation.Policy
	Who      []matrixWho
}

// matrixWho are the roles a group is about, by the commands it is about for them.
type matrixWho struct{ Roles, Commands string }

func newMatrixPage(m *isolation.Matrix) matrixPage {
	page := matrixPage{Matrix: m, Cards: matrixCards(m)}
	at := map[string]int{}
	for i, f := range m.Figures.Schemas {
		at[f.Schema] = i
		page.Schemas = append(page.Schemas, matrixSchema{Name: f.Schema, Figures: f, Sections: []matrixSection{
			{Title: "Relations"}, {Title: "Functions"}, {Title: "Sequences"}, {Title: "The schema itself"},
		}})
	}
	objects := m.Objects()
	for i := range objects {
		o := &objects[i]
		section := 3
		switch {
		case o.IsRelation():
			section = 0
		case o.IsFunction():
			section = 1
		case o.Kind == "sequence":
			section = 2
		}
		rows := &page.Schemas[at[o.Schema()]].Sections[section].Rows
		*rows = append(*rows, newMatrixRow(m.Roles, o))
	}
	return page
}

func matrixCards(m *isolation.Matrix) []matrixCard {
	total := m.Figures.Total
	share := func(n, of int) int { return min(100, 100*n/max(of, 1)) }
	var unfiltered []string
	for _, f := range m.Figures.Schemas {
		unfiltered = append(unfiltered, fmt.Sprintf("%s %d", f.Schema, f.Unfiltered))
	}
	policies := matrixCard{
		Value: fmt.Sprint(total.Policies), Label: "policies", Note: fmt.Sprintf("select %d · insert %d · update %d · delete %d · all %d",
			total.ByCommand["select"], total.ByCommand["insert"], total.ByCommand["update"], total.ByCommand["delete"], total.ByCommand["all"]),
		Share: 100, Good: true,
	}
	if wanted := m.Figures.Assessment; wanted != nil {
		policies.Of = fmt.Sprintf("on %d tables of public", wanted.Tables)
		policies.Value = fmt.Sprint(wanted.Policies)
		policies.Note += fmt.Sprintf("; the assessment asked for %d on %d", wanted.PoliciesWanted, wanted.TablesWanted)
		policies.Good = wanted.Policies >= wanted.PoliciesWanted && wanted.Tables >= wanted.TablesWanted
		policies.Share = share(wanted.Policies, wanted.PoliciesWanted)
	}
	return []matrixCard{
		policies,
		{
			Value: fmt.Sprint(total.Unfiltered), Of: fmt.Sprintf("of %d", total.Relations), Label: "relations open past any row filter",
			Note:  "to a role that neither owns them nor has BYPASSRLS: " + strings.Join(unfiltered, " · "),
			Share: share(total.Unfiltered, total.Relations),
		},
		{
			Value: fmt.Sprint(total.RowSecurity), Of: fmt.Sprintf("of %d", total.Tables), Label: "tables with row-level security",
			Note: fmt.Sprintf("%d forced on their owner too", total.Forced), Share: share(total.RowSecurity, total.Tables),
			Good: total.Forced == total.RowSecurity,
		},
		{
			Value: fmt.Sprint(total.Decided), Of: fmt.Sprintf("of %d", total.RowSecurity), Label: "of these decided in full",
			Note: "each command has a policy or is granted to nobody", Share: share(total.Decided, total.RowSecurity), Good: total.Decided == total.RowSecurity,
		},
		{
			Value: fmt.Sprint(total.Definer), Of: fmt.Sprintf("of %d", total.Functions), Label: "functions run as their owner",
			Note: "security definer", Share: share(total.Definer, total.Functions),
		},
	}
}

// besideRows are the commands that no row filter is about, each with its letter.
var besideRows = map[string]string{"truncate": "T", "references": "R", "trigger": "G", "maintain": "M"}

func newMatrixRow(roles []isolation.Role, o *isolation.Object) matrixRow {
	row := matrixRow{Name: strings.TrimPrefix(o.Name, o.Schema()+"."), Chips: matrixChips(o), Groups: matrixGroups(roles, o)}
	for _, role := range roles {
		tiles := matrixTiles{}
		for _, c := range o.Cells[role.Name] {
			if letter := besideRows[c.Command]; letter != "" {
				if c.Access != isolation.Denied {
					tiles.Beside += letter
					tiles.Commands += " " + c.Command
				}
				continue
			}
			tile := matrixTile{Class: string(c.Access), Letter: commandLetter(o, c.Command), Title: fmt.Sprintf("%s: %s %s, %s", role.Name, c.Command, c.Access, c.Reason)}
			if c.Access == isolation.Allowed && o.IsRelation() {
				tile.Letter = strings.ToUpper(tile.Letter)
			}
			if c.Access == isolation.Allowed && !o.IsRelation() {
				tile.Class = "granted"
			}
			if c.Columns != nil {
				tile.Class += " part"
				tile.Title += "; on some columns only: " + strings.Join(c.Columns, ", ")
			}
			tiles.Tiles = append(tiles.Tiles, tile)
		}
		row.Roles = append(row.Roles, tiles)
	}
	return row
}

func commandLetter(o *isolation.Object, command string) string {
	switch {
	case command == "execute":
		return "x"
	case command == "update" && o.Kind == "sequence":
		return "w"
	default:
		return command[:1]
	}
}

func matrixChips(o *isolation.Object) []matrixChip {
	var chips []matrixChip
	if o.Kind != "table" && o.Kind != "function" && o.Kind != "schema" && o.Kind != "sequence" {
		chips = append(chips, matrixChip{Class: "plain", Text: o.Kind})
	}
	switch o.RowSecurity {
	case "off":
		chips = append(chips, matrixChip{"warn", "rls off", "Row-level security is off: a privilege is all it takes"})
	case "enabled":
		chips = append(chips, matrixChip{"plain", "rls", "Row-level security is enabled, and not forced on the owner"})
	case "forced":
		chips = append(chips, matrixChip{"good", "rls forced", "Row-level security is enabled, and forced on the owner"})
	}
	switch {
	case o.RunsAs == "definer" && o.IsFunction():
		chips = append(chips, matrixChip{"warn", "definer", "Runs with the rights of " + o.Owner})
	case o.RunsAs == "definer":
		chips = append(chips, matrixChip{"warn", "owner's rights", "Reads with the rights of " + o.Owner})
	case o.RunsAs == "invoker" && o.IsRelation():
		chips = append(chips, matrixChip{"good", "invoker", "Reads with the rights of who asks"})
	}
	if o.IsFunction() {
		chips = append(chips, matrixChip{Class: "plain", Text: o.Volatility})
	}
	return chips
}

// matrixGroups joins the cells of o that have one answer for one reason: filtered first, denied last.
func matrixGroups(roles []isolation.Role, o *isolation.Object) []matrixGroup {
	var groups []matrixGroup
	for _, role := range roles {
		for _, c := range o.Cells[role.Name] {
			at := slices.IndexFunc(groups, func(g matrixGroup) bool {
				return g.Access == c.Access && g.Reason == c.Reason && slices.Equal(g.Columns, c.Columns) && slices.Equal(g.Policies, c.Policies)
			})
			if at < 0 {
				at = len(groups)
				groups = append(groups, matrixGroup{Access: c.Access, Reason: c.Reason, Columns: c.Columns, Policies: c.Policies})
			}
			who := &groups[at].Who
			if last := len(*who) - 1; last >= 0 && (*who)[last].Roles == role.Name {
				(*who)[last].Commands += ", " + c.Command
			} else {
				*who = append(*who, matrixWho{role.Name, c.Command})
			}
		}
	}
	for i := range groups {
		groups[i].Who = joinWho(groups[i].Who)
	}
	order := []isolation.Access{isolation.RowFiltered, isolation.Allowed, isolation.Denied}
	slices.SortStableFunc(groups, func(a, b matrixGroup) int { return slices.Index(order, a.Access) - slices.Index(order, b.Access) })
	return groups
}

// joinWho joins the roles with the same commands.
func joinWho(who []matrixWho) []matrixWho {
	var joined []matrixWho
	for _, w := range who {
		at := slices.IndexFunc(joined, func(j matrixWho) bool { return j.Commands == w.Commands })
		if at < 0 {
			joined = append(joined, w)
		} else {
			joined[at].Roles += ", " + w.Roles
		}
	}
	return joined
}
