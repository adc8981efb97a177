package signin

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// GetUser returns the caller's account.
func (s *Service) GetUser(ctx context.Context, caller identity.Caller) (*User, error) {
	var a account
	err := s.config.DB.AsService(ctx, "AccountRead", func(tx pgx.Tx) (err error) {
		a, err = s.current(ctx, tx, caller)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.user(), nil
}

// UserChange is what users may change of their own account.
type UserChange struct {
	Email      string // "" for no change
	Password   *string
	Data       map[string]any
	RedirectTo string
}

// UpdateUser changes the caller's account. A new password ends every other session; a new address counts
// from when the link that is sent there was opened.
func (s *Service) UpdateUser(ctx context.Context, client Client, caller identity.Caller, change UserChange) (*User, error) {
	email := ""
	if change.Email != "" {
		var err error
		if email, err = normalEmail(change.Email); err != nil {
			return nil, err
		}
		if err := s.limits.link.take(client.address()); err != nil {
			return nil, err
		}
	}
	var a account
	err := s.config.DB.AsService(ctx, "AccountRead", func(tx pgx.Tx) (err error) {
		a, err = s.current(ctx, tx, caller)
		return err
	})
	if err != nil {
		return nil, err
	}
	password, err := s.newPassword(ctx, a, change.Password)
	if err != nil {
		return nil, err
	}
	err = s.config.DB.AsService(ctx, "AccountUpdate", func(tx pgx.Tx) error {
		if _, err := lockAccount(ctx, tx, caller.UserID); err != nil {
			return err
		}
		if a, err = s.current(ctx, tx, caller); err != nil {
			return err
		}
		if err := storePassword(ctx, tx, a.ID, password, caller.SessionID); err != nil {
			return err
		}
		if err := storeUserData(ctx, tx, a, change.Data); err != nil {
			return err
		}
		a, err = findAccount(ctx, tx, "UserByID", a.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	user := a.user()
	if email != "" && email != a.email() {
		user.NewEmail = email
		err = s.sendEmailChange(ctx, a.ID, email, change.RedirectTo)
	}
	return user, err
}

// newPassword checks and hashes a password an account is to get; "" for none.
func (s *Service) newPassword(ctx context.Context, a account, password *string) (string, error) {
	if password == nil {
		return "", nil
	}
	if err := checkStrength(*password); err != nil {
		return "", err
	}
	same, _, err := s.hasher.verify(ctx, *password, a.password())
	if err != nil {
		return "", err
	}
	if same {
		return "", refuse(fault.SamePassword, "New password should be different from the old password.")
	}
	return s.hasher.hash(ctx, *password)
}

// storePassword sets a password and ends all sessions but one; links that were sent before are void.
func storePassword(ctx context.Context, tx pgx.Tx, id uuid.UUID, hashed string, except uuid.UUID) error {
	if hashed == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, queries.Get("UserSetPassword"), id, hashed); err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("OneTimeTokensDrop"), id, []string{linkRecovery, linkInvite}); err != nil {
		return fmt.Errorf("drop links: %w", err)
	}
	return endSessions(ctx, tx, id, uuid.Nil, except)
}

func storeUserData(ctx context.Context, tx pgx.Tx, a account, changes map[string]any) error {
	if changes == nil {
		return nil
	}
	merged, err := mergeMetadata(a.UserMetadata, changes)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("UserSetUserData"), a.ID, merged); err != nil {
		return fmt.Errorf("store metadata: %w", err)
	}
	return nil
}

// sendEmailChange sends a link to an account's new address. Where it belongs to another account nothing is
// sent, and nobody is told.
func (s *Service) sendEmailChange(ctx context.Context, id uuid.UUID, email, redirectTo string) error {
	if s.limits.letter.take(email) != nil {
		return nil //nolint:nilerr // as in Recover
	}
	return s.send(ctx, func(ctx context.Context) (found *Letter, err error) {
		err = s.config.DB.AsService(ctx, "EmailChangeSend", func(tx pgx.Tx) error {
			_, err := findAccount(ctx, tx, "UserByEmail", email)
			if fault.CodeOf(err) != fault.UserNotFound {
				return err
			}
			link, err := s.makeLink(ctx, tx, id, linkEmailChange, email, redirectTo)
			found = letter(email, link)
			return err
		})
		return found, err
	})
}

// SetPassword gives the account of an address another password, for an operator, and ends its sessions.
func SetPassword(ctx context.Context, db *postgres.Service, email, password string) error {
	if err := checkStrength(password); err != nil {
		return err
	}
	email, err := normalEmail(email)
	if err != nil {
		return err
	}
	hashed := argonHash(password, argonMemory)
	return db.AsService(ctx, "PasswordSet", func(tx pgx.Tx) error {
		a, err := findAccount(ctx, tx, "UserByEmail", email)
		if err != nil {
			return err
		}
		if _, err := lockAccount(ctx, tx, a.ID); err != nil {
			return err
		}
		return storePassword(ctx, tx, a.ID, hashed, uuid.Nil)
	})
}

// GivePasswords gives accounts that have none a generated password, and returns them by address: for demo
// users at the first start.
func GivePasswords(ctx context.Context, db *postgres.Service, emails []string) (map[string]string, error) {
	given := map[string]string{}
	err := db.AsService(ctx, "PasswordsGive", func(tx pgx.Tx) error {
		for _, email := range emails {
			a, err := findAccount(ctx, tx, "UserByEmail", email)
			if fault.CodeOf(err) == fault.UserNotFound || err == nil && a.Password != nil {
				continue
			}
			if err != nil {
				return err
			}
			password := GeneratePassword()
			if err := storePassword(ctx, tx, a.ID, argonHash(password, argonMemory), uuid.Nil); err != nil {
				return err
			}
			given[email] = password
		}
		return nil
	})
	return given, err
}
