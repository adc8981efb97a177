package cli

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/schema"
)

// databaseName is the database of the private server.
const databaseName = "vital"

// target is the database a command works on, and the logins to it.
type target struct {
	operatorURL string // may migrate
	apiURL      string // vital_api
	serviceURL  string // vital_service, or an operator's own login
	private     *localpg.Server
	niceRatio   float64 // of operators' connections
}

// close stops the private server if this process started it.
func (t *target) close(ctx context.Context) error {
	if t.private == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return t.private.Stop(ctx)
}

// openTarget finds the database: the one of --database-url, else the private server, which is used as it
// runs, or started and made ready.
func (a *app) openTarget(ctx context.Context) (*target, error) {
	if a.config.DatabaseURL != "" {
		return a.namedTarget()
	}
	return a.privateTarget(ctx, localpg.Attach)
}

// namedTarget takes the configured URL for every login; the service login is the same address with
// another user unless it is named itself.
func (a *app) namedTarget() (*target, error) {
	u, err := url.Parse(a.config.DatabaseURL)
	if err != nil || u.Scheme == "" || u.User == nil {
		return nil, fault.New(fault.ConfigInvalid, "The database URL cannot be read.",
			"It has the form postgres://user:password@host:port/database.")
	}
	t := &target{operatorURL: a.config.DatabaseURL, apiURL: a.config.DatabaseURL, serviceURL: a.config.ServiceDatabaseURL}
	if t.serviceURL == "" && u.User.Username() == "vital_api" {
		if password, set := u.User.Password(); set {
			u.User = url.UserPassword("vital_service", password)
		} else {
			u.User = url.User("vital_service")
		}
		t.serviceURL = u.String()
	}
	if t.serviceURL == "" {
		t.serviceURL = a.config.DatabaseURL
	}
	return t, nil
}

// privateTarget opens the private server and, where this process owns it, brings its database up to
// date.
func (a *app) privateTarget(ctx context.Context, open func(context.Context, localpg.Config) (*localpg.Server, error)) (*target, error) {
	t, err := a.privateAsItIs(ctx, open)
	if err != nil || !t.private.Owned() {
		return t, err // whoever started it has done the rest
	}
	if err := a.bringUp(ctx, t); err != nil {
		_ = t.close(ctx) // the first error is the one to show
		return nil, err
	}
	return t, nil
}

// privateAsItIs opens the private server and makes sure that there is a database.
func (a *app) privateAsItIs(ctx context.Context, open func(context.Context, localpg.Config) (*localpg.Server, error)) (*target, error) {
	server, err := open(ctx, localpg.Config{DataDir: a.config.DataDir, BinDir: a.config.PGBin, Log: a.log})
	if err != nil {
		return nil, err
	}
	t := &target{private: server, operatorURL: server.SuperuserURL(databaseName)}
	if err := a.findLogins(ctx, t); err != nil {
		_ = t.close(ctx) // the first error is the one to show
		return nil, err
	}
	return t, nil
}

func (a *app) findLogins(ctx context.Context, t *target) error {
	for _, login := range []struct {
		role string
		url  *string
	}{{"vital_api", &t.apiURL}, {"vital_service", &t.serviceURL}} {
		password, err := t.private.Secret(login.role)
		if err != nil {
			return err
		}
		*login.url = t.private.URL(login.role, password, databaseName)
	}
	if !t.private.Owned() {
		return nil
	}
	return ensureDatabase(ctx, t.private.SuperuserURL("postgres"))
}

// bringUp migrates the private server's database and gives the logins their passwords.
func (a *app) bringUp(ctx context.Context, t *target) error {
	if _, err := a.migrateUp(ctx, t, a.backups(t)); err != nil {
		return err
	}
	return a.setPasswords(ctx, t)
}

// withTargetAsItIs is withTarget without bringing the database of a private server up to date.
func (a *app) withTargetAsItIs(ctx context.Context, fn func(*target) error) (err error) {
	if a.config.DatabaseURL != "" {
		return a.withTarget(ctx, fn)
	}
	t, err := a.privateAsItIs(ctx, localpg.Attach)
	if err != nil {
		return err
	}
	defer func() {
		if closed := t.close(ctx); err == nil {
			err = closed
		}
	}()
	return fn(t)
}

// backups are those of t's database, beside the private server's data.
func (a *app) backups(t *target) *schema.Backups {
	return &schema.Backups{DatabaseURL: t.operatorURL, Dir: filepath.Join(a.config.DataDir, "backups"), BinDir: a.config.PGBin, Log: a.log}
}

func ensureDatabase(ctx context.Context, superuserURL string) error {
	conn, err := pgx.Connect(ctx, superuserURL)
	if err != nil {
		return fmt.Errorf("connect to private server: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	if err := conn.QueryRow(ctx, queries.Get("DatabaseExists"), databaseName).Scan(&exists); err != nil || exists {
		return err
	}
	if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{databaseName}.Sanitize()); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// migrateUp brings the database up to date, after a backup if backups is given.
func (a *app) migrateUp(ctx context.Context, t *target, backups *schema.Backups) (schema.Result, error) {
	config := schema.Config{DatabaseURL: t.operatorURL, Log: a.log}
	if backups != nil {
		config.Backup = func(ctx context.Context) error {
			_, err := backups.Make(ctx)
			return err
		}
	}
	migrator, err := schema.NewMigrator(config)
	if err != nil {
		return schema.Result{}, err
	}
	return migrator.Up(ctx)
}

// setPasswords gives the two logins the passwords kept beside the private server, unless they work.
func (a *app) setPasswords(ctx context.Context, t *target) error {
	works := func(address string) bool {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return false
		}
		return conn.Close(ctx) == nil
	}
	if works(t.apiURL) && works(t.serviceURL) {
		return nil
	}
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fmt.Errorf("connect as operator: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, role := range []string{"vital_api", "vital_service"} {
		password, err := t.private.Secret(role)
		if err != nil {
			return err
		}
		// A utility statement takes no parameters; the database quotes the values itself.
		var statement string
		if err := conn.QueryRow(ctx, queries.Get("PasswordStatement"), role, password).Scan(&statement); err != nil {
			return fmt.Errorf("quote password: %w", err)
		}
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fault.Wrap(nil, fault.RoleSetup, fmt.Sprintf("The password of %s could not be set.", role), "Check that the operator's login may change roles.")
		}
	}
	return nil
}
