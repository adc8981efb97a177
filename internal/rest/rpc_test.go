package rest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/rest"
)

func TestRPC(t *testing.T) {
	t.Parallel()
	b := setup(t)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		want                     string
	}{
		{"GetScalar", "GET", "/rpc/add?a=1&b=2", "", nil, `3`},
		{"GetDefault", "GET", "/rpc/add?a=1", "", nil, `11`},
		{"PostScalar", "POST", "/rpc/add", `{"a": 1, "b": 5}`, nil, `6`},
		{"PostOfList", "POST", "/rpc/add", `[{"a": 1, "b": 5}]`, nil, `6`},
		{"Form", "POST", "/rpc/hello", "name=you+all", form, `"Hello, you all!"`},
		{"SetofTable", "GET", "/rpc/films_of?director=1&select=id,directors(name)&year=gt.1960&order=id.desc&limit=1", "", nil, `[{"id":3,"directors":{"name":"Kurosawa"}}]`},
		{"SetofTableComputed", "GET", "/rpc/films_of?director=2&select=full_title", "", nil, `[{"full_title":"Cleo from 5 to 7 (1962)"}]`},
		{"SetofTablePost", "POST", "/rpc/films_of?select=id&order=id&id=gt.1", `{"director": 1}`, nil, `[{"id":2},{"id":3}]`},
		{"Row", "GET", "/rpc/film?id=1&select=title", "", nil, `{"title":"Seven Samurai"}`},
		{"SetofScalar", "GET", "/rpc/numbers?upto=3", "", nil, `[1,2,3]`},
		{"SetofNone", "GET", "/rpc/numbers?upto=0", "", nil, `[]`},
		{"Table", "POST", "/rpc/per_rating", "", nil, `[{"rating":"G","films":1},{"rating":"PG","films":3},{"rating":null,"films":2}]`},
		{"TableFiltered", "GET", "/rpc/per_rating?films=gt.1&select=films&order=films", "", nil, `[{"films":2},{"films":3}]`},
		{"Out", "GET", "/rpc/split?whole=7", "", nil, `{"half":3,"rest":1}`},
		{"VariadicGet", "GET", "/rpc/total?nums=1&nums=2&nums=3", "", nil, `6`},
		{"VariadicPost", "POST", "/rpc/total", `{"nums": [4, 5]}`, nil, `9`},
		{"OverloadOne", "GET", "/rpc/more?a=1", "", nil, `"one"`},
		{"OverloadTwo", "POST", "/rpc/more", `{"a": 1, "b": 2}`, nil, `"two"`},
		{"UnnamedJSON", "POST", "/rpc/echo_json", `{"any": [1, "x"]}`, nil, `{"any": [1, "x"]}`},
		{"UnnamedJSONList", "POST", "/rpc/echo_json", `[{"a": 1}, {"a": 2}]`, nil, `[{"a": 1}, {"a": 2}]`},
		{"UnnamedText", "POST", "/rpc/echo_text", "any 'text'", []string{"Content-Type", "text/plain"}, `"any 'text'"`},
		{"UnnamedBytes", "POST", "/rpc/echo_bytes", "\x00\xff\\", []string{"Content-Type", "application/octet-stream"}, `3`},
		{"VolatileRow", "POST", "/rpc/note", `{"body": "x"}`, nil, `{"id":3,"body":"x","stars":3,"day":"2020-02-02"}`},
		{"Object", "GET", "/rpc/films_of?director=2&select=id", "", []string{"Accept", "application/vnd.pgrst.object+json"}, `{"id":4}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.send(c.method, c.path, c.body, c.headers...)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.JSONEq(t, c.want, got.body)
		})
	}
}

func TestRPC_Answers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.send("POST", "/rpc/nothing", "")
	require.Equal(t, 204, got.status)
	require.Empty(t, got.body)
	got = b.get("/rpc/films_of?director=1&select=id&limit=2", "Prefer", "count=exact")
	require.Equal(t, 206, got.status, got.body)
	require.Equal(t, "0-1/3", got.header.Get("Content-Range"))
	got = b.send(http.MethodHead, "/rpc/numbers?upto=4", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "0-3/*", got.header.Get("Content-Range"))
	got = b.get("/rpc/films_of?director=1&select=id,title&order=id&limit=1", "Accept", "text/csv")
	require.Equal(t, "id,title\n1,\"Seven Samurai\"", got.body)

	got = b.get("/rpc/teapot")
	require.Equal(t, 418, got.status)
	require.Equal(t, `"short and stout"`, got.body)
	require.Equal(t, "tea", got.header.Get("X-Pot"))
	require.Equal(t, []string{"a=1", "b=2"}, got.header.Values("Set-Cookie"))
	for range 8 {
		plain := b.get("/rpc/add?a=1")
		require.Equal(t, 200, plain.status, "what one request set is nothing to the next")
		require.Empty(t, plain.header.Get("X-Pot"))
	}
	for _, status := range []string{"201", "202", "299", "404", "503"} {
		got := b.get("/rpc/with_status?status=" + status)
		require.Equal(t, status, strconv.Itoa(got.status))
		require.Equal(t, `"`+status+`"`, got.body)
	}
	for _, status := range []string{"204", "304"} { // which have no body
		got := b.get("/rpc/with_status?status=" + status)
		require.Equal(t, status, strconv.Itoa(got.status))
		require.Empty(t, got.body)
	}
	for _, status := range []string{"100", "199", "42", "1000", "x"} { // which are no answers
		requireError(t, b.get("/rpc/with_status?status="+status), 500, "PGRST112")
	}
	requireError(t, b.get("/rpc/refuse?code=PT150"), 500, "PT150")
	requireError(t, b.get("/rpc/bad_headers"), 500, "PGRST111")
	requireError(t, b.get("/rpc/bad_status"), 500, "PGRST112")
	require.Equal(t, "GET,HEAD,OPTIONS,POST", sortedList(b.send(http.MethodOptions, "/rpc/numbers", "").header.Get("Allow")))
	require.Equal(t, "OPTIONS,POST", sortedList(b.send(http.MethodOptions, "/rpc/clear_notes", "").header.Get("Allow")))
	require.Equal(t, "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT", sortedList(b.send(http.MethodOptions, "/films", "").header.Get("Allow")))
	require.Equal(t, "GET,HEAD,OPTIONS", sortedList(b.send(http.MethodOptions, "/broken", "").header.Get("Allow")))
}

func sortedList(text string) string {
	parts := strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	for i := range parts {
		for j := i; j > 0 && parts[j] < parts[j-1]; j-- {
			parts[j], parts[j-1] = parts[j-1], parts[j]
		}
	}
	return strings.Join(parts, ",")
}

func TestRPC_Errors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/rpc/nowhere", "", 404, "PGRST202"}, {"GET", "/rpc/hello?nam=x", "", 404, "PGRST202"}, {"POST", "/rpc/hello", `{}`, 404, "PGRST202"},
		{"GET", "/rpc/choose?value=1", "", 300, "PGRST203"}, {"GET", "/rpc/private", "", 404, "PGRST202"}, {"GET", "/rpc/add?a=x", "", 400, "22P02"},
		{"GET", "/rpc/note?body=x", "", 405, "25006"}, {"DELETE", "/rpc/add?a=1", "", 405, "PGRST101"}, {"PATCH", "/rpc/add", "{}", 405, "PGRST101"},
		{"GET", "/rpc/refuse?code=P0001", "", 400, "P0001"}, {"GET", "/rpc/refuse?code=PT418", "", 418, "PT418"}, {"GET", "/rpc/refuse?code=23505", "", 409, "23505"},
		{"GET", "/rpc/refuse?code=42501", "", 401, "42501"}, {"GET", "/rpc/refuse?code=57014", "", 500, "57014"}, {"GET", "/rpc/raise_malformed", "", 500, "PGRST121"},
		{"POST", "/rpc/add", `{"a": `, 400, "PGRST102"},
	} {
		requireError(t, b.send(c.method, c.path, c.body), c.status, c.code)
	}
	require.Equal(t, 2, one[int](b, "select count(*)::int from api.notes"), "a volatile function changes nothing by GET")
	body := requireError(t, b.get("/rpc/refuse?code=PT418"), 418, "PT418")
	require.Equal(t, map[string]any{"code": "PT418", "message": "refused", "details": "a detail", "hint": "a hint"}, body)

	got := b.get("/rpc/raise_whole")
	body = requireError(t, got, 402, "123")
	require.Equal(t, map[string]any{"code": "123", "message": "Payment Required", "details": "Quota exceeded", "hint": "Upgrade your plan"}, body)
	require.Equal(t, "Nerd Rage", got.header.Get("X-Powered-By"))
}

func TestRPC_Request(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.as("authenticated")
	got := b.get("/rpc/whoami", with(token, "User-Agent", "a test", "Cookie", "a=b; flavour=oat", "Prefer", "timezone=Asia/Tokyo")...).object(t)
	require.Equal(t, "authenticated", got["role"])
	require.Equal(t, "authenticated", got["claims"].(map[string]any)["role"])
	require.Equal(t, "GET", got["method"])
	require.Equal(t, "/rpc/whoami", got["path"])
	require.Equal(t, "a test", got["agent"])
	require.Equal(t, "oat", got["cookie"])
	require.Equal(t, "Asia/Tokyo", got["zone"])
	got = b.send("POST", "/rpc/whoami", "").object(t)
	require.Equal(t, "anon", got["role"])
	require.Equal(t, map[string]any{"role": "anon"}, got["claims"])
	require.Equal(t, "POST", got["method"])
	require.Nil(t, got["cookie"], "the former request's")
}

func TestPreRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *rest.Config) { c.PreRequest = rest.Name{Schema: "api", Name: "check_request"} })
	for _, path := range []string{"/films", "/broken?n=lt.5000"} { // kept whole, and streamed
		got := b.get(path)
		require.Equal(t, 200, got.status)
		require.Equal(t, "yes", got.header.Get("X-Checked"), path)
	}
	require.Equal(t, 201, b.send("POST", "/actors", `{"name": "x"}`).status)
	for _, method := range []string{"GET", "POST"} {
		body := ""
		if method == "POST" {
			body = `{"name": "y"}`
		}
		got := requireError(t, b.send(method, "/actors", body, "X-Blocked", "1"), 401, "42501")
		require.Equal(t, "blocked before the request", got["message"])
	}
	require.Zero(t, one[int](b, "select count(*)::int from api.actors where name = 'y'"))
}

func TestProfile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.as("authenticated")
	got := b.get("/things", with(token, "Accept-Profile", "other")...)
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[{"id":1,"name":"thing"}]`, got.body)
	require.Equal(t, "other", got.header.Get("Content-Profile"))
	require.Equal(t, "api", b.get("/films?limit=1").header.Get("Content-Profile"), "there are several, so it says which")
	require.Equal(t, 201, b.send("POST", "/things", `{"id": 2, "name": "x"}`, with(token, "Content-Profile", "other")...).status)
	requireError(t, b.send("POST", "/things", `{"id": 3, "name": "x"}`, with(token, "Accept-Profile", "other")...), 404, "PGRST205")
	for _, method := range []string{"GET", "POST"} {
		header := map[string]string{"GET": "Accept-Profile", "POST": "Content-Profile"}[method]
		for _, schema := range []string{"hidden", "public", "pg_catalog", "vital", `api"; --`} {
			body := requireError(t, b.send(method, "/secrets", "", with(token, header, schema)...), 406, "PGRST106")
			require.Equal(t, "Only the following schemas are exposed: api, other", body["hint"])
		}
	}
	alone := b.serve(t, func(c *rest.Config) { c.Schemas = []string{"api"} })
	require.Empty(t, alone.get("/films?limit=1").header.Get("Content-Profile"))
}

// TestToken: whoever sends a token that does not hold is told so before a statement is run as anybody.
func TestToken(t *testing.T) { //nolint:tparallel // its cases count what runs
	t.Parallel()
	b := setup(t)
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		require.NoError(t, err)
		return "Bearer " + token
	}
	good := jwt.MapClaims{"role": "authenticated"}
	for _, c := range []struct{ name, authorization, code string }{
		{"Expired", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "authenticated", "exp": 1}), "PGRST303"},
		{"NotYet", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "authenticated", "nbf": 1 << 40}), "PGRST303"},
		{"Audience", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "authenticated", "aud": "others"}), "PGRST303"},
		{"ExpiryText", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "authenticated", "exp": "never"}), "PGRST303"},
		{"Secret", sign(jwt.SigningMethodHS256, []byte("another-secret-of-at-least-32-bytes!"), good), "PGRST301"},
		{"None", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good), "PGRST301"},
		{"Garbage", "Bearer garbage", "PGRST301"}, {"Empty", "Bearer ", "PGRST301"}, {"Parts", "Bearer a.b.c", "PGRST301"},
		{"UnknownRole", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "nobody"}), "22023"},
		{"ForbiddenRole", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "service_role"}), "22023"},
		{"Superuser", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "postgres"}), "22023"},
		{"InjectedRole", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"role": "anon; reset role"}), "22023"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := b.get("/directors", "Authorization", c.authorization)
			requireError(t, got, http.StatusUnauthorized, c.code)
			require.Zero(t, b.ran.Load(), "nothing was run")
		})
	}
	for _, claims := range []jwt.MapClaims{
		good, {"role": "authenticated", "aud": "films"}, {"role": "authenticated", "aud": []string{"x", "films"}}, {"role": "authenticated", "exp": 1 << 40},
	} {
		require.Equal(t, 200, b.get("/details", "Authorization", sign(jwt.SigningMethodHS256, []byte(secret), claims)).status, "%v", claims)
	}
	require.Equal(t, 200, b.get("/films", "Authorization", sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"sub": "x"})).status, "no role is anonymous")
	require.Equal(t, 200, b.get("/films", "Authorization", sign(jwt.SigningMethodHS384, []byte(secret), good)).status)
}
