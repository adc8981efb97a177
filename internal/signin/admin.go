package signin

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// maxPage is the most users one page of the list has.
const maxPage = 1000

// AdminUser is what an operator says of an account; fields left out of a change stay as they are.
type AdminUser struct {
	ID           string
	Email        string
	EmailConfirm bool
	Password     *string
	PasswordHash string
	UserMetadata map[string]any
	AppMetadata  map[string]any
	BanDuration  string // as 24h, or none
}

// ListUsers returns one page of accounts, the newest first, and how many there are.
func (s *Service) ListUsers(ctx context.Context, page, perPage int) (users []*User, total int, err error) {
	if page < 1 || perPage < 1 {
		return nil, 0, refuse(fault.ValidationFailed, "Bad Pagination Parameters: page and per_page count from 1")
	}
	perPage = min(perPage, maxPage)
	if page > 1<<31/perPage {
		page = 1 << 31 / perPage
	}
	users = []*User{}
	err = s.config.DB.AsService(ctx, "AccountList", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, queries.Get("UserCount")).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, queries.Get("UserList"), perPage, (page-1)*perPage)
		if err != nil {
			return err
		}
		accounts, err := pgx.CollectRows(rows, scanAccount)
		for _, a := range accounts {
			users = append(users, a.user())
		}
		return err
	})
	return users, total, err
}

// ReadUser returns any account.
func (s *Service) ReadUser(ctx context.Context, id uuid.UUID) (*User, error) {
	var a account
	err := s.config.DB.AsService(ctx, "AccountRead", func(tx pgx.Tx) (err error) {
		a, err = findAccount(ctx, tx, "UserByID", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.user(), nil
}

// CreateUser makes an account.
func (s *Service) CreateUser(ctx context.Context, asked AdminUser) (*User, error) {
	if asked.Email == "" {
		return nil, refuse(fault.ValidationFailed, "Cannot create a user without either an email or phone")
	}
	n := newAccount{confirmed: asked.EmailConfirm, app: asked.AppMetadata, user: asked.UserMetadata}
	var err error
	if n.email, err = normalEmail(asked.Email); err != nil {
		return nil, err
	}
	if err := checkAppMetadata(asked.AppMetadata); err != nil {
		return nil, err
	}
	if asked.ID != "" {
		id, err := uuid.Parse(asked.ID)
		if err != nil || id == uuid.Nil {
			return nil, refuse(fault.ValidationFailed, "ID must conform to the uuid v4 format")
		}
		n.id = &id
	}
	if n.password, err = s.adminPassword(ctx, asked); err != nil {
		return nil, err
	}
	ban, err := banDuration(asked.BanDuration)
	if err != nil {
		return nil, err
	}
	var a account
	err = s.config.DB.AsService(ctx, "AccountCreate", func(tx pgx.Tx) error {
		id, made, err := n.create(ctx, tx)
		if err != nil {
			return err
		}
		if !made {
			return refuse(fault.EmailExists, "A user with this email address has already been registered")
		}
		if err := applyBan(ctx, tx, id, ban); err != nil {
			return err
		}
		a, err = findAccount(ctx, tx, "UserByID", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.user(), nil
}

// adminPassword is the hash of the password an operator gives, or the hash they bring along; nil for none.
func (s *Service) adminPassword(ctx context.Context, asked AdminUser) (*string, error) {
	switch {
	case asked.Password != nil && asked.PasswordHash != "":
		return nil, refuse(fault.ValidationFailed, "Only a password or a password hash should be provided")
	case asked.PasswordHash != "":
		if !usableHash(asked.PasswordHash) || len(asked.PasswordHash) > 255 {
			return nil, refuse(fault.ValidationFailed, "The password hash is neither argon2id nor bcrypt, or costs too much to check")
		}
		return &asked.PasswordHash, nil
	case asked.Password == nil || *asked.Password == "":
		return nil, nil
	}
	if err := checkStrength(*asked.Password); err != nil {
		return nil, err
	}
	hashed, err := s.hasher.hash(ctx, *asked.Password)
	return &hashed, err
}

// UpdateAnyUser changes an account for an operator. A new password and a ban end all its sessions.
func (s *Service) UpdateAnyUser(ctx context.Context, id uuid.UUID, asked AdminUser) (*User, error) {
	email := ""
	var err error
	if asked.Email != "" {
		if email, err = normalEmail(asked.Email); err != nil {
			return nil, err
		}
	}
	if err := checkAppMetadata(asked.AppMetadata); err != nil {
		return nil, err
	}
	password, err := s.adminPassword(ctx, asked)
	if err != nil {
		return nil, err
	}
	ban, err := banDuration(asked.BanDuration)
	if err != nil {
		return nil, err
	}
	var a account
	err = s.config.DB.AsService(ctx, "AccountUpdate", func(tx pgx.Tx) error {
		if a, err = lockAccount(ctx, tx, id); err != nil {
			return err
		}
		if email != "" && email != a.email() {
			if err := setEmail(ctx, tx, id, email, asked.EmailConfirm || a.EmailConfirmedAt != nil); err != nil {
				return err
			}
		}
		if err := applyChanges(ctx, tx, a, asked, password, ban); err != nil {
			return err
		}
		a, err = findAccount(ctx, tx, "UserByID", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.user(), nil
}

func applyChanges(ctx context.Context, tx pgx.Tx, a account, asked AdminUser, password *string, ban *time.Duration) error {
	if asked.EmailConfirm {
		if _, err := tx.Exec(ctx, queries.Get("UserConfirm"), a.ID); err != nil {
			return fmt.Errorf("confirm address: %w", err)
		}
	}
	if password != nil {
		if err := storePassword(ctx, tx, a.ID, *password, uuid.Nil); err != nil {
			return err
		}
	}
	if err := storeUserData(ctx, tx, a, asked.UserMetadata); err != nil {
		return err
	}
	if asked.AppMetadata != nil {
		merged, err := mergeMetadata(a.AppMetadata, asked.AppMetadata)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("UserSetAppData"), a.ID, merged); err != nil {
			return fmt.Errorf("store metadata: %w", err)
		}
	}
	return applyBan(ctx, tx, a.ID, ban)
}

// banDuration reads GoTrue's ban_duration; nil for no change, 0 to lift one.
func banDuration(text string) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	if text == "none" {
		return new(time.Duration), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return nil, refuse(fault.ValidationFailed, "invalid format for ban duration")
	}
	return &d, nil
}

func applyBan(ctx context.Context, tx pgx.Tx, id uuid.UUID, ban *time.Duration) error {
	if ban == nil {
		return nil
	}
	if _, err := tx.Exec(ctx, queries.Get("UserBan"), id, *ban); err != nil {
		return fmt.Errorf("ban: %w", err)
	}
	if *ban == 0 {
		return nil
	}
	return endSessions(ctx, tx, id, uuid.Nil, uuid.Nil)
}

// DeleteUser removes an account, its sessions, its memberships and its profile; soft only disables it for
// good. The last owner of a tenant cannot be removed.
func (s *Service) DeleteUser(ctx context.Context, id uuid.UUID, soft bool) error {
	return s.config.DB.AsService(ctx, "AccountDelete", func(tx pgx.Tx) error {
		if _, err := lockAccount(ctx, tx, id); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, id, uuid.Nil, uuid.Nil); err != nil {
			return err
		}
		steps := []string{"ProductUserDelete", "UserDelete"}
		if soft {
			steps = []string{"UserDisable"}
		}
		for _, step := range steps {
			if _, err := tx.Exec(ctx, queries.Get(step), id); err != nil {
				return fmt.Errorf("delete account: %w", err)
			}
		}
		return nil
	})
}

// LinkRequest is what an operator asks of a link.
type LinkRequest struct {
	Type       string
	Email      string
	Password   string
	Data       map[string]any
	RedirectTo string
}

// GenerateLink makes a link without sending it; for an address without an account, an invitation or a
// sign-up makes one.
func (s *Service) GenerateLink(ctx context.Context, asked LinkRequest) (*User, Link, error) {
	email, err := normalEmail(asked.Email)
	if err != nil {
		return nil, Link{}, err
	}
	opens, known := kinds[asked.Type]
	if !known || len(opens) != 1 || opens[0] == linkEmailChange {
		return nil, Link{}, refuse(fault.ValidationFailed, "Invalid email action link type requested")
	}
	kind := opens[0]
	n := newAccount{email: email, invited: kind == linkInvite, user: asked.Data}
	if kind == linkSignup {
		if n.password, err = s.adminPassword(ctx, AdminUser{Password: &asked.Password}); err != nil {
			return nil, Link{}, err
		}
	}
	var a account
	var link Link
	err = s.config.DB.AsService(ctx, "LinkCreate", func(tx pgx.Tx) error {
		if kind != linkRecovery {
			if _, _, err := n.create(ctx, tx); err != nil {
				return err
			}
		}
		if a, err = findAccount(ctx, tx, "UserByEmail", email); err != nil {
			return err
		}
		if kind != linkRecovery && a.EmailConfirmedAt != nil {
			return refuse(fault.EmailExists, "A user with this email address has already been registered")
		}
		link, err = s.makeLink(ctx, tx, a.ID, kind, email, asked.RedirectTo)
		return err
	})
	if err != nil {
		return nil, Link{}, err
	}
	return a.user(), link, nil
}

// Invite makes an account without a password and sends its address a link to sign in with.
func (s *Service) Invite(ctx context.Context, email, redirectTo string, data map[string]any) (*User, error) {
	user, link, err := s.GenerateLink(ctx, LinkRequest{Type: linkInvite, Email: email, Data: data, RedirectTo: redirectTo})
	if err != nil {
		return nil, err
	}
	return user, s.send(ctx, func(context.Context) (*Letter, error) { return letter(user.Email, link), nil })
}
