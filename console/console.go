// Package console is the web console, built by `make console` and carried in the binary.
package console

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// dist holds the build; its .gitkeep lets the binary compile without one.
//
//go:embed all:dist
var dist embed.FS

// Handler serves the console under /, or says how to build it where the binary was made without.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return handler(files)
}

const unbuilt = "This binary was built without the console. Run `make console`, then `make build`.\n"

// policy is the content security policy: the page's own files, calls to its own server, and style elements with the nonce of this
// answer, which is how windows keep the page behind them from scrolling.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; font-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// noncePlace stands in index.html where the nonce goes.
var noncePlace = []byte("__NONCE__")

// handler serves the files of a build. Addresses of pages, which the page itself tells apart, are answered with index.html.
func handler(files fs.FS) http.Handler {
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, unbuilt, http.StatusNotFound) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		switch name := strings.TrimPrefix(path.Clean(r.URL.Path), "/"); {
		case isFile(files, name) && name != "index.html":
			serveFile(w, r, files, name)
		case strings.HasPrefix(name, "assets/"), !strings.Contains(r.Header.Get("Accept"), "text/html"):
			header.Set("Cache-Control", "no-store") // a page's address is refused to whoever asks for no page, and to nobody else
			http.Error(w, "The console has no such file.", http.StatusNotFound)
		default:
			serveIndex(w, r, index)
		}
	})
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular() && path.Base(name)[0] != '.'
}

func serveIndex(w http.ResponseWriter, r *http.Request, index []byte) {
	nonce := rand.Text()
	header := w.Header()
	header.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	header.Set("Cache-Control", "no-store") // a nonce is for one answer
	header.Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(bytes.ReplaceAll(index, noncePlace, []byte(nonce))))
}

// serveFile serves a file, as the build compressed it to those who take that. What lies in assets is named by its contents, and never
// changes.
func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	stored := name
	if isFile(files, name+".gz") {
		header.Set("Vary", "Accept-Encoding")
		if takesGzip(r) {
			header.Set("Content-Encoding", "gzip")
			stored += ".gz"
		}
	}
	contents, err := fs.ReadFile(files, stored)
	if err != nil {
		http.Error(w, "The console's file cannot be read.", http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", contentType(name))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(contents))
}

func takesGzip(r *http.Request) bool {
	for _, accepted := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(accepted), ";")
		if strings.EqualFold(coding, "gzip") {
			value, found := strings.CutPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
			q, err := strconv.ParseFloat(value, 64)
			return !found || (err == nil && q > 0)
		}
	}
	return false
}

// contentType is by a list of our own: what mime knows depends on the machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}
