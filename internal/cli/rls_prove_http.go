package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
)

const (
	// provePool is how many connections the attacked server has: fewer than users who ask at once.
	provePool = 3
	// cleanupTime is how long dropping what was made may take, also after the command was cancelled.
	cleanupTime = 30 * time.Second
)

// proveHTTP installs VITAL into a database of its own beside t's, serves it, lets isolation attack it as its
// clients would, and drops it. What it finds is added to proof.
func (a *app) proveHTTP(ctx context.Context, t *target, proof *isolation.Proof) (err error) {
	s, err := a.openScratch(ctx, t)
	if err != nil {
		return err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
		defer cancel()
		err = errors.Join(err, s.drop(after))
	}()
	if err := s.install(ctx, a, t); err != nil {
		return err
	}
	return a.attackScratch(ctx, s.target, proof)
}

// scratch is a database, and logins, that live as long as one proof.
type scratch struct {
	operator *pgx.Conn // on the database beside it
	name     string
	logins   []string // made for it
	target   *target
}

// mayMakeScratch refuses a login that could not make what an attack over HTTP takes.
func mayMakeScratch(ctx context.Context, conn *pgx.Conn) error {
	var superuser bool
	if err := conn.QueryRow(ctx, queries.Get("LoginIsSuperuser")).Scan(&superuser); err != nil {
		return fmt.Errorf("ask who this is: %w", err)
	}
	if !superuser {
		return fault.New(fault.RoleSetup, "Attacking over HTTP takes a database of its own, and this login may not make one.",
			"Give the --database-url of a superuser, or leave it out for the private server.")
	}
	return nil
}

// openScratch makes the database, empty.
func (a *app) openScratch(ctx context.Context, t *target) (*scratch, error) {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return nil, fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	s := &scratch{operator: conn, name: "vital_prove_" + randomName()}
	making, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime) // a cancelled one may still come to be
	defer cancel()
	if _, err := conn.Exec(making, "create database "+pgx.Identifier{s.name}.Sanitize()); err != nil {
		return nil, errors.Join(fmt.Errorf("create database: %w", err), conn.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func randomName() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// install brings the database up to date, and finds or makes the logins of a server.
func (s *scratch) install(ctx context.Context, a *app, t *target) (err error) {
	s.target = &target{}
	if s.target.operatorURL, err = s.address(t.operatorURL, "", ""); err != nil {
		return err
	}
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: s.target.operatorURL, Log: a.log})
	if err != nil {
		return err
	}
	if _, err := migrator.Up(ctx); err != nil {
		return fmt.Errorf("install into %s: %w", s.name, err)
	}
	for _, login := range []struct {
		role, known string
		url         *string
	}{{"vital_api", t.apiURL, &s.target.apiURL}, {"vital_service", t.serviceURL, &s.target.serviceURL}} {
		if login.known != t.operatorURL {
			if *login.url, err = s.address(login.known, "", ""); err != nil {
				return err
			}
			continue
		}
		// The passwords of vital_api and vital_service are not ours to know or change: a member of each does.
		name, password := s.name+"_"+login.role[len("vital_"):], randomName()+randomName()
		if *login.url, err = s.address(t.operatorURL, name, password); err != nil {
			return err
		}
		s.logins = append(s.logins, name)
		for _, query := range []string{"LoginStatement", "MemberStatement"} {
			var statement string
			arguments := []any{name, password}
			if query == "MemberStatement" {
				arguments[1] = login.role
			}
			if err := s.operator.QueryRow(ctx, queries.Get(query), arguments...).Scan(&statement); err != nil {
				return fmt.Errorf("quote a login: %w", err)
			}
			if _, err := s.operator.Exec(ctx, statement); err != nil {
				return fmt.Errorf("make a login: %w", err)
			}
		}
	}
	return nil
}

// address is that of the scratch database, for another login where one is named.
func (s *scratch) address(like, user, password string) (string, error) {
	u, err := url.Parse(like)
	if err != nil {
		return "", fault.New(fault.ConfigInvalid, "The database URL cannot be read.", "It has the form postgres://user:password@host:port/database.")
	}
	u.Path, u.RawPath = "/"+s.name, ""
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String(), nil
}

// drop takes away what was made.
func (s *scratch) drop(ctx context.Context) error {
	// The command may have been cancelled in the midst of a query, which ends a connection.
	if s.operator.IsClosed() {
		conn, err := pgx.Connect(ctx, s.operator.Config().ConnString())
		if err != nil {
			return fmt.Errorf("drop %s: %w", s.name, err)
		}
		s.operator = conn
	}
	defer s.operator.Close(ctx)
	_, err := s.operator.Exec(ctx, "drop database if exists "+pgx.Identifier{s.name}.Sanitize()+" with (force)")
	for _, login := range s.logins {
		_, dropped := s.operator.Exec(ctx, "drop role if exists "+pgx.Identifier{login}.Sanitize())
		err = errors.Join(err, dropped)
	}
	if err != nil {
		return fmt.Errorf("drop %s: %w", s.name, err)
	}
	return nil
}

// attackScratch serves t as `vital serve` would, with keys of its own, and attacks it.
func (a *app) attackScratch(ctx context.Context, t *target, proof *isolation.Proof) error {
	secret, kek := []byte(randomName()+randomName()), []byte(randomName()+randomName())
	attacked := *a
	attacked.log = slog.New(slog.DiscardHandler)
	attacked.config.DatabaseConns, attacked.config.RestSchemas = provePool, []string{"public"}
	attacked.config.JWTSecret, attacked.config.JWTIssuer, attacked.config.JWTAudience, attacked.config.JWKSURL = string(secret), "vital", "authenticated", ""
	server := isolation.HTTPServer{Secret: secret, Issuer: "vital", Audience: "authenticated"}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fault.Wrap(err, fault.ListenFailed, "No port of 127.0.0.1 can be served on.", "Free one.")
	}
	defer listener.Close()
	server.URL = "http://" + listener.Addr().String()
	db, err := postgres.Open(ctx, postgres.Config{URL: t.apiURL, ServiceURL: t.serviceURL, MaxConns: provePool, Log: attacked.log})
	if err != nil {
		return err
	}
	defer db.Close()
	oneConnection, err := postgres.Open(ctx, postgres.Config{URL: t.apiURL, ServiceURL: t.serviceURL, MaxConns: 1, Log: attacked.log})
	if err != nil {
		return err
	}
	defer oneConnection.Close()
	server.Request = isolation.RequestThrough(oneConnection)
	if err := makeKeys(ctx, db.Service, &server); err != nil {
		return err
	}
	signIn, err := signin.New(signin.Config{DB: db.Service, KEK: kek, Issuer: server.Issuer, Audience: server.Audience, PublicURL: server.URL, Log: attacked.log})
	if err != nil {
		return err
	}
	defer signIn.Close()
	if err := signIn.Start(ctx); err != nil {
		return err
	}
	return attacked.serveScratch(ctx, t, db, signIn, listener, func() error { return a.attackServer(ctx, t, server, proof) })
}

// serveScratch serves t on listener while fn runs.
func (a *app) serveScratch(ctx context.Context, t *target, db *postgres.DB, signIn *signin.Service, listener net.Listener, fn func() error) error {
	verifier, err := a.verifier(t, db.Service, signIn, nil)
	if err != nil {
		return err
	}
	if err := verifier.Start(ctx); err != nil {
		return err
	}
	engine, stopFollowing, err := a.openRest(ctx, db)
	if err != nil {
		return err
	}
	defer stopFollowing()
	metrics := httpapi.NewMetrics(version())
	memory, err := a.openMemory(ctx, db, nil, metrics)
	if err != nil {
		return err
	}
	defer memory.stop()
	server := httpapi.NewHTTPServer(httpapi.New(httpapi.Config{
		DB: db, Contexts: memory.contexts, Flags: memory.flags, Changes: memory.changes, Verifier: verifier, Rest: engine, Metrics: metrics, Log: a.log,
		CORSOrigins: a.config.CORSOrigins, SchemaVersion: schema.LatestVersion(), SignIn: signIn,
	}))
	go func() { _ = httpapi.Serve(server, listener) }() // it ends with Close
	defer func() { _ = server.Close() }()               // nobody else is connected
	return fn()
}

func (a *app) attackServer(ctx context.Context, t *target, server isolation.HTTPServer, proof *isolation.Proof) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fmt.Errorf("connect to the database to attack: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	subject, err := isolation.VitalSubject()
	if err != nil {
		return err
	}
	return proof.AttackHTTP(ctx, conn, subject, server, a.progress("attacking"))
}

// makeKeys gives server its API keys, and one that is revoked.
func makeKeys(ctx context.Context, service *postgres.Service, server *isolation.HTTPServer) error {
	return service.AsService(ctx, "APIKeyCreate", func(tx pgx.Tx) error {
		for _, k := range []struct {
			role identity.Role
			key  *string
		}{{identity.Anon, &server.AnonKey}, {identity.ServiceRole, &server.ServiceKey}, {identity.ServiceRole, &server.RevokedKey}} {
			made, key, err := signin.CreateAPIKey(ctx, tx, k.role, "prove", 0)
			if err != nil {
				return err
			}
			*k.key = key
			if k.key == &server.RevokedKey {
				if err := signin.RevokeAPIKey(ctx, tx, made.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
