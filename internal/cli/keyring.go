package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

// ringSource is where a keyring is: in a file, or in the environment, which no command can change.
type ringSource struct {
	path string
	text string // of VITAL_KEK
}

// ringSource returns that of VITAL_KEK, of VITAL_KEK_FILE, else the private server's own, which is made with its first use and lies beside its
// cluster and not in it; nil without any.
func (a *app) ringSource(t *target) (*ringSource, error) {
	switch {
	case a.config.KEK != "" && a.config.KEKFile != "":
		return nil, fault.New(fault.ConfigInvalid, "Both VITAL_KEK and VITAL_KEK_FILE are set.", "Leave one of them out: they might say different things.")
	case a.config.KEK != "":
		return &ringSource{text: a.config.KEK}, nil
	case a.config.KEKFile != "":
		return &ringSource{path: a.config.KEKFile}, nil
	case t.private != nil:
		path, err := t.private.SecretFile("keyring", func() []byte { return envelope.NewRing(time.Now()).WithoutSignIn().Text() })
		return &ringSource{path: path}, err
	}
	return nil, nil //nolint:nilnil // there is none
}

// keyring returns the key-encryption keys as they are now; nil without any. It is read each time: rotating changes it under a server.
func (a *app) keyring(t *target) (*envelope.Ring, error) {
	source, err := a.ringSource(t)
	if err != nil || source == nil {
		return nil, err
	}
	return source.read()
}

// needKeyring is keyring where there must be one.
func (a *app) needKeyring(t *target) (*ringSource, *envelope.Ring, error) {
	source, err := a.ringSource(t)
	if err == nil && source == nil {
		err = fault.New(fault.ConfigInvalid, "There is no keyring.", "Make one with `vital keys create FILE`, and name it with VITAL_KEK_FILE.")
	}
	if err != nil {
		return nil, nil, err
	}
	ring, err := source.read()
	return source, ring, err
}

func (s *ringSource) read() (*envelope.Ring, error) {
	if s.path == "" {
		return envelope.ParseRing([]byte(s.text))
	}
	text, err := readSecretFile(s.path)
	if err != nil {
		return nil, err
	}
	return envelope.ParseRing(text)
}

// mostRing bounds what is read of a keyring.
const mostRing = 64 << 10

// readSecretFile reads a file that nobody else may read or change; its group may read it.
func readSecretFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The keyring %s cannot be read.", path), "Check VITAL_KEK_FILE; `vital keys create` makes one.")
	}
	if open := info.Mode().Perm() & 0o027; open != 0 || info.Size() > mostRing {
		return nil, fault.New(fault.ConfigInvalid, fmt.Sprintf("The keyring %s is open to others (%04o), or far too large.", path, info.Mode().Perm()),
			"Close it, and think of it as read: chmod 600 "+path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The keyring %s cannot be read.", path), "Let the user who runs vital read it.")
	}
	return text, nil
}

// hold lets nobody else change the keyring until release: a key that two made at once would be lost with all that it wraps.
func (s *ringSource) hold() (release func(), err error) {
	if s.path == "" {
		return func() {}, nil
	}
	file, err := os.OpenFile(s.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unchangeable(err, s.path)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fault.Wrap(err, fault.StateConflict, "Somebody else is changing the keyring.", "Wait for them; then run it again.")
	}
	return func() { file.Close() }, nil
}

func unchangeable(err error, path string) error {
	return fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The keyring %s cannot be changed.", path),
		"Let the user who runs this write its directory, or run it where the keyring comes from and copy the file here.")
}

// write puts a ring in the place of the one in the file: whole and on disk, or not at all. The caller holds it.
func (s *ringSource) write(ring *envelope.Ring) error {
	if s.path == "" {
		return fault.New(fault.ConfigInvalid, "The keyring is in the environment (VITAL_KEK), which no command can change.",
			"Change it there, with the new key as another line, or keep it in a file: VITAL_KEK_FILE.")
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return unchangeable(err, s.path)
	}
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		return unchangeable(err, s.path)
	}
	if err := writeSynced(path+".new", ring.Text(), os.O_TRUNC, info.Mode().Perm()); err != nil {
		return unchangeable(err, s.path)
	}
	if err := errors.Join(keepOwner(path+".new", info), os.Rename(path+".new", path), syncDirectory(filepath.Dir(path))); err != nil {
		return unchangeable(err, s.path)
	}
	return nil
}

// keepOwner lets a file belong to whom another does, so that a server goes on reading it.
func keepOwner(path string, like fs.FileInfo) error {
	if of, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(path, int(of.Uid), int(of.Gid))
	}
	return nil
}

func writeSynced(path string, text []byte, flag int, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// createRing makes a keyring where there is no file yet.
func createRing(path string, ring *envelope.Ring) error {
	err := writeSynced(path, ring.Text(), os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.ConfigInvalid, fmt.Sprintf("There is something at %s already.", path), "A keyring is never overwritten: what it has sealed could not be opened any more. Name another file.")
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // half of one is none
		return fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The keyring %s cannot be made.", path), "Name a file in a directory that you may write to.")
	}
	return nil
}

// kek returns what the embedded sign-in makes its keys of: what the keyring has for it, else the private server's own secret. Nil without
// either.
func (a *app) kek(t *target) ([]byte, error) {
	ring, err := a.keyring(t)
	if err != nil || ring == nil {
		return nil, err
	}
	if ring.SignIn() != nil || t.private == nil || a.config.KEKFile != "" || a.config.KEK != "" {
		return ring.SignIn(), nil
	}
	secret, err := t.private.Secret("kek")
	if err != nil {
		return nil, err
	}
	own, err := envelope.SingleRing([]byte(secret))
	if err != nil {
		return nil, err
	}
	return own.SignIn(), nil
}

// needKEK is kek where there must be one.
func (a *app) needKEK(t *target) ([]byte, error) {
	kek, err := a.kek(t)
	if err == nil && kek == nil {
		err = fault.New(fault.ConfigInvalid, "There is no key-encryption key for the embedded sign-in.",
			"Set VITAL_KEK_FILE to a keyring with a line sign-in, as `vital keys create FILE` makes one.")
	}
	return kek, err
}

// ringNow reads the keyring of a server each time it is asked, nil where it has none.
func (a *app) ringNow(t *target) (func(context.Context) (*envelope.Ring, error), error) {
	source, err := a.ringSource(t)
	if err != nil || source == nil {
		return nil, err
	}
	return func(context.Context) (*envelope.Ring, error) { return source.read() }, nil
}
