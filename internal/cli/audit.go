package cli

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) auditCommand() *cobra.Command {
	return group("audit", "Read, verify and sign the audit log",
		a.auditListCommand(), a.auditExportCommand(), a.auditVerifyCommand(), a.auditCheckpointCommand(), a.auditSealCommand())
}

// withAudit runs fn in one transaction that reads the whole log.
func (a *app) withAudit(ctx context.Context, fn func(*target, pgx.Tx) error) error {
	return a.withTarget(ctx, func(t *target) error { return lookAtAudit(ctx, t, func(tx pgx.Tx) error { return fn(t, tx) }) })
}

func lookAtAudit(ctx context.Context, t *target, fn func(pgx.Tx) error) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return tenant.LookAtAudit(ctx, conn, fn)
}

// namedTenant is the id of the tenant a flag names, nil for "".
func namedTenant(ctx context.Context, tx pgx.Tx, reference string) (*uuid.UUID, error) {
	if reference == "" {
		return nil, nil //nolint:nilnil // no tenant is named
	}
	if id, err := uuid.Parse(reference); err == nil {
		return &id, nil // its row may be what is gone
	}
	id, err := tenant.FindTenant(ctx, tx, reference)
	return &id, err
}

// auditFlags are what `list` and `export` narrow by.
type auditFlags struct {
	tenant, since, until string
	filter               tenant.AuditFilter
}

func (f *auditFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "tenant, by slug or id")
	cmd.Flags().StringVar(&f.filter.Actor, "actor", "", "who acted: a user's address or id, or a database role")
	cmd.Flags().StringVar(&f.filter.Action, "action", "", "as created, updated, deleted, suspended")
	cmd.Flags().StringVar(&f.filter.Entity, "entity", "", "table that was changed")
	cmd.Flags().StringVar(&f.since, "since", "", "from then on: a time as 2026-01-31T09:00:00Z, a day, or how long ago, as 24h")
	cmd.Flags().StringVar(&f.until, "until", "", "before then, given likewise")
}

// resolve fills the filter.
func (f *auditFlags) resolve(ctx context.Context, tx pgx.Tx) (err error) {
	if f.filter.Tenant, err = namedTenant(ctx, tx, f.tenant); err != nil {
		return err
	}
	for _, bound := range []struct {
		text string
		into **time.Time
	}{{f.since, &f.filter.Since}, {f.until, &f.filter.Until}} {
		if *bound.into, err = parseMoment(bound.text); err != nil {
			return err
		}
	}
	return nil
}

func parseMoment(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no bound is given
	}
	if ago, err := time.ParseDuration(text); err == nil {
		moment := time.Now().Add(-ago)
		return &moment, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if moment, err := time.Parse(layout, text); err == nil {
			return &moment, nil
		}
	}
	return nil, fault.New(fault.Usage, fmt.Sprintf("%q is no time.", text), "Give 2026-01-31T09:00:00Z, 2026-01-31, or how long ago, as 24h.")
}

func (a *app) auditListCommand() *cobra.Command {
	var flags auditFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List who changed what, the latest first", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withAudit(cmd.Context(), func(t *target, tx pgx.Tx) (err error) {
				if flags.filter.Ring, err = a.keyring(t); err != nil {
					return err
				}
				if err := flags.resolve(cmd.Context(), tx); err != nil {
					return err
				}
				entries := []tenant.AuditEntry{}
				err = tenant.ListAudit(cmd.Context(), tx, flags.filter, func(e tenant.AuditEntry) error {
					entries = append(entries, e)
					return nil
				})
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(entries)
				}
				a.printAudit(entries)
				return nil
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().IntVar(&flags.filter.Limit, "limit", 50, "most entries; 0 is all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// sealedAs stands in the place of a reason that cannot be read.
var sealedAs = map[string]*string{tenant.Closed: new("(sealed)"), tenant.ErasedByKey: new("(erased with its key)"), tenant.Damaged: new("(sealed, and damaged)")}

func (a *app) printAudit(entries []tenant.AuditEntry) {
	text := func(values ...*string) string {
		for _, value := range values {
			if value != nil {
				return *value
			}
		}
		return ""
	}
	rows := make([][]string, len(entries))
	for i, e := range entries {
		id := e.OrganizationID.String()
		actor := e.DatabaseRole
		if e.ActorID != nil {
			who := e.ActorID.String()
			actor = text(e.Actor, &who)
		}
		rows[i] = []string{
			e.CreatedAt.UTC().Format("2006-01-02 15:04:05"), text(e.Tenant, &id), strconv.FormatInt(e.Seq, 10), e.Action,
			text(e.Entity), actor, text(e.ActorRole), text(e.Reason, sealedAs[e.Sealed]),
		}
	}
	a.printTable([]string{"time", "tenant", "row", "action", "entity", "actor", "role", "reason"}, rows)
}

func (a *app) auditExportCommand() *cobra.Command {
	var flags auditFlags
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write a tenant's audit log as JSON Lines, hashes included, in the order of its chain", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if flags.tenant == "" {
				return fault.New(fault.Usage, "The tenant is missing.", "Name it with --tenant.")
			}
			into := a.streams.Out
			if out != "" {
				file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be made.", out), "It must not exist yet.")
				}
				defer func() {
					if closed := file.Close(); err == nil {
						err = closed
					}
				}()
				into = file
			}
			return a.withAudit(cmd.Context(), func(t *target, tx pgx.Tx) (err error) {
				if flags.filter.Ring, err = a.keyring(t); err != nil {
					return err
				}
				return exportAudit(cmd.Context(), tx, &flags, into)
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to make instead of standard output")
	return cmd
}

func exportAudit(ctx context.Context, tx pgx.Tx, flags *auditFlags, into io.Writer) error {
	if err := flags.resolve(ctx, tx); err != nil {
		return err
	}
	flags.filter.InOrder = true
	buffered := bufio.NewWriter(into)
	encoder := json.NewEncoder(buffered)
	err := tenant.ListAudit(ctx, tx, flags.filter, func(e tenant.AuditEntry) error { return encoder.Encode(e) })
	if err != nil {
		return err
	}
	return buffered.Flush()
}

func (a *app) auditCheckpointCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Sign the ends of all audit chains that moved", Args: noArguments,
		Long: "Signs the ends of all audit chains that have no checkpoint yet, with the key of VITAL_AUDIT_KEY_FILE or the\n" +
			"private server's own, and keeps them in the database and in a file outside of it, where a superuser of the\n" +
			"database who rewrites a chain cannot follow. The server does the same every minute.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				signer, err := a.checkpointSigner(t, file)
				if err != nil {
					return err
				}
				if signer == nil {
					return fault.New(fault.ConfigInvalid, "There is no key to sign with.", "Name one with VITAL_AUDIT_KEY_FILE.")
				}
				service, err := postgres.OpenService(cmd.Context(), postgres.Config{ServiceURL: t.serviceURL})
				if err != nil {
					return err
				}
				defer service.Close()
				made, err := tenant.CheckpointAudit(cmd.Context(), service, signer.key, time.Time{}, signer.keep)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "%d checkpoints signed; public key %s\n", made, base64.StdEncoding.EncodeToString(signer.public()))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&file, "checkpoints", "", "file to keep them in (VITAL_AUDIT_CHECKPOINTS)")
	return cmd
}

// checkpointsFile is where checkpoints are kept outside the database: as named, else beside the private
// server, else nowhere.
func (a *app) checkpointsFile(t *target, flag string) string {
	switch {
	case flag != "":
		return flag
	case a.config.AuditCheckpoints != "":
		return a.config.AuditCheckpoints
	case t.private != nil:
		return filepath.Join(a.config.DataDir, "audit-checkpoints.jsonl")
	default:
		return ""
	}
}
