package isolation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// quotedWord finds the literals of a check, among which may be one it takes.
var quotedWord = regexp.MustCompile(`'((?:[^']|'')*)'::`)

// candidates are literals for a column, the most telling first: whoever sees one knows whose it is.
func (b *builder) candidates(w *world, r *relation, c *column) []string {
	b.n++
	random := binary.BigEndian.Uint32(uuidBytes())
	word := fmt.Sprintf("vt%s%dx%08x", w.name[:1], b.n, random)
	if c.length > 0 && c.length < len(word) {
		word = word[len(word)-c.length:]
	}
	own := candidatesOf(c, word, strconv.Itoa(700000000+int(random%99999999)))
	if !c.notNull {
		own = append(own, "null")
	}
	var named []string // in a check
	for _, k := range r.checks {
		if slices.Contains(k.columns, c.name) {
			named = append(named, literalsIn(k.text)...)
		}
	}
	for _, text := range c.domainChecks {
		named = append(named, literalsIn(text)...)
	}
	if c.category == "S" {
		return append(named, own...)
	}
	return append(own, named...)
}

func uuidBytes() []byte { id := uuid.New(); return id[:] }

// literalsIn are the strings a check names, among which may be one it takes.
func literalsIn(text string) []string {
	var found []string
	for _, match := range quotedWord.FindAllStringSubmatch(text, -1) {
		found = append(found, "'"+match[1]+"'")
	}
	return found
}

// candidatesOf are values of c's type that hold word or number, and plain ones.
func candidatesOf(c *column, word, number string) []string {
	quoted := literal(word)
	base, _, isArray := strings.Cut(c.base, "[]")
	switch {
	case c.typtype == "e":
		var labels []string
		for _, label := range c.labels {
			labels = append(labels, literal(label))
		}
		return labels
	case isArray && (base == "text" || strings.HasPrefix(base, "character")):
		return []string{"array[" + quoted + "]::" + c.base, "'{}'"}
	case isArray:
		return []string{"'{}'"}
	case c.category == "S":
		return []string{quoted, literal(word + "@vital.test"), literal("https://" + word + ".test/"), literal("/" + word),
			"'" + strings.Repeat("a", 64) + "'", "'1'", "'en'", "'USD'", "'{}'"}
	case c.category == "B":
		return []string{"true", "false"}
	case c.category == "D":
		return []string{"now()", "now() + interval '1 day'", "now() - interval '1 day'"}
	case c.category == "T":
		return []string{"interval '1 day'"}
	case c.category == "R":
		return []string{"'empty'"}
	}
	switch base {
	case "uuid":
		return []string{literal(uuid.NewString())}
	case "smallint":
		return []string{"1" + number[5:], "1", "0"}
	case "integer", "bigint", "numeric", "real", "double precision":
		return []string{number, "1", "0", "50", "-1"}
	case "jsonb", "json":
		return []string{literal(`{"note": "` + word + `"}`), "'[]'", "'{}'", literal(`"` + word + `"`)}
	case "bytea":
		digest := sha256.Sum256([]byte(word)) // many a check asks for the length of one
		return []string{`'\x` + hex.EncodeToString([]byte(word)) + "'", `'\x` + hex.EncodeToString(digest[:]) + "'"}
	case "inet", "cidr":
		return []string{"'192.0.2.7'"}
	case "macaddr":
		return []string{"'08:00:2b:01:02:03'"}
	case "money":
		return []string{number + "::money"}
	case "xml":
		return []string{literal("<note>" + word + "</note>")}
	case "tsvector", "hstore", "ltree":
		return []string{quoted, "''"}
	}
	return nil
}
