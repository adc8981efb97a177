package signin

import "golang.org/x/crypto/bcrypt"

// Busy takes every place there is for hashing, until release.
func (s *Service) Busy() (release func()) {
	for range cap(s.hasher.slots) {
		s.hasher.slots <- struct{}{}
	}
	return func() {
		for range cap(s.hasher.slots) {
			<-s.hasher.slots
		}
	}
}

// Bcrypt hashes as an import would have.
func Bcrypt(password string) string {
	hashed, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hashed)
}

// UsableHash reports whether an imported hash is taken.
func UsableHash(encoded string) bool { return usableHash(encoded) }

// Message is what SMTP sends.
func (m *SMTP) Message(letter Letter) string { return string(m.message(letter)) }
