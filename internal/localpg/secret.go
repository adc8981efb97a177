package localpg

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/vital-db/vital/internal/fault"
)

var secretName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Secret returns the secret of that name, 32 random bytes in base64url (43 characters), and makes it
// when it does not exist; processes that ask at the same time get the same one. Names are 1 to 64
// lower-case letters, digits, - and _. Errors: ConfigInvalid for another name, DataDirUnusable.
func (s *Server) Secret(name string) (string, error) {
	path, err := s.SecretFile(name, randomSecret)
	if err != nil {
		return "", err
	}
	return readSecret(path)
}

// SecretFile is the file of the secret of that name, which holds what is made by content where it does not exist yet. Names and
// errors are those of Secret.
func (s *Server) SecretFile(name string, content func() []byte) (path string, err error) {
	if !secretName.MatchString(name) {
		return "", fault.New(fault.ConfigInvalid, "The secret name "+strconv.Quote(name)+" is not usable.",
			"Use 1 to 64 lower-case letters, digits, - and _.")
	}
	path = s.paths.secret(name)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, nil // whoever reads it says what is wrong with it
	}
	return path, createSecret(path, content())
}

func randomSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return []byte(base64.RawURLEncoding.EncodeToString(secret) + "\n")
}

// readSecret wraps fs.ErrNotExist when there is no such secret.
func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", unusable(err, "read", path)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return "", fault.New(fault.DataDirUnusable, "The secret in "+path+" is empty.",
			"Restore that file from a backup of the data directory.")
	}
	return secret, nil
}

// createSecret makes the secret at path, unless another process is faster. It appears complete and
// on disk, or not at all: a link never replaces a file, and its source is written first.
func createSecret(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return unusable(err, "create", dir)
	}
	temporary, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return unusable(err, "create a file in", dir)
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // it is linked to its place by then, or of no use
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return unusable(err, "write", temporary.Name())
	}
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return unusable(err, "create", path)
	}
	return syncDir(dir)
}
