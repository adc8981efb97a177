package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/vital-db/vital/internal/isolation"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a test case for each lint. Only what must be mended fails; a warning or a risk is
// said in the output of a case that passes.
func writeJUnit(w io.Writer, f Findings) error {
	suite := junitSuite{Name: "vital " + f.Command, Tests: len(f.Lints)}
	for _, l := range f.Lints {
		c := junitCase{Class: "vital." + strings.ReplaceAll(f.Command, " ", "."), Name: l.Name}
		var lines []string
		for _, finding := range f.of(l.Name) {
			lines = append(lines, finding.Object+": "+finding.Detail)
		}
		text := strings.Join(append(lines, l.Hint, docRoot+l.Doc()), "\n")
		switch {
		case len(lines) == 0:
		case l.Level == isolation.Error:
			suite.Failures++
			c.Failure = &junitFailure{Message: l.Title, Type: string(l.Level), Text: text}
		default:
			c.Out = string(l.Level) + ": " + l.Title + "\n" + text
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
