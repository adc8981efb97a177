package rest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/rest"
)

const reloadedWithin = 30 * time.Second

// follow keeps the catalog up to date as vital rest does.
func (b *bundle) follow() {
	ctx, stop := context.WithCancel(context.Background())
	b.t.Cleanup(stop)
	go b.engine.Follow(ctx)
	go b.plain.Listen(ctx, "pgrst", func(string) { b.engine.Reload() }, func(time.Time) {}, func() {})
	require.Eventually(b.t, func() bool {
		return one[bool](b, "select exists (select from pg_stat_activity where datname = current_database() and query ilike 'listen%pgrst%')")
	}, reloadedWithin, 10*time.Millisecond)
}

// TestFollow: what is added is served after a notification, while requests go on as if nothing were.
func TestFollow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.follow()
	requireError(t, b.get("/added"), 404, "PGRST205")
	ended := make(chan struct{})
	var wait sync.WaitGroup
	failures := make(chan string, 10)
	for range 3 {
		wait.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if why := b.quietly("/films?select=id,directors(name)&order=id&limit=2"); why != "" {
					failures <- why
					return
				}
			}
		})
	}
	b.db.Exec(t, `create table api.added (id int primary key, film_id int references api.films); insert into api.added values (1, 5);
		grant select on api.added to anon; notify pgrst, 'reload schema'`)
	require.Eventually(t, func() bool { return b.get("/added").status == 200 }, reloadedWithin, 20*time.Millisecond)
	require.JSONEq(t, `[{"id":1,"films":{"title":"Dune"}}]`, b.get("/added?select=id,films(title)").body)
	b.db.Exec(t, `drop table api.added; notify pgrst`)
	require.Eventually(t, func() bool { return b.get("/added").status == 404 }, reloadedWithin, 20*time.Millisecond)
	close(ended)
	wait.Wait()
	close(failures)
	for why := range failures {
		require.Fail(t, "a request noticed", why)
	}
}

// quietly asks from another goroutine and says what is wrong with the answer.
func (b *bundle) quietly(path string) string {
	response, err := b.server.Client().Get(b.server.URL + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.Status + " " + string(content)
	}
	return ""
}

// TestFollow_ChangedTypes: statements prepared for columns as they were are made anew, and no client is told.
func TestFollow_ChangedTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Exec(t, `create table api.changing (id int primary key, value int); insert into api.changing values (1, 7); grant all on api.changing to anon`)
	require.NoError(t, b.engine.Load(context.Background()))
	for range 12 { // prepared on every connection
		require.JSONEq(t, `[{"id":1,"value":7}]`, b.get("/changing?id=eq.1").body)
		require.Equal(t, 204, b.send("PATCH", "/changing?id=eq.1", `{"value": 7}`).status)
		require.Equal(t, "id,value\n1,7", b.get("/changing?id=eq.1", "Accept", "text/csv").body)
	}
	b.db.Exec(t, `alter table api.changing alter value type text using value || '!'`)
	for range 12 {
		got := b.get("/changing?id=eq.1")
		require.Equal(t, 200, got.status, got.body)
		require.JSONEq(t, `[{"id":1,"value":"7!"}]`, got.body)
		got = b.get("/changing?id=eq.1", "Accept", "text/csv")
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, "id,value\n1,7!", got.body)
	}
	b.db.Exec(t, `alter table api.changing add more int default 3`)
	for range 12 {
		require.Equal(t, 200, b.get("/changing?id=eq.1").status)
		require.Equal(t, "id,value,more\n1,7!,3", b.get("/changing?id=eq.1", "Accept", "text/csv").body)
	}
	require.NoError(t, b.engine.Load(context.Background())) // a new column is part of * once the catalog has it
	require.JSONEq(t, `[{"id":1,"value":"7!","more":3}]`, b.get("/changing?id=eq.1").body)
	b.db.Exec(t, `alter table api.changing drop more`)
	for range 12 {
		got := b.get("/changing?id=eq.1")
		require.Equal(t, 200, got.status, got.body)
		require.JSONEq(t, `[{"id":1,"value":"7!"}]`, got.body)
	}
	require.Equal(t, 204, b.send("PATCH", "/changing?id=eq.1", `{"value": "x"}`).status)
}

// TestFollow_KeepsTheFormer: a catalog that cannot be read leaves the one there is.
func TestFollow_KeepsTheFormer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	require.Error(t, b.engine.Load(canceled))
	require.Equal(t, 200, b.get("/films").status)

	unread := &bundle{t: t, db: b.db, plain: b.plain, engine: rest.New(rest.Config{Schemas: []string{"api"}, ReadCatalog: b.plain.Read})}
	err := unread.engine.Serve(context.Background(), &rest.Request{Method: "GET", Path: "/films"}, rest.Session{Role: "anon"}, nil)
	require.ErrorContains(t, err, "PGRST002")
	require.True(t, strings.Contains(err.Error(), "schema cache"))
}

// TestPrepared_Bounded: ever new shapes push out nothing that matters and leave nothing behind.
func TestPrepared_Bounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 400 {
		path := "/films?select=id&id=eq.1" + strings.Repeat("&year=gt.0", i%200)
		got := b.get(path)
		require.Equal(t, 200, got.status, got.body)
	}
	require.JSONEq(t, `[{"id":1}]`, b.get("/films?select=id&id=eq.1").body)
}
