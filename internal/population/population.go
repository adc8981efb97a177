// Package population fills a database with generated tenants, for measuring what many of them cost, and takes them away again.
// Ids are hashes: as spread as random ones, computable here and in SQL, and nobody's by accident.
package population

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // names rows, protects nothing
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed population.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Shape is how many of everything there are; all but tenants and flags are of each tenant. The first member of a tenant is its
// admin, who is a member of the next tenant as well.
type Shape struct {
	Tenants   int `json:"tenants"`
	Members   int `json:"members"`
	Apps      int `json:"apps"`
	Flags     int `json:"flags"`
	Overrides int `json:"overrides"`
	Agents    int `json:"agents"`
	Prompts   int `json:"prompts"`
	// Recorded gives tenants what triggers would have written when they were made: the beginning of their audit chain, and the
	// first version of each override.
	Recorded bool `json:"recorded"`
	// PasswordHash is that of every member's account, which has no password where it is "".
	PasswordHash string `json:"-"`
}

// Bounds of a shape: what a tenant has is made in memory, and flags are written one by one.
const (
	MostTenants = 10_000_000
	mostOfEach  = 10_000
)

// Check refuses a shape that nobody can load.
func (s Shape) Check() error {
	for _, part := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"tenants", s.Tenants, 1, MostTenants}, {"members", s.Members, 1, mostOfEach}, {"apps", s.Apps, 0, mostOfEach}, {"flags", s.Flags, 0, mostOfEach},
		{"overrides", s.Overrides, 0, s.Flags}, {"agents", s.Agents, 0, mostOfEach}, {"prompts", s.Prompts, 0, mostOfEach},
	} {
		if part.value < part.least || part.value > part.most {
			hint := fmt.Sprintf("It is %d to %d.", part.least, part.most)
			if part.name == "overrides" {
				hint = "A tenant overrides no more flags than there are."
			}
			return fault.New(fault.Usage, fmt.Sprintf("%d %s is out of range.", part.value, part.name), hint)
		}
	}
	return nil
}

func hashed(kind string, numbers ...int) uuid.UUID {
	text := append(make([]byte, 0, 40), kind...)
	for _, n := range numbers {
		text = strconv.AppendInt(append(text, ' '), int64(n), 10)
	}
	return md5.Sum(text) //nolint:gosec // names rows, protects nothing
}

// TenantID is the id of tenant n, counted from 1.
func TenantID(n int) uuid.UUID { return hashed("tenant", n) }

// UserID is the id of user n, counted from 1 through all tenants.
func UserID(n int) uuid.UUID { return hashed("user", n) }

// FlagID is the id of flag n.
func FlagID(n int) uuid.UUID { return hashed("flag", n) }

// FlagKey is the key of flag n.
func FlagKey(n int) string { return fmt.Sprintf("flag_%03d", n) }

// PromptID is the id of prompt k of tenant n.
func PromptID(n, k int) uuid.UUID { return hashed("prompt", n, k) }

// Email is the address of user n.
func Email(n int) string { return "user-" + strconv.Itoa(n) + "@example.test" }

// User is the number of member k of tenant n; member 1 is its admin.
func (s Shape) User(n, k int) int { return (n-1)*s.Members + k }

// order is in which tenants are loaded: that of their ids, so that indexes grow at their end. In any other a million tenants would touch a page
// of its own with almost every row.
func (s Shape) order() []int {
	ids := make([]uuid.UUID, s.Tenants)
	order := make([]int, s.Tenants)
	for i := range order {
		ids[i], order[i] = TenantID(i+1), i+1
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(ids[a-1][:], ids[b-1][:]) })
	return order
}

func tenantIDs(some []int) []uuid.UUID {
	ids := make([]uuid.UUID, len(some))
	for i, n := range some {
		ids[i] = TenantID(n)
	}
	return ids
}

// members are the ids of the members of some tenants.
func (s Shape) members(some []int) []uuid.UUID {
	var ids []uuid.UUID
	for _, n := range some {
		for k := 1; k <= s.Members; k++ {
			ids = append(ids, UserID(s.User(n, k)))
		}
	}
	return ids
}

// Standing is what a database holds of tenants.
type Standing struct {
	// Shape is what was begun, nil where nothing was.
	Shape *Shape
	// Generated are the tenants that are there, of those.
	Generated int
	// Others are tenants that are neither generated nor the demo's.
	Others int
}

// Find says what is there.
func Find(ctx context.Context, conn *pgx.Conn) (Standing, error) {
	var found Standing
	var shape []byte
	if err := conn.QueryRow(ctx, queries.Get("Standing")).Scan(&found.Generated, &found.Others, &shape); err != nil {
		return found, fmt.Errorf("look for tenants: %w", err)
	}
	if shape == nil {
		return found, nil
	}
	found.Shape = &Shape{}
	if err := json.Unmarshal(shape, found.Shape); err != nil {
		return found, fmt.Errorf("read the shape of what was loaded: %w", err)
	}
	return found, nil
}

// Whole says whether all that was begun is there.
func (s Standing) Whole() bool { return s.Shape != nil && s.Generated == s.Shape.Tenants }
