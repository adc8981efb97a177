// Package console is the web console, built by `make console` and carried in the binary.
package console

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist holds the build; its .gitkeep lets the binary compile without one.
//
//go:embed all:dist
var dist embed.FS

// Handler serves the console, or says how to build it where the binary was made without.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "This binary was built without the console. Run `make console`, then `make build`.", http.StatusNotFound)
		})
	}
	return http.FileServerFS(files)
}
