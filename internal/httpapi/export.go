package httpapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	// exportTime is how long taking out data may last: a snapshot is held meanwhile. What takes longer is for the operator's command.
	exportTime = time.Hour
	// exportsAtOnce is how many a server does at once: each keeps one of the few connections of operators and jobs.
	exportsAtOnce = 2
	// exportRetry is when to try again where there is no room.
	exportRetry = 30 * time.Second
)

// exports are those under way on this server: of whom.
type exports struct {
	mu    sync.Mutex
	under map[uuid.UUID]bool
}

// begin takes a place for whoever's data it is.
func (e *exports) begin(whose uuid.UUID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.under[whose]:
		return fault.New(fault.Conflict, "This is being taken out already.", "Wait until that is done, or cancel it.")
	case len(e.under) >= exportsAtOnce:
		return fault.Wrap(&fair.RejectedError{After: exportRetry}, fault.TenantOverLimit, "This server is sending as many archives as it may.", "Wait as long as Retry-After says.")
	case e.under == nil:
		e.under = map[uuid.UUID]bool{}
	}
	e.under[whose] = true
	return nil
}

func (e *exports) end(whose uuid.UUID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.under, whose)
}

// turn is a place that was taken, or not yet.
type turn struct {
	of    *exports // nil while it is not
	whose uuid.UUID
}

// begin may be asked again by a transaction that is run again.
func (t *turn) begin(of *exports, whose uuid.UUID) error {
	if t.of != nil {
		return nil
	}
	if err := of.begin(whose); err != nil {
		return err
	}
	t.of, t.whose = of, whose
	return nil
}

func (t *turn) end() {
	if t.of != nil {
		t.of.end(t.whose)
	}
}

// postTenantExport sends everything of a tenant. What its members may see row by row decides nothing here: an owner takes out the whole tenant, and so
// it is read as an operator's command reads it, once the database has said that the caller is an owner and noted it.
func (s *Server) postTenantExport(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	change, err := changeOf(r, caller, nil)
	if err != nil {
		return err
	}
	var place turn
	defer place.end()
	tenantID, err := tenant.BeginOwnExport(r.Context(), s.config.DB, change, func(id uuid.UUID) error { return place.begin(&s.exports, id) })
	if err != nil {
		return err
	}
	requestOf(r.Context()).tenant = tenantID
	export := archive.Export{Tenant: tenantID, Key: s.config.ArchiveKey}
	return s.sendArchive(w, r, func(ctx context.Context, begin func(*archive.Manifest) io.Writer) error {
		return s.config.DB.Snapshot(ctx, "TenantExport", func(tx pgx.Tx) error {
			_, err := export.Stream(ctx, tx, begin)
			return err
		})
	})
}

// postPersonExport sends what is stored of the caller.
func (s *Server) postPersonExport(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	change, err := changeOf(r, caller, nil)
	if err != nil {
		return err
	}
	var place turn
	defer place.end()
	if err := tenant.BeginPersonExport(r.Context(), s.config.DB, change, func() error { return place.begin(&s.exports, caller.UserID) }); err != nil {
		return err
	}
	export := archive.PersonExport{User: caller.UserID, Key: s.config.ArchiveKey, Visible: s.visibleTo(caller)}
	return s.sendArchive(w, r, func(ctx context.Context, begin func(*archive.Manifest) io.Writer) error {
		return s.config.DB.Snapshot(ctx, "PersonExport", func(tx pgx.Tx) error {
			_, err := export.Stream(ctx, tx, begin)
			return err
		})
	})
}

// visibleTo runs statements as caller, in whichever of their tenants: policies decide. A tenant that does not serve them any more shows nothing.
func (s *Server) visibleTo(caller identity.Caller) func(context.Context, uuid.UUID, string, func([]byte) error) error {
	return func(ctx context.Context, tenantID uuid.UUID, statement string, each func([]byte) error) error {
		work := &postgres.Work{Name: "PersonRows", Member: true, Isolation: postgres.RepeatableRead}
		work.Generated(statement, [][]byte{[]byte(caller.UserID.String()), []byte(tenantID.String())}, func(rows *pgconn.ResultReader) error {
			for rows.NextRow() {
				if err := each(rows.Values()[0]); err != nil {
					return err
				}
			}
			return nil
		})
		err := s.config.DB.InTenant(ctx, caller, tenantID.String(), work)
		if slices.Contains([]fault.Code{fault.TenantNotFound, fault.TenantSuspended, fault.TenantArchived, fault.TenantPending}, fault.CodeOf(err)) {
			return nil
		}
		return err
	}
}

// sendArchive answers with an archive while stream writes it. Once it has begun, an error cuts the connection: nothing else tells the client that the
// rest is missing.
func (s *Server) sendArchive(w http.ResponseWriter, r *http.Request, stream func(context.Context, func(*archive.Manifest) io.Writer) error) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if s.config.Closing != nil {
		go func() {
			select {
			case <-s.config.Closing: // or the server would wait for it
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	begun := false
	err := stream(ctx, func(m *archive.Manifest) io.Writer {
		begun = true
		header := w.Header()
		header.Set("Content-Type", "application/zip")
		header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", m.Subject()+"-"+m.MadeAt.UTC().Format(time.DateOnly)+".zip"))
		header.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		return cancelling{newStreamWriter(w, w, exportTime), cancel}
	})
	if err != nil && begun {
		requestOf(r.Context()).err = err
		panic(http.ErrAbortHandler)
	}
	return err
}

// cancelling ends the reading once nobody takes what is read.
type cancelling struct {
	io.Writer

	cancel context.CancelFunc
}

func (w cancelling) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.cancel()
	}
	return n, err
}
