package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/vital-db/vital/internal/fault"
)

const otherDirHint = "Choose another data directory with --data-dir (for example --data-dir /var/lib/vital)."

// layout is where things are in a data directory.
type layout struct {
	root, cluster, secrets, lock, port, log string
}

// Names of what may be in a data directory; initdb's temporary directories begin with initdbPrefix.
const (
	clusterName  = "postgres"
	initdbPrefix = ".initdb-"
)

// makeLayout makes the data directory when it is missing and returns its layout, with symbolic links
// resolved: the paths are compared with those of running processes.
func makeLayout(dir string) (layout, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return layout{}, unusable(err, "find", dir)
	}
	if err := makeDir(dir); err != nil {
		return layout{}, unusable(err, "create", dir)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return layout{}, unusable(err, "open", dir)
	}
	l := layout{
		root:    root,
		cluster: filepath.Join(root, clusterName),
		secrets: filepath.Join(root, "secrets"),
		lock:    filepath.Join(root, "vital.lock"),
		port:    filepath.Join(root, "port"),
		log:     filepath.Join(root, "postgres.log"),
	}
	if target, err := filepath.EvalSymlinks(l.cluster); err == nil {
		l.cluster = target
	}
	return l, nil
}

func (l layout) secret(name string) string { return filepath.Join(l.secrets, name) }

// onlyOurs reports whether the data directory holds nothing but what this package puts there.
func (l layout) onlyOurs() bool {
	entries, err := os.ReadDir(l.root)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		switch name := e.Name(); name {
		case clusterName, filepath.Base(l.secrets), filepath.Base(l.lock), filepath.Base(l.port), filepath.Base(l.log):
			return false
		default:
			return !strings.HasPrefix(name, initdbPrefix)
		}
	})
}

// makeDir is os.MkdirAll for a data directory: nobody else looks in, but as root the server's account
// must get through what we make, whatever the umask.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.Mkdir(dir, mode); errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	} else if err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// reachable makes sure that the server's account can get to the cluster, which a symbolic link may
// have elsewhere, and to where initdb works. Only directories that are
// ours to change are changed: the data directory, and throwaway ones of ours below os.TempDir().
func (s *Server) reachable() error {
	if s.account == nil {
		return nil
	}
	temporary, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		temporary = os.TempDir()
	}
	for _, dir := range slices.Concat(ancestors(filepath.Join(s.paths.root, clusterName)), ancestors(s.paths.cluster)) {
		info, err := os.Stat(dir)
		if err != nil {
			return unusable(err, "open", dir)
		}
		if s.account.mayEnter(info) {
			continue
		}
		ours := (dir == s.paths.root && s.paths.onlyOurs()) || strings.HasPrefix(dir, temporary+string(filepath.Separator))
		if ours && ownerOf(info) == os.Geteuid() {
			if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
				return unusable(err, "change the mode of", dir)
			}
			s.cfg.Log.Info("let the server's account through a directory", "dir", dir, "account", s.account.name)
			continue
		}
		if s.enters(dir) {
			continue
		}
		return fault.New(fault.DataDirUnusable,
			fmt.Sprintf("The database server runs as the user %s, who cannot get through %s to the data directory %s.",
				s.account.name, dir, s.paths.root),
			fmt.Sprintf("%s Or let that user through: chmod o+x %s.", otherDirHint, dir))
	}
	return nil
}

// enters tries whether the account gets into dir: access lists can allow what the mode does not show.
func (s *Server) enters(dir string) bool {
	cmd := s.command(dir, syscall.SIGKILL, "postgres", "--version")
	child, err := spawn(cmd)
	if err != nil {
		return false
	}
	<-child.exited
	var exit *exec.ExitError
	return child.err == nil || errors.As(child.err, &exit)
}

// ancestors lists the directories on the way to path, from the root down, without path itself.
func ancestors(path string) []string {
	var dirs []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == filepath.Dir(dir) {
			slices.Reverse(dirs)
			return dirs
		}
	}
}

// unusable is the fault for a file operation that did not work: what was to be done, where, and why.
func unusable(err error, action, path string) *fault.Error {
	hint := otherDirHint
	reason := err
	for inner := errors.Unwrap(reason); inner != nil; inner = errors.Unwrap(reason) {
		reason = inner
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "Free some space on that disk. " + otherDirHint
	case errors.Is(err, fs.ErrPermission):
		hint = "Run as the user who owns it, or give this user access. " + otherDirHint
	case errors.Is(err, syscall.EROFS):
		hint = "The file system is mounted read-only. " + otherDirHint
	}
	return fault.Wrap(err, fault.DataDirUnusable, fmt.Sprintf("Cannot %s %s: %v.", action, path, reason), hint)
}

// syncDir makes renames and links in dir last through a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return unusable(err, "open", dir)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // EINVAL: not possible there
		return unusable(err, "sync", dir)
	}
	return nil
}
