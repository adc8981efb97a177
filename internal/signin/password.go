package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/vital-db/vital/internal/fault"
)

// Parameters of argon2id as OWASP names them: 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 * 1024 // KiB; what Config.PasswordMemory defaults to
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32

	// What an imported hash may demand at most, so that a row cannot make us slow.
	maxArgonMemory = 128 * 1024
	maxArgonTime   = 10
	maxBcryptCost  = 14

	minPassword = 8
	maxPassword = 256

	// Hashing is bounded: as many at once as there are processors, this many waiting, this long.
	maxWaiting = 64
	maxWait    = 5 * time.Second
)

// hasher hashes and checks passwords. A flood of them costs bounded memory, and those who come when too
// many wait are sent away.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int32
	memory  uint32 // of new hashes, in KiB
	dummy   string
}

func newHasher(memory uint32) *hasher {
	h := &hasher{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), memory: memory}
	dummy := make([]byte, argonKey)
	_, _ = rand.Read(dummy) // never fails
	h.dummy = argonHash(base64.RawStdEncoding.EncodeToString(dummy), memory)
	return h
}

// WeakPasswordError is the cause of a weak_password fault: what is wrong with it, in GoTrue's words.
type WeakPasswordError struct{ Reasons []string }

func (w WeakPasswordError) Error() string { return "weak password: " + strings.Join(w.Reasons, ", ") }

// checkStrength refuses a password that is too short or too long.
func checkStrength(password string) error {
	if len(password) > maxPassword {
		return refuse(fault.ValidationFailed, fmt.Sprintf("Password cannot be longer than %d characters", maxPassword))
	}
	if len([]rune(password)) < minPassword {
		return fault.Wrap(WeakPasswordError{[]string{"length"}}, fault.WeakPassword,
			fmt.Sprintf("Password should be at least %d characters.", minPassword), hints[fault.WeakPassword])
	}
	return nil
}

// enter takes a slot; leave gives it back.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, throttled(time.Second)
	}
	defer h.waiting.Add(-1)
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-timer.C:
		return nil, throttled(time.Second)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return argonHash(password, h.memory), nil
}

// verify compares password with encoded, and says whether encoded should be made anew. An account without
// a usable hash, or no account at all (encoded ""), costs as much time as a wrong password.
func (h *hasher) verify(ctx context.Context, password, encoded string) (matches, outdated bool, err error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	if len(password) > maxPassword {
		password, encoded = password[:maxPassword], ""
	}
	if strings.HasPrefix(encoded, "$2") && usableHash(encoded) { // a cost beyond bounds would never end
		if err := bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password)); err != nil {
			return false, false, nil
		}
		return true, true, nil
	}
	hash, ok := parseArgon(encoded)
	if !ok {
		hash, _ = parseArgon(h.dummy)
	}
	key := argon2.IDKey([]byte(password), hash.salt, hash.time, hash.memory, hash.threads, uint32(len(hash.key)))
	equal := subtle.ConstantTimeCompare(key, hash.key) == 1
	outdated = hash.memory < h.memory || hash.time < argonTime || len(hash.key) < argonKey
	return ok && equal, outdated, nil
}

func argonHash(password string, memory uint32) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, memory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

type argon struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parseArgon reads a PHC string of argon2id.
func parseArgon(encoded string) (a argon, ok bool) {
	part := strings.Split(encoded, "$")
	if len(part) != 6 || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, false
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); err != nil {
		return a, false
	}
	if a.memory == 0 || a.memory > maxArgonMemory || a.time == 0 || a.time > maxArgonTime || a.threads == 0 {
		return a, false
	}
	var saltErr, keyErr error
	a.salt, saltErr = base64.RawStdEncoding.DecodeString(part[4])
	a.key, keyErr = base64.RawStdEncoding.DecodeString(part[5])
	return a, saltErr == nil && keyErr == nil && len(a.salt) >= 8 && len(a.key) >= 16 && len(a.key) <= 64
}

// usableHash reports whether an imported hash can be checked here.
func usableHash(encoded string) bool {
	if strings.HasPrefix(encoded, "$2") {
		cost, err := bcrypt.Cost([]byte(encoded))
		return err == nil && cost <= maxBcryptCost
	}
	_, ok := parseArgon(encoded)
	return ok
}

// GeneratePassword makes a password of 80 random bits that can be typed.
func GeneratePassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32, without those that look alike
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	var b strings.Builder
	for i, c := range raw {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(letters[int(c)%len(letters)])
	}
	return b.String()
}

// HashPassword is what an account keeps of password.
func HashPassword(password string) (string, error) {
	if err := checkStrength(password); err != nil {
		return "", err
	}
	return argonHash(password, argonMemory), nil
}
