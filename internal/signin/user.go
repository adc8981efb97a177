package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vital-db/vital/internal/fault"
)

// maxMetadataBytes bounds what is kept of a user's metadata: both kinds travel in every access token, and
// a token must fit into a header.
const maxMetadataBytes = 4 << 10

// account is a row of auth.users.
type account struct {
	ID               uuid.UUID
	Email            *string
	Password         *string // hashed
	EmailConfirmedAt *time.Time
	InvitedAt        *time.Time
	RecoverySentAt   *time.Time
	LastSignInAt     *time.Time
	AppMetadata      json.RawMessage
	UserMetadata     json.RawMessage
	BannedUntil      *time.Time
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// User is an account as GoTrue shows it.
type User struct {
	ID               uuid.UUID       `json:"id"`
	Aud              string          `json:"aud"`
	Role             string          `json:"role"`
	Email            string          `json:"email"`
	EmailConfirmedAt *time.Time      `json:"email_confirmed_at,omitempty"`
	ConfirmedAt      *time.Time      `json:"confirmed_at,omitempty"`
	InvitedAt        *time.Time      `json:"invited_at,omitempty"`
	Phone            string          `json:"phone"`
	RecoverySentAt   *time.Time      `json:"recovery_sent_at,omitempty"`
	NewEmail         string          `json:"new_email,omitempty"`
	LastSignInAt     *time.Time      `json:"last_sign_in_at,omitempty"`
	AppMetadata      json.RawMessage `json:"app_metadata"`
	UserMetadata     json.RawMessage `json:"user_metadata"`
	Identities       []Identity      `json:"identities"`
	CreatedAt        time.Time       `json:"created_at"`
	UpdatedAt        time.Time       `json:"updated_at"`
	BannedUntil      *time.Time      `json:"banned_until,omitempty"`
	IsAnonymous      bool            `json:"is_anonymous"`
}

// Identity is a way to sign in to an account. There is one: the address and a password.
type Identity struct {
	IdentityID   uuid.UUID      `json:"identity_id"`
	ID           uuid.UUID      `json:"id"`
	UserID       uuid.UUID      `json:"user_id"`
	IdentityData map[string]any `json:"identity_data"`
	Provider     string         `json:"provider"`
	LastSignInAt *time.Time     `json:"last_sign_in_at"`
	CreatedAt    time.Time      `json:"created_at"`
	UpdatedAt    time.Time      `json:"updated_at"`
	Email        string         `json:"email"`
}

func (a account) email() string {
	if a.Email == nil {
		return ""
	}
	return *a.Email
}

func (a account) password() string {
	if a.Password == nil {
		return ""
	}
	return *a.Password
}

func (a account) banned(now time.Time) bool {
	return a.BannedUntil != nil && now.Before(*a.BannedUntil)
}

func (a account) user() *User {
	u := &User{
		ID: a.ID, Aud: "authenticated", Role: "authenticated", Email: a.email(),
		EmailConfirmedAt: a.EmailConfirmedAt, ConfirmedAt: a.EmailConfirmedAt, InvitedAt: a.InvitedAt,
		RecoverySentAt: a.RecoverySentAt, LastSignInAt: a.LastSignInAt,
		AppMetadata: withProvider(a.AppMetadata), UserMetadata: a.UserMetadata,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, BannedUntil: a.BannedUntil, Identities: []Identity{},
	}
	if a.Email != nil {
		u.Identities = append(u.Identities, Identity{
			IdentityID: a.ID, ID: a.ID, UserID: a.ID, Provider: "email", LastSignInAt: a.LastSignInAt,
			CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, Email: *a.Email,
			IdentityData: map[string]any{
				"sub": a.ID, "email": *a.Email, "email_verified": a.EmailConfirmedAt != nil, "phone_verified": false,
			},
		})
	}
	return u
}

// withProvider adds how the account signs in, as GoTrue has it in app_metadata. Nothing of user_metadata
// ever gets here.
func withProvider(raw json.RawMessage) json.RawMessage {
	metadata := map[string]any{}
	_ = json.Unmarshal(raw, &metadata) // the table holds objects only
	if metadata["provider"] == nil {
		metadata["provider"] = "email"
	}
	if metadata["providers"] == nil {
		metadata["providers"] = []string{"email"}
	}
	merged, _ := json.Marshal(metadata) // it came from JSON
	return merged
}

// scanAccount reads the columns every query of accounts has, in their order.
func scanAccount(row pgx.CollectableRow) (account, error) {
	var a account
	var banned pgtype.Timestamptz // which may be infinity
	err := row.Scan(&a.ID, &a.Email, &a.Password, &a.EmailConfirmedAt, &a.InvitedAt, &a.RecoverySentAt,
		&a.LastSignInAt, &a.AppMetadata, &a.UserMetadata, &banned, &a.CreatedAt, &a.UpdatedAt)
	if banned.Valid {
		a.BannedUntil = &banned.Time
		if banned.InfinityModifier == pgtype.Infinity {
			forever := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
			a.BannedUntil = &forever
		}
	}
	return a, err
}

func findAccount(ctx context.Context, tx pgx.Tx, query string, args ...any) (account, error) {
	rows, err := tx.Query(ctx, queries.Get(query), args...)
	if err != nil {
		return account{}, err
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, refuse(fault.UserNotFound, "User not found")
	}
	return a, err
}

// lockAccount reads an account that nobody else changes until the transaction ends. A session begins and
// ends under this lock: none is made with a password or a link that was replaced at the same moment.
func lockAccount(ctx context.Context, tx pgx.Tx, id uuid.UUID) (account, error) {
	if _, err := tx.Exec(ctx, queries.Get("UserLock"), id); err != nil {
		return account{}, fmt.Errorf("lock account: %w", err)
	}
	return findAccount(ctx, tx, "UserByID", id)
}

// newAccount is what an account is made of.
type newAccount struct {
	id        *uuid.UUID // nil for a random one
	email     string
	password  *string // hashed; nil for none
	confirmed bool
	invited   bool
	app, user map[string]any
}

// create makes the account, and its user and profile in the product. It returns false where the address
// or the id is taken.
func (n newAccount) create(ctx context.Context, tx pgx.Tx) (id uuid.UUID, made bool, err error) {
	app, err := mergeMetadata(nil, n.app)
	if err != nil {
		return id, false, err
	}
	user, err := mergeMetadata(nil, n.user)
	if err != nil {
		return id, false, err
	}
	err = tx.QueryRow(ctx, queries.Get("UserCreate"), n.id, n.email, n.password, n.confirmed, n.invited, app, user).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, false, nil
	}
	if err != nil {
		return id, false, fmt.Errorf("create account: %w", err)
	}
	return id, true, createProductUser(ctx, tx, id, n.email, n.user)
}

func createProductUser(ctx context.Context, tx pgx.Tx, id uuid.UUID, email string, metadata map[string]any) error {
	if _, err := tx.Exec(ctx, queries.Get("ProductUserCreate"), id, email); err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	var name *string
	for _, key := range []string{"full_name", "name", "display_name"} {
		if text, ok := metadata[key].(string); ok && name == nil && strings.TrimSpace(text) != "" && len(text) <= 200 {
			text = strings.TrimSpace(text)
			name = &text
		}
	}
	if _, err := tx.Exec(ctx, queries.Get("ProfileCreate"), id, email, name); err != nil {
		return fmt.Errorf("create profile: %w", err)
	}
	return nil
}

// mergeMetadata sets keys as GoTrue does: null removes one, the others stay.
func mergeMetadata(old json.RawMessage, changes map[string]any) (string, error) {
	merged := map[string]any{}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &merged); err != nil {
			return "", fmt.Errorf("read metadata: %w", err)
		}
	}
	for key, value := range changes {
		if value == nil {
			delete(merged, key)
			continue
		}
		merged[key] = value
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return "", fmt.Errorf("encode metadata: %w", err)
	}
	if len(text) > maxMetadataBytes {
		return "", refuse(fault.ValidationFailed, "Metadata cannot be larger than 4096 bytes: it is part of every access token")
	}
	if strings.Contains(string(text), `\u0000`) {
		return "", refuse(fault.ValidationFailed, "Metadata cannot hold the character U+0000")
	}
	return string(text), nil
}

// checkAppMetadata refuses a tenant claim that no token could carry.
func checkAppMetadata(changes map[string]any) error {
	value, set := changes["tenant_id"]
	if text, ok := value.(string); set && value != nil && (!ok || text == "" || len(text) > 255) {
		return refuse(fault.ValidationFailed, "app_metadata.tenant_id must be a tenant's id or slug")
	}
	return nil
}

// normalEmail is the address as it is kept and compared: trimmed, in lower case, nothing but an address.
func normalEmail(given string) (string, error) {
	email := strings.ToLower(strings.TrimSpace(given))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || parsed.Name != "" || len(email) > 255 || strings.ContainsAny(email, " <>\"\\") {
		return "", refuse(fault.ValidationFailed, "Unable to validate email address: invalid format")
	}
	return email, nil
}
