package tenant

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// plannedInvitation is one to make. Its token is drawn when it is written, so that a plan holds none.
type plannedInvitation struct {
	tenant      uuid.UUID
	key         string
	email, role string
}

// people compares owner and members to those the tenant has. Who is known becomes a member, who is not is invited; an invitation
// that is open and says the same stands.
func (p *plan) people(t *target) {
	roles := map[uuid.UUID]string{}
	for id, m := range t.state.members {
		if m.Active {
			roles[id] = m.Role
		}
	}
	if owner := t.spec.Owner; owner != "" {
		if user, known := p.world.users[owner]; known {
			p.member(t, user, owner, "owner", roles)
		} else {
			p.faults.add(t.spec, "/owner", "there is no user with the address %s; an owner signs in first, or is invited among members with the role owner", owner)
		}
	}
	ownedBefore, demoted := hasOwner(roles), -1
	for i, m := range t.spec.Members {
		user, known := p.world.users[m.Email]
		_, isMember := t.state.members[user.ID]
		open, isInvited := t.state.invitations[m.Email]
		switch {
		case known && (isMember || !isInvited):
			if before := p.member(t, user, m.Email, m.Role, roles); before == "owner" && m.Role != "owner" {
				demoted = i
			}
		case isInvited && open == m.Role:
		default:
			if isInvited {
				t.note("~", "invitation", m.Email, "role", open, m.Role)
				p.add(stepInvitationsRevoke, map[string]any{"tenant_id": t.wanted.ID, "email": m.Email})
			} else {
				t.note("+", "invitation", m.Email, "", nil, m.Role)
			}
			p.invited = append(p.invited, plannedInvitation{t.wanted.ID, t.wanted.Key, m.Email, m.Role})
		}
	}
	if ownedBefore && demoted >= 0 && !hasOwner(roles) {
		p.faults.add(t.spec, "/members/"+strconv.Itoa(demoted), "%s is the last owner; name another owner, too", t.spec.Members[demoted].Email)
	}
}

// member makes a user a member in that role, and returns the role they had.
func (p *plan) member(t *target, user knownUser, email, role string, roles map[uuid.UUID]string) (before string) {
	member, isMember := t.state.members[user.ID]
	if isMember && member.Role == role {
		return role
	}
	object := "member"
	if role == "owner" {
		object = "owner"
	}
	if isMember {
		t.note("~", object, email, "role", member.Role, role)
	} else {
		t.note("+", object, email, "", nil, role)
		if user.Homeless && !p.homes[user.ID] {
			p.homes[user.ID] = true // their first tenant becomes their default
			p.add(stepDefaults, map[string]any{"tenant_id": t.wanted.ID, "user_id": user.ID})
		}
	}
	if !isMember || member.Active {
		roles[user.ID] = role
	}
	p.add(stepMembers, map[string]any{"tenant_id": t.wanted.ID, "user_id": user.ID, "role": role})
	return member.Role
}

func hasOwner(roles map[uuid.UUID]string) bool {
	for _, role := range roles {
		if role == "owner" {
			return true
		}
	}
	return false
}

// draw gives every planned invitation its token: 256 bits, of which the database gets the hash alone.
func (p *plan) draw(expires time.Time) []TenantInvitation {
	made := make([]TenantInvitation, len(p.invited))
	for i, planned := range p.invited {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		token := base64.RawURLEncoding.EncodeToString(secret)
		hash := sha256.Sum256([]byte(token))
		made[i] = TenantInvitation{planned.key, Invitation{planned.email, planned.role, expires, token}}
		p.add(stepInvitations, map[string]any{
			"tenant_id": planned.tenant, "email": planned.email, "role": planned.role, "token_hash": hex.EncodeToString(hash[:]), "expires_at": expires,
		})
	}
	return made
}
