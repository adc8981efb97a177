package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// environment is what a figure depends on.
type environment struct {
	Date     string            `json:"date"`
	Commit   string            `json:"commit"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Load     string            `json:"load_average"` // before the run: what else the machine did
	OS       string            `json:"os"`
	Go       string            `json:"go"`
	Postgres string            `json:"postgres"`
	Settings map[string]string `json:"postgres_settings"`
	Rounds   int               `json:"rounds"`
	Slice    string            `json:"slice"`
}

// settingNames are the server's settings that matter to these figures, as `vital up` has them.
var settingNames = []string{
	"shared_buffers", "fsync", "synchronous_commit", "full_page_writes", "max_wal_size", "checkpoint_timeout", "jit", "ssl", "max_connections",
}

func (w *world) environment(ctx context.Context) (environment, error) {
	e := environment{
		Date: time.Now().UTC().Format(time.RFC3339), Commit: commit(ctx),
		CPU: fileField("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Load: loadAverage(),
		OS: runtime.GOOS + "/" + runtime.GOARCH + " " + firstLine("/proc/sys/kernel/osrelease"),
		Go: runtime.Version(), Settings: map[string]string{}, Rounds: w.rounds, Slice: w.slice.String(),
	}
	conn, err := pgx.Connect(ctx, w.pg.SuperuserURL("postgres"))
	if err != nil {
		return e, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, "show server_version").Scan(&e.Postgres); err != nil {
		return e, err
	}
	for _, name := range settingNames {
		var value string
		if err := conn.QueryRow(ctx, "select current_setting($1)", name).Scan(&value); err != nil {
			return e, err
		}
		e.Settings[name] = value
	}
	return e, nil
}

func (e environment) print(out io.Writer) {
	fmt.Fprintf(out, "%s, %d cores, load %s, %s\n", e.CPU, e.Cores, e.Load, e.OS)
	fmt.Fprintf(out, "%s, PostgreSQL %s, vital %s, %d rounds of %s\n", e.Go, e.Postgres, e.Commit, e.Rounds, e.Slice)
	var settings []string
	for _, name := range settingNames {
		settings = append(settings, name+"="+e.Settings[name])
	}
	fmt.Fprintf(out, "private server as `vital up` starts it: %s\n", strings.Join(settings, " "))
}

// commit names what was measured; a dirty tree says so.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func loadAverage() string {
	fields := strings.Fields(firstLine("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func firstLine(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return line
}

// fileField returns the first value of `name : value` lines.
func fileField(path, name string) string {
	content, _ := os.ReadFile(path)
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
