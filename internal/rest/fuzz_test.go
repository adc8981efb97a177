package rest_test

import (
	"context"
	"errors"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/rest"
)

// seeds are query strings of every feature, and some that try to get out of it.
var seeds = []string{
	"", "select=*", "select=id,called:title,year::text", `select="id",info->crew->>music,info->prizes->-1`,
	"id=eq.1&title=like.*a*&year=not.in.(1,2)&rating=is.null", `title=in.("a,b","c\"d",e)`, "title=like(any).{a*,b*}",
	"or=(id.eq.1,and(year.gt.1,not.or(title.ilike.x,id.in.(1,2))))", "order=year.desc.nullslast,directors(name).asc&select=*,directors(*)",
	"select=name,films!inner(title,roles(part,actors(name)))&films.title=eq.x&films.order=year&films.limit=1&films.offset=2",
	"select=title,...directors(name,born)", "select=name,...films(title,year)&films.order=year.desc", "select=name,latest_film(title)",
	"select=rating,count(),budget.sum(),total:budget::int.avg()::text", "select=rating,...directors(born.max())",
	"select=name,films()&films=is.null", "limit=1&offset=2", "limit=-1", "columns=title,year", "on_conflict=name",
	"words=fts(english).a&title=wfts.b", "tags=cs.{a}&showing=adj.[2000-01-01,2001-01-01)", "select=full_title&full_title=eq.x",
	`select="a""b"`, `select=";drop table x;--"`, `"a\"; select 1; --"=eq.1`, "select=a%00b", `select=""`, `select="%00":title`, "select=title::int;drop",
	"id=eq.1--", "a=1&b=2", "name=x", "nums=1&nums=2", "director=1&select=title", "select=shade&shade=eq.x", "select=((((", "or=((((",
	"select=info->>'x'", `select=info->>"a'b"`, "select=$1", "select=id::\"int\"", "order=id.asc.desc", "and=(id.eq.$1,id.eq.$2)",
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, raw string, call bool) {
		q, err := rest.ParseQuery(raw, call)
		if err != nil {
			return
		}
		again, err := rest.ParseQuery(q.Canonical, call)
		require.NoError(t, err, "what Content-Location names: %q", q.Canonical)
		require.Equal(t, q.Canonical, again.Canonical)
	})
}

func FuzzSelect(f *testing.F) {
	for _, seed := range []string{
		"*", "id", "a:b::c", "a->b->>c", "a->-1", "x:y!z!inner(a,b(c))", "...a(b)", "count()", "a.sum()::int", `"a,b":"c.d"`, "a(", "a)", "(((",
		"a!b!c!d(e)", "a::b::c", "ünï", "a-b", "*,*", "a ( b )", strings.Repeat("a(", 200),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		items, err := rest.ParseSelect(value)
		if err != nil {
			return
		}
		var check func([]rest.SelectItem)
		check = func(items []rest.SelectItem) {
			for _, item := range items {
				if item.Kind == rest.SelectField {
					require.NotEmpty(t, item.Field.Name)
					require.Empty(t, item.Items)
				} else {
					require.NotEmpty(t, item.Relation)
				}
				require.Regexp(t, `^[\pL0-9_$ ]*$`, item.Cast+item.AggregateCast)
				check(item.Items)
			}
		}
		check(items)
	})
}

func FuzzMediaType(f *testing.F) {
	for _, seed := range []string{
		"", "*/*", "application/json", "text/csv;q=0.5, application/json", "application/vnd.pgrst.object+json;nulls=stripped",
		`application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|buffers`, `application/vnd.pgrst.plan;for="application/vnd.pgrst.plan"`,
		`a;b="c,d;e",f`, `"`, ";;;", ",,,", "q=1;q=2", "application/vnd.pgrst.array;nulls=stripped",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, name := range rest.ParseAccept(header) {
			require.Equal(t, rest.ParseMediaType(name), rest.ParseMediaType(rest.ParseMediaType(name)))
		}
	})
}

func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{
		"return=minimal", "count=exact, tx=rollback", "timezone=Europe/Berlin, handling=strict, max-affected=3", "resolution=merge-duplicates",
		"missing=default,missing=null", "x=y", "", "=", ",", "max-affected=99999999999999999999", "timezone=a\r\nX: y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		applied, _ := rest.ParsePreferences([]string{header})
		if applied == "" {
			return
		}
		again, unknown := rest.ParsePreferences([]string{applied})
		require.Empty(t, unknown, "what is acknowledged is known: %q", applied)
		require.Equal(t, applied, again)
	})
}

// FuzzSQL holds the whole way from a request to its statement against what the dialect promises: text of the
// request is never text of the statement.
func FuzzSQL(f *testing.F) {
	paths := []string{"/films", "/directors", "/roles", "/palettes", "/notes", "/modern_films", "/Odd%20%22Names%22", "/rpc/films_of", "/rpc/add", "/rpc/total", "/rpc/echo_json", "/rpc/film"}
	methods := []string{"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"}
	for i, seed := range seeds {
		f.Add(uint8(i), uint8(0), seed, "", "", "")
		f.Add(uint8(0), uint8(i), seed, `{"title": "x", "year": 1}`, "return=representation", "text/csv")
	}
	for _, seed := range []string{"select=*&id=eq.1", "columns=id,body&on_conflict=id", "id=eq.1&select=id"} {
		f.Add(uint8(4), uint8(1), seed, `[{"id": 1, "body": "x"}]`, "resolution=merge-duplicates, missing=default, return=representation", "")
		f.Add(uint8(4), uint8(3), seed, `{"id": 1, "body": "x"}`, "return=headers-only", "")
		f.Add(uint8(3), uint8(2), seed, `{"shade": "x"}`, "count=exact", "application/vnd.pgrst.object+json")
	}
	p := newProver(f)
	f.Fuzz(func(t *testing.T, path, method uint8, query, body, prefer, accept string) {
		header := textproto.MIMEHeader{}
		for name, value := range map[string]string{"Prefer": prefer, "Accept": accept} {
			if value != "" {
				header.Set(name, value)
			}
		}
		in := func() *rest.Request {
			return &rest.Request{
				Method: methods[int(method)%len(methods)], Path: paths[int(path)%len(paths)], RawQuery: query,
				Header: header, Body: strings.NewReader(body),
			}
		}
		session := rest.Session{Role: "authenticated"}
		text, values, err := p.engine.SQL(in(), session)
		p.prove(t, in(), text, values, err)
		text, values, err = p.engine.CountSQL(in(), session)
		p.prove(t, in(), text, values, err)
	})
}

// prover knows what a statement may be made of.
type prover struct {
	engine   *rest.Engine
	conn     *pgx.Conn
	names    map[string]bool
	words    map[string]bool
	literals map[string]bool
}

// ownWords and ownLiterals are all a statement has that is neither the catalog's nor quoted.
const ownWords = `SELECT FROM AS WHERE AND OR NOT IS NULL TRUE FALSE UNKNOWN IN ANY ALL LIKE ILIKE DISTINCT ORDER BY ASC DESC NULLS FIRST LAST
	LIMIT OFFSET GROUP LEFT INNER JOIN LATERAL ON COALESCE coalesce nullif WITH INSERT INTO UPDATE SET DELETE RETURNING CONFLICT DO NOTHING
	EXCLUDED VALUES CAST EXISTS VARIADIC EXPLAIN FORMAT TEXT JSON ANALYZE VERBOSE SETTINGS BUFFERS WAL false
	row_to_json to_json to_jsonb json_agg jsonb_agg json_strip_nulls count sum avg min max unnest to_tsvector to_tsquery plainto_tsquery
	phraseto_tsquery websearch_to_tsquery json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset json_array_elements
	jsonb_array_elements jsonb_build_object set_config current_setting given body here n _c _r _s _t _ pgrst_source ST_AsGeoJSON
	text int json jsonb true`

var (
	ownLiterals = []string{"null", "[]", "{}", "pgrst.inserted", ""}
	ownNames    = regexp.MustCompile(`^(_t|c[0-9]+|embed_[0-9]+(_through|_row|_order_[0-9]+)?|pgrst_(source|body|call|scalar)|count|sum|avg|min|max|.+_[0-9]+)$`)
)

func newProver(t testing.TB) *prover {
	t.Helper()
	db := pgtest.New(t)
	db.Exec(t, fixture)
	_, engine := open(t, db, func(c *rest.Config) { c.Plans = true })
	p := &prover{engine: engine, conn: db.Connect(t), names: engine.Identifiers(), words: map[string]bool{}, literals: map[string]bool{}}
	_, err := p.conn.Exec(context.Background(), "set search_path = api, public")
	require.NoError(t, err)
	for _, w := range strings.Fields(ownWords) {
		p.words[w] = true
	}
	for _, l := range ownLiterals {
		p.literals[l] = true
	}
	for _, text := range engine.Texts() {
		tokens, err := lex(text)
		require.NoError(t, err, text)
		for _, tok := range tokens {
			switch tok.kind {
			case word:
				p.words[tok.text] = true
			case identifier:
				p.names[tok.text] = true
			case literal:
				p.literals[tok.text] = true
			default:
			}
		}
	}
	return p
}

func (p *prover) prove(t *testing.T, in *rest.Request, text string, values [][]byte, err error) {
	t.Helper()
	if err != nil {
		var known *rest.Error
		require.True(t, errors.As(err, &known), "an error without a shape: %v", err)
		require.True(t, known.Status >= 300 && known.Status < 500, "%d %v", known.Status, err)
		return
	}
	if text == "" {
		return
	}
	tokens, err := lex(text)
	require.NoError(t, err, text)
	p.proveTokens(t, tokens, p.engine.MentionedNames(in), text)
	proveParameters(t, tokens, values, text)
	p.provePrepared(t, text)
}

func (p *prover) proveTokens(t *testing.T, tokens []token, mentioned map[string]bool, text string) {
	t.Helper()
	depth := 0
	for _, tok := range tokens {
		switch tok.kind {
		case word:
			require.True(t, p.words[tok.text], "the word %q in %s", tok.text, text)
		case literal:
			require.True(t, p.literals[tok.text], "the literal %q in %s", tok.text, text)
		case identifier:
			require.NotEmpty(t, tok.text, text)
			require.NotContains(t, tok.text, "\x00")
			known := p.names[tok.text] || mentioned[tok.text] || ownNames.MatchString(tok.text) ||
				slices.ContainsFunc(slices.Collect(maps.Keys(mentioned)), func(name string) bool { return strings.HasPrefix(name, tok.text+"\x00") })
			require.True(t, known, "the name %q in %s", tok.text, text)
		case symbol:
			switch tok.text {
			case "(":
				depth++
			case ")":
				depth--
			}
			require.GreaterOrEqual(t, depth, 0, text)
		default:
		}
	}
	require.Zero(t, depth, text)
}

func proveParameters(t *testing.T, tokens []token, values [][]byte, text string) {
	t.Helper()
	used := map[int]bool{}
	for _, tok := range tokens {
		if tok.kind == parameter {
			n, err := strconv.Atoi(tok.text[1:])
			require.NoError(t, err)
			require.False(t, used[n], "$%d twice in %s", n, text)
			used[n] = true
		}
	}
	require.Len(t, used, len(values), text)
	for n := range values {
		require.True(t, used[n+1], "no $%d in %s", n+1, text)
	}
}

// provePrepared asks the database what it makes of text: a name or a type may be wrong, but never its grammar.
func (p *prover) provePrepared(t *testing.T, text string) {
	t.Helper()
	_, err := p.conn.Prepare(context.Background(), "", text)
	if err == nil {
		return
	}
	var pgErr *pgconn.PgError
	require.True(t, errors.As(err, &pgErr), "%v: %s", err, text)
	require.NotContains(t, []string{"42601", "42P02", "XX000", "08P01"}, pgErr.Code, "%v: %s", err, text)
}
