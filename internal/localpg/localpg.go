// Package localpg finds, initialises, starts and stops a private PostgreSQL server: one cluster in
// one data directory, owned by one process at a time and reachable on 127.0.0.1 only.
//
// What it promises: a killed process never leaves half a cluster or loses a committed row, a data
// directory that is not certainly ours is never written to, and the server does not outlive its owner.
package localpg

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// superuser is the role initdb creates; its password is the secret of the name superuserSecret.
const (
	superuser       = "postgres"
	superuserSecret = "superuser"
)

// patience bounds the waits for something that passes by itself: an earlier server that is shutting
// down, or another process that is still starting the server.
const patience = 30 * time.Second

// Config says where the server lives and how it runs.
type Config struct {
	// DataDir holds everything: the cluster (postgres), secrets, the lock, the port and the log.
	// A relative path is taken from the working directory. Required.
	DataDir string
	// BinDir is the directory of initdb and postgres. Defaults to what FindBinDir finds; for a
	// cluster that exists, an installed PostgreSQL of its major version comes first.
	BinDir string
	// Settings are server settings by name. They override the defaults of this package, except
	// those its promises rest on (address, port, sockets, file locations), which are refused.
	Settings map[string]string
	// Port is the wanted TCP port; it is an error if that is taken. Defaults to the port of the
	// last start, or a free one.
	Port int
	// Log receives progress; secrets are never logged. Required.
	Log *slog.Logger
}

// Server is a running private server, or one that another process runs and this one uses.
type Server struct {
	cfg      Config
	paths    layout
	bin      installation
	account  *account // nil: the server runs as ourselves
	password string
	port     int
	fresh    bool

	lock      *lock              // nil: another process owns the server
	halt      context.CancelFunc // ends supervision, which stops the server
	hurry     chan struct{}      // closed: no more time for a fast shutdown
	hurryOnce sync.Once
	stopped   chan struct{} // closed: the server has exited and the lock is free
}

// Open takes the data directory, initialises a cluster when there is none, starts the server and
// returns when it accepts connections. From then on the server is restarted when it dies, until Stop.
// ctx bounds the start only.
//
// Errors: DataDirInUse when another process holds the directory, DataDirVersion and DataDirUnusable
// when the directory is not one this installation can serve, PostgresNotFound, ListenFailed when
// Config.Port is taken, PostgresStart with the server's own words in Detail for anything else.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	held, holder, err := tryLock(s.paths.lock)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, inUse(s.paths.root, holder)
	}
	return s.own(ctx, held)
}

// Attach uses the server that another process runs on the data directory; its Stop does nothing.
// When nobody runs one, Attach is Open. While the other process is still starting its server, Attach
// waits, at most 30 s or until ctx ends. Errors are those of Open.
func Attach(ctx context.Context, cfg Config) (*Server, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(patience)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		held, holder, err := tryLock(s.paths.lock)
		if err != nil {
			return nil, err
		}
		if held != nil {
			return s.own(ctx, held)
		}
		err = s.join(ctx, holder)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errNotYet) {
			return nil, err // no waiting makes a password readable, or right
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			f := inUse(s.paths.root, holder)
			f.Message += " Its server does not answer yet."
			f.Err = errors.Join(ctx.Err(), err)
			return nil, f
		}
		sleep(ctx, wait)
	}
}

// newServer checks cfg and makes the data directory; it neither locks nor starts anything.
func newServer(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	paths, err := makeLayout(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	return &Server{
		cfg:     cfg,
		paths:   paths,
		hurry:   make(chan struct{}),
		stopped: make(chan struct{}),
	}, nil
}

// fixedSettings are those the package's promises rest on.
var fixedSettings = map[string]string{
	"port":                    "it is Config.Port",
	"listen_addresses":        "the private server listens on 127.0.0.1 only",
	"unix_socket_directories": "the private server has no Unix socket",
	"data_directory":          "it is DataDir/postgres",
	"config_file":             "it is in DataDir/postgres",
	"hba_file":                "it is in DataDir/postgres",
	"ident_file":              "it is in DataDir/postgres",
}

var settingName = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$`)

func (c Config) validate() error {
	const hint = "Correct the configuration of the private server."
	switch {
	case c.DataDir == "":
		return fault.New(fault.ConfigInvalid, "The data directory is not set.",
			"Name one with --data-dir (VITAL_DATA_DIR).")
	case c.Log == nil:
		return fault.New(fault.ConfigInvalid, "The private server has no log.", hint)
	case c.Port < 0 || c.Port > 65535:
		return fault.New(fault.ConfigInvalid,
			"The port "+strconv.Itoa(c.Port)+" is not between 1 and 65535.", hint)
	}
	for name := range c.Settings {
		if !settingName.MatchString(name) {
			return fault.New(fault.ConfigInvalid, "The server setting "+strconv.Quote(name)+
				" is not a name of lower-case letters, digits and underscores.", hint)
		}
		if why, fixed := fixedSettings[name]; fixed {
			return fault.New(fault.ConfigInvalid, "The server setting "+name+" cannot be set: "+why+".", hint)
		}
	}
	return nil
}

// own makes s the owner of the data directory and starts its server. It releases held on error.
func (s *Server) own(ctx context.Context, held *lock) (_ *Server, err error) {
	defer func() {
		if err != nil {
			held.release()
		}
	}()
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	child, err := s.firstStart(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.announce(held); err != nil {
		child.stop(within(shutdownGrace))
		return nil, err
	}
	s.lock = held
	life, halt := context.WithCancel(context.Background())
	s.halt = halt
	go s.supervise(life, child)
	return s, nil
}

// announce keeps the port for the next start and tells Attach where the server is.
func (s *Server) announce(held *lock) error {
	if err := keepPort(s.paths.port, s.port); err != nil {
		return err
	}
	return held.announce(s.port)
}

// join uses the server of holder. The error is errNotYet when that may work later.
func (s *Server) join(ctx context.Context, holder holder) error {
	if holder.Port == 0 {
		return errNotYet
	}
	password, err := readSecret(s.paths.secret(superuserSecret))
	if err != nil {
		return err
	}
	s.password, s.port = password, holder.Port
	return s.probe(ctx)
}

// URL is the address of database dbname for user: postgres://user:password@127.0.0.1:port/dbname?sslmode=disable.
// It holds the password.
func (s *Server) URL(user, password, dbname string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + dbname,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// SuperuserURL is the address of database dbname for the superuser, with its password.
func (s *Server) SuperuserURL(dbname string) string {
	return s.URL(superuser, s.password, dbname)
}

// Port is the TCP port on 127.0.0.1; it stays the same until Stop.
func (s *Server) Port() int { return s.port }

// Owned reports whether this process runs the server; false when attached to another process' one.
func (s *Server) Owned() bool { return s.lock != nil }

// Initialised reports whether this start made the cluster.
func (s *Server) Initialised() bool { return s.fresh }

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
