// Package signin is the embedded sign-in: accounts, passwords, sessions and the keys that sign their
// access tokens, in the words of GoTrue, so that an unmodified supabase-js signs in here. It is for the
// private server and for small installations; where an external issuer rules, it is off.
//
// Everything runs as service_role. Nothing a tenant's connection can reach holds a password, a refresh
// token or a private key, and the database holds them as hashes, or sealed under a key it never has.
package signin

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed signin.sql
var queryText string

var queries = database.ParseQueries(queryText)

const (
	// tokenTTL is how long an access token lives; GoTrue's default.
	tokenTTL = time.Hour
	// revokedFor is how long an ended session is remembered: until its last token has expired everywhere,
	// whatever the clocks say.
	revokedFor = tokenTTL + 10*time.Minute
	// minKEKBytes is the least a key-encryption key may be made of.
	minKEKBytes = 32
)

// Config is what the sign-in needs. DB, KEK and PublicURL are required.
type Config struct {
	DB *postgres.Service
	// KEK is what the keyring has for the sign-in: 32 random bytes or more. What must not be readable from the
	// database alone is sealed under keys made of it.
	KEK []byte
	// Issuer is the claim iss. Defaults to none.
	Issuer string
	// Audience is the claim aud. Defaults to "authenticated".
	Audience string
	// PublicURL is the server's address in links that are sent. It never comes from a request: whoever
	// sends one could otherwise lead a link to a host of theirs.
	PublicURL string
	// RedirectOrigins are the web origins a link may lead back to with a session. Defaults to none.
	RedirectOrigins []string
	// OpenSignup lets anybody make an account. Defaults to those with an open invitation.
	OpenSignup bool
	// PasswordMemory is how much memory it takes to hash a password, in KiB. Defaults to the 19 MiB that OWASP asks for; a hash that was
	// made with less is made anew when its password is next given.
	PasswordMemory uint32
	// Mailer sends links. Defaults to writing them to the log, for trying out.
	Mailer Mailer
	// Log receives what no request can be told. Defaults to nothing.
	Log *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Audience == "" {
		c.Audience = "authenticated"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.PasswordMemory == 0 {
		c.PasswordMemory = argonMemory
	}
	return c
}

// Service signs users in. It is safe for concurrent use.
type Service struct {
	config     Config
	keys       *signingKeys
	hasher     *hasher
	limits     limits
	refreshKey []byte
	sending    chan struct{} // a slot for each message on its way
	running    sync.WaitGroup
}

// Client is where a request came from.
type Client struct {
	IP        string // "" when it is not known
	UserAgent string
}

// New checks the configuration. It asks the database nothing: see Start.
func New(config Config) (*Service, error) {
	config = config.withDefaults()
	if len(config.KEK) < minKEKBytes {
		return nil, fault.New(fault.ConfigInvalid, "The key-encryption key is too short.",
			"Let VITAL_KEK_FILE hold 32 random bytes in base64: openssl rand -base64 32")
	}
	refreshKey, err := deriveKey(config.KEK, "refresh tokens")
	if err != nil {
		return nil, err
	}
	keys, err := newSigningKeys(config)
	if err != nil {
		return nil, err
	}
	return &Service{
		config: config, keys: keys, hasher: newHasher(config.PasswordMemory), limits: newLimits(config.Now), refreshKey: refreshKey,
		sending: make(chan struct{}, maxSending),
	}, nil
}

// Start makes the signing keys where there are none, and reads them.
func (s *Service) Start(ctx context.Context) error {
	if err := s.keys.ensure(ctx); err != nil {
		return err
	}
	_, err := s.keys.signer(ctx)
	return err
}

// Close waits for messages on their way.
func (s *Service) Close() { s.running.Wait() }

// Settings are what GoTrue tells anybody about a sign-in.
type Settings struct {
	External          map[string]bool `json:"external"`
	DisableSignup     bool            `json:"disable_signup"`
	MailerAutoconfirm bool            `json:"mailer_autoconfirm"`
	PhoneAutoconfirm  bool            `json:"phone_autoconfirm"`
	SMSProvider       string          `json:"sms_provider"`
	SAMLEnabled       bool            `json:"saml_enabled"`
}

// Settings returns what this sign-in offers: addresses with passwords.
func (s *Service) Settings() Settings {
	return Settings{
		External:          map[string]bool{"email": true, "phone": false, "anonymous_users": false},
		DisableSignup:     !s.config.OpenSignup,
		MailerAutoconfirm: !s.confirms(),
	}
}

// AccountsAreOurs reports whether schema auth is VITAL's, and not Supabase's.
func AccountsAreOurs(ctx context.Context, db *postgres.Service) (bool, error) {
	var ours bool
	err := db.AsService(ctx, "AccountsOurs", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, queries.Get("AccountsOurs")).Scan(&ours)
	})
	return ours, err
}

// deriveKey makes a key for one purpose of the key-encryption key.
func deriveKey(kek []byte, purpose string) ([]byte, error) {
	key, err := hkdf.Expand(sha256.New, kek, "vital "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return key, nil
}

// refuse is a fault under a name GoTrue has for it.
func refuse(code fault.Code, message string) error {
	return fault.New(code, message, hints[code])
}

// hints say what to do about a refusal; GoTrue's clients do not show them, the log and the CLI do.
var hints = map[fault.Code]string{
	fault.InvalidCredentials:      "Check address and password; a forgotten one is replaced through /auth/v1/recover.",
	fault.SignupDisabled:          "Ask an admin of the tenant for an invitation, or set VITAL_SIGNUP=open.",
	fault.InviteNotFound:          "It may have been used, taken back or expired, or it was sent to another address. Ask for a new one.",
	fault.WeakPassword:            "Choose a longer one.",
	fault.SamePassword:            "Choose another one.",
	fault.ValidationFailed:        "Correct the request.",
	fault.EmailExists:             "Use another address.",
	fault.EmailNotConfirmed:       "Open the link that was sent to the address.",
	fault.UserNotFound:            "List the users.",
	fault.UserBanned:              "Ask the operator.",
	fault.OTPExpired:              "Ask for a new link.",
	fault.SessionNotFound:         "Sign in again.",
	fault.SessionExpired:          "Sign in again.",
	fault.RefreshTokenNotFound:    "Sign in again.",
	fault.RefreshTokenAlreadyUsed: "Sign in again.",
	fault.OverRequestRateLimit:    "Wait as long as Retry-After says.",
}
