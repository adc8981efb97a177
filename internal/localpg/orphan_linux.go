package localpg

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// identify says whether process pid is the postmaster of the cluster. A postmaster works in its data
// directory and keeps its arguments, while its backends put a title in their place. What /proc shows
// of processes of other users varies (containers), so each source counts only where it can be read.
func identify(pid int, cluster string) identity {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	content, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if errors.Is(err, fs.ErrNotExist) {
		return gone
	}
	if err != nil {
		return unknown
	}
	args := strings.Split(strings.TrimRight(string(content), "\x00"), "\x00")
	if args[0] == "" {
		return another // dead and not yet waited for, or a thread of the kernel
	}
	program := args[0]
	if exe, err := os.Readlink(filepath.Join(proc, "exe")); err == nil {
		program = strings.TrimSuffix(exe, " (deleted)")
	}
	if filepath.Base(program) != "postgres" {
		return another
	}
	here, err := os.Stat(cluster)
	if err != nil {
		return unknown
	}
	if there, err := os.Stat(filepath.Join(proc, "cwd")); err == nil {
		switch {
		case !os.SameFile(here, there):
			return another
		case strings.HasPrefix(args[0], "postgres: "):
			return unknown // a backend, of a postmaster that is dead
		default:
			return ours
		}
	}
	if at := slices.Index(args, "-D"); at > 0 && at+1 < len(args) && args[at+1] == cluster {
		return ours
	}
	return unknown
}
