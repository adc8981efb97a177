package localpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// oldestMajor is the oldest PostgreSQL whose features VITAL relies on.
const oldestMajor = 15

const installHint = "Install PostgreSQL 15 or newer (Debian, Ubuntu: apt install postgresql; " +
	"macOS: brew install postgresql@17), or name the directory of initdb and postgres with --pg-bin (VITAL_PG_BIN)."

// installation is a directory with a server that VITAL can run.
type installation struct {
	dir   string
	major int
}

// FindBinDir returns the absolute directory of initdb and postgres, version 15 or newer. With an
// explicit directory it is that one or an error, never another; else it is the first that fits of:
// pg_config --bindir, PATH, /usr/lib/postgresql/*/bin and Homebrew's directories, newest first.
// The error is PostgresNotFound; its Detail lists what was looked at and why it does not fit.
func FindBinDir(explicit string) (string, error) {
	found, err := findInstallation(explicit, 0)
	return found.dir, err
}

// findInstallation is FindBinDir, except that in a search an installation of the major version
// preferred (0: none) comes before all others.
func findInstallation(explicit string, preferred int) (installation, error) {
	if explicit != "" {
		found, err := inspect(explicit)
		if err != nil {
			return installation{}, fault.Wrap(err, fault.PostgresNotFound,
				fmt.Sprintf("%s is not a directory of PostgreSQL programs VITAL can use: %v.", explicit, err),
				installHint)
		}
		return found, nil
	}
	var fallback installation
	var rejected []string
	for _, dir := range candidates() {
		found, err := inspect(dir)
		switch {
		case errors.Is(err, os.ErrNotExist) && !exists(filepath.Join(dir, "postgres")):
			// Most places searched hold no server at all; listing them would bury the ones that do.
		case err != nil:
			rejected = append(rejected, fmt.Sprintf("%s: %v", dir, err))
		case preferred == 0 || found.major == preferred:
			return found, nil
		case fallback.dir == "":
			fallback = found
		}
	}
	if fallback.dir != "" {
		return fallback, nil
	}
	f := fault.New(fault.PostgresNotFound, "No PostgreSQL server of version 15 or newer was found on this machine.", installHint)
	f.Detail = strings.Join(rejected, "\n")
	return installation{}, f
}

// candidates lists directories that may hold the programs, most wanted first.
func candidates() []string {
	var dirs []string
	if out, err := output("pg_config", "--bindir"); err == nil {
		dirs = append(dirs, strings.TrimSpace(out))
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		newestFirst(found)
		dirs = append(dirs, found...)
	}
	seen := make(map[string]bool, len(dirs))
	return slices.DeleteFunc(dirs, func(dir string) bool {
		twice := dir == "" || seen[dir]
		seen[dir] = true
		return twice
	})
}

var (
	pathVersion   = regexp.MustCompile(`(\d+)(?:\.\d+)?/bin$`)
	outputVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
)

// newestFirst sorts …/17/bin and …/postgresql@17/bin by version; as text, 9 would come before 17.
func newestFirst(dirs []string) {
	version := func(dir string) int {
		m := pathVersion.FindStringSubmatch(dir)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(m[1])
		return n
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
}

// inspect returns the installation in dir, or what is wrong with it.
func inspect(dir string) (installation, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return installation{}, err
	}
	for _, program := range []string{"postgres", "initdb"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil {
			return installation{}, fmt.Errorf("it has no %s: %w", program, err)
		}
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			return installation{}, fmt.Errorf("its %s cannot be executed", program)
		}
	}
	out, err := output(filepath.Join(dir, "postgres"), "--version")
	if err != nil {
		return installation{}, fmt.Errorf("its postgres does not tell its version: %w", err)
	}
	m := outputVersion.FindStringSubmatch(out)
	if m == nil {
		return installation{}, fmt.Errorf("its postgres does not tell its version but %q", strings.TrimSpace(out))
	}
	major, err := strconv.Atoi(m[1])
	if err != nil || major < oldestMajor {
		return installation{}, fmt.Errorf("it is version %s and VITAL needs %d or newer", m[1], oldestMajor)
	}
	return installation{dir: dir, major: major}, nil
}

// output runs a program that only prints something.
func output(program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = environment()
	out, err := cmd.Output()
	return string(out), err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
