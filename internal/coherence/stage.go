package coherence

import (
	"context"
	"crypto/md5" //nolint:gosec // it names things, as the stage's SQL does
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed stage.sql
var stageText string

var queries = database.ParseQueries(stageText)

// The registers of a tenant, by the letter that marks them in an answer; the definition is everybody's.
const (
	configRegister     = 'c' // in the tenant's configuration
	nameRegister       = 'n' // the organization's name, which stands in lists of other tenants' members, too
	appRegister        = 'a'
	overrideRegister   = 'o' // of a flag
	agentRegister      = 'g' // a row of /rest/v1
	definitionRegister = 'd' // of a flag
)

// shown are the registers that a context shows of its tenant.
const shown = "cnao"

// play is one tenant and what is written in it.
type play struct {
	number    int
	id        uuid.UUID
	registers map[byte]*register
	role      *register // of a member
	access    *register // 0 while a user is a member, 1 while not
	life      *register // 0 while the tenant is active, 1 while suspended; only of the last two
	session   atomic.Pointer[session]
	// tokens:
	owner, changing, coming string // coming is removed and added, changing has ever another role
	members                 []string
}

// session is one that is signed out some day: 0 until then.
type session struct {
	id    uuid.UUID
	token string
	ended *register
}

// stage is everything that runs.
type stage struct {
	config     Config
	redis      *redis
	servers    [instances]*instance
	plays      []*play
	still      []*play // tenants that are suspended and activated, and nothing else
	definition *register
	operator   string
	issuer     *identity.TokenIssuer
	db         *postgres.DB // reads the positions that servers have sealed

	mu   sync.Mutex
	conn *pgx.Conn // the superuser's, for what nobody's instance writes
}

func named(format string, args ...any) uuid.UUID { return md5.Sum(fmt.Appendf(nil, format, args...)) } //nolint:gosec // as above

func (p *play) user(who string) uuid.UUID { return named("user %d %s", p.number, who) }

// open fills the database and starts Redis and the servers.
func open(ctx context.Context, config Config) (_ *stage, err error) {
	s := &stage{config: config, definition: &register{name: "flag definition"}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.issuer, err = identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(config.Secret)}); err != nil {
		return nil, err
	}
	if s.db, err = postgres.Open(ctx, postgres.Config{URL: config.APIURL, ServiceURL: config.ServiceURL, MaxConns: 1}); err != nil {
		return nil, err
	}
	if err := s.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill the database: %w", err)
	}
	if err := s.cast(ctx); err != nil {
		return nil, err
	}
	var kek [32]byte
	_, _ = rand.Read(kek[:]) // never fails
	if err := os.WriteFile(filepath.Join(config.Dir, "kek"), []byte(base64.StdEncoding.EncodeToString(kek[:])), 0o600); err != nil {
		return nil, err
	}
	if s.redis, err = s.newRedis(); err != nil {
		return nil, err
	}
	if err := s.redis.start(ctx); err != nil {
		return nil, err
	}
	for n := range s.servers {
		if s.servers[n], err = s.newInstance(n); err != nil {
			return nil, err
		}
		if err := s.servers[n].start(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) close() error {
	for _, server := range s.servers {
		if server != nil {
			server.kill()
			_ = server.log.Close()
		}
	}
	if s.db != nil {
		s.db.Close()
	}
	var err error
	if s.redis != nil {
		s.redis.kill()
		_ = s.redis.log.Close()
		err = os.RemoveAll(s.redis.dir)
	}
	if s.conn != nil {
		_ = s.conn.Close(context.Background()) // it may be lost
	}
	return err
}

// fill makes tenants and users, with triggers on, as a product would.
func (s *stage) fill(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.config.SuperURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, name := range []string{
		"RefuseEarlier", "Organizations", "Users", "Operator", "Accounts", "Profiles", "Members", "Guests", "Flags",
		"Configurations", "Apps", "Overrides", "Agents", "Guards",
	} {
		text := queries.Get(name)
		var args []any
		for _, sized := range []string{"Organizations", "Users", "Guests", "Configurations", "Apps", "Overrides", "Agents"} {
			if name == sized {
				args = []any{s.config.Tenants}
			}
		}
		if _, err := conn.Exec(ctx, text, args...); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// cast makes the registers and the tokens.
func (s *stage) cast(ctx context.Context) (err error) {
	if s.operator, err = s.token(named("operator"), uuid.New()); err != nil {
		return err
	}
	for n := range s.config.Tenants {
		p := &play{number: n, id: named("tenant %d", n), registers: map[byte]*register{}}
		of := func(what string, states int64) *register {
			return &register{name: fmt.Sprintf("%s of tenant %d", what, n), states: states}
		}
		p.role, p.access, p.life = of("role", 3), of("membership", 2), of("life", 2)
		for letter, what := range map[byte]string{
			configRegister: "configuration", nameRegister: "name", appRegister: "app", overrideRegister: "override", agentRegister: "agent",
		} {
			p.registers[letter] = of(what, 0)
		}
		for who, token := range map[string]*string{"owner": &p.owner, "role": &p.changing, "access": &p.coming} {
			if *token, err = s.token(p.user(who), uuid.New()); err != nil {
				return err
			}
		}
		for _, who := range []string{"one", "two", "both"} {
			token, err := s.token(p.user(who), uuid.New())
			if err != nil {
				return err
			}
			p.members = append(p.members, token)
		}
		if err := s.signIn(ctx, p); err != nil {
			return err
		}
		s.plays = append(s.plays, p)
	}
	quiet := len(s.plays) - max(1, len(s.plays)/6)
	s.plays, s.still = s.plays[:quiet], s.plays[quiet:]
	return nil
}

func (s *stage) token(user, session uuid.UUID) (string, error) {
	return s.issuer.Issue(identity.Grant{UserID: user, Email: "someone@example.test", Role: identity.Authenticated, SessionID: session, TTL: 24 * time.Hour})
}

// signIn begins a session that can be signed out.
func (s *stage) signIn(ctx context.Context, p *play) error {
	next := &session{id: uuid.New(), ended: &register{name: fmt.Sprintf("session of tenant %d", p.number)}}
	var err error
	if next.token, err = s.token(p.user("session"), next.id); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "AddSession", next.id, p.user("session")); err != nil {
		return err
	}
	p.session.Store(next)
	return nil
}

// exec runs a statement as superuser, on nobody's instance, and says how far the log is behind it.
func (s *stage) exec(ctx context.Context, name string, args ...any) (position uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return 0, err
	}
	if _, err := s.conn.Exec(ctx, queries.Get(name), args...); err != nil {
		return 0, err
	}
	err = s.conn.QueryRow(ctx, queries.Get("Position")).Scan(&position)
	return position, err
}

// look reads one value as superuser.
func (s *stage) look(ctx context.Context, into any, name string, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return err
	}
	return s.conn.QueryRow(ctx, queries.Get(name), args...).Scan(into)
}

func (s *stage) connect(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	conn, err := pgx.Connect(ctx, s.config.SuperURL)
	if err == nil {
		s.conn = conn
	}
	return err
}

// neighbour is the tenant whose name p's guest sees besides.
func (s *stage) neighbour(p *play) *play {
	next := (p.number + 1) % s.config.Tenants
	if next < len(s.plays) {
		return s.plays[next]
	}
	return s.still[next-len(s.plays)]
}
