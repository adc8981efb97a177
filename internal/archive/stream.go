package archive

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Stream writes the archive as one zip file while it is read, a row at a time: nothing is kept on a disk, and memory stays the same for a tenant of any
// size. Unpacked, it is what Run writes. The manifest and its signature come last, and then the zip's own directory: what is cut off is no archive.
// tx is an operator's, of one snapshot. begin is called once nothing but the reading can fail, and says where to write to. Errors: TenantNotFound,
// Conflict where the tenant is being streamed already, PermissionDenied where tx may not read everything.
func (e Export) Stream(ctx context.Context, tx pgx.Tx, begin func(*Manifest) io.Writer) (*Manifest, error) {
	if err := takeTurn(ctx, tx, e.Tenant.String()); err != nil {
		return nil, err
	}
	m, tables, err := e.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = pgx.Identifier{t.Schema, t.Name}.Sanitize()
	}
	if err := requireReadable(ctx, tx, names); err != nil {
		return nil, err
	}
	packed := newPacker(begin(m), m.MadeAt)
	for _, table := range tables {
		file, err := packed.lines(table, func(each func([]byte) error) error { return e.rows(ctx, tx, table, each) })
		if err != nil {
			return nil, err
		}
		m.Tables = append(m.Tables, file)
	}
	text, signature, err := m.encode(e.Key)
	if err != nil {
		return nil, err
	}
	return m, packed.finish(text, signature)
}

// takeTurn lets one stream of each subject run at once, on all servers, until the transaction ends.
func takeTurn(ctx context.Context, tx pgx.Tx, subject string) error {
	var taken bool
	if err := tx.QueryRow(ctx, queries.Get("TakeTurn"), subject).Scan(&taken); err != nil {
		return fmt.Errorf("take turn: %w", err)
	}
	if !taken {
		return fault.New(fault.Conflict, "This is being taken out already.", "Wait until that is done, or cancel it.")
	}
	return nil
}

// requireReadable refuses before anything is written, instead of breaking off.
func requireReadable(ctx context.Context, tx pgx.Tx, tables []string) error {
	var closed string
	err := tx.QueryRow(ctx, queries.Get("Unreadable"), tables).Scan(&closed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for tables that cannot be read: %w", err)
	}
	return fault.New(fault.PermissionDenied, "The server may not read "+closed+", and an archive without it would not be whole.",
		"The operator grants select on it to service_role, or takes the tenant out with vital tenant export.")
}

// packer writes an archive's files into a zip.
type packer struct {
	out    *bufio.Writer
	zip    *zip.Writer
	madeAt time.Time
}

func newPacker(to io.Writer, madeAt time.Time) *packer {
	out := bufio.NewWriterSize(to, 64<<10)
	return &packer{out, zip.NewWriter(out), madeAt.UTC()}
}

// file begins one; it is stored as it is given.
func (p *packer) file(name string) (io.Writer, error) {
	header := &zip.FileHeader{Name: name, Method: zip.Store, Modified: p.madeAt}
	header.SetMode(0o600)
	return p.zip.CreateHeader(header)
}

// lines writes the file of a table.
func (p *packer) lines(table Table, read func(each func(line []byte) error) error) (File, error) {
	file := File{Table: table, File: tablesDir + "/" + table.String() + ".jsonl.gz"}
	to, err := p.file(file.File)
	if err != nil {
		return file, err
	}
	packed, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return file, err
	}
	text, digest := bufio.NewWriterSize(packed, 64<<10), newDigest()
	err = read(func(line []byte) error {
		digest.add(line)
		if _, err := text.Write(line); err != nil {
			return err
		}
		return text.WriteByte('\n')
	})
	if err != nil {
		return file, err
	}
	if err := errors.Join(text.Flush(), packed.Close()); err != nil {
		return file, err
	}
	digest.into(&file)
	return file, nil
}

// finish writes the manifest, its signature where there is one, and the zip's directory.
func (p *packer) finish(manifest, signature []byte) error {
	to, err := p.file(manifestName)
	if err != nil {
		return err
	}
	if _, err := to.Write(manifest); err != nil {
		return err
	}
	if signature != nil {
		if to, err = p.file(signatureName); err != nil {
			return err
		}
		if _, err := to.Write(signature); err != nil {
			return err
		}
	}
	return errors.Join(p.zip.Close(), p.out.Flush())
}
