package rest

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func posted(t *testing.T, contentType, body string) (*request, error) {
	t.Helper()
	config := (Config{Schemas: []string{"public"}}).withDefaults()
	return config.read(&Request{
		Method: "POST", Path: "/films", Header: map[string][]string{"Content-Type": {contentType}}, Body: strings.NewReader(body),
	})
}

func TestPayload_CSV(t *testing.T) {
	t.Parallel()
	r, err := posted(t, "text/csv", "b,a\n1,NULL\n\"x \"\"y\"\"\",\n")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, r.payload.columns)
	require.JSONEq(t, `[{"a":null,"b":"1"},{"a":"","b":"x \"y\""}]`, string(r.payload.body))

	r, err = posted(t, "text/csv", "a,b\n")
	require.NoError(t, err)
	require.Empty(t, r.payload.columns)
	require.Equal(t, "[]", string(r.payload.body))

	for body, message := range map[string]string{
		"":            "not enough input",
		"a,b\n1\n":    "All lines must have same number of fields",
		"a\n\"x\ny\n": `The CSV cannot be read: record on line 2; parse error on line 3, column 3: extraneous or missing " in quoted-field`,
	} {
		_, err = posted(t, "text/csv", body)
		require.ErrorContains(t, err, message)
	}
}

// A short line under a long name is a long object: a small body must not become one of any size.
func TestPayload_CSVThatGrows(t *testing.T) {
	t.Parallel()
	_, err := posted(t, "text/csv", strings.Repeat("n", 1<<20)+"\n"+strings.Repeat("1\n", 200))
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 413, refused.Status)
}

func TestPayload_FormOfTooManyFields(t *testing.T) {
	t.Parallel()
	_, err := posted(t, "application/x-www-form-urlencoded", "a=1"+strings.Repeat("&a=1", maxFormFields))
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 413, refused.Status)
}

func TestPayload_ListOfObjects(t *testing.T) {
	t.Parallel()
	r, err := posted(t, "application/json", ` [{"b":{"c":[1]},"a":"x"},{"a":null,"b":2}] `)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, r.payload.columns)
	for _, body := range []string{`[{"a":1},{"b":1}]`, `[{"a":1},{"a":1,"b":1}]`, `[{"a":1},{}]`, `[{"a":1},null]`, `[null]`, `[1]`, `[{"a":1},[]]`} {
		_, err = posted(t, "application/json", body)
		require.ErrorContains(t, err, "All object keys must match", body)
	}
	for _, body := range []string{`[{"a":1}`, `[{"a":1}] x`, ``, `[{"a":1},]`} {
		_, err = posted(t, "application/json", body)
		require.ErrorContains(t, err, "Empty or invalid json", body)
	}
}

// Whoever sends a body, signed in or not, must not make the server hold many times its size.
func TestPayload_CostsNoMoreThanItsSize(t *testing.T) { //nolint:paralleltest // it looks at what the process allocates
	object := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		object[name] = "x"
	}
	one, err := json.Marshal(object)
	require.NoError(t, err)
	body := "[" + strings.Repeat(string(one)+",", 20_000) + string(one) + "]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = posted(t, "application/json", body)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10*len(body)))
}
