package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// readyPoll is how often a starting server is asked whether it accepts connections.
const readyPoll = 20 * time.Millisecond

// Why a server did not start, as far as we act on it.
var (
	errPortTaken  = errors.New("the port is taken")
	errStillInUse = errors.New("processes of an earlier server still use the cluster")
)

// defaults are settings for a server that one application on this machine uses. UTC: what the
// database prints must not depend on the machine it runs on.
var defaults = map[string]string{
	"max_connections": "100",
	// Requests of milliseconds: policies make them look dear enough to be compiled, which takes longer than they do.
	"jit":                 "off",
	"password_encryption": "scram-sha-256",
	"timezone":            "UTC",
	"log_timezone":        "UTC",
	"log_destination":     "stderr",
	"logging_collector":   "off",
	"log_min_messages":    "warning",
	"log_line_prefix":     "%m [%p] %q%u@%d ",
	// What `vital check drift` says since when of.
	"track_commit_timestamp": "on",
}

// settings are all the server is started with, in a fixed order.
func (s *Server) settings() []string {
	all := maps.Clone(defaults)
	all["shared_buffers"] = sharedBuffers()
	maps.Copy(all, s.cfg.Settings)
	all["listen_addresses"] = "127.0.0.1"
	all["unix_socket_directories"] = ""
	all["port"] = strconv.Itoa(s.port)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// firstStart starts the server on the port choosePort finds. A port can be taken between looking and
// starting; then it looks again.
func (s *Server) firstStart(ctx context.Context) (*process, error) {
	avoid := map[int]bool{}
	for {
		port, err := s.choosePort(avoid)
		if err != nil {
			return nil, err
		}
		s.port = port
		child, err := s.start(ctx)
		if !errors.Is(err, errPortTaken) {
			return child, err
		}
		avoid[port] = true
	}
}

// start starts the server on s.port and waits until it accepts connections. While processes of an
// earlier server hold the cluster (they are gone moments after their postmaster was killed), it tries
// again, for up to patience.
func (s *Server) start(ctx context.Context) (*process, error) {
	deadline := time.Now().Add(patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		child, err := s.launch(ctx)
		if err == nil || !errors.Is(err, errStillInUse) || time.Now().After(deadline) {
			return child, err
		}
		s.cfg.Log.Info("waiting for an earlier server's processes to end", "retry_in", wait)
		if sleep(ctx, wait); ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
		if err := s.stopEarlier(ctx); err != nil {
			return nil, err
		}
	}
}

// launch makes one try. On error no server is left.
func (s *Server) launch(ctx context.Context) (*process, error) {
	begun := time.Now()
	log, begin, err := openLog(s.paths.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Of the signals that stop a server, SIGINT is the one that does not wait for clients to leave.
	cmd := s.command(s.paths.cluster, syscall.SIGINT, "postgres", append([]string{"-D", s.paths.cluster}, s.settings()...)...)
	cmd.Stdout, cmd.Stderr = log, log
	child, err := spawn(cmd)
	if err != nil {
		return nil, s.cannotRun(err, cmd.Path)
	}
	if err := s.awaitReady(ctx, child); err != nil {
		child.stop(within(shutdownGrace))
		if errors.Is(err, errExited) {
			return nil, s.startFault(child, begin)
		}
		return nil, err
	}
	s.cfg.Log.Info("the database server accepts connections", "port", s.port, "pid", child.pid, "took", since(begun))
	return child, nil
}

var errExited = errors.New("the server has exited")

// awaitReady returns nil when child accepts connections, errExited when it has ended, or why it never
// will be ready for us. Recovery takes as long as it takes: only ctx bounds the wait.
func (s *Server) awaitReady(ctx context.Context, child *process) error {
	begun := time.Now()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for report := begun.Add(5 * time.Second); ; {
		select {
		case <-child.exited:
			return errExited
		case <-ctx.Done():
			return interrupted(ctx)
		case <-ticker.C:
		}
		// Before the child has said so in its lock file, whoever answers on the port is not the child.
		if pid, ready := readPostmasterFile(s.paths.cluster); pid == child.pid && ready {
			if err := s.probe(ctx); !errors.Is(err, errNotYet) {
				return err
			}
		}
		if time.Now().After(report) {
			s.cfg.Log.Info("the database server is still starting", "for", since(begun), "log", s.paths.log)
			report = time.Now().Add(5 * time.Second)
		}
	}
}

var errNotYet = errors.New("the server does not accept connections yet")

// probe returns nil when the server accepts connections with the superuser's password, errNotYet when
// it may do so later. A server that answers anything but "starting" or "wrong password" is past both.
func (s *Server) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	config, err := pgx.ParseConfig(s.SuperuserURL("postgres"))
	if err != nil {
		return fault.Wrap(err, fault.ConfigInvalid, "The environment does not allow a connection to the private server.",
			"Unset PGSERVICE and the other PG* variables.")
	}
	// ParseConfig also takes these from PG* variables, which are about other servers.
	config.TLSConfig, config.Fallbacks, config.ValidateConnect = nil, nil, nil
	config.RuntimeParams = map[string]string{"application_name": "vital"}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		return conn.Close(ctx)
	}
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return errors.Join(errNotYet, err)
	}
	switch refusal.Code {
	case "57P03": // cannot_connect_now
		return errors.Join(errNotYet, err)
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return fault.Wrap(err, fault.DataDirUnusable,
			"The server does not accept the superuser's password in "+s.paths.secret(superuserSecret)+".",
			"Restore that file from a backup of the data directory, or write the right password into it.")
	default:
		return nil
	}
}

// startFault says why child ended, in the server's own words, and marks what we act on.
func (s *Server) startFault(child *process, begin int64) *fault.Error {
	said := tail(s.paths.log, begin)
	cause := fmt.Errorf("run postgres: %w", errors.Join(errExited, child.err))
	switch {
	case strings.Contains(said, "Address already in use"):
		if s.cfg.Port != 0 {
			return fault.Wrap(cause, fault.ListenFailed,
				fmt.Sprintf("Port %d on 127.0.0.1 is taken by another program.", s.port),
				"Stop that program, or choose another port for the private server.")
		}
		cause = errors.Join(errPortTaken, cause)
	case strings.Contains(said, "pre-existing shared memory block"),
		strings.Contains(said, `lock file "postmaster.pid" already exists`),
		strings.Contains(said, `lock file "postmaster.pid" is empty`):
		cause = errors.Join(errStillInUse, cause)
	}
	return s.failed(cause, "The database server in "+s.paths.cluster+" did not start.", said)
}

// logLimit is the size at which a log is set aside at the next start; one old log is kept.
const logLimit = 16 << 20

// openLog opens the server's log for appending and returns where it ends now. The server gets it as
// stdout and stderr, so it needs no access of its own.
func openLog(path string) (*os.File, int64, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, 0, unusable(err, "rename", path)
		}
	}
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, unusable(err, "open", path)
	}
	end, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		log.Close()
		return nil, 0, unusable(err, "read", path)
	}
	return log, end, nil
}

// tail returns the last lines of the log after begin, at most 12 and 4 KiB.
func tail(path string, begin int64) string {
	log, err := os.Open(filepath.Clean(path))
	if err != nil {
		return ""
	}
	defer log.Close()
	if end, err := log.Seek(0, io.SeekEnd); err == nil {
		begin = max(begin, end-4096)
	}
	content, err := io.ReadAll(io.NewSectionReader(log, begin, 4096))
	if err != nil {
		return ""
	}
	return lastLines(string(content))
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
