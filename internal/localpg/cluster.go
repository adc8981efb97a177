package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// prepare gets everything ready for the server to start: programs, account, directories, password,
// cluster, and no earlier server. What it refuses, it has not changed.
func (s *Server) prepare(ctx context.Context) error {
	major, err := clusterMajor(s.paths.cluster)
	if err != nil {
		return err
	}
	if s.bin, err = findInstallation(s.cfg.BinDir, major); err != nil {
		return err
	}
	if major != 0 && major != s.bin.major {
		return otherVersion(s.paths.cluster, major, s.bin)
	}
	if s.account, err = chooseAccount(s.paths.cluster, major != 0); err != nil {
		return err
	}
	if err := s.reachable(); err != nil {
		return err
	}
	if major == 0 {
		if s.password, err = s.Secret(superuserSecret); err != nil {
			return err
		}
		return s.initialise(ctx)
	}
	s.password, err = readSecret(s.paths.secret(superuserSecret))
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.DataDirUnusable,
			"The password of the database superuser is missing: "+s.paths.secret(superuserSecret)+".",
			"Restore that file from a backup of the data directory; the cluster accepts no new one.")
	}
	if err != nil {
		return err
	}
	return s.stopEarlier(ctx)
}

// clusterMajor is the major version of the cluster in dir; 0 when there is no cluster, that is, dir
// is missing or empty. Anything else in dir is somebody's, and an error.
func clusterMajor(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unusable(err, "read", dir)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	content, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fault.New(fault.DataDirUnusable,
			dir+" is not empty, and what is in it is not a database cluster (it has no PG_VERSION).",
			"Move it away if it can go. "+otherDirHint)
	}
	if err != nil {
		return 0, unusable(err, "read", filepath.Join(dir, "PG_VERSION"))
	}
	version := strings.TrimSpace(string(content))
	leading, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(leading)
	if err != nil || major < 1 {
		return 0, fault.New(fault.DataDirUnusable,
			fmt.Sprintf("%s does not say a version but %q.", filepath.Join(dir, "PG_VERSION"), version), otherDirHint)
	}
	return major, nil
}

func otherVersion(cluster string, major int, bin installation) *fault.Error {
	return fault.New(fault.DataDirVersion,
		fmt.Sprintf("The database cluster %s was made by PostgreSQL %d, and %s is PostgreSQL %d. Nothing was changed.",
			cluster, major, bin.dir, bin.major),
		fmt.Sprintf("Run it with PostgreSQL %d (--pg-bin, for example /usr/lib/postgresql/%d/bin), or move the data "+
			"to version %d: pg_dumpall with the old version and restore into another --data-dir, or pg_upgrade.",
			major, major, bin.major))
}

// initialise makes the cluster in a temporary directory and renames it into place when it is
// complete: whenever that is interrupted, there is no cluster, and the next start begins anew.
func (s *Server) initialise(ctx context.Context) error {
	s.removeHalfMade()
	begun := time.Now()
	s.cfg.Log.Info("initialising a database cluster", "dir", s.paths.cluster, "version", s.bin.major)
	temporary, err := os.MkdirTemp(s.paths.root, initdbPrefix+"*")
	if err != nil {
		return unusable(err, "create a directory in", s.paths.root)
	}
	defer s.removeTree(temporary)
	data := filepath.Join(temporary, "data")
	if err := s.initdb(ctx, temporary, data); err != nil {
		return err
	}
	// Not os.Rename, which refuses to replace an empty directory that we were given.
	if err := syscall.Rename(data, s.paths.cluster); err != nil {
		return unusable(err, "move the new cluster to", s.paths.cluster)
	}
	if err := syncDir(s.paths.root); err != nil {
		return err
	}
	s.fresh = true
	s.cfg.Log.Info("initialised the database cluster", "dir", s.paths.cluster, "took", since(begun))
	return nil
}

// initdb makes a cluster in data. The password goes through a file that only the server's account
// can read, in a directory that is removed afterwards.
func (s *Server) initdb(ctx context.Context, temporary, data string) error {
	passwordFile := filepath.Join(temporary, "password")
	if err := os.WriteFile(passwordFile, []byte(s.password+"\n"), 0o600); err != nil {
		return unusable(err, "write", passwordFile)
	}
	if err := errors.Join(s.account.give(passwordFile), s.account.give(temporary)); err != nil {
		return err
	}
	cmd := s.command(temporary, syscall.SIGKILL, "initdb", s.initdbArgs(data, passwordFile)...)
	// In memory: on a full disk a log would have no room for the reason. What initdb says on stdout is
	// how to start a server by hand.
	var said bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &said, time.Second
	child, err := spawn(cmd)
	if err != nil {
		return s.cannotRun(err, cmd.Path)
	}
	select {
	case <-child.exited:
	case <-ctx.Done():
		child.kill()
		return interrupted(ctx)
	}
	if child.err != nil {
		return s.failed(fmt.Errorf("run initdb: %w", child.err),
			"PostgreSQL could not make a database cluster in "+s.paths.root+".", lastLines(said.String()))
	}
	return nil
}

func (s *Server) initdbArgs(data, passwordFile string) []string {
	// The same order of text on every machine and version; macOS has no C.UTF-8.
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "C"
	}
	args := []string{
		"-D", data, "-U", superuser, "-E", "UTF8", "--locale=" + locale, "--data-checksums",
		"--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--pwfile=" + passwordFile,
	}
	if s.cfg.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	return args
}

// removeHalfMade removes what a killed initdb left.
func (s *Server) removeHalfMade() {
	left, _ := filepath.Glob(filepath.Join(s.paths.root, initdbPrefix+"*"))
	for _, dir := range left {
		s.cfg.Log.Info("removing an unfinished cluster", "dir", dir)
		s.removeTree(dir)
	}
}

// removeTree removes a temporary directory of ours. A program that is being killed may still be
// writing there, so it tries a few times; what stays is removed at the next start.
func (s *Server) removeTree(dir string) {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.cfg.Log.Warn("a temporary directory could not be removed", "dir", dir, "error", err)
}

// failed is the fault for a program that ended with an error and these last words; none are left
// where the disk under its log is full.
func (s *Server) failed(err error, message, said string) *fault.Error {
	f := fault.Wrap(err, fault.PostgresStart, message, "The detail says why. The server's log is "+s.paths.log+".")
	f.Detail = said
	var disk syscall.Statfs_t
	full := syscall.Statfs(s.paths.root, &disk) == nil && disk.Bavail*uint64(disk.Bsize) < 1<<20
	if full || strings.Contains(said, "No space left on device") || strings.Contains(said, "Check free disk space") {
		f.Code = fault.DataDirUnusable
		f.Message += " The disk is full."
		f.Hint = "Free some space there. " + otherDirHint
	}
	return f
}

// cannotRun is the fault for a program that did not even start.
func (s *Server) cannotRun(err error, program string) *fault.Error {
	hint := "Check that the PostgreSQL installation is complete, or name another with --pg-bin."
	if s.account != nil && errors.Is(err, fs.ErrPermission) {
		hint = fmt.Sprintf("It has to run as the user %s, who may not reach it there: name another installation with --pg-bin.",
			s.account.name)
	}
	return fault.Wrap(err, fault.PostgresStart, "Cannot run "+program+".", hint)
}

// interrupted is the fault for a start that ctx ended; errors.Is finds ctx's error in it.
func interrupted(ctx context.Context) *fault.Error {
	return fault.Wrap(context.Cause(ctx), fault.PostgresStart, "The start of the database server was interrupted.",
		"Start it again; nothing was left half done.")
}

// since rounds to what a reader of a log cares about.
func since(begun time.Time) time.Duration { return time.Since(begun).Round(time.Millisecond) }
