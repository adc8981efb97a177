package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"

	"github.com/vital-db/vital/internal/fault"
)

const (
	// maxKeys is far above what an issuer publishes while it rotates.
	maxKeys = 64
	// The bounds of an RSA modulus: below is forgeable, above is a way to make us slow.
	minRSABits, maxRSABits = 2048, 8192
)

type keySource int

const (
	fromSecret keySource = iota + 1
	fromJWKS
)

// verificationKey is a key and where it came from, which decides what its tokens may claim.
type verificationKey struct {
	source     keySource
	public     any // []byte, *ecdsa.PublicKey or *rsa.PublicKey
	generation uint64
}

// keyName: an issuer may use one kid for keys of two algorithms, so the algorithm is part of the name.
type keyName struct{ kid, alg string }

// keySet is one published state of the issuer's keys. It never changes; a new state is a new set with
// the next generation.
type keySet struct {
	generation uint64
	keys       map[keyName]any
	print      [sha256.Size]byte // equal sets have equal prints
	skipped    []string          // why a published key is not in keys, for the log
}

// errUnknownKey means that a fresh set could know the key; faults from find are final.
var errUnknownKey = errors.New("key not in set")

// find returns the key a header names, of exactly the header's algorithm. A token without a kid means
// the only key of its algorithm (OpenID Connect Core 10.1 demands a kid beside several).
func (s *keySet) find(h header) (verificationKey, error) {
	if s == nil {
		return verificationKey{}, errUnknownKey
	}
	if !h.hasKid {
		return s.only(h.alg)
	}
	if key, ok := s.keys[keyName{h.kid, h.alg}]; ok {
		return verificationKey{source: fromJWKS, public: key, generation: s.generation}, nil
	}
	for name := range s.keys {
		if name.kid == h.kid {
			return verificationKey{}, fault.New(fault.TokenAlgorithm,
				"The access token names a key that is for another algorithm than the token's.",
				"Have the issuer sign with the algorithm its published key is for.")
		}
	}
	return verificationKey{}, errUnknownKey
}

func (s *keySet) only(alg string) (verificationKey, error) {
	found := verificationKey{}
	for name, key := range s.keys {
		if name.alg != alg {
			continue
		}
		if found.public != nil {
			return verificationKey{}, fault.New(fault.TokenUnknownKey,
				"The access token does not say which of the issuer's keys signed it.",
				"Have the issuer put the key's id (kid) into the token's header.")
		}
		found = verificationKey{source: fromJWKS, public: key, generation: s.generation}
	}
	if found.public == nil {
		return verificationKey{}, errUnknownKey
	}
	return found, nil
}

// decodeKeySet reads a JWKS. A key that is unfit (another algorithm, too weak, for encryption, broken)
// is left out and the others serve, as RFC 7517 5 asks. A list that is missing is an error, so that a
// proxy's error page or {} does not revoke everything; an empty list does revoke everything.
func decodeKeySet(body []byte) (*keySet, error) {
	var published struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &published); err != nil {
		return nil, errors.New("the answer is not a JSON Web Key Set")
	}
	if published.Keys == nil {
		return nil, errors.New("the answer has no list of keys")
	}
	if len(*published.Keys) > maxKeys {
		return nil, fmt.Errorf("the answer has %d keys, more than %d", len(*published.Keys), maxKeys)
	}
	set := &keySet{keys: make(map[keyName]any, len(*published.Keys))}
	var prints []string
	for i, raw := range *published.Keys {
		fingerprint, err := set.add(raw)
		if err != nil {
			set.skipped = append(set.skipped, fmt.Sprintf("key %d: %v", i, err))
			continue
		}
		prints = append(prints, fingerprint)
	}
	slices.Sort(prints)
	set.print = sha256.Sum256([]byte(strings.Join(prints, "\n")))
	return set, nil
}

// add takes one published key in and returns its print.
func (s *keySet) add(raw json.RawMessage) (string, error) {
	name, key, err := decodeKey(raw)
	if err != nil {
		return "", err
	}
	if _, taken := s.keys[name]; taken {
		return "", errors.New("another key has the same kid and algorithm")
	}
	// The same for the same key under the same name, and for no other.
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("not usable: %w", err)
	}
	s.keys[name] = key
	return fmt.Sprintf("%q %s %x", name.kid, name.alg, der), nil
}

// decodeKey takes the bare public key only. Certificates are dropped first: the library would fetch an
// x5u, and this server fetches nothing an issuer's document points to.
func decodeKey(raw json.RawMessage) (keyName, any, error) {
	var m jwkset.JWKMarshal
	if err := json.Unmarshal(raw, &m); err != nil {
		return keyName{}, nil, errors.New("not a JSON Web Key")
	}
	if m.D != "" || m.K != "" {
		return keyName{}, nil, errors.New("it is published with its private part, and so worthless; replace it at the issuer")
	}
	if m.USE != "" && m.USE != jwkset.UseSig {
		return keyName{}, nil, errors.New("its use is not sig")
	}
	if len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return keyName{}, nil, errors.New("its key_ops do not include verify")
	}
	if len(m.KID) > maxKeyIDBytes {
		return keyName{}, nil, errors.New("its kid is too long")
	}
	m.X5U, m.X5C, m.X5T, m.X5TS256 = "", nil, "", ""
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return keyName{}, nil, fmt.Errorf("not usable: %w", err)
	}
	alg, err := fittingAlgorithm(jwk.Key())
	if err != nil {
		return keyName{}, nil, err
	}
	if m.ALG != "" && m.ALG.String() != alg {
		return keyName{}, nil, errors.New("its alg is not " + alg)
	}
	return keyName{kid: m.KID, alg: alg}, jwk.Key(), nil
}

func fittingAlgorithm(key any) (string, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return "", errors.New("its curve is not P-256")
		}
		return algES256, nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return "", fmt.Errorf("its modulus has %d bits, not %d to %d", bits, minRSABits, maxRSABits)
		}
		if key.E < 3 || key.E%2 == 0 {
			return "", errors.New("its exponent is not an odd number above 1")
		}
		return algRS256, nil
	}
	return "", errors.New("its type is neither EC nor RSA")
}
