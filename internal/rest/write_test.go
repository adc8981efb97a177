package rest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/rest"
)

func TestInsert(t *testing.T) {
	t.Parallel()
	b := setup(t)
	t.Run("Minimal", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/directors", `{"id": 10, "name": "Ozu"}`)
		require.Equal(t, 201, got.status, got.body)
		require.Empty(t, got.body)
		require.Equal(t, "*/*", got.header.Get("Content-Range"))
		require.Empty(t, got.header.Get("Location"))
		require.Empty(t, got.header.Get("Content-Type"))
	})
	t.Run("Representation", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/films?select=title,directors(name)", `{"title": "Ran", "director_id": 1}`, "Prefer", "return=representation")
		require.Equal(t, 201, got.status, got.body)
		require.JSONEq(t, `[{"title": "Ran", "directors": {"name": "Kurosawa"}}]`, got.body)
		require.Equal(t, "return=representation", got.header.Get("Preference-Applied"))
		got = b.send("POST", "/films?select=title", `{"title": "Ikiru"}`, "Prefer", "return=representation", "Accept", "application/vnd.pgrst.object+json")
		require.Equal(t, 201, got.status, got.body)
		require.JSONEq(t, `{"title": "Ikiru"}`, got.body)
	})
	t.Run("HeadersOnly", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/roles", `{"film_id": 6, "actor_id": 1}`, "Prefer", "return=headers-only")
		require.Equal(t, 201, got.status, got.body)
		require.Empty(t, got.body)
		require.Equal(t, "/roles?actor_id=eq.1&film_id=eq.6", got.header.Get("Location"))
		got = b.send("POST", "/keyless", `{"line": "x"}`, "Prefer", "return=headers-only")
		require.Equal(t, 201, got.status, got.body)
		require.Empty(t, got.header.Get("Location"), "it has no key to be found by")
		got = b.send("POST", "/roles", `[{"film_id": 6, "actor_id": 2}, {"film_id": 6, "actor_id": 3}]`, "Prefer", "return=headers-only")
		require.Equal(t, 201, got.status, got.body)
		require.Empty(t, got.header.Get("Location"), "two are nowhere")
	})
	t.Run("Bulk", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/actors?select=name", `[{"name": "A"}, {"name": "B"}]`, "Prefer", "return=representation, count=exact")
		require.Equal(t, 201, got.status, got.body)
		require.JSONEq(t, `[{"name": "A"}, {"name": "B"}]`, got.body)
		require.Equal(t, "*/2", got.header.Get("Content-Range"))
		require.Equal(t, 201, b.send("POST", "/actors", `[]`).status)
		got = b.send("POST", "/actors?select=name", `[]`, "Prefer", "return=representation")
		require.Equal(t, 201, got.status)
		require.JSONEq(t, `[]`, got.body)
	})
	t.Run("Columns", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/notes?columns=id,body,stars&select=*", `[{"id": 20, "body": "x", "ignored": 1}, {"id": 21}]`,
			"Prefer", "return=representation, missing=default")
		require.Equal(t, 201, got.status, got.body)
		require.JSONEq(t, `[{"id":20,"body":"x","stars":3,"day":"2020-02-02"},{"id":21,"body":"nothing","stars":3,"day":"2020-02-02"}]`, got.body)
		require.Equal(t, "missing=default, return=representation", got.header.Get("Preference-Applied"))
		requireError(t, b.send("POST", "/notes?columns=id,body", `[{"id": 22}]`), 400, "23502")
		requireError(t, b.send("POST", "/notes?columns=id,nothing", `[{"id": 22}]`), 400, "PGRST204")
	})
	t.Run("CSV", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/notes?select=*", "id,body,day\n30,\"a, \"\"b\"\"\",NULL\n31,,2020-01-01\n", "Content-Type", "text/csv", "Prefer", "return=representation", "Accept", "text/csv")
		require.Equal(t, 201, got.status, got.body)
		require.Equal(t, "id,body,stars,day\n30,\"a, \"\"b\"\"\",3,\n31,\"\",3,2020-01-01", got.body)
		requireError(t, b.send("POST", "/notes", "id,body\n1\n", "Content-Type", "text/csv"), 400, "PGRST102")
	})
	t.Run("Form", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/notes", "id=40&body=a+b%26c", "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, 201, got.status, got.body)
		require.Equal(t, "a b&c", one[string](b, "select body from api.notes where id = 40"))
	})
	t.Run("Represented", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/palettes", `{"id": 3, "name": "red", "shade": "#ff0000"}`, "Prefer", "return=representation")
		require.JSONEq(t, `[{"id": 3, "name": "red", "shade": "#ff0000"}]`, got.body)
		require.Equal(t, 16711680, one[int](b, "select shade::int from api.palettes where id = 3"))
	})
	t.Run("Computed", func(t *testing.T) {
		t.Parallel()
		got := b.send("POST", "/directors?select=name,latest_film(title)", `{"id": 50, "name": "Leone"}`, "Prefer", "return=representation")
		require.Equal(t, 201, got.status, got.body)
		require.JSONEq(t, `[{"name": "Leone", "latest_film": null}]`, got.body)
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			path, body string
			status     int
			code       string
		}{
			{"/actors", `{"name": `, 400, "PGRST102"}, {"/actors", `[{"name": "a"}, {"id": 1}]`, 400, "PGRST102"}, {"/actors", `{"nam": 1}`, 400, "PGRST204"},
			{"/actors", `{"name": null}`, 400, "23502"}, {"/directors", `{"name": "Varda"}`, 409, "23505"}, {"/roles", `{"film_id": 99, "actor_id": 1}`, 409, "23503"},
			{"/films", `{"title": "x", "year": 1500}`, 400, "23514"}, {"/films", `{"title": "x", "year": "abc"}`, 400, "22P02"}, {"/broken", `{"n": 1}`, 405, "55000"},
			{"/details", `{"film_id": 2}`, 401, "42501"}, {"/nothing", `{}`, 404, "PGRST205"},
		} {
			got := b.send("POST", c.path, c.body)
			if c.code == "55000" {
				require.GreaterOrEqual(t, got.status, 400, got.body)
				continue
			}
			requireError(t, got, c.status, c.code)
		}
		requireError(t, b.send("POST", "/actors", "x", "Content-Type", "image/png"), 400, "PGRST102")
		small := b.serve(t, func(c *rest.Config) { c.MaxBodyBytes = 20 })
		require.Equal(t, 201, small.send("POST", "/actors", `{"name": "0123456"}`).status)
		requireError(t, small.send("POST", "/actors", `{"name": "0123456789"}`), 413, "PGRST102")
		requireError(t, b.get("/films?title=eq."+strings.Repeat("x", 130<<10)), 414, "url_too_long")
	})
}

func TestUpsert(t *testing.T) {
	t.Parallel()
	b := setup(t)
	merge := "resolution=merge-duplicates, return=representation"
	got := b.send("POST", "/notes?select=id,body,stars", `[{"id": 1, "body": "new"}, {"id": 9, "body": "nine"}]`, "Prefer", merge)
	require.Equal(t, 201, got.status, "one of them is new: %s", got.body)
	require.JSONEq(t, `[{"id":1,"body":"new","stars":5},{"id":9,"body":"nine","stars":3}]`, got.body)
	require.Equal(t, "resolution=merge-duplicates, return=representation", got.header.Get("Preference-Applied"))
	got = b.send("POST", "/notes?select=id,body", `[{"id": 1, "body": "newer"}]`, "Prefer", merge)
	require.Equal(t, 200, got.status, "nothing is new: %s", got.body)

	got = b.send("POST", "/notes?select=id", `[{"id": 1, "body": "x"}, {"id": 10, "body": "ten"}]`, "Prefer", "resolution=ignore-duplicates, return=representation")
	require.Equal(t, 201, got.status, got.body)
	require.JSONEq(t, `[{"id":10}]`, got.body)
	require.Equal(t, "newer", one[string](b, "select body from api.notes where id = 1"))

	got = b.send("POST", "/directors?on_conflict=name&select=id,born", `{"name": "Varda", "born": "1928-01-01"}`, "Prefer", merge)
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[{"id":2,"born":"1928-01-01"}]`, got.body)
	requireError(t, b.send("POST", "/directors?on_conflict=born", `{"name": "X"}`, "Prefer", merge), 400, "42P10")
	requireError(t, b.send("POST", "/notes", `{"id": 1}`), 409, "23505")
	requireError(t, b.send("POST", "/notes", `[{"id": 1, "body": "a"}, {"id": 1, "body": "b"}]`, "Prefer", merge), 500, "21000")
}

func TestUpsert_Put(t *testing.T) {
	t.Parallel()
	b := setup(t)
	row := `{"id": 7, "body": "put", "stars": 2, "day": null}`
	got := b.send("PUT", "/notes?id=eq.7", row)
	require.Equal(t, 204, got.status, got.body)
	got = b.send("PUT", "/notes?id=eq.8", `{"id": 8, "body": "put", "stars": 2, "day": null}`, "Prefer", "return=representation")
	require.Equal(t, 201, got.status, got.body)
	require.JSONEq(t, `[{"id": 8, "body": "put", "stars": 2, "day": null}]`, got.body)
	got = b.send("PUT", "/notes?id=eq.7", `{"id": 7, "body": "again", "stars": 2, "day": null}`, "Prefer", "return=representation", "Accept", "application/vnd.pgrst.object+json")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `{"id": 7, "body": "again", "stars": 2, "day": null}`, got.body)
	got = b.send("PUT", "/roles?film_id=eq.6&actor_id=eq.1", `{"film_id": 6, "actor_id": 1, "part": "x"}`)
	require.Equal(t, 204, got.status, got.body)

	requireError(t, b.send("PUT", "/notes?id=eq.9", row), 400, "PGRST115")
	require.Zero(t, one[int](b, "select count(*)::int from api.notes where id = 9"))
	for _, path := range []string{"/notes", "/notes?body=eq.x", "/notes?id=gt.7", "/notes?id=eq.7&body=eq.x", "/notes?id=not.eq.7", "/notes?or=(id.eq.7)", "/notes?id=eq(any).{7}"} {
		requireError(t, b.send("PUT", path, row), 405, "PGRST105")
	}
	requireError(t, b.send("PUT", "/keyless?line=eq.a", `{"line": "a"}`), 405, "PGRST105")
	requireError(t, b.send("PUT", "/roles?film_id=eq.6", `{"film_id": 6, "actor_id": 1}`), 405, "PGRST105")
	requireError(t, b.send("PUT", "/notes?id=eq.7&limit=1", row), 400, "PGRST114")
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.send("PATCH", "/notes?id=eq.1", `{"body": "changed"}`)
	require.Equal(t, 204, got.status, got.body)
	require.Equal(t, "0-0/*", got.header.Get("Content-Range"))
	got = b.send("PATCH", "/notes?id=gt.0&select=id,stars&order=id", `{"stars": 0}`, "Prefer", "return=representation, count=exact")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[{"id":1,"stars":0},{"id":2,"stars":0}]`, got.body)
	require.Equal(t, "0-1/2", got.header.Get("Content-Range"))
	got = b.send("PATCH", "/notes?id=eq.99", `{"stars": 0}`, "Prefer", "return=representation")
	require.Equal(t, 200, got.status)
	require.JSONEq(t, `[]`, got.body)
	require.Equal(t, "*/*", got.header.Get("Content-Range"))
	require.Equal(t, 204, b.send("PATCH", "/notes?id=eq.99", `{"stars": 0}`).status)
	got = b.send("PATCH", "/notes?id=eq.1", `{}`, "Prefer", "return=representation")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[]`, got.body)
	require.Equal(t, 204, b.send("PATCH", "/notes?id=eq.1", `{}`).status)
	got = b.send("PATCH", "/films?id=eq.1&select=title,directors(name),actors(name)&actors.name=eq.Mifune", `{"info": {"a": [1]}, "tags": ["x", "y"], "year": 1955}`, "Prefer", "return=representation")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[{"title":"Seven Samurai","directors":{"name":"Kurosawa"},"actors":[{"name":"Mifune"}]}]`, got.body)
	require.JSONEq(t, `{"a": [1]}`, one[string](b, "select info::text from api.films where id = 1"))
	got = b.send("PATCH", "/notes?id=eq.2&columns=body,day&select=body,day", `{"body": "b"}`, "Prefer", "missing=default, return=representation")
	require.JSONEq(t, `[{"body":"b","day":"2020-02-02"}]`, got.body)

	requireError(t, b.send("PATCH", "/notes?id=eq.1", `{"bodi": 1}`), 400, "PGRST204")
	requireError(t, b.send("PATCH", "/notes?id=gt.0", `{"stars": 9}`, "Accept", "application/vnd.pgrst.object+json", "Prefer", "return=representation"), 406, "PGRST116")
	require.Zero(t, one[int](b, "select count(*)::int from api.notes where stars = 9"), "refused, so not done")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.send("DELETE", "/roles?film_id=eq.6&select=part,actors(name)", "", "Prefer", "return=representation")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[{"part":"Paul","actors":{"name":"Chalamet"}}]`, got.body)
	got = b.send("DELETE", "/roles?film_id=eq.5", "", "Prefer", "count=exact")
	require.Equal(t, 204, got.status, got.body)
	require.Equal(t, "*/1", got.header.Get("Content-Range"))
	require.Equal(t, 204, b.send("DELETE", "/roles?film_id=eq.5", "").status)
	requireError(t, b.send("DELETE", "/films?id=eq.2", ""), 409, "23503")
	require.Equal(t, 6, one[int](b, "select count(*)::int from api.films"))
	require.Equal(t, 204, b.send("DELETE", "/notes", "").status, "without a filter it is all of them, as PostgREST has it")
	require.Zero(t, one[int](b, "select count(*)::int from api.notes"))
}

func TestPrefer_MaxAffected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	strict := "handling=strict, max-affected=1"
	body := requireError(t, b.send("DELETE", "/notes", "", "Prefer", strict), 400, "PGRST124")
	require.Equal(t, "The query affects 2 rows", body["details"])
	requireError(t, b.send("PATCH", "/notes", `{"stars": 0}`, "Prefer", strict), 400, "PGRST124")
	requireError(t, b.send("POST", "/rpc/clear_notes", "", "Prefer", strict), 400, "PGRST124")
	requireError(t, b.send("POST", "/rpc/add", `{"a": 1}`, "Prefer", strict), 400, "PGRST128")
	require.Equal(t, 2, one[int](b, "select count(*)::int from api.notes where stars > 0"), "refused, so not done")
	got := b.send("PATCH", "/notes?id=eq.1", `{"stars": 0}`, "Prefer", strict)
	require.Equal(t, 204, got.status, got.body)
	require.Equal(t, "handling=strict, max-affected=1", got.header.Get("Preference-Applied"))
	got = b.send("DELETE", "/notes", "", "Prefer", "max-affected=1")
	require.Equal(t, 204, got.status, "without handling=strict it is a wish")
	require.Empty(t, got.header.Get("Preference-Applied"))
}

func TestPrefer_Strict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := requireError(t, b.get("/films", "Prefer", "handling=strict, anything=goes, count=some"), 400, "PGRST122")
	require.Equal(t, "Invalid preferences: anything=goes, count=some", body["details"])
	require.Equal(t, 200, b.get("/films", "Prefer", "anything=goes").status)
	requireError(t, b.send("POST", "/actors", `{"name": "x"}`, "Prefer", "handling=strict, anything=goes"), 400, "PGRST122")
	require.Zero(t, one[int](b, "select count(*)::int from api.actors where name = 'x'"))
	got := b.get("/films?limit=1", "Prefer", "count=exact", "Prefer", "handling=lenient")
	require.Equal(t, "count=exact, handling=lenient", got.header.Get("Preference-Applied"), "of several headers")
}

func TestPrefer_Transaction(t *testing.T) {
	t.Parallel()
	insert := func(b *bundle, name string, prefer ...string) answer {
		var headers []string
		for _, p := range prefer {
			headers = append(headers, "Prefer", p)
		}
		got := b.send("POST", "/actors?select=name", `{"name": "`+name+`"}`, headers...)
		require.Equal(t, 201, got.status, got.body)
		return got
	}
	kept := func(b *bundle, name string) bool {
		return one[bool](b, "select exists (select from api.actors where name = $1)", name)
	}
	base := setup(t)
	for i, c := range []struct {
		rollback, override, asked bool
		prefer                    string
		kept                      bool
	}{
		{false, false, false, "tx=rollback", true}, {false, true, true, "tx=rollback", false}, {true, false, false, "tx=commit", false},
		{true, true, true, "tx=commit", true}, {true, true, false, "return=minimal", false}, {false, true, false, "return=minimal", true},
	} {
		t.Run(strconv.FormatBool(c.rollback)+strconv.FormatBool(c.override)+c.prefer, func(t *testing.T) {
			t.Parallel()
			b := base.serve(t, func(config *rest.Config) { config.RollbackAll, config.TxOverride = c.rollback, c.override })
			name := "actor " + strconv.Itoa(i)
			got := insert(b, name, c.prefer)
			require.Equal(t, c.kept, kept(b, name))
			if c.asked {
				require.Equal(t, c.prefer, got.header.Get("Preference-Applied"))
			}
			require.Equal(t, http.StatusConflict, b.send("POST", "/roles", `{"film_id": 99, "actor_id": 1}`, "Prefer", "tx=rollback").status, "rolled back, but checked")
		})
	}
}

func TestPrefer_Timezone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.get("/screenings?select=at&id=eq.1", "Prefer", "timezone=Asia/Tokyo")
	require.JSONEq(t, `[{"at":"2021-09-16T05:00:00+09:00"}]`, got.body)
	require.Equal(t, "timezone=Asia/Tokyo", got.header.Get("Preference-Applied"))
	before := b.get("/screenings?select=at&id=eq.1").body
	for _, handling := range []string{"", ", handling=lenient", ", handling=strict"} { // the database says what it knows
		requireError(t, b.get("/screenings?select=at", "Prefer", "timezone=Jupiter/Red_Spot"+handling), 400, "22023")
	}
	for range 8 { // whatever connection it is
		require.Equal(t, before, b.get("/screenings?select=at&id=eq.1").body, "it does not outlive its request")
	}
}
