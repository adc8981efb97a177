package cli

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// printTable writes rows as columns without frames, so a pipe can cut them.
func (a *app) printTable(header []string, rows [][]string) {
	a.printTableAs(text.FormatUpper, header, rows)
}

// printTableAs is printTable with the header's case as format says: names keep theirs.
func (a *app) printTableAs(format text.Format, header []string, rows [][]string) {
	t := table.NewWriter()
	t.SetOutputMirror(a.streams.Out)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = format
	t.SetStyle(style)
	t.AppendHeader(row(header))
	for _, r := range rows {
		t.AppendRow(row(r))
	}
	t.Render()
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, cell := range cells {
		r[i] = cell
	}
	return r
}
