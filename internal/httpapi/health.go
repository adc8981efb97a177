package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/vital-db/vital/internal/fault"
)

// healthz says that the process serves; it asks nothing of the database.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]any{"status": "ok"})
}

// readyz says whether requests can be answered: the database is there, and has at least the schema we need. A newer one is served too:
// migrations keep what the servers of the version before ask for (docs/how-to/upgrade.md), and whoever balances load must
// not lose all of those at the moment at which the next version migrates.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	version, err := s.config.DB.Ready(r.Context())
	if err != nil {
		return err
	}
	if version < s.config.SchemaVersion {
		return fault.New(fault.SchemaBehind,
			fmt.Sprintf("The database is at schema version %d, this server needs %d.", version, s.config.SchemaVersion),
			"Run `vital migrate up`.")
	}
	return writeJSON(w, map[string]any{"status": "ready", "schema_version": version, "server_schema_version": s.config.SchemaVersion})
}

// index tells whoever opens the address in a browser what this is and where to go.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]any{
		"name": "VITAL",
		"links": map[string]string{
			"context": "/v1/context", "docs": "/docs", "openapi": "/openapi.json", "console": "/console/",
			"health": "/healthz", "readiness": "/readyz", "metrics": "/metrics",
		},
	})
}

func writeJSON(w http.ResponseWriter, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	_, _ = w.Write(append(body, '\n')) // the caller may be gone
	return nil
}
