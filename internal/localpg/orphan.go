package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// identity is what we know about a process id written in a cluster's postmaster.pid.
type identity int

const (
	unknown identity = iota // it may be this cluster's server
	gone                    // there is no such process
	another                 // certainly not: the process runs something else, or is dead and not waited for
	ours                    // certainly this cluster's server
)

func postmasterFile(cluster string) string { return filepath.Join(cluster, "postmaster.pid") }

// readPostmasterFile returns the process that says it serves the cluster, 0 when there is none, and
// whether it says that it accepts connections (the 8th line, since PostgreSQL 10).
func readPostmasterFile(cluster string) (pid int, ready bool) {
	content, err := os.ReadFile(postmasterFile(cluster))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(content), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return 0, false
	}
	return pid, len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
}

// stopEarlier stops a server on the cluster that outlived its owner, and removes the lock file of one
// whose process id is another process now, which PostgreSQL would take for the server and never start.
// The caller holds our own lock, so no server of a living owner is meant. It waits for up to patience.
func (s *Server) stopEarlier(ctx context.Context) error {
	path := postmasterFile(s.paths.cluster)
	pid, _ := readPostmasterFile(s.paths.cluster)
	if pid == 0 {
		return s.dropEmptyLockFile(path)
	}
	// The handle comes before the question who that is, so that no successor of the same id can be meant.
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("find process %d: %w", pid, err)
	}
	defer process.Release() //nolint:errcheck // the handle goes with us either way
	switch identify(pid, s.paths.cluster) {
	case gone:
		return nil // PostgreSQL cleans up by itself
	case another:
		s.cfg.Log.Info("removing the lock file of a server that is gone", "file", path, "pid", pid)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unusable(err, "remove", path)
		}
		return nil
	case ours:
		s.cfg.Log.Info("stopping a server that outlived its owner", "pid", pid)
		return s.endEarlier(ctx, process)
	default:
		return nil // PostgreSQL decides, and start tries again
	}
}

// endEarlier asks for a fast shutdown, then for an immediate one, and waits.
func (s *Server) endEarlier(ctx context.Context, process *os.Process) error {
	begun := time.Now()
	signals := []struct {
		after time.Duration
		sig   syscall.Signal
	}{{0, syscall.SIGINT}, {patience * 2 / 3, syscall.SIGQUIT}}
	for wait := 10 * time.Millisecond; time.Since(begun) < patience; wait = min(2*wait, 500*time.Millisecond) {
		if len(signals) > 0 && time.Since(begun) >= signals[0].after {
			err := process.Signal(signals[0].sig)
			signals = signals[1:]
			if err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fault.Wrap(err, fault.DataDirUnusable,
					fmt.Sprintf("The cluster %s is served by process %d, which this user may not stop.", s.paths.cluster, process.Pid),
					"Stop that process, or run as its user or as root.")
			}
		}
		if identify(process.Pid, s.paths.cluster) != ours {
			return nil
		}
		if sleep(ctx, wait); ctx.Err() != nil {
			return interrupted(ctx)
		}
	}
	return fault.New(fault.PostgresStart,
		fmt.Sprintf("An earlier server (process %d) still runs in %s and does not stop.", process.Pid, s.paths.cluster),
		"Look into "+s.paths.log+" for what keeps it, and stop that process.")
}

// dropEmptyLockFile removes a postmaster.pid without content, as a loss of power leaves. PostgreSQL
// refuses to start over it, as its writer may be about to write; after 5 seconds there is none.
func (s *Server) dropEmptyLockFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unusable(err, "look at", path)
	}
	if info.Size() > 0 || time.Since(info.ModTime()) < 5*time.Second {
		return nil
	}
	s.cfg.Log.Info("removing an empty lock file", "file", path)
	if err := os.Remove(path); err != nil {
		return unusable(err, "remove", path)
	}
	return nil
}
