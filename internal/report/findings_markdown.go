package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/vital-db/vital/internal/isolation"
)

// cell keeps text in its cell of a table, and what it says from being taken for markup.
var cell = strings.NewReplacer("\\", "\\\\", "|", "\\|", "\r", " ", "\n", " ", "<", "&lt;", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[")

// writeMarkdown writes the findings, the worst first, and how many lints found nothing.
func writeMarkdown(w io.Writer, f Findings) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# vital %s\n\nRules: %d. Errors: %d. Warnings: %d. Risks: %d.", f.Command, len(f.Lints),
		f.count(isolation.Error), f.count(isolation.Warning), f.count(isolation.Risk))
	if notices := f.count(isolation.Notice); notices > 0 {
		fmt.Fprintf(&b, " Notices: %d.", notices)
	}
	b.WriteString("\n")
	for _, level := range isolation.Levels {
		for _, l := range f.Lints {
			found := f.of(l.Name)
			if l.Level != level || len(found) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n## %s: [%s](%s%s)\n\n%s. %s\n\n| %s | detail |\n| --- | --- |\n", level, l.Name, docRoot, l.Doc(),
				cell.Replace(l.Title), cell.Replace(l.Hint), l.Kind)
			for _, finding := range found {
				fmt.Fprintf(&b, "| %s | %s |\n", cell.Replace(finding.Object), cell.Replace(finding.Detail))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
