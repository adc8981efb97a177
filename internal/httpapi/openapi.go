package httpapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

// api is the described part of the route table: an operation is served as it is described, and an error
// of any looks like every other error of this server.
type api struct {
	huma.API
	once struct {
		json, html func() []byte
	}
}

func newAPI(mux *http.ServeMux) *api {
	a := &api{API: humago.New(mux, huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "VITAL", Version: "1.0.0",
			Description: "Who is this user, which tenants are theirs, what may they see, how is their tenant set up. " +
				"Errors are problems (RFC 9457) with a stable code, a hint and the request's id.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}},
		},
		Tags: []*huma.Tag{
			{Name: "context", Description: "Reads of the caller's own context"},
			{Name: "tenants", Description: "Changes of a tenant: validated, audited, idempotent"},
			{Name: "operations", Description: "For whoever runs the server"},
		},
	}})}
	a.once.json = sync.OnceValue(a.renderJSON)
	a.once.html = sync.OnceValue(a.renderHTML)
	return a
}

// describe adds an operation to the document and serves it with handler.
func (a *api) describe(operation func(huma.Registry) *huma.Operation, handler http.Handler) {
	registry := a.OpenAPI().Components.Schemas
	op := operation(registry)
	problems := registry.Schema(reflect.TypeFor[problem](), true, "Problem")
	if op.Responses["default"] == nil && len(op.Security) > 0 {
		op.Responses["default"] = &huma.Response{
			Description: "Not done; code says why (docs/reference/errors.md)",
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problems}},
		}
	}
	a.OpenAPI().AddOperation(op)
	a.Adapter().Handle(op, func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		handler.ServeHTTP(w, r)
	})
}

func (a *api) json() []byte { return a.once.json() }
func (a *api) html() []byte { return a.once.html() }

func (a *api) renderJSON() []byte {
	text, err := json.MarshalIndent(a.OpenAPI(), "", "  ")
	if err != nil {
		panic(fmt.Errorf("render openapi: %w", err)) // it is the same at every start, and a test reads it
	}
	return text
}

//go:embed docs.html
var docsText string

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{
	"json": func(value any) (string, error) {
		text, err := json.MarshalIndent(value, "", "  ")
		return string(text), err
	},
}).Parse(docsText))

// renderHTML makes the document readable, on one page that loads nothing.
func (a *api) renderHTML() []byte {
	type route struct {
		Method, Path string
		*huma.Operation
	}
	var routes []route
	document := a.OpenAPI()
	for path, item := range document.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PATCH": item.Patch} {
			if op != nil {
				routes = append(routes, route{method, path, op})
			}
		}
	}
	order := map[string]int{"context": 1, "tenants": 2, "operations": 3}
	slices.SortFunc(routes, func(a, b route) int {
		if d := order[a.Tags[0]] - order[b.Tags[0]]; d != 0 {
			return d
		}
		return bytes.Compare([]byte(a.Path+a.Method), []byte(b.Path+b.Method))
	})
	var page bytes.Buffer
	err := docsTemplate.Execute(&page, map[string]any{"Info": document.Info, "Routes": routes, "Schemas": document.Components.Schemas.Map()})
	if err != nil {
		panic(fmt.Errorf("render docs: %w", err)) // it is the same at every start, and a test reads it
	}
	return page.Bytes()
}

// document answers with something that is the same for everybody until the next release.
func document(content func() []byte, kind string) handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		_, _ = w.Write(content()) // the caller may be gone
		return nil
	}
}

// getSchema answers with one of database/schemas, as it stands.
func (s *Server) getSchema(w http.ResponseWriter, r *http.Request) error {
	text, err := database.Schemas.ReadFile("schemas/" + r.PathValue("name"))
	if err != nil {
		return fault.Wrap(err, fault.NotFound, "There is no such schema.", "/openapi.json names those there are.")
	}
	return document(func() []byte { return text }, "application/schema+json")(w, r)
}
