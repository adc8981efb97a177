package rest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/rest"
)

// escaped encodes the values of a query, so that cases are written as they are meant.
func escaped(path string) string {
	path, query, asked := strings.Cut(path, "?")
	if !asked {
		return path
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		parts[i] = url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
	return path + "?" + strings.Join(parts, "&")
}

// TestRead_Rows asks for rows and compares them whole.
func TestRead_Rows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	headers := b.as("authenticated")
	for _, c := range []struct{ name, path, want string }{
		{"Select", "/films?select=id,title&id=eq.1", `[{"id":1,"title":"Seven Samurai"}]`},
		{"Alias", "/films?select=called:title&id=eq.1", `[{"called":"Seven Samurai"}]`},
		{"Cast", "/films?select=year::text,id::float8&id=eq.1", `[{"year":"1954","id":1}]`},
		{"JSON", "/films?select=info->length,info->crew->>music,info->prizes->>-1&id=eq.1", `[{"length":207,"music":"Hayasaka","prizes":"bafta"}]`},
		{"JSONAlias", "/films?select=who:info->crew->>music&id=eq.1", `[{"who":"Hayasaka"}]`},
		{"JSONOfArray", "/films?select=tags->0&id=eq.1", `[{"tags":"classic"}]`},
		{"Computed", "/films?select=full_title&full_title=eq.Dune (2021)&order=full_title", `[{"full_title":"Dune (2021)"}]`},
		{"OddNames", `/Odd "Names"?select="the id","select","a,b","c.d",ünï&"a,b"=eq.comma`, `[{"the id":1,"select":"drop","a,b":"comma","c.d":"dot","ünï":"é"}]`},
		{"Representation", "/palettes?select=name,shade&shade=eq.#daa520", `[{"name":"sand","shade":"#daa520"}]`},
		{"RepresentationIn", "/palettes?select=name&shade=in.(#daa520,#000001)&order=id", `[{"name":"sand"},{"name":"night"}]`},
		{"ManyToOne", "/films?select=title,directors(name)&id=eq.4", `[{"title":"Cleo from 5 to 7","directors":{"name":"Varda"}}]`},
		{"OneToMany", "/directors?select=name,films(title)&films.order=year.desc&films.limit=1&id=in.(1,4)&order=id", `[{"name":"Kurosawa","films":[{"title":"Sanjuro"}]},{"name":"Nobody","films":[]}]`},
		{"OneToOne", "/films?select=id,details(runtime)&id=in.(1,2)&order=id", `[{"id":1,"details":{"runtime":207}},{"id":2,"details":null}]`},
		{"OneToOneBack", "/details?select=runtime,films(title)&film_id=eq.1", `[{"runtime":207,"films":{"title":"Seven Samurai"}}]`},
		{"ManyToMany", "/films?select=actors(name)&id=eq.1&actors.order=name", `[{"actors":[{"name":"Mifune"},{"name":"Shimura"}]}]`},
		{"SelfParent", "/films?select=title,sequel_of(title)&id=eq.3", `[{"title":"Sanjuro","sequel_of":{"title":"Yojimbo"}}]`},
		{"SelfChildren", "/films?select=title,films(title)&id=eq.2", `[{"title":"Yojimbo","films":[{"title":"Sanjuro"}]}]`},
		{"ComputedOne", "/directors?select=latest_film(title)&order=id", `[{"latest_film":{"title":"Sanjuro"}},{"latest_film":{"title":"Cleo from 5 to 7"}},{"latest_film":{"title":"Dune: Part Three"}},{"latest_film":null}]`},
		{"ComputedMany", "/films?select=contemporaries(title)&id=eq.3", `[{"contemporaries":[{"title":"Cleo from 5 to 7"}]}]`},
		{"View", "/modern_films?select=title,directors(name)&id=eq.5", `[{"title":"Dune","directors":{"name":"Villeneuve"}}]`},
		{"HintConstraint", "/screenings?select=films!screenings_preview(title)&id=eq.1", `[{"films":{"title":"Dune"}}]`},
		{"HintColumn", "/screenings?select=m:main_id(id),p:preview_id(id)&id=eq.1", `[{"m":{"id":1},"p":{"id":5}}]`},
		{"HintBack", "/films?select=screenings!preview_id(id)&id=eq.1", `[{"screenings":[{"id":2}]}]`},
		{"Inner", "/directors?select=name,films!inner(title)&films.year=gt.2025", `[{"name":"Villeneuve","films":[{"title":"Dune: Part Three"}]}]`},
		{"InnerNested", "/directors?select=name,films!inner(title,roles!inner(part))&films.roles.part=eq.Cleo", `[{"name":"Varda","films":[{"title":"Cleo from 5 to 7","roles":[{"part":"Cleo"}]}]}]`},
		{"NestedFilter", "/directors?select=films(title,actors(name))&id=eq.1&films.id=eq.1&films.actors.name=eq.Mifune", `[{"films":[{"title":"Seven Samurai","actors":[{"name":"Mifune"}]}]}]`},
		{"IsNull", "/directors?select=name,films()&films=is.null", `[{"name":"Nobody"}]`},
		{"IsNotNull", "/directors?select=name,films()&films=not.is.null&films.year=gt.2000", `[{"name":"Villeneuve"}]`},
		{"EmbedOr", "/films?select=id,details(),sequel_of()&or=(details.not.is.null,sequel_of.not.is.null)&order=id", `[{"id":1},{"id":3},{"id":5},{"id":6}]`},
		{"OrderByParent", "/films?select=id,directors(name)&order=directors(name).desc,id.desc&limit=2", `[{"id":6,"directors":{"name":"Villeneuve"}},{"id":5,"directors":{"name":"Villeneuve"}}]`},
		{"SpreadOne", "/films?select=title,...directors(director:name)&id=eq.1", `[{"title":"Seven Samurai","director":"Kurosawa"}]`},
		{"SpreadMany", "/directors?select=name,...films(titles:title,year)&films.order=year.desc&id=in.(1,4)&order=id", `[{"name":"Kurosawa","titles":["Sanjuro","Yojimbo","Seven Samurai"],"year":[1962,1961,1954]},{"name":"Nobody","titles":[],"year":[]}]`},
		{"SpreadNested", "/roles?select=part,...films(title,...directors(name))&film_id=eq.5", `[{"part":"Paul","title":"Dune","name":"Villeneuve"}]`},
		{"SpreadInSpreadMany", "/directors?select=name,...films(title,actors(name))&id=eq.2", `[{"name":"Varda","title":["Cleo from 5 to 7"],"actors":[[{"name":"Marchand"}]]}]`},
		{"Count", "/films?select=count()", `[{"count":6}]`},
		{"Grouped", "/films?select=rating,count(),first:year.min()&order=rating", `[{"rating":"G","count":1,"first":1962},{"rating":"PG","count":3,"first":1954},{"rating":null,"count":2,"first":1962}]`},
		{"AggregateCast", "/films?select=budget.sum()::text&director_id=eq.1", `[{"sum":"1500000.50"}]`},
		{"AggregateJSON", "/films?select=info->length::int.max()", `[{"max":207}]`},
		{"AggregateEmbedded", "/directors?select=name,films(count())&order=id", `[{"name":"Kurosawa","films":[{"count": 3}]},{"name":"Varda","films":[{"count": 1}]},{"name":"Villeneuve","films":[{"count": 2}]},{"name":"Nobody","films":[{"count": 0}]}]`},
		{"AggregateOfSpread", "/films?select=rating,...directors(born.min())&rating=eq.PG", `[{"rating":"PG","min":"1910-03-23"}]`},
		{"AggregateBesideEmbed", "/films?select=count(),directors(name)&director_id=eq.1", `[{"count":3,"directors":{"name": "Kurosawa"}}]`},
		{"CountColumn", "/directors?select=name,films(count)&id=eq.1", `[{"name":"Kurosawa","films":[{"count":3}]}]`},
		{"NothingSelected", "/directors?select=&id=eq.1", `[{"id":1,"name":"Kurosawa","born":"1910-03-23"}]`},
		{"ComputedOfClash", "/clash?select=id,clash,clashing(id)", `[{"id":1,"clash":"a","clashing":[{"id":1}]}]`},
		{"Clash", "/clash", `[{"id":1,"clash":"a","embed_1":"b","_t":"c","count":7}]`},
		{"CountIsAColumn", "/clash?select=count,number:count()", `[{"count":7,"number":1}]`},
		{"Zero", "/films?limit=0", `[]`},
		{"LimitOffset", "/films?select=id&order=id&limit=2&offset=1", `[{"id":2},{"id":3}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.get(escaped(c.path), headers...)
			require.Equal(t, http.StatusOK, got.status, got.body)
			if c.want != "" {
				require.Equal(t, compact(t, c.want), compact(t, got.body))
			}
		})
	}
}

// compact leaves out spaces that mean nothing; the order of keys stays.
func compact(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	decoder := json.NewDecoder(strings.NewReader(text))
	var raw json.RawMessage
	require.NoError(t, decoder.Decode(&raw), text)
	inside := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"' && (i == 0 || raw[i-1] != '\\'):
			inside = !inside
			b.WriteByte(c)
		case !inside && (c == ' ' || c == '\n'):
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// TestRead_Operators checks which films each operator finds.
func TestRead_Operators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ filter, want string }{
		{"id=eq.1", "1"}, {"id=neq.1", "2 3 4 5 6"}, {"id=gt.4", "5 6"}, {"id=gte.4", "4 5 6"}, {"id=lt.3", "1 2"}, {"id=lte.3", "1 2 3"},
		{"title=like.Dune*", "5 6"}, {"title=like.Dune%", "5 6"}, {"title=ilike.*SAMURAI", "1"}, {"title=match.^S", "1 3"}, {"title=imatch.^s.*o$", "3"},
		{"id=in.(1,3,99)", "1 3"}, {`title=in.("Dune","Cleo from 5 to 7")`, "4 5"}, {"id=in.()", ""},
		{"rating=is.null", "3 6"}, {"rating=is.not_null", "1 2 4 5"}, {"released=is.true", "1 2 3 4 5"}, {"released=is.unknown", "6"}, {"released=not.is.true", "6"},
		{"released=is.NULL", "6"}, {"rating=isdistinct.PG", "3 4 6"}, {"rating=not.isdistinct.PG", "1 2 5"},
		{"words=fts.dune", "5 6"}, {"words=fts(english).part&id=gt.0", "6"}, {"words=plfts.seven samurai", "1"}, {"words=phfts.samurai seven", ""},
		{"words=wfts.dune -part", "5"}, {"title=fts.yojimbo", "2"}, {"title=wfts(english).dune or cleo", "4 5 6"}, {"words=not.fts.dune", "1 2 3 4"},
		{"tags=cs.{classic}", "1 2"}, {"tags=cd.{classic,war}", "1 2 3"}, {"tags=ov.{war,wave}", "1 4"}, {`tags=cs.{"big, loud"}`, "5"},
		{`info=cs.{"length": 90}`, "4"}, {"info->prizes=not.is.null", "1"},
		{"showing=cs.[1954-05-01,1954-05-02)", "1"}, {"showing=ov.[1961-06-01,1962-05-01)", "2 4"}, {"showing=sl.[2000-01-01,2001-01-01)", "1 2 4"},
		{"showing=sr.[2000-01-01,2001-01-01)", "5"}, {"showing=nxr.[1960-01-01,1962-01-01)", "1 2"}, {"showing=nxl.[1962-01-01,1963-01-01)", "4 5"},
		{"showing=adj.[1954-12-31,1955-06-01)", "1"},
		{"title=like(any).{Dune*,Y*}", "2 5 6"}, {"title=like(all).{D*,*Three}", "6"}, {"id=eq(any).{1,2}", "1 2"}, {"id=gt(all).{1,4}", "5 6"}, {"id=not.eq(any).{1,2,3}", "4 5 6"},
		{"title=not.like.D*", "1 2 3 4"}, {"id=not.in.(1,2,3)", "4 5 6"},
		{"or=(id.eq.1,id.eq.6)", "1 6"}, {"and=(id.gt.1,id.lt.4)", "2 3"}, {"not.or=(id.eq.1,id.eq.2)", "3 4 5 6"}, {"not.and=(id.gt.1,id.lt.6)", "1 6"},
		{"or=(id.eq.1,and(year.eq.1962,not.or(rating.eq.G,id.eq.5)))", "1"}, {`or=(title.eq."Dune",tags.cs.{war},id.in.(2,3))`, "1 2 3 5"},
		{"or=(title.like(any).{Dune*,Y*},info->>length.eq.96)", "2 3 5 6"}, {"id=gt.1&id=lt.3", "2"},
		{"info->>length=eq.90", "4"}, {"info->length=eq.90", "4"}, {"info->crew->>music=like.S*", "2"}, {"year=eq.1962", "3 4"}, {"rating=in.(G)", "4"},
		{"title=eq.", ""},
	} {
		t.Run(c.filter, func(t *testing.T) {
			t.Parallel()
			got := b.get(escaped("/films?select=id&order=id&" + c.filter))
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, c.want, ids(t, got.body))
		})
	}
}

func ids(t testing.TB, body string) string {
	t.Helper()
	var rows []struct{ ID json.Number }
	require.NoError(t, json.Unmarshal([]byte(body), &rows), body)
	var all []string
	for _, row := range rows {
		all = append(all, row.ID.String())
	}
	return strings.Join(all, " ")
}

func TestRead_Order(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for order, want := range map[string]string{
		"id.desc": "6 5 4 3 2 1", "rating.asc.nullsfirst,id": "3 6 4 1 2 5", "rating.desc.nullslast,id": "1 2 5 4 3 6", "rating.nullsfirst,id.desc": "6 3 4 5 2 1",
		"info->>length,id": "2 5 1 4 3 6", "info->length.desc.nullslast,id": "1 5 2 3 4 6", "year,title": "1 2 4 3 5 6",
	} {
		require.Equal(t, want, ids(t, b.get(escaped("/films?select=id&order="+order)).body), order)
	}
}

func TestRead_Range(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		name, path  string
		headers     []string
		status      int
		rangeHeader string
		want        string
	}{
		{"All", "/films?select=id&order=id", nil, 200, "0-5/*", "1 2 3 4 5 6"},
		{"None", "/films?select=id&id=gt.99", nil, 200, "*/*", ""},
		{"Header", "/films?select=id&order=id", []string{"Range", "1-2"}, 200, "1-2/*", "2 3"},
		{"HeaderOpen", "/films?select=id&order=id", []string{"Range", "4-"}, 200, "4-5/*", "5 6"},
		{"HeaderCounted", "/films?select=id&order=id", []string{"Range", "1-2", "Prefer", "count=exact"}, 206, "1-2/6", "2 3"},
		{"BothNarrow", "/films?select=id&order=id&limit=10&offset=2", []string{"Range", "0-3"}, 200, "2-3/*", "3 4"},
		{"Exact", "/films?select=id&order=id&limit=2", []string{"Prefer", "count=exact"}, 206, "0-1/6", "1 2"},
		{"ExactWhole", "/films?select=id&order=id", []string{"Prefer", "count=exact"}, 200, "0-5/6", "1 2 3 4 5 6"},
		{"ExactNone", "/films?select=id&id=gt.99", []string{"Prefer", "count=exact"}, 200, "*/0", ""},
		{"ExactBehind", "/films?select=id&limit=2&offset=6", []string{"Prefer", "count=exact"}, 206, "*/6", ""},
		{"ExactZero", "/films?select=id&limit=0", []string{"Prefer", "count=exact"}, 206, "*/6", ""},
		{"ExactEmbedded", "/directors?select=id,films!inner(id)&films.year=gt.2000&order=id&limit=1", []string{"Prefer", "count=exact"}, 200, "0-0/1", "3"},
		{"ExactNullTest", "/directors?select=id,films()&films=is.null&limit=1", []string{"Prefer", "count=exact"}, 200, "0-0/1", "4"},
		{"ExactInnerManyToMany", "/films?select=id,actors!inner(name)&actors.name=eq.Mifune&order=id&limit=1", []string{"Prefer", "count=exact"}, 206, "0-0/3", "1"},
		{"ExactInnerComputed", "/directors?select=id,latest_film!inner(title)&latest_film.year=lt.2000&order=id&limit=1", []string{"Prefer", "count=exact"}, 206, "0-0/2", "1"},
		{"ExactInnerSelf", "/films?select=id,sequel_of!inner(title)&sequel_of.year=gt.2000&limit=1", []string{"Prefer", "count=exact"}, 200, "0-0/1", "6"},
		{"ExactInnerNested", "/directors?select=id,films!inner(id,actors!inner(id))&films.actors.name=eq.Mifune&limit=1", []string{"Prefer", "count=exact"}, 200, "0-0/1", "1"},
		{"ExactInnerSpread", "/films?select=id,...directors!inner(name)&directors.name=eq.Varda&limit=1", []string{"Prefer", "count=exact"}, 200, "0-0/1", "4"},
		{"ExactNotNullOr", "/films?select=id,directors(),sequel_of()&or=(directors.is.null,sequel_of.not.is.null)&order=id&limit=1", []string{"Prefer", "count=exact"}, 206, "0-0/2", "3"},
		{"ExactView", "/modern_films?select=id,directors!inner(name)&directors.name=like.V*&order=id&limit=1", []string{"Prefer", "count=exact"}, 206, "0-0/2", "5"},
		{"ExactCall", "/rpc/films_of?director=1&select=id&order=id&limit=2&year=gt.1955", []string{"Prefer", "count=exact"}, 200, "0-1/2", "2 3"},
		{"ExactCallInner", "/rpc/films_of?director=1&select=id,actors!inner(name)&actors.name=eq.Shimura&order=id&limit=1", []string{"Prefer", "count=exact"}, 206, "0-0/2", "1"},
		{"Unknown unit is ignored", "/films?select=id&order=id", []string{"Range", "rows=1-2"}, 200, "0-5/*", "1 2 3 4 5 6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.get(c.path, c.headers...)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, c.rangeHeader, got.header.Get("Content-Range"))
			require.Equal(t, c.want, ids(t, got.body))
		})
	}
	requireError(t, b.get("/films?limit=2&offset=7", "Prefer", "count=exact"), 416, "PGRST103")
	requireError(t, b.get("/films", "Range", "3-1"), 416, "PGRST103")
	requireError(t, b.get("/films?limit=-1"), 416, "PGRST103")
	require.Equal(t, 200, b.get("/films?offset=99").status, "nothing is known to be out of bounds")
}

func TestRead_Planned(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *rest.Config) { c.MaxRows = 3 })
	got := b.get("/films?select=id", "Prefer", "count=planned")
	require.Equal(t, "count=planned", got.header.Get("Preference-Applied"))
	require.Equal(t, "0-2/6", got.header.Get("Content-Range"), "after analyze the planner knows")
	require.Equal(t, http.StatusPartialContent, got.status)
	got = b.get("/films?select=id", "Prefer", "count=estimated")
	require.Equal(t, "0-2/6", got.header.Get("Content-Range"))
	got = b.get("/films?select=id&id=lt.3", "Prefer", "count=estimated")
	require.Equal(t, "0-1/2", got.header.Get("Content-Range"), "exact up to the server's bound")
}

func TestRead_MaxRows(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *rest.Config) { c.MaxRows = 2 })
	got := b.get("/directors?select=id,films(id)&order=id&films.order=id", "Prefer", "count=exact")
	require.JSONEq(t, `[{"id":1,"films":[{"id":1},{"id":2}]},{"id":2,"films":[{"id":4}]}]`, got.body)
	require.Equal(t, "0-1/4", got.header.Get("Content-Range"))
	require.JSONEq(t, `[{"id":1}]`, b.get("/films?select=id&order=id&limit=1").body)
	require.JSONEq(t, `[{"id":1},{"id":2}]`, b.get("/films?select=id&order=id&limit=9").body)
	require.JSONEq(t, `[1,2]`, b.get("/rpc/numbers?upto=9").body)
}

func TestRead_AggregatesOff(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *rest.Config) { c.Aggregates = false })
	for _, path := range []string{"/films?select=count()", "/films?select=year.max()", "/directors?select=films(count())", "/rpc/films_of?director=1&select=count()"} {
		requireError(t, b.get(path), 400, "PGRST123")
	}
}

func TestRead_MediaTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ name, path, accept, contentType, want string }{
		{"Default", "/films?select=id&id=eq.1", "", "application/json; charset=utf-8", `[{"id":1}]`},
		{"Any", "/films?select=id&id=eq.1", "*/*", "application/json; charset=utf-8", `[{"id":1}]`},
		{"FirstKnown", "/films?select=id&id=eq.1", "text/nothing, application/json;q=0.5", "application/json; charset=utf-8", `[{"id":1}]`},
		{"Quality", "/films?select=id&id=eq.1", "application/json;q=0.1, text/csv;q=0.9", "text/csv; charset=utf-8", "id\n1"},
		{"CSV", "/films?select=id,title,rating,tags&id=in.(3,5)&order=id", "text/csv", "text/csv; charset=utf-8", "id,title,rating,tags\n3,Sanjuro,,{}\n5,Dune,PG,\"{desert,\"\"big, loud\"\"}\""},
		{"CSVEmpty", "/films?select=id&id=eq.99", "text/csv", "text/csv; charset=utf-8", "\n"},
		{"Object", "/films?select=id&id=eq.1", "application/vnd.pgrst.object+json", "application/vnd.pgrst.object+json; charset=utf-8", `{"id":1}`},
		{"ObjectStripped", "/films?select=id,rating&id=eq.3", "application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8", `{"id":3}`},
		{"Stripped", "/films?select=id,rating&id=in.(3,4)&order=id", "application/vnd.pgrst.array+json;nulls=stripped", "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8", "[{\"id\":3},\n{\"id\":4,\"rating\":\"G\"}]"},
		{"Function", "/rpc/page", "text/html", "text/html", "<h1>Films</h1>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			headers := []string{"Accept", c.accept}
			if c.accept == "" {
				headers = nil
			}
			got := b.get(c.path, headers...)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, c.contentType, got.header.Get("Content-Type"))
			require.Equal(t, c.want, got.body)
		})
	}
	body := requireError(t, b.get("/films", "Accept", "application/vnd.pgrst.object+json"), 406, "PGRST116")
	require.Equal(t, "The result contains 6 rows", body["details"])
	requireError(t, b.get("/films?id=eq.99", "Accept", "application/vnd.pgrst.object+json"), 406, "PGRST116")
	requireError(t, b.get("/films", "Accept", "text/nothing"), 406, "PGRST107")
	requireError(t, b.get("/films", "Accept", "application/vnd.pgrst.plan+json"), 406, "PGRST107")
}

func TestRead_Plans(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *rest.Config) { c.Plans = true })
	got := b.get("/films?id=eq.1", "Accept", `application/vnd.pgrst.plan+json; options=analyze|buffers`)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, `application/vnd.pgrst.plan+json; for="application/json"; options=analyze|buffers; charset=utf-8`, got.header.Get("Content-Type"))
	var plans []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &plans), got.body)
	require.Contains(t, plans[0], "Execution Time")
	got = b.get("/films", "Accept", "application/vnd.pgrst.plan")
	require.Contains(t, got.body, "Seq Scan on films")
	got = b.send("DELETE", "/notes?id=eq.1", "", "Accept", "application/vnd.pgrst.plan", "Prefer", "return=minimal")
	require.Equal(t, 200, got.status, got.body)
	require.Contains(t, got.body, "Delete on notes")
	require.Equal(t, 2, one[int](b, "select count(*)::int from api.notes"), "explained and not done")
}

func TestRead_HeadAndTag(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.send(http.MethodHead, "/films?id=gt.1", "", "Prefer", "count=exact")
	require.Equal(t, 200, got.status)
	require.Empty(t, got.body)
	require.Equal(t, "0-4/5", got.header.Get("Content-Range"))
	require.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	got = b.send(http.MethodHead, "/films?limit=2", "", "Prefer", "count=exact")
	require.Equal(t, "0-1/6", got.header.Get("Content-Range"))
	require.Equal(t, 206, got.status)
	require.Equal(t, 404, b.send(http.MethodHead, "/nothing", "").status)

	got = b.get("/films?id=eq.1")
	tag := got.header.Get("Etag")
	require.NotEmpty(t, tag)
	require.Equal(t, "/films?id=eq.1", got.header.Get("Content-Location"))
	for _, header := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		again := b.get("/films?id=eq.1", "If-None-Match", header)
		require.Equal(t, http.StatusNotModified, again.status, header)
		require.Empty(t, again.body)
		require.Equal(t, tag, again.header.Get("Etag"))
	}
	require.Equal(t, 200, b.get("/films?id=eq.2", "If-None-Match", tag).status)
}

func TestRead_Errors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		path   string
		status int
		code   string
	}{
		{"/nothing", 404, "PGRST205"}, {"/secrets", 404, "PGRST205"}, {"/a/b/c", 404, "PGRST125"}, {"/films?nothing=eq.1", 400, "42703"},
		{"/films?select=nothing", 400, "42703"}, {"/films?id", 400, "PGRST100"}, {"/films?select", 400, "PGRST100"}, {"/films?&", 200, ""}, {"/films?id=eq.x", 400, "22P02"}, {"/films?id=foo.1", 400, "PGRST100"}, {"/films?order=id.up", 400, "PGRST100"},
		{"/films?select=nothing(id)", 400, "PGRST200"}, {"/screenings?select=films(id)", 300, "PGRST201"}, {"/films?directors.id=eq.1", 400, "PGRST108"},
		{"/directors?select=films(id)&order=films(id)", 400, "PGRST118"}, {"/films?select=id::nothing", 400, "42704"}, {"/films?select=xmin", 400, "42703"},
		{"/films?or=(", 400, "PGRST100"}, {"/films?id=in.(1", 400, "PGRST100"}, {"/films?id=eq.%00", 400, "22021"}, {"/films?title=eq.%ff", 200, ""},
		{"/films?title=match.(", 400, "2201B"}, {"/directors?select=...films(year.max())", 400, "PGRST127"}, {"/films?limit=x", 200, ""},
		{"/films?select=" + strings.Repeat("directors(films(", 10) + "id" + strings.Repeat("))", 10), 400, "PGRST100"},
		{"/films?select=" + strings.Repeat("d:directors(id),", 101) + "id", 400, "PGRST100"},
		{"/films?or=" + strings.Repeat("(and", 200), 400, "PGRST100"},
	} {
		got := b.get(c.path)
		if c.code == "" {
			require.Equal(t, c.status, got.status, got.body)
			continue
		}
		requireError(t, got, c.status, c.code)
	}
	require.Equal(t, 401, b.get("/details").status, "anonymous: signing in may help")
	requireError(t, b.get("/details"), 401, "42501")
	require.Equal(t, 200, b.get("/details", b.as("authenticated")...).status)
	requireError(t, b.get("/things", with(nil, "Accept-Profile", "other")...), 401, "42501")
	requireError(t, b.send("TRACE", "/films", ""), 405, "PGRST117")
}
