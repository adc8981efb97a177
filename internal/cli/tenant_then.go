package cli

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/tenant"
)

// thenFlags say what a tenant is compared with, restored from or copied from.
type thenFlags struct {
	from       string
	publicKeys []string
	unsigned   bool
	backups    backupFlags
}

const fromHelp = "an archive (directory of vital tenant export), the file of a backup, or a time: the newest backup made before it"

func (f *thenFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "from", "", fromHelp)
	cmd.Flags().StringArrayVar(&f.publicKeys, "public-key", nil, "public key that counts beside this server's own, in base64; may be repeated")
	cmd.Flags().BoolVar(&f.unsigned, "unsigned", false, "take an archive that no key known here vouches for")
	f.backups.register(cmd)
}

func (f *thenFlags) check() error {
	if f.from == "" {
		return fault.New(fault.Usage, "This takes an archive or a backup.", "Name one with --from; `vital migrate restore` lists backups.")
	}
	return nil
}

// withThen runs fn with the archive that flags name, and the tenant whose reference is given: where it is gone, the one of the archive.
func (a *app) withThen(ctx context.Context, t *target, flags thenFlags, reference string, fn func(*archive.Archive, uuid.UUID) error) error {
	if info, err := os.Stat(flags.from); err == nil && info.IsDir() {
		opened, err := a.openTrusted(ctx, t, flags)
		if err != nil {
			return err
		}
		id, err := findTenant(ctx, t, reference)
		if fault.CodeOf(err) == fault.TenantNotFound && (reference == opened.Tenant.Slug || reference == opened.Tenant.ID.String()) {
			id, err = opened.Tenant.ID, nil
		}
		if err != nil {
			return err
		}
		return fn(opened, id)
	}
	backups := flags.backups.of(a, t)
	backup, err := findBackup(backups, flags.from)
	if err != nil {
		return err
	}
	id, err := findTenant(ctx, t, reference)
	if err != nil && fault.CodeOf(err) != fault.TenantNotFound {
		return err
	}
	a.note("reading the backup of " + backup.MadeAt.Format(time.RFC3339) + ", in a server of its own")
	return a.withBackup(ctx, backups, backup, func(then *target) error {
		if id == uuid.Nil { // gone: they are who they were
			if id, err = findTenant(ctx, then, reference); err != nil {
				return err
			}
		}
		return a.withExport(ctx, then, id, func(opened *archive.Archive) error { return fn(opened, id) })
	})
}

// openTrusted opens an archive that is signed with a key that counts here.
func (a *app) openTrusted(ctx context.Context, t *target, flags thenFlags) (*archive.Archive, error) {
	if flags.unsigned {
		return a.openArchive(ctx, t, flags.from, nil)
	}
	keys, err := a.auditKeys(t, flags.publicKeys)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.ArchiveInvalid, "Nobody vouches for the archive: there is no key to hold it against.", "Name its key with --public-key, or say --unsigned where you know where it was kept.")
	}
	var opened *archive.Archive
	for _, key := range keys {
		if opened, err = a.openArchive(ctx, t, flags.from, key); fault.CodeOf(err) != fault.ArchiveInvalid {
			return opened, err
		}
	}
	return nil, err
}

// findBackup finds the backup that is named by its file or by a time.
func findBackup(backups *schema.Backups, from string) (schema.Backup, error) {
	if strings.HasSuffix(from, ".dump") {
		return schema.ReadBackup(from)
	}
	var at time.Time
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err = time.Parse(layout, from); err == nil {
			break
		}
	}
	if err != nil {
		return schema.Backup{}, fault.New(fault.Usage, from+" is no archive, no backup and no time.", "Name "+fromHelp+", as 2026-11-30T22:00:00Z.")
	}
	all, err := backups.List()
	if err != nil {
		return schema.Backup{}, err
	}
	for _, one := range all { // the newest first
		if !one.MadeAt.After(at) {
			return one, nil
		}
	}
	return schema.Backup{}, fault.New(fault.BackupFailed, "There is no backup from before "+at.Format(time.RFC3339)+" in "+backups.Dir+".", "`vital migrate restore` lists backups; --backup-dir names another directory.")
}

// withBackup runs fn on the database as it was when the backup was made.
func (a *app) withBackup(ctx context.Context, backups *schema.Backups, backup schema.Backup, fn func(*target) error) error {
	return backups.Read(ctx, backup, func(address string) error { return fn(&target{operatorURL: address, niceRatio: a.niceRatio}) })
}

// withExport runs fn with an archive of the tenant that is made for it and thrown away.
func (a *app) withExport(ctx context.Context, t *target, id uuid.UUID, fn func(*archive.Archive) error) error {
	dir, err := os.MkdirTemp("", "vital-archive-")
	if err != nil {
		return fault.Wrap(err, fault.ArchiveFailed, "No directory can be made for what the tenant was.", "Look at what TMPDIR names.")
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	export := archive.Export{Dir: filepath.Join(dir, "tenant"), Tenant: id, Key: key}
	progress := a.progress("reading")
	export.Progress = func(table string, number, of int) { progress(fmt.Sprintf("%s, table %d of %d", table, number, of)) }
	if _, err := export.Run(ctx, conn); err != nil {
		return err
	}
	public, _ := key.Public().(ed25519.PublicKey) // it is one
	opened, err := archive.Open(export.Dir, public)
	if err != nil {
		return err
	}
	a.clearProgress()
	return fn(opened)
}

func findTenant(ctx context.Context, t *target, reference string) (id uuid.UUID, err error) {
	err = withOperator(ctx, t, func(tx pgx.Tx) error {
		id, err = tenant.FindTenant(ctx, tx, reference)
		return err
	})
	return id, err
}
