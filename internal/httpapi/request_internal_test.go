package httpapi

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

func TestRequestContext_ValuesSetNoTimer(t *testing.T) {
	t.Parallel()
	type key struct{}
	c := &requestContext{Context: context.WithValue(t.Context(), key{}, "outer"), request: &request{id: "r"}, deadline: time.Now().Add(time.Hour)}
	require.Equal(t, "r", RequestID(c))
	require.Equal(t, "r", c.Value(postgres.RequestIDKey{}))
	require.Nil(t, c.timed, "nobody has waited")
	require.Equal(t, "outer", c.Value(key{}))
	c.end()
	require.Equal(t, "outer", context.WithoutCancel(c).Value(key{}))
}

func TestRequestContext_Deadline(t *testing.T) {
	t.Parallel()
	c := &requestContext{Context: t.Context(), request: &request{}, deadline: time.Now().Add(20 * time.Millisecond)}
	defer c.end()
	child, cancel := context.WithCancel(c)
	defer cancel()
	at, ok := child.Deadline()
	require.True(t, ok)
	require.Equal(t, c.deadline, at)
	<-child.Done()
	require.False(t, time.Now().Before(c.deadline))
	require.ErrorIs(t, c.Err(), context.DeadlineExceeded)
	require.ErrorIs(t, context.Cause(child), context.DeadlineExceeded)
}

func TestRequestContext_End(t *testing.T) {
	t.Parallel()
	connection, leave := context.WithCancel(t.Context())
	waited := &requestContext{Context: connection, request: &request{}, deadline: time.Now().Add(time.Hour)}
	child, cancel := context.WithCancel(waited)
	defer cancel()
	require.NoError(t, child.Err())
	waited.end()
	require.ErrorIs(t, child.Err(), context.Canceled, "what waited ends with the request")

	unbounded := &requestContext{Context: connection, request: &request{}}
	_, bounded := unbounded.Deadline()
	require.False(t, bounded)
	require.NoError(t, unbounded.Err())
	leave()
	require.ErrorIs(t, unbounded.Err(), context.Canceled, "the caller has gone away")
}
