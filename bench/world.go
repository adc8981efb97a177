package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

// world is everything one run shares: a private Postgres with the settings `vital up` gives it, and the
// built binary.
type world struct {
	options

	dir    string
	pg     *localpg.Server
	binary string
	secret string
	made   map[string]*target
}

// target is one of the private server's, with the logins to it.
type target struct {
	name       string
	superURL   string
	apiURL     string
	serviceURL string
}

func newWorld(ctx context.Context, o options) (_ *world, err error) {
	w := &world{options: o, made: map[string]*target{}}
	if w.dir, err = os.MkdirTemp("", "vital-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	w.secret = hex.EncodeToString(random[:])
	w.binary = filepath.Join(w.dir, "vital")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", w.binary, "./cmd/vital")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build vital: %w\n%s", err, out)
	}
	w.pg, err = localpg.Open(ctx, localpg.Config{
		DataDir: filepath.Join(w.dir, "data"), Settings: o.serverSettings(), Log: slog.New(slog.DiscardHandler),
	})
	return w, err
}

// serverSettings are none but for a run with peers: each has a pool of its own, as large as it likes.
func (o options) serverSettings() map[string]string {
	if len(o.peers) == 0 {
		return nil
	}
	return map[string]string{"max_connections": strconv.Itoa(100 * (1 + len(o.peers)))}
}

// close stops the server and removes what the run made.
func (w *world) close() error {
	var err error
	if w.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = w.pg.Stop(ctx)
	}
	if w.keep {
		w.progress("kept %s", w.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// progress tells a person who waits what is going on.
func (w *world) progress(format string, args ...any) {
	fmt.Fprintf(w.log, "  … "+format+"\n", args...)
}

// database makes a migrated database and has load fill it, once a run.
func (w *world) database(ctx context.Context, name string, load func(context.Context, *pgx.Conn) error) (*target, error) {
	if d, done := w.made[name]; done {
		return d, nil
	}
	started := time.Now()
	admin, err := pgx.Connect(ctx, w.pg.SuperuserURL("postgres"))
	if err != nil {
		return nil, err
	}
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
		return nil, err
	}
	d := &target{
		name: name, superURL: w.pg.SuperuserURL(name),
		apiURL: w.pg.URL("vital_api", w.secret, name), serviceURL: w.pg.URL("vital_service", w.secret, name),
	}
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: d.superURL})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Up(ctx); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", name, err)
	}
	for _, login := range []string{"vital_api", "vital_service"} {
		// The secret is hexadecimal, so it needs no quoting.
		if _, err := admin.Exec(ctx, "alter role "+login+" password '"+w.secret+"'"); err != nil {
			return nil, err
		}
	}
	if err := w.fill(ctx, d, load); err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	w.progress("database %s is migrated and loaded, %s", name, time.Since(started).Round(100*time.Millisecond))
	w.made[name] = d
	return d, nil
}

// fill loads without triggers, as a restore does, and leaves a database at rest: statistics taken,
// nothing for autovacuum to do, nothing for the checkpointer to write.
func (w *world) fill(ctx context.Context, d *target, load func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "set session_replication_role = replica"); err != nil {
		return err
	}
	if err := load(ctx, conn); err != nil {
		return err
	}
	for _, statement := range []string{"vacuum (analyze)", "checkpoint"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// open opens the product's own pools in this process, for scenarios below HTTP.
func (d *target) open(ctx context.Context) (*postgres.DB, error) {
	return postgres.Open(ctx, postgres.Config{URL: d.apiURL, ServiceURL: d.serviceURL})
}

// through returns d with its logins going by way of address, where a proxy listens.
func (d *target) through(address string) *target {
	detour := func(direct string) string {
		u, err := url.Parse(direct)
		if err != nil {
			panic(err) // we made it
		}
		u.Host = address
		return u.String()
	}
	other := *d
	other.apiURL, other.serviceURL = detour(d.apiURL), detour(d.serviceURL)
	return &other
}

// process is a server of ours that prints `ready http://…` once it serves.
type process struct {
	cmd     *exec.Cmd
	address string // host:port
}

// serve starts the real binary on d, with more settings. Its log goes to a file, as an operator would have it.
func (w *world) serve(ctx context.Context, d *target, settings ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, w.binary, "serve", "--listen", "127.0.0.1:0")
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir,
		"VITAL_DATABASE_URL=" + d.apiURL, "VITAL_SERVICE_DATABASE_URL=" + d.serviceURL,
		"VITAL_JWT_SECRET=" + w.secret, "VITAL_LOG_LEVEL=info",
	}, settings...)
	return w.start(cmd, "serve")
}

// start runs cmd with its log in a file and waits for its address.
func (w *world) start(cmd *exec.Cmd, name string) (*process, error) {
	file, err := os.CreateTemp(w.dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stderr = file
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	var line string
	if _, err := fmt.Fscanf(out, "ready %s\n", &line); err != nil {
		said, _ := os.ReadFile(file.Name())
		return nil, errors.Join(fmt.Errorf("%s does not serve: %w\n%s", name, err, said), p.stop())
	}
	p.address = strings.TrimPrefix(line, "http://")
	go io.Copy(io.Discard, out)
	return p, nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := p.cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return nil // how it ended is in its log
	}
	return err
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is how much memory the process takes, in bytes.
func (p *process) resident() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	match := residentLine.FindSubmatch(text)
	if match == nil {
		return 0, errors.New("the process does not say how much memory it takes")
	}
	kilobytes, err := strconv.ParseFloat(string(match[1]), 64)
	return kilobytes * 1024, err
}
