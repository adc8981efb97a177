package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/localpg"
)

// pgbench is a variant's run of a script by pgbench -M prepared, over TCP like everybody else here, as
// whoever login, a URL, names. What the script calls :p1, :p2, … are parameters. pgbench counts whole
// seconds; its log has the latency of each transaction.
func (w *world) pgbench(login, name, text string, parameters ...string) (func(context.Context, int, time.Duration) (sample, error), error) {
	script := filepath.Join(w.dir, name+".pgbench")
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return nil, err
	}
	u, err := url.Parse(login)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	program := pgbenchPath()
	var given []string
	for i, value := range parameters {
		given = append(given, "-D", fmt.Sprintf("p%d=%s", i+1, value))
	}
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		seconds := max(1, int(slice.Round(time.Second).Seconds()))
		logs, err := os.MkdirTemp(w.dir, "pgbench-")
		if err != nil {
			return sample{}, err
		}
		defer os.RemoveAll(logs)
		cmd := exec.CommandContext(ctx, program, append(slices.Clone(given), "-n", "-M", "prepared", "-f", script,
			"-l", "--log-prefix", filepath.Join(logs, "log"),
			"-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)), "-T", strconv.Itoa(seconds),
			"-h", u.Hostname(), "-p", u.Port(), "-U", u.User.Username(), strings.TrimPrefix(u.Path, "/"))...)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGSSLMODE=disable")
		var failed bytes.Buffer
		cmd.Stderr = &failed
		out, err := cmd.Output()
		if err != nil {
			return sample{}, fmt.Errorf("pgbench: %w\n%s", err, failed.String())
		}
		rate, err := parsePgbench(out)
		if err != nil {
			return sample{}, err
		}
		s, err := readPgbenchLogs(logs)
		s.PerSecond = rate
		return s, err
	}, nil
}

var pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)

// parsePgbench returns the transactions a second.
func parsePgbench(out []byte) (float64, error) {
	m := pgbenchRate.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("pgbench printed no rate:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// readPgbenchLogs reads the latencies of all threads: the third field of a line, in microseconds.
func readPgbenchLogs(dir string) (sample, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return sample{}, err
	}
	var took []time.Duration
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return sample{}, err
		}
		for line := range bytes.Lines(content) {
			fields := bytes.Fields(line)
			if len(fields) < 3 {
				continue // pgbench was ended in the middle of a line
			}
			us, err := strconv.Atoi(string(fields[2]))
			if err != nil {
				return sample{}, fmt.Errorf("read %s: %w", entry.Name(), err)
			}
			took = append(took, time.Duration(us)*time.Microsecond)
		}
	}
	return summarize(took, time.Second), nil
}

// pgbenchPath prefers the one that came with the server; some packages put it elsewhere.
func pgbenchPath() string {
	if dir, err := localpg.FindBinDir(""); err == nil {
		if path := filepath.Join(dir, "pgbench"); exists(path) {
			return path
		}
	}
	return "pgbench"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
