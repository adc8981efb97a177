package isolation

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/vital-db/vital/internal/fault"
)

// CVE is a known vulnerability of PostgreSQL's server by which a database user gets at rows, memory or
// rights that are not theirs.
type CVE struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Fixed string `json:"fixed_in"` // the first version of the server's major that has the fix
	URL   string `json:"url"`
}

// CVEsUntil is the release whose vulnerabilities were the last to be entered below.
const CVEsUntil = "2026-05-14"

// knownCVEs are the vulnerabilities that reach PostgreSQL 15 or newer, with the minor version of each major
// that fixes it; a major that is not named never had it. What only harms a client (libpq, psql, pg_dump)
// or only stops the server is left out: the version of the server says nothing about the one, and the other
// shows nobody a row.
var knownCVEs = []struct {
	id, title string
	fixed     map[int]int
}{
	{"CVE-2023-2454", "CREATE SCHEMA with elements defeats a protective search_path", map[int]int{15: 3}},
	{"CVE-2023-2455", "Row security policies disregard a change of user after inlining", map[int]int{15: 3}},
	{"CVE-2023-39417", "An extension's script lets SQL be injected through the names it quotes", map[int]int{15: 4}},
	{"CVE-2023-39418", "MERGE does not check new rows against policies for UPDATE and SELECT", map[int]int{15: 4}},
	{"CVE-2023-5868", "Aggregate calls with arguments of unknown type disclose memory", map[int]int{15: 5, 16: 1}},
	{"CVE-2023-5869", "An overflow in changing an array lets a user run code", map[int]int{15: 5, 16: 1}},
	{"CVE-2024-0985", "REFRESH MATERIALIZED VIEW CONCURRENTLY runs functions as who refreshes", map[int]int{15: 6}},
	{"CVE-2024-4317", "pg_stats_ext and pg_stats_ext_exprs show the statistics of others", map[int]int{15: 7, 16: 3}},
	{"CVE-2024-10976", "A reused query sees other rows than row security intends", map[int]int{15: 9, 16: 5, 17: 1}},
	{"CVE-2024-10978", "SET ROLE and SET SESSION AUTHORIZATION reset to the wrong user", map[int]int{15: 9, 16: 5, 17: 1}},
	{"CVE-2024-10979", "PL/Perl changes environment variables, which can run code", map[int]int{15: 9, 16: 5, 17: 1}},
	{"CVE-2025-8713", "Planner statistics show sampled data that a policy or a view hides", map[int]int{15: 14, 16: 10, 17: 6}},
	{"CVE-2026-2003", "A value of type oidvector discloses memory", map[int]int{15: 16, 16: 12, 17: 8, 18: 2}},
	{"CVE-2026-2004", "intarray's selectivity estimator lets an object's creator run code", map[int]int{15: 16, 16: 12, 17: 8, 18: 2}},
	{"CVE-2026-2005", "pgcrypto overruns its buffer and lets whoever gives a ciphertext run code", map[int]int{15: 16, 16: 12, 17: 8, 18: 2}},
	{"CVE-2026-2006", "Text functions overrun a buffer on incomplete characters and let a user run code", map[int]int{15: 16, 16: 12, 17: 8, 18: 2}},
	{"CVE-2026-2007", "pg_trgm overruns its buffer", map[int]int{18: 2}},
	{"CVE-2026-6472", "CREATE TYPE hijacks queries that find types by search_path", map[int]int{15: 18, 16: 14, 17: 10, 18: 4}},
	{"CVE-2026-6473", "Sizes that wrap around let a user write out of bounds and run code", map[int]int{15: 18, 16: 14, 17: 10, 18: 4}},
	{"CVE-2026-6474", "timeofday() discloses memory under a crafted time zone", map[int]int{15: 18, 16: 14, 17: 10, 18: 4}},
	{"CVE-2026-6575", "pg_restore_attribute_stats() lets a table's maintainer infer memory", map[int]int{18: 4}},
	{"CVE-2026-6637", "refint overruns its stack and lets a user run code", map[int]int{15: 18, 16: 14, 17: 10, 18: 4}},
}

// serverVersion is the beginning of what server_version says: 15.14, or 19beta1.
var serverVersion = regexp.MustCompile(`^(\d+)(?:\.(\d+))?`)

// CVEs returns the known vulnerabilities of a server, by its server_version. A distribution may have mended
// one without a change of version; a beta is before every fix.
func CVEs(version string) ([]CVE, error) {
	parts := serverVersion.FindStringSubmatch(version)
	if parts == nil {
		return nil, fault.New(fault.UnsupportedPostgres, fmt.Sprintf("The server's version, %q, is not one of PostgreSQL.", version), "Take PostgreSQL 15 or newer.")
	}
	major, _ := strconv.Atoi(parts[1]) // digits
	minor := -1
	if parts[2] != "" {
		minor, _ = strconv.Atoi(parts[2])
	}
	found := []CVE{}
	for _, k := range knownCVEs {
		if fixed, affected := k.fixed[major]; affected && minor < fixed {
			found = append(found, CVE{
				ID: k.id, Title: k.title, Fixed: fmt.Sprintf("%d.%d", major, fixed), URL: "https://www.postgresql.org/support/security/" + k.id + "/",
			})
		}
	}
	return found, nil
}
