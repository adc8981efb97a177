package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// linkTTL is how long a link is good.
const linkTTL = time.Hour

// The kinds of links, under the names GoTrue has for them.
const (
	linkRecovery    = "recovery"
	linkInvite      = "invite"
	linkSignup      = "signup"
	linkEmailChange = "email_change"
)

// kinds are the links a verification of some type may open. A magic link is one for recovery: both prove
// that the address is read.
var kinds = map[string][]string{
	linkRecovery:    {linkRecovery},
	"magiclink":     {linkRecovery},
	linkInvite:      {linkInvite},
	linkSignup:      {linkSignup},
	linkEmailChange: {linkEmailChange},
	"email":         {linkRecovery, linkInvite, linkSignup},
}

var subjects = map[string]string{
	linkRecovery:    "Set a new password",
	linkInvite:      "You are invited",
	linkSignup:      "Confirm your address",
	linkEmailChange: "Confirm your new address",
}

// Link is a link that was made. Its token is kept nowhere else.
type Link struct {
	ActionLink       string `json:"action_link"`
	EmailOTP         string `json:"email_otp"`
	HashedToken      string `json:"hashed_token"`
	VerificationType string `json:"verification_type"`
	RedirectTo       string `json:"redirect_to"`
}

// makeLink makes a link for an account, good once and for linkTTL; an earlier one of its kind is void.
func (s *Service) makeLink(ctx context.Context, tx pgx.Tx, userID uuid.UUID, kind, email, redirectTo string) (Link, error) {
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // never fails
	token := base64.RawURLEncoding.EncodeToString(random)
	if _, err := tx.Exec(ctx, queries.Get("OneTimeTokenAdd"), userID, kind, tokenHash(token), email, linkTTL); err != nil {
		return Link{}, fmt.Errorf("store link: %w", err)
	}
	query := url.Values{"token": {token}, "type": {kind}}
	if redirectTo != "" {
		query.Set("redirect_to", redirectTo)
	}
	return Link{
		ActionLink: s.config.PublicURL + "/auth/v1/verify?" + query.Encode(), EmailOTP: token, HashedToken: token,
		VerificationType: kind, RedirectTo: redirectTo,
	}, nil
}

// send hands a link to the mailer behind the request's back, so that the time an answer takes tells
// nothing. work finds out what to send; nil for nothing.
func (s *Service) send(ctx context.Context, work func(context.Context) (*Letter, error)) error {
	select {
	case s.sending <- struct{}{}:
	default:
		return throttled(time.Second)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailTimeout)
	s.running.Go(func() {
		defer func() { cancel(); <-s.sending }()
		letter, err := work(ctx)
		if err == nil && letter != nil {
			err = s.mailer().Send(ctx, *letter)
		}
		if err != nil {
			s.config.Log.ErrorContext(ctx, "a link could not be sent", "error", err)
		}
	})
	return nil
}

func (s *Service) mailer() Mailer {
	if s.config.Mailer != nil {
		return s.config.Mailer
	}
	return logMailer{s.config.Log}
}

// letter is what carries a link.
func letter(to string, link Link) *Letter {
	return &Letter{
		To: to, Subject: subjects[link.VerificationType], Link: link.ActionLink,
		Text: "Open this link within an hour. If you did not ask for it, ignore it.",
	}
}

// Recover sends a link that signs in to an account whose password was forgotten. It answers alike, and as
// fast, where there is no such account.
func (s *Service) Recover(ctx context.Context, client Client, email, redirectTo string) error {
	if email == "" {
		return refuse(fault.ValidationFailed, "Password recovery requires an email")
	}
	email, err := normalEmail(email)
	if err != nil {
		return err
	}
	if err := s.limits.link.take(client.address()); err != nil {
		return err
	}
	if s.limits.letter.take(email) != nil {
		return nil //nolint:nilerr // a letter is on its way; to say so would say that the account exists
	}
	return s.send(ctx, func(ctx context.Context) (found *Letter, err error) {
		err = s.config.DB.AsService(ctx, "RecoverySend", func(tx pgx.Tx) error {
			a, err := findAccount(ctx, tx, "UserByEmail", email)
			if err != nil {
				return err
			}
			if a.banned(s.config.Now()) {
				return nil
			}
			link, err := s.makeLink(ctx, tx, a.ID, linkRecovery, email, redirectTo)
			if err != nil {
				return err
			}
			found = letter(email, link)
			_, err = tx.Exec(ctx, queries.Get("UserRecoverySent"), a.ID)
			return err
		})
		if fault.CodeOf(err) == fault.UserNotFound {
			return nil, nil
		}
		return found, err
	})
}

// Verify opens a link: it proves that its address is read, and begins a session. email may be "" where
// the token alone is known.
func (s *Service) Verify(ctx context.Context, client Client, kind, token, email string) (*Session, error) {
	opens, known := kinds[kind]
	if !known {
		return nil, refuse(fault.ValidationFailed, "Unsupported verification type")
	}
	if token == "" {
		return nil, refuse(fault.ValidationFailed, "Verify requires a token or a token hash")
	}
	if email != "" {
		var err error
		if email, err = normalEmail(email); err != nil {
			return nil, err
		}
	}
	if err := s.limits.link.take(client.address()); err != nil {
		return nil, err
	}
	key, err := s.keys.signer(ctx)
	if err != nil {
		return nil, err
	}
	var made *Session
	err = s.config.DB.AsService(ctx, "LinkOpen", func(tx pgx.Tx) error {
		a, err := s.openLink(ctx, tx, opens, token, email)
		if err != nil {
			return err
		}
		made, err = s.begin(ctx, tx, key, a, methodLink, client)
		return err
	})
	return made, err
}

// openLink uses a link up and does what it is for.
func (s *Service) openLink(ctx context.Context, tx pgx.Tx, opens []string, token, email string) (account, error) {
	void := refuse(fault.OTPExpired, "Email link is invalid or has expired")
	var id uuid.UUID
	err := tx.QueryRow(ctx, queries.Get("OneTimeTokenUser"), tokenHash(token)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, void
	}
	if err != nil {
		return account{}, fmt.Errorf("find link: %w", err)
	}
	a, err := lockAccount(ctx, tx, id)
	if err != nil {
		return a, err
	}
	var kind, sentTo string
	var good bool
	err = tx.QueryRow(ctx, queries.Get("OneTimeTokenTake"), tokenHash(token), opens, email).Scan(&id, &kind, &sentTo, &good)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !good {
		return account{}, void
	}
	if err != nil {
		return account{}, fmt.Errorf("take link: %w", err)
	}
	switch {
	case a.banned(s.config.Now()):
		return a, refuse(fault.UserBanned, "User is banned")
	case kind == linkEmailChange:
		if err := setEmail(ctx, tx, id, sentTo, true); err != nil {
			return a, err
		}
	case a.email() != sentTo:
		return a, void // the account has another address by now
	default:
		if err := confirm(ctx, tx, a, kind); err != nil {
			return a, err
		}
	}
	return findAccount(ctx, tx, "UserByID", id)
}

// confirm notes that an account's address is read. A password that was set before, by whoever signed up
// with the address, is kept only where that sign-up's own link was opened: a stranger's would else become
// good when the owner of the address recovers the account.
func confirm(ctx context.Context, tx pgx.Tx, a account, kind string) error {
	if a.EmailConfirmedAt == nil && kind != linkSignup {
		if _, err := tx.Exec(ctx, queries.Get("UserSetPassword"), a.ID, nil); err != nil {
			return fmt.Errorf("drop password: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, queries.Get("UserConfirm"), a.ID); err != nil {
		return fmt.Errorf("confirm address: %w", err)
	}
	return nil
}

// setEmail changes an account's address, here and in the product.
func setEmail(ctx context.Context, tx pgx.Tx, id uuid.UUID, email string, confirmed bool) error {
	other, err := findAccount(ctx, tx, "UserByEmail", email)
	if err == nil && other.ID != id {
		return refuse(fault.EmailExists, "A user with this email address has already been registered")
	}
	if err != nil && fault.CodeOf(err) != fault.UserNotFound {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("UserSetEmail"), id, email, confirmed); err != nil {
		return fmt.Errorf("set address: %w", err)
	}
	for _, query := range []string{"ProductUserSetEmail", "ProfileSetEmail"} {
		if _, err := tx.Exec(ctx, queries.Get(query), id, email); err != nil {
			return fmt.Errorf("set address: %w", err)
		}
	}
	// Links that went to the former address are void.
	if _, err := tx.Exec(ctx, queries.Get("OneTimeTokensDrop"), id, []string{linkRecovery, linkInvite, linkSignup, linkEmailChange}); err != nil {
		return fmt.Errorf("drop links: %w", err)
	}
	return nil
}

// Redirect is where a link leads back to with a session, nil where it is no place the operator allowed:
// the session would be handed to whoever wrote the link.
func (s *Service) Redirect(to string) *url.URL {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil
	}
	if slices.Contains(s.config.RedirectOrigins, u.Scheme+"://"+u.Host) {
		return u
	}
	return nil
}
