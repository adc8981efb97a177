package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A function that has written rows is not kept when the answer is that the rows asked for are not there.
func TestCheck_CallOutOfBounds(t *testing.T) {
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
