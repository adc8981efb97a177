package tenant

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed member.sql
var memberText string

var memberQueries = database.ParseQueries(memberText)

// Member is somebody who belongs to a tenant, or is invited to.
type Member struct {
	UserID *uuid.UUID `json:"user_id"` // nil while only invited
	Email  string     `json:"email"`
	Name   *string    `json:"full_name"`
	Role   string     `json:"role"`
	Status string     `json:"status"` // active, suspended or invited
	Since  time.Time  `json:"since"`
}

// ListMembers returns the members of a tenant and its open invitations.
func ListMembers(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID) ([]Member, error) {
	members, err := collect[Member](ctx, tx, memberQueries.Get("MemberList"), tenantID)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return members, nil
}

// Invitation is one that was just made. Its token is kept nowhere else.
type Invitation struct {
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	ExpiresAt time.Time `json:"expires_at"`
	Token     string    `json:"token"`
}

// InviteMember invites an address to a tenant.
func InviteMember(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, email, role string, expiresIn time.Duration) (Invitation, error) {
	made, err := collect[Invitation](ctx, tx, memberQueries.Get("MemberInvite"), tenantID, email, role, expiresIn)
	if err != nil || len(made) == 0 {
		return Invitation{}, fmt.Errorf("invite member: %w", err)
	}
	return made[0], nil
}

// ChangeMemberRole gives a member another role.
func ChangeMemberRole(ctx context.Context, tx pgx.Tx, tenantID, userID uuid.UUID, role, reason string) error {
	if _, err := tx.Exec(ctx, memberQueries.Get("MemberChangeRole"), tenantID, userID, role, orNull(reason)); err != nil {
		return fmt.Errorf("change role: %w", err)
	}
	return nil
}

// RemoveMember ends a membership.
func RemoveMember(ctx context.Context, tx pgx.Tx, tenantID, userID uuid.UUID, reason string) error {
	if _, err := tx.Exec(ctx, memberQueries.Get("MemberRemove"), tenantID, userID, orNull(reason)); err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	return nil
}
