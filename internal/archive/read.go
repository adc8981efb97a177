package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

const (
	manifestName  = "manifest.json"
	signatureName = "manifest.sig"
	// mostManifest bounds what is read of a manifest, longestLine of a line: a value in PostgreSQL has at most 1 GB.
	mostManifest = 16 << 20
	longestLine  = 1 << 30
)

// signed are the bytes that a signature is over.
func signed(manifest []byte) []byte {
	return append([]byte("vital archive manifest 1\n"), manifest...)
}

// encode returns the manifest as it is written, and its signature; nil without a key.
func (m *Manifest) encode(key ed25519.PrivateKey) (text, signature []byte, err error) {
	if key != nil {
		m.PublicKey, _ = key.Public().(ed25519.PublicKey) // it is one
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return nil, nil, fmt.Errorf("write manifest: %w", err)
	}
	if key != nil {
		signature = ed25519.Sign(key, signed(out.Bytes()))
	}
	return out.Bytes(), signature, nil
}

// Archive is one that was opened: its manifest is what was signed.
type Archive struct {
	Manifest
	dir  string
	hash string
	key  *envelope.Key // nil until Unlock
}

// Dir is where it is.
func (a *Archive) Dir() string { return a.dir }

// Hash is the SHA-256 of the manifest, and so of all that it names.
func (a *Archive) Hash() string { return a.hash }

// Open opens an archive that was signed with trusted; where that is nil, with the key that it names itself, which vouches for nobody but
// shows that nothing was changed since. Its files are not read; see Verify. Errors: ArchiveInvalid.
func Open(dir string, trusted ed25519.PublicKey) (*Archive, error) { return open(dir, trusted, Format) }

// OpenPerson is Open for what is one person's.
func OpenPerson(dir string, trusted ed25519.PublicKey) (*Archive, error) {
	return open(dir, trusted, PersonFormat)
}

func open(dir string, trusted ed25519.PublicKey, format string) (*Archive, error) {
	text, err := readBounded(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, invalid(err, "There is no archive at "+dir+".", "Name the directory that vital tenant export wrote; one that ends in .partial was broken off.")
	}
	sum := sha256.Sum256(text)
	a := &Archive{dir: dir, hash: hex.EncodeToString(sum[:])}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&a.Manifest); err != nil {
		return nil, invalid(err, "The manifest of the archive cannot be read.", "It was changed or damaged: take another copy.")
	}
	if a.Format != format {
		return nil, invalid(nil, "The archive is of another format, "+a.Format+".", "This vital reads "+format+": use the one that wrote it, or a newer one.")
	}
	for _, file := range a.Tables {
		if !filepath.IsLocal(filepath.FromSlash(file.File)) || !strings.HasPrefix(file.File, tablesDir+"/") {
			return nil, invalid(nil, "The archive names a file outside of it.", "It was not written by vital: do not trust it.")
		}
	}
	if trusted == nil {
		trusted = a.PublicKey
	}
	if trusted == nil {
		return a, nil
	}
	signature, err := readBounded(filepath.Join(dir, signatureName))
	if err != nil || len(trusted) != ed25519.PublicKeySize || !ed25519.Verify(trusted, signed(text), signature) {
		return nil, invalid(err, "The signature of the archive is not good.", "It was changed since it was made, or signed with another key: take another copy, or name its key with --public-key.")
	}
	return a, nil
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostManifest+1))
	if err == nil && len(text) > mostManifest {
		err = errors.New("it is too large")
	}
	return text, err
}

func invalid(err error, message, hint string) error {
	return fault.Wrap(err, fault.ArchiveInvalid, message, hint)
}

// Verify reads every file of the archive and holds it to the manifest. Errors: ArchiveInvalid, of the first that is not what was written.
func (a *Archive) Verify() error {
	for i := range a.Tables {
		if err := a.Each(&a.Tables[i], func([]byte) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// Each hands over the lines of a table, and then holds them to the manifest: what was handed over counts only where it returns nil.
func (a *Archive) Each(file *File, each func(line []byte) error) error {
	damaged := func(err error) error {
		return invalid(err, "The archive's file of "+file.String()+" is not what was written.", "It was changed or damaged: take another copy.")
	}
	if err := a.locked(); err != nil {
		return err
	}
	lines, err := openLines(filepath.Join(a.dir, filepath.FromSlash(file.File)), file.File, a.key)
	if err != nil {
		return damaged(err)
	}
	defer lines.Close()
	digest, err := digestFor(a.key)
	if err != nil {
		return err
	}
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return damaged(err)
		}
		digest.add(line)
		if digest.bytes > file.Bytes {
			return damaged(nil)
		}
		if err := each(line); err != nil {
			return err
		}
	}
	var found File
	digest.into(&found)
	if found.Rows != file.Rows || found.SHA256 != file.SHA256 {
		return damaged(nil)
	}
	return nil
}

// lineReader reads the lines of a file that lineWriter wrote.
type lineReader struct {
	file *os.File
	text *bufio.Reader
	line []byte
}

// openLines opens the file of that name in its archive, sealed with key where that is not nil.
func openLines(path, name string, key *envelope.Key) (*lineReader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := openFrom(file, name, key)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	zip, err := gzip.NewReader(bufio.NewReaderSize(text, 64<<10))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lineReader{file: file, text: bufio.NewReaderSize(zip, 64<<10)}, nil
}

// next returns a line, good until the next is asked for, and io.EOF after the last. A line that does not end is an error.
func (r *lineReader) next() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.text.ReadSlice('\n')
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			return r.line[:len(r.line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull) && len(r.line) > 0 && errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(r.line) > longestLine:
			return nil, errors.New("a line is too long")
		}
	}
}

// Close closes the file.
func (r *lineReader) Close() { _ = r.file.Close() } // it was only read
