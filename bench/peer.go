package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peerSpec is another server as the command line names it.
type peerSpec struct{ name, command, path string }

// parsePeers reads --peer and --peer-path, each NAME=VALUE.
func parsePeers(commands, paths []string) ([]peerSpec, error) {
	var all []peerSpec
	at := map[string]int{}
	for _, given := range commands {
		name, command, ok := strings.Cut(given, "=")
		if _, twice := at[name]; !ok || name == "" || command == "" || twice {
			return nil, fmt.Errorf("--peer takes NAME=COMMAND, once a name: %q", given)
		}
		at[name] = len(all)
		all = append(all, peerSpec{name, command, "/prompts?{query}"})
	}
	for _, given := range paths {
		name, path, _ := strings.Cut(given, "=")
		i, known := at[name]
		if !known || !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("--peer-path takes NAME=/PATH of a --peer: %q", given)
		}
		all[i].path = path
	}
	return all, nil
}

// peer is another server of the dialect that runs over the plain copy.
type peer struct {
	name    string
	cmd     *exec.Cmd
	ended   chan struct{}
	address string
	path    string
	bytes   int
}

// peerPatience is how long a peer may take to serve, and to stop.
const peerPatience = 20 * time.Second

// startPeer starts a peer and waits until it answers with the rows.
func (w *world) startPeer(ctx context.Context, spec peerSpec, d *target, token string) (_ *peer, err error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer(
		"{url}", w.plainURL(d), "{port}", strconv.Itoa(port), "{secret}", w.secret,
		"{database}", d.name, "{schema}", plainSchema, "{query}", restQuery)
	log, err := os.CreateTemp(w.dir, "peer-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &peer{
		name: spec.name, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), path: fill.Replace(spec.path), ended: make(chan struct{}),
		cmd: exec.CommandContext(ctx, "sh", "-c", fill.Replace(spec.command)),
	}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.dir, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGINT) }
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.ended)
	}()
	body, err := p.await(ctx, token)
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		return nil, errors.Join(fmt.Errorf("peer %s: %w\n%s", p.name, err, said), p.stop())
	}
	p.bytes = len(body)
	return p, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil //nolint:forcetypeassert // that is what tcp has
}

// await asks until the rows come.
func (p *peer) await(ctx context.Context, token string) ([]byte, error) {
	for started := time.Now(); ; {
		body, err := readRows(p.address, p.path, token, restRows)
		if err == nil || time.Since(started) > peerPatience {
			return body, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.ended:
			return nil, errors.New("it has ended")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// signal reaches the peer and whatever it has started.
func (p *peer) signal(s syscall.Signal) error {
	err := syscall.Kill(-p.cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// stop ends the peer and waits for it.
func (p *peer) stop() error {
	err := p.signal(syscall.SIGINT)
	select {
	case <-p.ended:
	case <-time.After(peerPatience):
	}
	return errors.Join(err, p.signal(syscall.SIGKILL))
}
