package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/vital-db/vital/internal/isolation"
)

// CertificateFormat names the format of a Certificate's JSON.
const CertificateFormat = "vital-isolation-certificate/1"

// certificateLife is how long a certificate is worth looking at: what it says is of one moment.
const certificateLife = 30 * 24 * time.Hour

// Verdict is what a certificate comes to.
type Verdict string

// The verdicts there are, from the worst.
const (
	Leaking    Verdict = "leaking"    // an attack got through
	Flawed     Verdict = "flawed"     // none did, and a lint found an error
	Incomplete Verdict = "incomplete" // nothing was found, and not everything could be tried
	Isolated   Verdict = "isolated"
)

// Build is the program that issued a certificate.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
}

// Certificate is what is known of how a database keeps its tenants apart. It holds no row of theirs: the
// attacks were on tenants made for them. docs/reference/isolation.md describes each field.
type Certificate struct {
	Format    string    `json:"format"`
	Verdict   Verdict   `json:"verdict"`
	Summary   string    `json:"summary"`
	Issued    time.Time `json:"issued_at"`
	Expires   time.Time `json:"expires_at"` // a hint
	PublicKey []byte    `json:"public_key"` // Ed25519; null where it is not signed
	Build     Build     `json:"build"`

	Database  CertifiedDatabase    `json:"database"`
	Attacks   AttackFigures        `json:"attacks"`
	Matrix    isolation.Figures    `json:"matrix"`
	Standings []isolation.Standing `json:"standings"`
	Leaks     []Breach             `json:"leaks"`
	Risks     []Breach             `json:"risks"`
	Untried   []Breach             `json:"untried"`
	Findings  []isolation.Finding  `json:"findings"`
	Mutants   *Mutants             `json:"mutants"` // null where none were run

	Subject *isolation.Subject `json:"subject"`
	Assumed []string           `json:"assumed"`
}

// CertifiedDatabase is what was attacked.
type CertifiedDatabase struct {
	Name           string          `json:"name"`
	Server         string          `json:"server"`      // PostgreSQL's version
	Fingerprint    string          `json:"fingerprint"` // of the schema: SHA-256, hex
	CVEs           []isolation.CVE `json:"cves"`        // that the server's version is known to have
	CVEsKnownUntil string          `json:"cves_known_until"`
}

// AttackFigures count the attacks.
type AttackFigures struct {
	Executed   int                 `json:"executed"`
	Statements int                 `json:"statements"`
	Seconds    float64             `json:"seconds"`
	Callers    []string            `json:"callers"`
	Verbs      map[string]Outcomes `json:"verbs"`
}

// Outcomes count how attacks ended.
type Outcomes struct {
	Blocked int `json:"blocked"`
	Leaked  int `json:"leaked"`
	Risk    int `json:"risk"`
	Unknown int `json:"unknown"`
}

// Executed is how many were.
func (o Outcomes) Executed() int { return o.Blocked + o.Leaked + o.Risk }

// Breach is an attack on an object that did not end as it should, whoever made it.
type Breach struct {
	Attack    string   `json:"attack"`
	Title     string   `json:"title"`
	Object    string   `json:"object"`
	Callers   []string `json:"callers"`
	Evidence  string   `json:"evidence"`
	Reference string   `json:"reference,omitempty"`
	Script    string   `json:"script,omitempty"`
}

// Mutants are copies of the database with one thing broken each, by which the attacks themselves are tested.
type Mutants struct {
	Made   int `json:"made"`
	Killed int `json:"killed"` // found out by an attack, a lint or the prover
}

// NewCertificate is p and m as a certificate of now that nobody has signed.
func NewCertificate(p *isolation.Proof, m *isolation.Matrix, build Build, now time.Time) (*Certificate, error) {
	cves, err := isolation.CVEs(p.Server)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	c := &Certificate{
		Format: CertificateFormat, Issued: now, Expires: now.Add(certificateLife), Build: build,
		Database: CertifiedDatabase{Name: p.Database, Server: p.Server, Fingerprint: p.Fingerprint, CVEs: cves, CVEsKnownUntil: isolation.CVEsUntil},
		Attacks:  AttackFigures{Statements: p.Statements, Seconds: p.Seconds, Callers: p.Callers, Verbs: map[string]Outcomes{}},
		Matrix:   m.Figures, Standings: p.Standings, Findings: p.Findings, Subject: p.Subject, Assumed: append([]string{}, p.Assumed...),
		Leaks: breaches(p, isolation.Leaked), Risks: breaches(p, isolation.AtRisk), Untried: breaches(p, isolation.Untried),
	}
	if p.Mutation != nil {
		c.Mutants = &Mutants{Made: len(p.Mutation.Mutants), Killed: len(p.Mutation.Mutants) - len(p.Mutation.Survivors())}
	}
	for _, r := range p.Results {
		verb := c.Attacks.Verbs[r.Verb]
		switch r.Outcome {
		case isolation.Blocked:
			verb.Blocked++
		case isolation.Leaked:
			verb.Leaked++
		case isolation.AtRisk:
			verb.Risk++
		case isolation.Untried:
			verb.Unknown++
		}
		c.Attacks.Verbs[r.Verb] = verb
		if r.Outcome != isolation.Untried {
			c.Attacks.Executed++
		}
	}
	c.Verdict, c.Summary = c.judge()
	return c, nil
}

// judge says in a word and in a sentence what c comes to.
func (c *Certificate) judge() (Verdict, string) {
	tried := fmt.Sprintf("of %s by %s of caller", several(c.Attacks.Executed, "attack"), several(len(c.Attacks.Callers), "kind"))
	leaked, errors := 0, 0
	for _, verb := range c.Attacks.Verbs {
		leaked += verb.Leaked
	}
	for _, f := range c.Findings {
		if f.Level == isolation.Error {
			errors++
		}
	}
	switch unknown := c.level(isolation.Untested); {
	case leaked > 0:
		return Leaking, fmt.Sprintf("%s %s got through.", counted(leaked), tried)
	case errors > 0:
		return Flawed, fmt.Sprintf("None %s got through, and %s must be mended.", tried, several(errors, "lint finding"))
	case unknown > 0 || len(c.Untried) > 0:
		return Incomplete, fmt.Sprintf("None %s got through; %d of %d pairs of table and command are unknown.", tried, unknown, len(c.Standings))
	default:
		return Isolated, fmt.Sprintf("None %s got through.", tried)
	}
}

// level is how many pairs of table and command stand so.
func (c *Certificate) level(level string) int {
	n := 0
	for _, s := range c.Standings {
		if s.Level == level {
			n++
		}
	}
	return n
}

// breaches joins what ended as outcome by attack and object.
func breaches(p *isolation.Proof, outcome isolation.Outcome) []Breach {
	joined := []Breach{}
	for _, r := range p.Results {
		if r.Outcome != outcome {
			continue
		}
		at := slices.IndexFunc(joined, func(b Breach) bool { return b.Attack == r.Attack && b.Object == r.Object })
		if at < 0 {
			at = len(joined)
			joined = append(joined, Breach{Attack: r.Attack, Title: r.Title, Object: r.Object, Evidence: r.Evidence, Reference: r.Reference, Script: r.Script})
		}
		if !slices.Contains(joined[at].Callers, r.Caller) {
			joined[at].Callers = append(joined[at].Callers, r.Caller)
		}
	}
	return joined
}

// BreachedObject is an object and the attacks on it that did not end as they should.
type BreachedObject struct {
	Object   string
	Callers  []string // of any of them
	Breaches []Breach
}

// ByObject groups breaches, in their order.
func ByObject(breaches []Breach) []BreachedObject {
	var grouped []BreachedObject
	for _, b := range breaches {
		at := slices.IndexFunc(grouped, func(o BreachedObject) bool { return o.Object == b.Object })
		if at < 0 {
			at = len(grouped)
			grouped = append(grouped, BreachedObject{Object: b.Object})
		}
		o := &grouped[at]
		o.Breaches = append(o.Breaches, b)
		for _, who := range b.Callers {
			if !slices.Contains(o.Callers, who) {
				o.Callers = append(o.Callers, who)
			}
		}
	}
	return grouped
}

// counted writes n with thousands set apart.
func counted(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// several writes n of noun.
func several(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return counted(n) + " " + noun
}
