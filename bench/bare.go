package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// bareCommand makes this program a server that does nothing but answer the same bytes, or 304 to whoever names a validator: what net/http
// itself costs on this machine, in a process of its own like the server it is compared with.
const bareCommand = "bare-handler"

func serveBare(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes the file to answer with", bareCommand)
	}
	body, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives as long as the process
	if err != nil {
		return err
	}
	length := strconv.Itoa(len(body))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	})}
	fmt.Fprintf(os.Stdout, "ready http://%s\n", listener.Addr())
	return server.Serve(listener)
}

// bare starts the bare handler with body.
func (w *world) bare(ctx context.Context, body []byte) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(w.dir, "body.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return nil, err
	}
	return w.start(exec.CommandContext(ctx, self, bareCommand, file), bareCommand)
}
