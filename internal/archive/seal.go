package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

// A sealed archive has every file sealed with a key of its tenant's: once that is destroyed, no copy of the archive can be opened. Its manifest
// is in clear, and says which key that is; hashes of lines are made with the key, too, so that nobody tries what they suspect.

func keyID(key *envelope.Key) *uuid.UUID {
	if key == nil {
		return nil
	}
	return &key.ID
}

func fileName(table Table, key *envelope.Key) string {
	name := tablesDir + "/" + table.String() + ".jsonl.gz"
	if key != nil {
		name += ".sealed"
	}
	return name
}

// digestFor is the digest of an archive that is sealed with key, or of one in clear.
func digestFor(key *envelope.Key) (*digest, error) {
	if key == nil {
		return newDigest(), nil
	}
	keyed, err := key.Digest()
	if err != nil {
		return nil, err
	}
	return &digest{hash: keyed}, nil
}

// plain is a file in clear, which is closed elsewhere.
type plain struct{ io.Writer }

// Close does nothing.
func (plain) Close() error { return nil }

func sealTo(file io.Writer, name string, key *envelope.Key) (io.WriteCloser, error) {
	if key == nil {
		return plain{file}, nil
	}
	return key.NewWriter(file, name)
}

func openFrom(file io.Reader, name string, key *envelope.Key) (io.Reader, error) {
	if key == nil {
		return file, nil
	}
	return key.NewReader(file, name)
}

// dropOthers takes away what is of no table of the archive: what an export that was broken off has written in clear must not stay beside
// what is sealed.
func (m *Manifest) dropOthers(dir string) error {
	ours := map[string]bool{}
	for _, file := range m.Tables {
		ours[file.File] = true
	}
	found, err := os.ReadDir(filepath.Join(dir, tablesDir))
	if err != nil {
		return err
	}
	for _, file := range found {
		if !ours[tablesDir+"/"+file.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(dir, tablesDir, file.Name())))
		}
	}
	return err
}

// Sealed says that the archive is sealed: its files are read once Unlock was called.
func (a *Archive) Sealed() bool { return a.KeyID != nil }

// Unlock takes the tenant's key that the manifest names. Errors: KeyUnavailable for another.
func (a *Archive) Unlock(key *envelope.Key) error {
	if a.KeyID == nil || key.ID != *a.KeyID || key.Tenant != a.Tenant.ID {
		return fault.New(fault.KeyUnavailable, "The archive is not sealed with that key.", "Its manifest names the key and the tenant.")
	}
	a.key = key
	return nil
}

// locked refuses a sealed archive that nobody has unlocked.
func (a *Archive) locked() error {
	if a.KeyID == nil || a.key != nil {
		return nil
	}
	return fault.New(fault.KeyUnavailable, fmt.Sprintf("The archive is sealed with the key %s of its tenant.", a.KeyID),
		"It opens beside the database that has this key, with its keyring (VITAL_KEK_FILE).")
}
