package localpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// shutdownGrace is how long a server has for a shutdown before the next harder signal: from fast to
// immediate when nobody waits for it, and from immediate to SIGKILL.
const shutdownGrace = 10 * time.Second

// process is a child of ours. Whoever reads err waits for exited first.
type process struct {
	cmd    *exec.Cmd
	pid    int
	exited chan struct{}
	err    error
}

// command prepares a program of the installation to run in dir, as the server's account, in its own
// process group (so that a Ctrl-C in the terminal reaches only us, and we stop it in order), and to
// be sent orphaned when we die.
func (s *Server) command(dir string, orphaned syscall.Signal, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin.dir, program), args...)
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.account != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.account.uid, Gid: s.account.gid}
	}
	signalWhenOrphaned(cmd.SysProcAttr, orphaned)
	return cmd
}

// environment is what programs of the installation see of ours: nothing that changes how PostgreSQL
// behaves (PG*, TZ) or what language its messages have, and no setting of VITAL, as those hold secrets.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH":
			env = append(env, pair)
		}
	}
	return env
}

// spawn starts cmd. The signal on our death is bound to the thread that started the child, not to
// the process, so that thread is kept until the child has exited.
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// stop shuts a server down and returns when it has exited: fast, when hurry closes immediate (which
// the server makes good by recovery at its next start), and at last by SIGKILL.
func (p *process) stop(hurry <-chan struct{}) {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.exited:
		return
	case <-hurry:
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.exited:
		return
	case <-within(shutdownGrace):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// kill ends a program and what it started in its process group, and returns when it has exited.
func (p *process) kill() {
	select {
	case <-p.exited: // the id may be another group's now
	default:
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
	<-p.exited
}

// within returns a channel that closes after d.
func within(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}
