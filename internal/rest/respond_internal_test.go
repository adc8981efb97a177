package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A list of ids may be longer than what clients take as a header.
func TestHeader_ContentLocationIsBounded(t *testing.T) {
	t.Parallel()
	location := func(query string) string {
		e := New(Config{Schemas: []string{"public"}})
		r, err := e.config.read(&Request{Method: "GET", Path: "/prompts", RawQuery: query})
		require.NoError(t, err)
		p, err := e.plan(benchCatalog(), r, Session{Sealed: true})
		require.NoError(t, err)
		return (&outcome{plan: p}).header().Get("Content-Location")
	}
	require.Equal(t, "/prompts?id=in.%281%29", location("id=in.(1)"))
	require.Zero(t, len(location("id=in.("+strings.Repeat("1,", 2000)+"1)")))
}

// A function that has written rows is not kept when the answer is that the rows asked for are not there.
func TestCallOutOfBounds(t *testing.T) {
	t.Parallel()
	config := (Config{Schemas: []string{"public"}}).withDefaults()
	r, err := config.read(&Request{
		Method: "POST", Path: "/rpc/add", RawQuery: "offset=5", Header: map[string][]string{"Prefer": {"count=exact"}}, Body: strings.NewReader("{}"),
	})
	require.NoError(t, err)
	p := &plan{request: r, read: &readPlan{window: r.top}, call: &callPlan{routine: &Routine{setOf: true}}, counted: true}
	require.True(t, p.mayBeRefused())
	total := int64(5)
	o := &outcome{plan: p, total: &total}
	require.NoError(t, o.check())
	total = 4
	var refused *Error
	require.ErrorAs(t, o.check(), &refused)
	require.Equal(t, 416, refused.Status)
}
