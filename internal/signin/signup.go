package signin

import (
	"context"
	"maps"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// invitationToken is the member of the sign-up's data that carries an invitation. It is a secret and is
// not kept in the metadata.
const invitationToken = "invitation_token"

// Signup is what a sign-up asks for.
type Signup struct {
	Email      string
	Password   string
	Data       map[string]any
	RedirectTo string
}

// SignUp makes an account for an address that is invited, or for any where the operator said so. With the
// invitation's token in its data it makes the membership too, in the same transaction.
//
// The session is nil where the address must be confirmed by a link first, and where the address has an
// account already: both answer with a user that looks new, so nobody learns who has an account.
func (s *Service) SignUp(ctx context.Context, client Client, asked Signup) (*Session, *User, error) {
	if asked.Password == "" {
		return nil, nil, refuse(fault.ValidationFailed, "Signup requires a valid password")
	}
	if err := checkStrength(asked.Password); err != nil {
		return nil, nil, err
	}
	email, err := normalEmail(asked.Email)
	if err != nil {
		return nil, nil, err
	}
	if err := s.limits.signup.take(client.address()); err != nil {
		return nil, nil, err
	}
	token, data, err := splitInvitation(asked.Data)
	if err != nil {
		return nil, nil, err
	}
	if _, err := mergeMetadata(nil, data); err != nil {
		return nil, nil, err
	}
	if err := s.mayRegister(ctx, email, token); err != nil {
		return nil, nil, err
	}
	password, err := s.hasher.hash(ctx, asked.Password) // for an existing account as well: it takes as long
	if err != nil {
		return nil, nil, err
	}
	made := newAccount{email: email, password: &password, user: data, confirmed: token != "" || !s.confirms()}
	session, taken, err := s.register(ctx, client, made, token)
	if err != nil {
		return nil, nil, err
	}
	if session != nil {
		return session, session.User, nil
	}
	if !taken {
		if err := s.sendConfirmation(ctx, email, asked.RedirectTo); err != nil {
			return nil, nil, err
		}
	}
	return nil, s.unconfirmed(email, data), nil
}

// confirms says whether a new address must be confirmed by a link. Where only the invited sign up and no
// mail is sent, the invitation is enough.
func (s *Service) confirms() bool { return s.config.OpenSignup || s.config.Mailer != nil }

// splitInvitation takes the invitation's token out of a sign-up's data.
func splitInvitation(data map[string]any) (string, map[string]any, error) {
	rest := maps.Clone(data)
	value, given := rest[invitationToken]
	delete(rest, invitationToken)
	token, ok := value.(string)
	if given && value != nil && (!ok || len(token) > 255) {
		return "", nil, refuse(fault.ValidationFailed, "data.invitation_token must be a string")
	}
	return token, rest, nil
}

// mayRegister decides by invitations alone, and never by whether there is an account.
func (s *Service) mayRegister(ctx context.Context, email, token string) error {
	var open, matches bool
	err := s.config.DB.AsService(ctx, "InvitationOpen", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, queries.Get("InvitationOpen"), email).Scan(&open); err != nil {
			return err
		}
		return tx.QueryRow(ctx, queries.Get("InvitationMatches"), email, token).Scan(&matches)
	})
	switch {
	case err != nil:
		return err
	case !open && !s.config.OpenSignup:
		return refuse(fault.SignupDisabled, "Signups not allowed for this instance")
	case token != "" && !matches:
		return refuse(fault.InviteNotFound, "There is no such invitation for this address")
	}
	return nil
}

// register makes the account, and begins its session where its address is good. taken says that there was
// one already, which is left as it is: an invitation proves nothing about who owns an account.
func (s *Service) register(ctx context.Context, client Client, n newAccount, token string) (session *Session, taken bool, err error) {
	key, err := s.keys.signer(ctx)
	if err != nil {
		return nil, false, err
	}
	err = s.config.DB.AsService(ctx, "AccountCreate", func(tx pgx.Tx) error {
		id, made, err := n.create(ctx, tx)
		if err != nil || !made {
			taken = err == nil
			return err
		}
		if token != "" {
			var tenant uuid.UUID
			if err := tx.QueryRow(ctx, queries.Get("InvitationAccept"), id, token).Scan(&tenant); err != nil {
				return err
			}
		}
		if !n.confirmed {
			return nil
		}
		a, err := findAccount(ctx, tx, "UserByID", id)
		if err != nil {
			return err
		}
		session, err = s.begin(ctx, tx, key, a, methodPassword, client)
		return err
	})
	return session, taken, err
}

// sendConfirmation sends the link that confirms an address, if there is an account that awaits it.
func (s *Service) sendConfirmation(ctx context.Context, email, redirectTo string) error {
	if s.limits.letter.take(email) != nil {
		return nil //nolint:nilerr // as in Recover
	}
	return s.send(ctx, func(ctx context.Context) (found *Letter, err error) {
		err = s.config.DB.AsService(ctx, "ConfirmationSend", func(tx pgx.Tx) error {
			a, err := findAccount(ctx, tx, "UserByEmail", email)
			if err != nil || a.EmailConfirmedAt != nil {
				return err
			}
			link, err := s.makeLink(ctx, tx, a.ID, linkSignup, email, redirectTo)
			found = letter(email, link)
			return err
		})
		if fault.CodeOf(err) == fault.UserNotFound {
			return nil, nil
		}
		return found, err
	})
}

// Resend sends the link that confirms a new account's address once more. It answers alike where there is
// none that awaits it.
func (s *Service) Resend(ctx context.Context, client Client, kind, email, redirectTo string) error {
	if kind != linkSignup {
		return refuse(fault.ValidationFailed, "Only the link of a sign-up can be sent again")
	}
	email, err := normalEmail(email)
	if err != nil {
		return err
	}
	if err := s.limits.link.take(client.address()); err != nil {
		return err
	}
	return s.sendConfirmation(ctx, email, redirectTo)
}

// unconfirmed is the user a sign-up without a session answers with, whether it made one or not.
func (s *Service) unconfirmed(email string, data map[string]any) *User {
	now := s.config.Now().UTC()
	metadata, _ := mergeMetadata(nil, data) // was checked before
	return account{ID: uuid.New(), Email: &email, UserMetadata: []byte(metadata), CreatedAt: now, UpdatedAt: now}.user()
}
