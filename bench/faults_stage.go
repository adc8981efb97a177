package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	faultTenants = 6
	faultMembers = 7   // of each tenant, besides its admin
	userRate     = 4.0 // requests a second of each user
	writePause   = 2 * time.Second
	// unlucky is the tenant that loses its configuration.
	unlucky = 3
)

var faultShape = shape{tenants: faultTenants, flags: 20, apps: 3, overrides: 5, agents: 12}

// faultStage is everything that runs.
type faultStage struct {
	world      *world
	database   *target
	operator   *pgx.Conn
	server     *process
	redis      *redisServer
	prometheus *prometheus // nil where there is none
	users      []user

	configuration string // that was taken away
	quiets        []window
	raised        int
}

func (w *world) openFaults(ctx context.Context) (_ *faultStage, err error) {
	s := &faultStage{world: w}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.database, err = w.faultDatabase(ctx); err != nil {
		return nil, err
	}
	if s.operator, err = pgx.Connect(ctx, s.database.superURL); err != nil {
		return nil, err
	}
	if s.redis, err = w.startRedis(ctx); err != nil {
		return nil, err
	}
	if s.server, err = w.serve(ctx, s.database, "VITAL_REDIS_URL=unix://"+s.redis.socket); err != nil {
		return nil, err
	}
	if s.prometheus, err = w.startPrometheus(s.server.address); err != nil {
		return nil, err
	}
	for tenant := 1; tenant <= faultTenants; tenant++ {
		for n := range faultMembers + 1 {
			u := user{tenant: tenant, number: tenant*1000 + n}
			if n == 0 {
				u.number = tenant // the admin, as load.sql has it
			}
			if u.token, err = w.token(u.number); err != nil {
				return nil, err
			}
			s.users = append(s.users, u)
		}
	}
	return s, nil
}

func (s *faultStage) close() error {
	var all []error
	if s.prometheus != nil {
		all = append(all, s.prometheus.stop())
	}
	if s.server != nil {
		all = append(all, s.server.stop())
	}
	if s.redis != nil {
		all = append(all, s.redis.stop())
	}
	if s.operator != nil {
		all = append(all, s.operator.Close(context.Background()))
	}
	return errors.Join(all...)
}

// as runs a statement as an operator who is logged in to the database.
func (s *faultStage) as(ctx context.Context, name string, args ...any) error {
	_, err := s.operator.Exec(ctx, faultsQueries.Get(name), args...)
	return err
}

// redisServer is a real one, on a socket.
type redisServer struct {
	cmd         *exec.Cmd
	dir, socket string
}

func (w *world) startRedis(ctx context.Context) (*redisServer, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("find redis-server: %w", err)
	}
	dir, err := os.MkdirTemp("", "vital-redis-") // another may be too long for a socket
	if err != nil {
		return nil, err
	}
	r := &redisServer{dir: dir, socket: filepath.Join(dir, "s")}
	r.cmd = exec.Command(program, "--port", "0", "--unixsocket", r.socket, "--dir", dir, "--save", "", "--loglevel", "warning") //nolint:noctx // ended by us
	if err := r.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for range 500 {
		if conn, err := net.Dial("unix", r.socket); err == nil { //nolint:noctx // loopback
			return r, conn.Close()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.stop())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil, errors.Join(errors.New("redis-server does not answer"), r.stop())
}

func (r *redisServer) stop() error {
	_ = r.cmd.Process.Kill() // it may be frozen
	_ = r.cmd.Wait()
	return os.RemoveAll(r.dir)
}

// user is a client who asks for data all the time.
type user struct {
	tenant, number int
	token          string
}

// wish is a kind of load, and how often it is wished for in a hundred.
type wish struct {
	load, method, path, body string
	often                    int
}

const writeLoad = "config.patch"

var wishes = []wish{
	{"tenant_context", http.MethodGet, "/v1/context", "", 40},
	{"prompts.select", http.MethodGet, "/rest/v1/prompts?select=id,title&order=title", "", 20},
	{"feature_flags.bulk", http.MethodPost, "/ofrep/v1/evaluate/flags", flagContext, 20},
	{"agents.select", http.MethodGet, "/rest/v1/agents?select=id,name&order=name", "", 15},
	{"rpc.prompt_summary", http.MethodPost, "/rest/v1/rpc/prompt_summary", "{}", 5},
}

// loadNames are the loads that are asked for.
var loadNames = func() (names []string) {
	for _, w := range wishes {
		names = append(names, w.load)
	}
	return append(names, writeLoad)
}()

// load is what users ask for, until it is stopped.
type load struct {
	client  *http.Client
	counts  map[string]*atomic.Int64 // answered, by load
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	broken error // an answer that did not come
}

func (s *faultStage) startLoad(ctx context.Context) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(s.users) + 1}},
		counts: map[string]*atomic.Int64{}, cancel: cancel,
	}
	for _, name := range loadNames {
		l.counts[name] = &atomic.Int64{}
	}
	for _, u := range s.users {
		l.running.Go(func() { l.use(ctx, s.server.address, u) })
	}
	l.running.Go(func() { l.write(ctx, s) })
	return l
}

// stop lets what is under way be answered.
func (l *load) stop() error {
	l.cancel()
	l.running.Wait()
	l.client.CloseIdleConnections()
	return l.broken
}

// use has u wish for something so often a second, and never for two things at once.
func (l *load) use(ctx context.Context, address string, u user) {
	random := rand.New(rand.NewPCG(7, uint64(u.number)))
	for {
		pause := time.Duration((0.5 + random.Float64()) / userRate * float64(time.Second))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		n, at := random.IntN(100), 0
		for n -= wishes[at].often; n >= 0; n -= wishes[at].often {
			at++
		}
		w := wishes[at]
		l.ask(ctx, w.load, w.method, "http://"+address+w.path, u.token, w.body)
	}
}

// write has admins change their tenant's configuration, one after the other.
func (l *load) write(ctx context.Context, s *faultStage) {
	admins := slices.DeleteFunc(slices.Clone(s.users), func(u user) bool { return u.number != u.tenant })
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(writePause):
		}
		u := admins[n%len(admins)]
		l.ask(ctx, writeLoad, http.MethodPatch, fmt.Sprintf("http://%s/api/tenants/%s/config", s.server.address, tenantID(u.tenant)), u.token,
			fmt.Sprintf(`{"ui_config":{"primary_color":"%s"}}`, colour()))
	}
}

// ask sends one request and counts that it was answered, however it was.
func (l *load) ask(ctx context.Context, name, method, url, token, body string) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, url, strings.NewReader(body))
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+token)
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		var response *http.Response
		if response, err = l.client.Do(request); err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			err = errors.Join(err, response.Body.Close())
		}
	}
	if err == nil {
		l.counts[name].Add(1)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = errors.Join(l.broken, err)
}

// command runs the real binary as an operator and reads the JSON it prints. Exit code 3 says that something does not hold.
func (s *faultStage) command(ctx context.Context, into any, args ...string) error {
	cmd := exec.CommandContext(ctx, s.world.binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.world.dir, "VITAL_DATABASE_URL=" + s.database.superURL}
	out, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() != 3 {
		return fmt.Errorf("vital %s: %w\n%s", strings.Join(args, " "), err, ended.Stderr)
	}
	if err != nil && ended == nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("vital %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
