package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/vital-db/vital/internal/bounded"
	"github.com/vital-db/vital/internal/fault"
)

const (
	// minSecretBytes is what RFC 7518 3.2 asks of an HS256 key: as long as the hash.
	minSecretBytes = 32
	defaultLeeway  = 5 * time.Second
	maxLeeway      = time.Minute
	defaultEntries = 10_000
)

// Config says which tokens a Verifier accepts. At least one of Secret, JWKSURL and JWKS is required, and
// not both of the last two.
type Config struct {
	// Secret verifies HS256 tokens, and nothing else does. At least 32 bytes. Defaults to none:
	// HS256 tokens are refused.
	Secret []byte
	// JWKSURL is where the issuer publishes its ES256 and RS256 keys: https, or http on loopback.
	// Defaults to none: such tokens are refused.
	JWKSURL string
	// JWKS returns the keys as a JWKS document where they are not fetched from a URL: the embedded sign-in
	// reads its own from the database. It is asked as rarely as a URL would be, and under the same rules.
	// Defaults to none.
	JWKS func(ctx context.Context) ([]byte, error)
	// APIKey looks an API key up by the SHA-256 of its text, and returns an api_key_invalid fault for one
	// that is unknown, expired or revoked. Defaults to none: API keys are refused.
	APIKey func(ctx context.Context, hash [sha256.Size]byte) (Key, error)
	// JWKSRefresh is how often the keys are fetched again, and so how long a revoked key may go on
	// verifying when no token of a new key arrives first. At least a second. Defaults to 5 minutes.
	JWKSRefresh time.Duration
	// Issuer is the required claim iss. Defaults to not checked.
	Issuer string
	// Audience must be the claim aud or a member of it. Defaults to not checked.
	Audience string
	// Leeway is the clock skew allowed in exp, nbf and iat, at most a minute. Defaults to 5 seconds.
	Leeway time.Duration
	// CacheEntries bounds how many verified tokens are remembered. Defaults to 10,000 (about 3 MB).
	CacheEntries int
	// HTTPClient fetches the keys; its redirect policy is replaced by ours. Defaults to one with timeouts.
	HTTPClient *http.Client
	// Log receives what happens to the signing keys. Defaults to discarding it.
	Log *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.Secret = bytes.Clone(c.Secret)
	if c.JWKSRefresh == 0 {
		c.JWKSRefresh = 5 * time.Minute
	}
	if c.Leeway == 0 {
		c.Leeway = defaultLeeway
	}
	if c.CacheEntries == 0 {
		c.CacheEntries = defaultEntries
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	if len(c.Secret) == 0 && c.JWKSURL == "" && c.JWKS == nil {
		return fault.New(fault.ConfigInvalid, "There is nothing to verify tokens with.",
			"Set VITAL_JWT_SECRET (HS256), VITAL_JWKS_URL (ES256, RS256), or both.")
	}
	if c.JWKSURL != "" && c.JWKS != nil {
		return fault.New(fault.ConfigInvalid, "Tokens have two issuers: VITAL_JWKS_URL and the embedded sign-in.",
			"Leave the embedded sign-in off where an external issuer rules.")
	}
	if len(c.Secret) > 0 {
		if err := validateSecret(c.Secret); err != nil {
			return err
		}
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		return fault.New(fault.ConfigInvalid, fmt.Sprintf("The clock leeway must be between 0 and %s.", maxLeeway),
			"A few seconds cover clocks that NTP keeps; fix the clock rather than widen the leeway.")
	}
	if c.CacheEntries < 0 {
		return fault.New(fault.ConfigInvalid, "The number of remembered tokens must not be negative.",
			"Leave it unset for the default of 10,000.")
	}
	if c.JWKSRefresh < time.Second {
		return fault.New(fault.ConfigInvalid, "The signing keys cannot be refreshed more often than every second.",
			"Leave it unset for the default of 5 minutes.")
	}
	return nil
}

// validateSecret also refuses a PEM block: a public key given as the secret would let everybody who
// can read that public key sign tokens.
func validateSecret(secret []byte) error {
	if len(secret) < minSecretBytes {
		return fault.New(fault.ConfigInvalid,
			fmt.Sprintf("The JWT secret is %d bytes long; HS256 needs at least %d.", len(secret), minSecretBytes),
			"Set VITAL_JWT_SECRET to the project's JWT secret, or make one: openssl rand -base64 48")
	}
	if bytes.Contains(secret, []byte("-----BEGIN ")) {
		return fault.New(fault.ConfigInvalid, "The JWT secret is a PEM key or certificate, not a shared secret.",
			"Give the issuer's public keys as VITAL_JWKS_URL, and leave VITAL_JWT_SECRET for an HS256 secret.")
	}
	return nil
}

// Verifier verifies access tokens. It is safe for concurrent use.
type Verifier struct {
	secret   []byte
	issuer   string
	audience string
	leeway   time.Duration
	now      func() time.Time
	keys     *keyring // nil without a JWKSURL or JWKS
	apiKeys  *apiKeys // nil without an APIKey
	verified bounded.Map[cacheKey, Caller]
}

// cacheKey names a verified token. With the generation in it, everything verified under an earlier
// set of keys is out of reach the moment a key is added or removed, without a sweep. It holds a hash,
// so a dump of the memory holds no usable tokens.
type cacheKey struct {
	generation uint64
	token      [sha256.Size]byte
}

// NewVerifier checks the configuration. It fetches nothing: see Start.
func NewVerifier(config Config) (*Verifier, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	// Bounded by size alone: entries past their expiry are refused by Verify and age out unused.
	v := &Verifier{
		secret: config.Secret, issuer: config.Issuer, audience: config.Audience,
		leeway: config.Leeway, now: config.Now, verified: bounded.New[cacheKey, Caller](config.CacheEntries),
	}
	if config.JWKSURL != "" || config.JWKS != nil {
		keys, err := newKeyring(config)
		if err != nil {
			return nil, err
		}
		v.keys = keys
	}
	if config.APIKey != nil {
		v.apiKeys = newAPIKeys(config)
	}
	return v, nil
}

// Start fetches the signing keys and keeps them fresh until ctx ends. It waits for the first attempt,
// for a few seconds at most; a failed one is logged and tried again in the background, so a server
// comes up while its issuer is down. Without a JWKSURL or JWKS, and when called again, it does nothing.
func (v *Verifier) Start(ctx context.Context) error {
	if v.keys != nil {
		v.keys.start(ctx)
	}
	return nil
}

// Verify returns who the token says is calling, or a fault: token_missing, token_malformed,
// token_algorithm, token_unknown_key, token_bad_signature, token_bad_claims, token_expired,
// token_not_yet_valid, token_wrong_issuer, token_wrong_audience, signing_keys_unavailable; for an API key
// api_key_invalid. Nothing of the token is repeated in a fault, and no claim is judged before the signature.
//
// Successes are remembered until the token expires or the issuer's set of keys changes; failures are
// not. It waits for the network only when a token names a key that is not known, and then for one
// shared, rate-limited and time-limited fetch; ctx ends the wait (request_cancelled, request_timeout).
func (v *Verifier) Verify(ctx context.Context, token string) (Caller, error) {
	if err := checkSize(token); err != nil {
		return Caller{}, err
	}
	if IsAPIKey(token) {
		return v.apiKeys.caller(ctx, token)
	}
	id := cacheKey{generation: v.generation(), token: digest(token)}
	if caller, ok := v.verified.Get(id); ok {
		if err := v.checkExpiry(caller.ExpiresAt); err != nil {
			v.verified.Delete(id)
			return Caller{}, err
		}
		return caller, nil
	}
	signed, err := parse(token)
	if err != nil {
		return Caller{}, err
	}
	key, err := v.keyFor(ctx, signed.header)
	if err != nil {
		return Caller{}, err
	}
	if err := signed.verify(key); err != nil {
		return Caller{}, err
	}
	caller, err := v.caller(signed.payload, key.source)
	if err != nil {
		return Caller{}, err
	}
	if key.source == fromJWKS {
		id.generation = key.generation
	}
	v.verified.Set(id, caller)
	return caller, nil
}

// digest copies the usual token to the stack, so that a hit allocates nothing.
func digest(token string) [sha256.Size]byte {
	var short [1024]byte
	return sha256.Sum256(append(short[:0], token...))
}

func (v *Verifier) generation() uint64 {
	if v.keys == nil {
		return 0
	}
	if set := v.keys.current.Load(); set != nil {
		return set.generation
	}
	return 0
}

// keyFor binds the algorithm to where its key comes from: HS256 can only meet the secret, ES256 and
// RS256 only a published key made for them. So a public key never serves as an HMAC secret.
func (v *Verifier) keyFor(ctx context.Context, h header) (verificationKey, error) {
	if h.alg == algHS256 {
		if len(v.secret) == 0 {
			return verificationKey{}, fault.New(fault.TokenAlgorithm, "Tokens signed with HS256 are not accepted here.",
				"Use a token of the configured issuer, or set VITAL_JWT_SECRET on the server to accept HS256.")
		}
		return verificationKey{source: fromSecret, public: v.secret}, nil
	}
	if v.keys == nil {
		return verificationKey{}, fault.New(fault.TokenAlgorithm, "Only tokens signed with HS256 are accepted here.",
			"Set VITAL_JWKS_URL on the server to accept tokens signed with ES256 or RS256.")
	}
	return v.keys.find(ctx, h)
}
