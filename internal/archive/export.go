package archive

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Export is one tenant, taken out.
type Export struct {
	// Dir is where the archive is to be; there must be nothing there but an export of this tenant that was broken off.
	Dir string
	// Tenant is whose.
	Tenant uuid.UUID
	// Key signs the manifest. Nobody signs it where it is nil.
	Key ed25519.PrivateKey
	// Seal is the tenant's key that every file is sealed with; nil leaves them in clear.
	Seal *envelope.Key
	// Progress is told what is being read, of how many tables. Defaults to nothing.
	Progress func(table string, number, of int)
}

// Run writes the archive, of one snapshot, a row at a time. conn is an operator's, who may read every row. What a broken off export has
// written already, and is still so, is not written again. Errors: TenantNotFound, ArchiveFailed.
func (e Export) Run(ctx context.Context, conn *pgx.Conn) (*Manifest, error) {
	if e.Progress == nil {
		e.Progress = func(string, int, int) {}
	}
	partial, err := e.begin()
	if err != nil {
		return nil, err
	}
	var manifest *Manifest
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		manifest, err = e.read(ctx, tx, partial)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, signature, err := manifest.encode(e.Key)
	if err != nil {
		return nil, err
	}
	return manifest, manifest.publish(partial, e.Dir, text, signature)
}

// Free says that nothing is where the archive is to be. What is in the way is left alone.
func (e Export) Free() error {
	switch _, err := os.Lstat(e.Dir); {
	case err == nil:
		return fault.New(fault.ArchiveFailed, "There is something at "+e.Dir+" already.", "Name another place with --out; nothing is overwritten.")
	case !errors.Is(err, fs.ErrNotExist):
		return unwritable(err, e.Dir)
	}
	return nil
}

// begin makes the directory that is written to until all is there.
func (e Export) begin() (partial string, err error) {
	if err := e.Free(); err != nil {
		return "", err
	}
	partial = e.Dir + ".partial"
	if err := os.MkdirAll(filepath.Join(partial, tablesDir), 0o700); err != nil {
		return "", unwritable(err, partial)
	}
	return partial, nil
}

const tablesDir = "tables"

func unwritable(err error, path string) error {
	return fault.Wrap(err, fault.ArchiveFailed, "The archive cannot be written to "+path+".", "See that there is room and that you may write there; run the same again, and it goes on.")
}

func (e Export) read(ctx context.Context, tx pgx.Tx, dir string) (*Manifest, error) {
	m, tables, err := e.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i, table := range tables {
		e.Progress(table.String(), i+1, len(tables))
		file, err := e.table(ctx, tx, dir, table)
		if err != nil {
			return nil, err
		}
		m.Tables = append(m.Tables, file)
	}
	return m, nil
}

// look returns a manifest that names no files yet, and the tables that have rows of the tenant.
func (e Export) look(ctx context.Context, tx pgx.Tx) (*Manifest, []Table, error) {
	if _, err := tx.Exec(ctx, queries.Get("SeeEverything")); err != nil {
		return nil, nil, fmt.Errorf("set row_security: %w", err)
	}
	postgres.PaceOf(tx.Conn()).RestInside(true)
	m := &Manifest{Format: Format, KeyID: keyID(e.Seal)}
	err := tx.QueryRow(ctx, queries.Get("Tenant"), e.Tenant).Scan(&m.Tenant.ID, &m.Tenant.Slug, &m.Tenant.Name, &m.Tenant.Type, &m.Tenant.Key, &m.Server, &m.SchemaVersion, &m.MadeAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fault.New(fault.TenantNotFound, "There is no such tenant.", "See `vital tenant list`.")
	} else if err != nil {
		return nil, nil, fmt.Errorf("read tenant: %w", err)
	}
	tables, shared, err := Scope(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	m.LeftOut, m.Fingerprint = shared, fingerprint(tables)
	return m, tables, nil
}

// table writes one table's rows, unless a broken off export has done so and they are the same.
func (e Export) table(ctx context.Context, tx pgx.Tx, dir string, table Table) (File, error) {
	file := File{Table: table, File: fileName(table, e.Seal)}
	path := filepath.Join(dir, filepath.FromSlash(file.File))
	written, err := openLines(path, file.File, e.Seal)
	if err == nil {
		digest, err := digestFor(e.Seal)
		if err != nil {
			return file, err
		}
		same, err := e.compare(ctx, tx, table, written, digest)
		written.Close()
		if err != nil || same {
			digest.into(&file)
			return file, err
		}
	}
	return writeFile(dir, table, e.Seal, func(each func(line []byte) error) error { return e.rows(ctx, tx, table, each) })
}

// writeFile writes what read hands over to the file of a table, sealed with key where that is not nil.
func writeFile(dir string, table Table, key *envelope.Key, read func(each func(line []byte) error) error) (File, error) {
	file := File{Table: table, File: fileName(table, key)}
	path := filepath.Join(dir, filepath.FromSlash(file.File))
	lines, err := createLines(path, file.File, key)
	if err != nil {
		return file, unwritable(err, path)
	}
	defer lines.abandon()
	digest, err := digestFor(key)
	if err != nil {
		return file, err
	}
	if err := read(func(line []byte) error {
		digest.add(line)
		return lines.write(line)
	}); err != nil {
		return file, err
	}
	if err := lines.finish(); err != nil {
		return file, unwritable(err, path)
	}
	digest.into(&file)
	return file, nil
}

// compare says whether the rows are the lines that were written.
func (e Export) compare(ctx context.Context, tx pgx.Tx, table Table, written *lineReader, digest *digest) (bool, error) {
	same := true
	err := e.rows(ctx, tx, table, func(line []byte) error {
		digest.add(line)
		was, err := written.next()
		same = same && err == nil && string(was) == string(line)
		return nil
	})
	if _, end := written.next(); !errors.Is(end, io.EOF) {
		same = false
	}
	return same, err
}

// rows hands over a tenant's rows of a table, one after the other, as JSON.
func (e Export) rows(ctx context.Context, tx pgx.Tx, table Table, each func(line []byte) error) error {
	return eachLine(ctx, tx, table.String(), each, table.statement(), e.Tenant)
}

// digest counts lines and hashes them.
type digest struct {
	hash        hash.Hash
	rows, bytes int64
}

func newDigest() *digest { return &digest{hash: sha256.New()} }

func (d *digest) add(line []byte) {
	_, _ = d.hash.Write(line) // a hash takes everything
	_, _ = d.hash.Write([]byte{'\n'})
	d.rows, d.bytes = d.rows+1, d.bytes+int64(len(line))+1
}

func (d *digest) into(file *File) {
	file.Rows, file.Bytes, file.SHA256 = d.rows, d.bytes, hex.EncodeToString(d.hash.Sum(nil))
}

// lineWriter writes lines to a file that is there under its name once all is written. Manifest.publish sees that it is on the disk.
type lineWriter struct {
	path string
	file *os.File
	seal io.WriteCloser
	zip  *gzip.Writer
	text *bufio.Writer
}

// createLines makes the file of that name in its archive, sealed with key where that is not nil.
func createLines(path, name string, key *envelope.Key) (*lineWriter, error) {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	seal, err := sealTo(file, name, key)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	zip, err := gzip.NewWriterLevel(seal, gzip.BestSpeed)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lineWriter{path, file, seal, zip, bufio.NewWriterSize(zip, 64<<10)}, nil
}

func (w *lineWriter) write(line []byte) error {
	_, err := w.text.Write(line)
	if err == nil {
		err = w.text.WriteByte('\n')
	}
	if err != nil {
		return unwritable(err, w.path)
	}
	return nil
}

func (w *lineWriter) finish() error {
	if err := errors.Join(w.text.Flush(), w.zip.Close(), w.seal.Close(), w.file.Close()); err != nil {
		return err
	}
	w.file = nil
	return os.Rename(w.path+".new", w.path)
}

// abandon closes what was not finished.
func (w *lineWriter) abandon() {
	if w.file != nil {
		_ = w.file.Close() // whatever is in it is written anew
	}
}
