//go:build !linux

package localpg

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// identify says whether process pid is the postmaster of the cluster, by its command line: ours is
// started as …/postgres -D cluster -c …. pg_ctl would not do: it believes the file that names the pid.
func identify(pid int, cluster string) identity {
	out, err := output("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid))
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return gone
	}
	program, args, found := strings.Cut(strings.TrimSpace(out), " -D "+cluster+" -c ")
	if err == nil && found && args != "" && filepath.Base(program) == "postgres" {
		return ours
	}
	return unknown
}
