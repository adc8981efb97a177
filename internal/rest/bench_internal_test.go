package rest

import (
	"net/textproto"
	"testing"
)

// benchCatalog is one table, as wide as prompts.
func benchCatalog() *Catalog {
	t := &Table{Name: Name{"public", "prompts"}, PrimaryKey: []string{"id", "tenant_id"}, columns: map[string]*Column{}}
	for _, name := range []string{"tenant_id", "id", "title", "body", "category", "status", "created_at"} {
		c := &Column{Name: name, Type: "text", Nominal: "text"}
		t.Columns, t.columns[name] = append(t.Columns, c), c
	}
	return &Catalog{tables: map[Name]*Table{t.Name: t}, handlers: builtinHandlers(), representations: map[[2]string]string{}}
}

// BenchmarkPlan is everything a read costs before the database: reading the request, planning, writing SQL.
func BenchmarkPlan(b *testing.B) {
	e := New(Config{Schemas: []string{"public"}, Aggregates: true})
	catalog := benchCatalog()
	in := &Request{
		Method: "GET", Path: "/prompts", RawQuery: "select=tenant_id,id,title,body,category,status,created_at&status=eq.active&order=title",
		Header: textproto.MIMEHeader{"Accept": {"application/json"}, "Authorization": {"Bearer x"}, "X-Client-Info": {"supabase-js/2"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := e.config.read(in)
		if err != nil {
			b.Fatal(err)
		}
		p, err := e.plan(catalog, r, Session{Sealed: true})
		if err != nil {
			b.Fatal(err)
		}
		w := &sqlWriter{}
		w.main(p)
		if len(w.values) != 1 {
			b.Fatal(w.String())
		}
	}
}
