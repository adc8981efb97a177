package signin

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

const (
	// reuseInterval is how long a used refresh token still gives its successor: several tabs refresh at
	// once, and an answer may be lost on the way. After it, a second use ends the session.
	reuseInterval = 10 * time.Second
	// maxSuccessors bounds how far a used token is followed to the one that is good.
	maxSuccessors = 16
	maxUserAgent  = 400

	methodPassword = "password"
	methodLink     = "otp"
)

// Session is what a sign-in answers with.
type Session struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	ExpiresAt    int64  `json:"expires_at"`
	RefreshToken string `json:"refresh_token"`
	User         *User  `json:"user"`
}

// session is a row of auth.sessions.
type session struct {
	id        uuid.UUID
	userID    uuid.UUID
	method    string
	createdAt time.Time
}

// SignIn checks a password and begins a session. An account that does not exist, one without a password
// and a wrong password answer alike, in the same time.
func (s *Service) SignIn(ctx context.Context, client Client, email, password string) (*Session, error) {
	if email == "" {
		return nil, refuse(fault.ValidationFailed, "missing email or phone")
	}
	a, outdated, err := s.checkPassword(ctx, client, email, password)
	if err != nil {
		return nil, err
	}
	switch {
	case a.banned(s.config.Now()):
		return nil, refuse(fault.UserBanned, "User is banned")
	case a.EmailConfirmedAt == nil:
		return nil, refuse(fault.EmailNotConfirmed, "Email not confirmed")
	}
	rehashed := ""
	if outdated {
		if rehashed, err = s.hasher.hash(ctx, password); err != nil {
			return nil, err
		}
	}
	key, err := s.keys.signer(ctx)
	if err != nil {
		return nil, err
	}
	var made *Session
	err = s.config.DB.AsService(ctx, "SessionCreate", func(tx pgx.Tx) error {
		now, err := lockAccount(ctx, tx, a.ID)
		if err != nil || now.password() != a.password() || now.banned(s.config.Now()) {
			return cmp.Or(err, refuse(fault.InvalidCredentials, "Invalid login credentials"))
		}
		if rehashed != "" {
			if _, err := tx.Exec(ctx, queries.Get("UserRehash"), a.ID, a.password(), rehashed); err != nil {
				return fmt.Errorf("store password: %w", err)
			}
		}
		made, err = s.begin(ctx, tx, key, a, methodPassword, client)
		return err
	})
	return made, err
}

// checkPassword returns the account that has this address and password, and whether its hash should be
// made anew. Attempts are counted before they are made and given back to those who knew the password.
func (s *Service) checkPassword(ctx context.Context, client Client, given, password string) (a account, outdated bool, err error) {
	wrong := refuse(fault.InvalidCredentials, "Invalid login credentials")
	email, err := normalEmail(given)
	if err != nil {
		return a, false, wrong
	}
	pair, address := pairKey(client, email), client.address()
	if err := s.limits.address.take(address); err != nil {
		return a, false, err
	}
	if err := s.limits.pair.take(pair); err != nil {
		return a, false, err
	}
	a, known, err := s.findForSignIn(ctx, email, client)
	if err != nil {
		return a, false, err
	}
	if !known {
		if err := s.limits.account.take(email); err != nil {
			return a, false, err
		}
	}
	matches, outdated, err := s.hasher.verify(ctx, password, a.password())
	if err != nil {
		return a, false, err
	}
	if !matches {
		return a, false, wrong
	}
	s.limits.address.giveBack(address)
	s.limits.pair.forget(pair)
	if !known {
		s.limits.account.giveBack(email)
	}
	return a, outdated, nil
}

// findForSignIn returns the account of an address, an empty one where there is none, and whether it was
// ever signed in to from where the client is.
func (s *Service) findForSignIn(ctx context.Context, email string, client Client) (a account, known bool, err error) {
	err = s.config.DB.AsService(ctx, "AccountFind", func(tx pgx.Tx) error {
		a, err = findAccount(ctx, tx, "UserByEmail", email)
		if fault.CodeOf(err) == fault.UserNotFound {
			a, err = account{}, nil
		}
		if err != nil || client.IP == "" {
			return err
		}
		// Asked for nobody as well: a stranger's account costs what a known one does.
		return tx.QueryRow(ctx, queries.Get("AddressKnown"), a.ID, client.IP).Scan(&known)
	})
	return a, known, err
}

// begin makes a session of an account that is locked, and its first tokens.
func (s *Service) begin(ctx context.Context, tx pgx.Tx, key *signingKey, a account, method string, client Client) (*Session, error) {
	row := session{userID: a.ID, method: method}
	if err := tx.QueryRow(ctx, queries.Get("SessionCreate"), a.ID, method, client.agent(), client.IP).Scan(&row.id, &row.createdAt); err != nil {
		return nil, fmt.Errorf("create session: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("UserSignedIn"), a.ID); err != nil {
		return nil, fmt.Errorf("note sign-in: %w", err)
	}
	now := s.config.Now()
	a.LastSignInAt = &now
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // never fails
	refresh := base64.RawURLEncoding.EncodeToString(random)
	if _, err := tx.Exec(ctx, queries.Get("RefreshTokenAdd"), tokenHash(refresh), row.id); err != nil {
		return nil, fmt.Errorf("store refresh token: %w", err)
	}
	return s.issue(key, a, row, refresh)
}

func (c Client) agent() string {
	return c.UserAgent[:min(len(c.UserAgent), maxUserAgent)]
}

// issue signs an access token. Only app_metadata, which users cannot write, can name a tenant.
func (s *Service) issue(key *signingKey, a account, row session, refresh string) (*Session, error) {
	user := a.user()
	now := s.config.Now()
	expires := now.Add(tokenTTL).Unix()
	claims := jwt.MapClaims{
		"sub": a.ID, "aud": s.config.Audience, "role": identity.Authenticated, "iat": now.Unix(), "exp": expires,
		"email": user.Email, "phone": "", "app_metadata": user.AppMetadata, "user_metadata": user.UserMetadata,
		"aal": "aal1", "amr": []map[string]any{{"method": row.method, "timestamp": row.createdAt.Unix()}},
		"session_id": row.id, "is_anonymous": false,
	}
	if s.config.Issuer != "" {
		claims["iss"] = s.config.Issuer
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = key.kid
	signed, err := token.SignedString(key.private)
	if err != nil {
		return nil, fmt.Errorf("sign token: %w", err)
	}
	return &Session{
		AccessToken: signed, TokenType: "bearer", ExpiresIn: int(tokenTTL / time.Second), ExpiresAt: expires,
		RefreshToken: refresh, User: user,
	}, nil
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// successor is the refresh token that follows another. It is computed, so that a token used twice at once
// gives the same one twice although only hashes are kept; without the key nobody can compute it.
func (s *Service) successor(token string) string {
	mac := hmac.New(sha256.New, s.refreshKey)
	mac.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Refresh exchanges a refresh token for its successor and a new access token. A token that was used
// before, longer ago than the reuse interval, ends its session: one of the two who had it stole it.
func (s *Service) Refresh(ctx context.Context, client Client, token string) (*Session, error) {
	if len(token) < 12 || len(token) > 255 {
		return nil, refuse(fault.ValidationFailed, "Refresh token is not valid")
	}
	if err := s.limits.refresh.take(client.address()); err != nil {
		return nil, err
	}
	key, err := s.keys.signer(ctx)
	if err != nil {
		return nil, err
	}
	var made *Session
	var refused error // of a transaction that is kept
	err = s.config.DB.AsService(ctx, "SessionRefresh", func(tx pgx.Tx) error {
		made, refused = nil, nil
		row, a, err := lockSession(ctx, tx, token)
		if err != nil {
			return err
		}
		if a.banned(s.config.Now()) {
			return refuse(fault.UserBanned, "Invalid Refresh Token: User Banned")
		}
		next, err := s.exchange(ctx, tx, row.id, token)
		if fault.CodeOf(err) == fault.RefreshTokenAlreadyUsed {
			refused = err
			return endSessions(ctx, tx, row.userID, row.id, uuid.Nil)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("SessionRefreshed"), row.id, client.agent(), client.IP); err != nil {
			return fmt.Errorf("note refresh: %w", err)
		}
		made, err = s.issue(key, a, row, next)
		return err
	})
	return made, errors.Join(err, refused)
}

// lockSession finds the session of a refresh token; refreshes of one session wait for each other.
func lockSession(ctx context.Context, tx pgx.Tx, token string) (row session, a account, err error) {
	var expired bool
	err = tx.QueryRow(ctx, queries.Get("SessionLock"), tokenHash(token)).Scan(&row.id, &row.userID, &row.method, &row.createdAt, &expired)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return row, a, refuse(fault.RefreshTokenNotFound, "Invalid Refresh Token: Refresh Token Not Found")
	case err != nil:
		return row, a, fmt.Errorf("find session: %w", err)
	case expired:
		return row, a, refuse(fault.SessionExpired, "Invalid Refresh Token: Session Expired")
	}
	a, err = findAccount(ctx, tx, "UserByID", row.userID)
	return row, a, err
}

// exchange uses token up, or finds what it was exchanged for a moment ago.
func (s *Service) exchange(ctx context.Context, tx pgx.Tx, sessionID uuid.UUID, token string) (string, error) {
	already := refuse(fault.RefreshTokenAlreadyUsed, "Invalid Refresh Token: Already Used")
	for step := range maxSuccessors {
		var used, stale bool
		err := tx.QueryRow(ctx, queries.Get("RefreshTokenState"), tokenHash(token), reuseInterval).Scan(&used, &stale)
		switch {
		case errors.Is(err, pgx.ErrNoRows) || stale:
			return "", already
		case err != nil:
			return "", fmt.Errorf("read refresh token: %w", err)
		case used:
			token = s.successor(token)
			continue
		case step > 0:
			return token, nil // the successor of a token that was just used
		}
		next := s.successor(token)
		if _, err := tx.Exec(ctx, queries.Get("RefreshTokenUse"), tokenHash(token)); err != nil {
			return "", fmt.Errorf("use refresh token: %w", err)
		}
		if _, err := tx.Exec(ctx, queries.Get("RefreshTokenAdd"), tokenHash(next), sessionID); err != nil {
			return "", fmt.Errorf("store refresh token: %w", err)
		}
		_, err = tx.Exec(ctx, queries.Get("RefreshTokensPrune"), sessionID)
		return next, err
	}
	return "", already
}

// endSessions ends a user's sessions: the one named only, or all but the one named except; uuid.Nil
// names none. From the commit on the database refuses their access tokens.
func endSessions(ctx context.Context, tx pgx.Tx, userID, only, except uuid.UUID) error {
	orNull := func(id uuid.UUID) *uuid.UUID {
		if id == uuid.Nil {
			return nil
		}
		return &id
	}
	if _, err := tx.Exec(ctx, queries.Get("SessionsEnd"), userID, orNull(only), orNull(except), revokedFor); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("RevokedPrune")); err != nil {
		return fmt.Errorf("prune ended sessions: %w", err)
	}
	return nil
}

// Scope is which sessions a sign-out ends.
type Scope string

// The scopes of GoTrue.
const (
	ScopeGlobal Scope = "global"
	ScopeLocal  Scope = "local"
	ScopeOthers Scope = "others"
)

// SignOut ends sessions of the caller.
func (s *Service) SignOut(ctx context.Context, caller identity.Caller, scope Scope) error {
	switch scope {
	case "", ScopeGlobal, ScopeLocal, ScopeOthers:
	default:
		return refuse(fault.ValidationFailed, "Unsupported logout scope")
	}
	return s.config.DB.AsService(ctx, "SessionEnd", func(tx pgx.Tx) error {
		if _, err := s.current(ctx, tx, caller); err != nil {
			return err
		}
		switch scope {
		case ScopeLocal:
			return endSessions(ctx, tx, caller.UserID, caller.SessionID, uuid.Nil)
		case ScopeOthers:
			return endSessions(ctx, tx, caller.UserID, uuid.Nil, caller.SessionID)
		default:
			return endSessions(ctx, tx, caller.UserID, uuid.Nil, uuid.Nil)
		}
	})
}

// current returns the caller's account, and refuses a caller whose session has ended or never was.
func (s *Service) current(ctx context.Context, tx pgx.Tx, caller identity.Caller) (account, error) {
	if caller.Role != identity.Authenticated {
		return account{}, fault.New(fault.UserRequired, "This endpoint requires a valid Bearer token", "Sign in, and send the access token.")
	}
	a, err := findAccount(ctx, tx, "UserBySession", caller.SessionID, caller.UserID)
	if fault.CodeOf(err) == fault.UserNotFound {
		return a, refuse(fault.SessionNotFound, "Session from session_id claim in JWT does not exist")
	}
	return a, err
}
