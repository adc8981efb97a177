package report

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/vital-db/vital/internal/isolation"
)

// What SARIF 2.1.0 asks for and we use of it. A finding is about an object of a database and has no
// line in a file: its location is a logical one.
type (
	sarif struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails map[string]string `json:"automationDetails"`
		Results           []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string            `json:"id"`
		ShortDescription     sarifText         `json:"shortDescription"`
		Help                 sarifText         `json:"help"`
		HelpURI              string            `json:"helpUri"`
		DefaultConfiguration map[string]string `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		LogicalLocations []sarifLogicalLocation `json:"logicalLocations"`
	}
	sarifLogicalLocation struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// sarifLevel is what SARIF calls a level; a risk is named and judged elsewhere, which is a note, like a notice.
var sarifLevel = map[isolation.Level]string{isolation.Error: "error", isolation.Warning: "warning", isolation.Risk: "note", isolation.Notice: "note"}

func sarifLog(f Findings) sarif {
	run := sarifRun{
		Tool:              sarifTool{Driver: sarifDriver{Name: "vital", Version: f.Version, InformationURI: "https://github.com/vital-db/vital", Rules: []sarifRule{}}},
		AutomationDetails: map[string]string{"id": "vital/" + strings.ReplaceAll(f.Command, " ", "/")},
		Results:           []sarifResult{},
	}
	index := map[string]int{}
	for i, l := range f.Lints {
		index[l.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: l.Name, ShortDescription: sarifText{l.Title + "."}, Help: sarifText{l.Hint}, HelpURI: docRoot + l.Doc(),
			DefaultConfiguration: map[string]string{"level": sarifLevel[l.Level]},
		})
	}
	for _, finding := range f.Findings {
		sum := sha256.Sum256([]byte(finding.Check + "\x00" + finding.Object + "\x00" + finding.Detail))
		run.Results = append(run.Results, sarifResult{
			RuleID: finding.Check, RuleIndex: index[finding.Check], Level: sarifLevel[finding.Level],
			Message:             sarifText{finding.Title + ". " + finding.Object + ": " + finding.Detail + ". " + finding.Hint},
			Locations:           []sarifLocation{{[]sarifLogicalLocation{{finding.Object, finding.Kind}}}},
			PartialFingerprints: map[string]string{"finding/v1": hex.EncodeToString(sum[:])},
		})
	}
	return sarif{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}
