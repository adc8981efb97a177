package schema

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

//go:embed backup.sql
var backupText string

var backupQueries = database.ParseQueries(backupText)

// Backups are backups of one database, made by pg_dump, in a directory.
type Backups struct {
	// DatabaseURL is the operator's connection: who may read every row, and, to restore, make databases.
	DatabaseURL string
	// Dir is where they are kept, made if it is missing, closed to others.
	Dir string
	// BinDir is where pg_dump and pg_restore are. Defaults to what localpg.FindBinDir finds.
	BinDir string
	// Keep is how many are kept of each database, the newest. Defaults to 5.
	Keep int
	// Carry takes over from the database that is in use, into the one that was restored beside it and is about to take its place, what must
	// not become older; where it fails, nothing is restored. It is given both addresses. Defaults to nothing.
	Carry func(ctx context.Context, former, restored string) error
	// Log receives what is done. Required.
	Log *slog.Logger
}

// Backup is one of them, as the file beside it says.
type Backup struct {
	File     string           `json:"file"`             // path of the dump, in pg_dump's custom format
	Server   string           `json:"server,omitempty"` // that it was made of: its system identifier, where it may be asked for
	Database string           `json:"database"`
	Version  int64            `json:"schema_version"`
	MadeAt   time.Time        `json:"made_at"`
	Bytes    int64            `json:"bytes"`  // of the file
	Tables   map[string]int64 `json:"tables"` // rows by table, in the dump's own snapshot
}

// Rows is how many rows it holds.
func (b Backup) Rows() int64 {
	total := int64(0)
	for _, n := range b.Tables {
		total += n
	}
	return total
}

const (
	dumpSuffix     = ".dump"
	manifestSuffix = ".dump.json"
	defaultKeep    = 5
)

func backupFault(err error, message, hint string) error {
	return fault.Wrap(err, fault.BackupFailed, message, hint)
}

// Make makes a backup, restores it into a server of its own that is thrown away, counts what has arrived there, and then drops the
// oldest beyond Keep. A backup that is not as it must be is not kept.
func (b Backups) Make(ctx context.Context) (_ Backup, err error) {
	started := time.Now()
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return Backup{}, backupFault(err, "The directory of backups cannot be made.", "Name another with --backup-dir.")
	}
	conn, err := pgx.Connect(ctx, b.DatabaseURL)
	if err != nil {
		return Backup{}, unreachable(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	made := Backup{MadeAt: started.UTC().Truncate(time.Second)}
	var size int64
	if err := conn.QueryRow(ctx, backupQueries.Get("DatabaseSize")).Scan(&made.Database, &size); err != nil {
		return Backup{}, fmt.Errorf("read size: %w", err)
	}
	for _, dir := range []string{b.Dir, os.TempDir()} { // the dump, and the server it is restored into
		if err := requireRoom(dir, size); err != nil {
			return Backup{}, err
		}
	}
	if made.Server, err = serverIdentity(ctx, conn); err != nil {
		return Backup{}, err
	}
	if err := conn.QueryRow(ctx, backupQueries.Get("SchemaVersion")).Scan(&made.Version); err != nil {
		return Backup{}, fmt.Errorf("read schema version: %w", err)
	}
	b.Log.Info("backing up", "database", made.Database, "size", size, "dir", b.Dir)
	partial, err := b.newPartial()
	if err != nil {
		return Backup{}, err
	}
	defer os.Remove(partial) //nolint:errcheck // gone, once it is whole
	if err := b.dump(ctx, conn, &made, partial); err != nil {
		return Backup{}, err
	}
	if err := b.verify(ctx, conn, made, partial); err != nil {
		return Backup{}, err
	}
	if err := b.keep(&made, partial); err != nil {
		return Backup{}, err
	}
	b.Log.Info("backed up", "file", made.File, "rows", made.Rows(), "bytes", made.Bytes, "took", time.Since(started).Round(time.Millisecond))
	return made, b.prune(made)
}

// requireRoom refuses a directory that a database of that size would fill.
func requireRoom(dir string, size int64) error {
	free, known := freeBytes(dir)
	if !known || free > uint64(max(size, 0)) {
		return nil
	}
	return fault.New(fault.BackupFailed, fmt.Sprintf("The database has %d MB, and where %s is there is room for %d MB.", size>>20, dir, free>>20),
		"Make room, name another directory with --backup-dir or TMPDIR, or go on with --no-backup.")
}

func serverIdentity(ctx context.Context, conn *pgx.Conn) (identity string, err error) {
	if err := conn.QueryRow(ctx, backupQueries.Get("ServerIdentity")).Scan(&identity); err != nil {
		return "", fmt.Errorf("identify the server: %w", err)
	}
	return identity, nil
}

// newPartial makes the file that is dumped into, closed to others from the first byte on, and removes what a run that was killed has left.
func (b Backups) newPartial() (string, error) {
	const age = 24 * time.Hour
	left, err := filepath.Glob(filepath.Join(b.Dir, ".*.partial"))
	if err != nil {
		return "", fmt.Errorf("list what is left: %w", err)
	}
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > age {
			_ = os.Remove(name) // the next run tries again
		}
	}
	name := filepath.Join(b.Dir, "."+uuid.NewString()+".partial")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return "", backupFault(err, "The backup cannot be written.", "Look at the directory's permissions, or name another with --backup-dir.")
	}
	return name, nil
}

// dump writes the dump, and counts rows in the snapshot that it sees.
func (b Backups) dump(ctx context.Context, conn *pgx.Conn, made *Backup, file string) error {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // it only read
	var snapshot string
	if err := tx.QueryRow(ctx, backupQueries.Get("Snapshot")).Scan(&snapshot); err != nil {
		return fmt.Errorf("export snapshot: %w", err)
	}
	if err := b.run(ctx, b.DatabaseURL, "pg_dump", "--format=custom", "--snapshot="+snapshot, "--file="+file, "--no-password"); err != nil {
		return err
	}
	made.Tables, err = countRows(ctx, tx)
	return err
}

func countRows(ctx context.Context, tx pgx.Tx) (map[string]int64, error) {
	if _, err := tx.Exec(ctx, backupQueries.Get("SeeEverything")); err != nil {
		return nil, fmt.Errorf("see every row: %w", err)
	}
	rows, err := tx.Query(ctx, backupQueries.Get("RowCounts"))
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	counts := map[string]int64{}
	var name string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		counts[name] = n
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	return counts, nil
}

// run runs one of PostgreSQL's programs on address. The password goes by the environment: arguments are visible to every user of the machine.
func (b Backups) run(ctx context.Context, address, program string, args ...string) error {
	bin, err := localpg.FindBinDir(b.BinDir)
	if err != nil {
		return err
	}
	plain, password, err := withoutPassword(address)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(bin, program), append(args, "--dbname="+plain)...)
	cmd.Env = os.Environ()
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		f := fault.Wrap(err, fault.BackupFailed, program+" ended with an error.",
			"Its own words are the detail. It must be of the server's version or newer (VITAL_PG_BIN), and there must be room where it writes (--backup-dir, TMPDIR).")
		f.Detail = withoutRows(said.String())
		return f
	}
	return nil
}

// withoutPassword takes the password out of an address, wherever it stands there.
func withoutPassword(address string) (plain, password string, err error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", "", fmt.Errorf("parse database url: %w", err)
	}
	password, _ = parsed.User.Password()
	parsed.User = url.User(parsed.User.Username())
	query := parsed.Query()
	password = cmp.Or(query.Get("password"), password)
	query.Del("password")
	parsed.RawQuery = query.Encode()
	return parsed.String(), password, nil
}

// withoutRows is what a program said, without the lines in which it quotes rows.
func withoutRows(said string) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(said), "\n"), func(line string) bool {
		return strings.Contains(line, "CONTEXT:") || strings.Contains(line, "DETAIL:")
	})
	text := strings.Join(lines, "\n")
	return text[:min(len(text), 2000)]
}

// verify restores the dump into a server that is made for it and thrown away.
func (b Backups) verify(ctx context.Context, source *pgx.Conn, made Backup, file string) error {
	return b.inShadow(ctx, source, func(address string) error { return b.load(ctx, address, made, file) })
}

// load restores file into an empty database and compares what has arrived.
func (b Backups) load(ctx context.Context, address string, made Backup, file string) error {
	if err := b.run(ctx, address, "pg_restore", "--exit-on-error", "--no-password", file); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to what was restored: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // it only read
	counts, err := countRows(ctx, tx)
	if err != nil {
		return err
	}
	// What operators refresh is restored empty where it is not populated; every other table must have all its rows.
	for _, table := range slices.Sorted(maps.Keys(made.Tables)) {
		if is, there := counts[table]; !there || is != made.Tables[table] {
			return fault.New(fault.BackupFailed, fmt.Sprintf("The backup is not whole: %s has %d rows, and %d when restored.", table, made.Tables[table], is),
				"Look at the disk, and make another.")
		}
	}
	return nil
}

// keep gives the dump its name, and writes beside it what it is.
func (b Backups) keep(made *Backup, partial string) error {
	info, err := os.Stat(partial)
	if err != nil {
		return backupFault(err, "The backup is gone.", "Make another.")
	}
	made.Bytes = info.Size()
	name := fmt.Sprintf("%s-v%d-%s", url.PathEscape(made.Database), made.Version, made.MadeAt.Format("20060102T150405Z"))
	made.File = filepath.Join(b.Dir, name+dumpSuffix)
	manifest, err := json.MarshalIndent(made, "", "  ")
	defer os.Remove(partial + ".json") //nolint:errcheck // gone, once it is whole: half of one would stand in the way of every list
	if err == nil {
		err = os.WriteFile(partial+".json", append(manifest, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(partial, made.File)
	}
	if err == nil {
		err = os.Rename(partial+".json", filepath.Join(b.Dir, name+manifestSuffix))
	}
	if err != nil {
		return backupFault(err, "The backup cannot be kept.", "Look at the directory's permissions and free space.")
	}
	return nil
}

// List returns the backups in the directory, the newest first.
func (b Backups) List() ([]Backup, error) {
	names, err := filepath.Glob(filepath.Join(b.Dir, "*"+manifestSuffix))
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	found := []Backup{}
	for _, name := range names {
		one, err := ReadBackup(strings.TrimSuffix(name, manifestSuffix) + dumpSuffix)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b Backup) int { return cmp.Or(b.MadeAt.Compare(a.MadeAt), cmp.Compare(b.File, a.File)) })
	return found, nil
}

// ReadBackup reads what a backup is from the file beside it.
func ReadBackup(file string) (Backup, error) {
	content, err := os.ReadFile(strings.TrimSuffix(file, dumpSuffix) + manifestSuffix)
	if err != nil {
		return Backup{}, backupFault(err, fmt.Sprintf("%s is no backup of `vital migrate up`: the file beside it (%s) cannot be read.", file, manifestSuffix), "`vital migrate restore` without a file lists backups.")
	}
	var found Backup
	if err := json.Unmarshal(content, &found); err != nil {
		return Backup{}, backupFault(err, fmt.Sprintf("What is written beside %s is not what a backup is.", file), "Restore it by hand, with pg_restore.")
	}
	found.File = file // it may have been moved
	return found, nil
}

// prune drops the oldest backups of the database that made is of.
func (b Backups) prune(made Backup) error {
	all, err := b.List()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(one Backup) bool { return one.Database != made.Database || one.Server != made.Server })
	for _, old := range all[min(len(all), cmp.Or(b.Keep, defaultKeep)):] {
		if err := errors.Join(os.Remove(strings.TrimSuffix(old.File, dumpSuffix)+manifestSuffix), os.Remove(old.File)); err != nil {
			return backupFault(err, "An old backup cannot be dropped.", "Remove it by hand: "+old.File+".")
		}
		b.Log.Info("dropped an old backup", "file", old.File)
	}
	return nil
}
