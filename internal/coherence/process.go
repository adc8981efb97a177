package coherence

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program of the stage, which can be killed, frozen and started again.
type process struct {
	name    string
	command func() *exec.Cmd
	ready   func(ctx context.Context, out io.Reader) error
	log     *os.File

	mu  sync.Mutex
	cmd *exec.Cmd
}

// start starts it and waits until it serves.
func (p *process) start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := p.command()
	cmd.Stderr = p.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd = cmd
	if err := p.ready(ctx, out); err != nil {
		said, _ := os.ReadFile(p.log.Name())
		return fmt.Errorf("%s does not serve: %w\n%s", p.name, err, said[max(0, len(said)-2000):])
	}
	return nil
}

// kill ends it as a power failure would.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *process) signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return os.ErrProcessDone
	}
	return p.cmd.Process.Signal(sig)
}

// instance is a server of ours.
type instance struct {
	process
	address string
}

const anyPort = "127.0.0.1:0"

func (s *stage) newInstance(number int) (*instance, error) {
	log, err := os.Create(filepath.Join(s.config.Dir, fmt.Sprintf("vital-%d.log", number)))
	if err != nil {
		return nil, err
	}
	i := &instance{address: anyPort}
	i.name, i.log = fmt.Sprintf("instance %d", number), log
	i.command = func() *exec.Cmd {
		cmd := exec.Command(s.config.Binary, "serve", "--listen", i.address) //nolint:noctx // our own binary, ended by us
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + s.config.Dir, "VITAL_DATABASE_URL=" + s.config.APIURL,
			"VITAL_SERVICE_DATABASE_URL=" + s.config.ServiceURL, "VITAL_JWT_SECRET=" + s.config.Secret, "VITAL_REDIS_URL=unix://" + s.redis.socket,
			"VITAL_KEK_FILE=" + filepath.Join(s.config.Dir, "kek"), "VITAL_LOG_LEVEL=warn",
		}
		return cmd
	}
	i.ready = func(_ context.Context, out io.Reader) error {
		lines := bufio.NewReader(out)
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		if i.address == anyPort { // and the same one when it is started again
			i.address = strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(line, "ready ")), "http://")
		}
		go io.Copy(io.Discard, lines) //nolint:errcheck // it ends with the process
		return nil
	}
	return i, nil
}

// startAgain is start, as whoever watches over a server does it: again and again.
func (i *instance) startAgain(ctx context.Context) error {
	var err error
	for range 60 {
		if err = i.start(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		i.kill()
		sleep(ctx, 500*time.Millisecond)
	}
	return err
}

// redis is a real redis-server on a socket.
type redis struct {
	process
	dir, socket string
}

func (s *stage) newRedis() (*redis, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("find redis-server: %w", err)
	}
	dir, err := os.MkdirTemp("", "vital-redis-") // another may be too long for a socket
	if err != nil {
		return nil, err
	}
	r := &redis{dir: dir, socket: filepath.Join(dir, "s")}
	r.name = "redis"
	if r.log, err = os.Create(filepath.Join(s.config.Dir, "redis.log")); err != nil {
		return nil, err
	}
	r.command = func() *exec.Cmd {
		return exec.Command(program, "--port", "0", "--unixsocket", r.socket, "--dir", dir, "--save", "", "--loglevel", "warning") //nolint:noctx // ended by us
	}
	r.ready = func(ctx context.Context, out io.Reader) error {
		go io.Copy(io.Discard, out) //nolint:errcheck // it ends with the process
		for range 500 {
			if err := r.do("PING"); err == nil {
				return nil
			}
			sleep(ctx, 10*time.Millisecond)
		}
		return errors.New("no answer")
	}
	return r, nil
}

// snapshotFile is what Redis loads when it starts.
func (r *redis) snapshotFile() string { return filepath.Join(r.dir, "dump.rdb") }

// do sends one command on a connection of its own.
func (r *redis) do(words ...string) error {
	conn, err := net.DialTimeout("unix", r.socket, time.Second) //nolint:noctx // it has a time of its own
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it has served
	_, err = ask(conn, bufio.NewReader(conn), words...)
	return err
}

// ask sends a command to Redis and reads an answer that is a line or a string.
func ask(conn net.Conn, in *bufio.Reader, words ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return "", err
	}
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSpace(line)
	switch {
	case line == "$-1":
		return "", nil
	case strings.HasPrefix(line, "-"):
		return "", errors.New(line)
	case !strings.HasPrefix(line, "$"):
		return line, nil
	}
	length, err := strconv.Atoi(line[1:])
	if err != nil {
		return "", err
	}
	text := make([]byte, length+2)
	_, err = io.ReadFull(in, text)
	return string(text[:length]), err
}

// family is a process and all its children.
func family(ctx context.Context, pid int) ([]int, error) {
	said, err := exec.CommandContext(ctx, "ps", "-e", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	all := []int{pid}
	for line := range strings.Lines(string(said)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err == nil && parent == pid {
			all = append(all, child)
		}
	}
	return all, nil
}

// postmaster is the process id of the database server.
func (s *stage) postmaster() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.config.DataDir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(line)
}

// freeze stops processes for a while.
func freeze(ctx context.Context, pids []int, hold time.Duration) error {
	var all []error
	for _, pid := range pids {
		all = append(all, syscall.Kill(pid, syscall.SIGSTOP))
	}
	sleep(ctx, hold)
	for _, pid := range pids {
		all = append(all, syscall.Kill(pid, syscall.SIGCONT))
	}
	return errors.Join(all...)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
