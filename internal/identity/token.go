package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vital-db/vital/internal/fault"
)

// maxTokenBytes is more than any proxy lets through in a header, and bounds what a forged token costs.
const maxTokenBytes = 16 << 10

// maxKeyIDBytes bounds the kid that is looked up.
const maxKeyIDBytes = 256

// The algorithms accepted, and no others.
const (
	algHS256 = "HS256"
	algES256 = "ES256"
	algRS256 = "RS256"
)

// signedToken is a token taken apart, with nothing of it believed yet. The library's parser is not
// used because it reads the claims before it checks the signature and lets a repeated member win
// silently; its signature methods are.
type signedToken struct {
	header    header
	input     string // what was signed: header.payload, as sent
	payload   []byte
	signature []byte
}

// header is what decides the key. Everything else in it is ignored, above all jku, jwk, x5u and x5c:
// a token does not say where its own key comes from.
type header struct {
	alg    string
	kid    string
	hasKid bool
}

func checkSize(token string) error {
	if token == "" {
		return fault.New(fault.TokenMissing, "This request needs an access token.",
			"Sign in, and send the access token as: Authorization: Bearer <token>")
	}
	if len(token) > maxTokenBytes {
		return malformed("The access token is longer than 16 KiB.")
	}
	return nil
}

func malformed(message string) error {
	return fault.New(fault.TokenMalformed, message,
		"Send the access token exactly as the issuer gave it: three base64url parts joined by dots.")
}

func parse(token string) (signedToken, error) {
	head, rest, _ := strings.Cut(token, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") {
		return signedToken{}, malformed("The access token is not made of three parts.")
	}
	rawHeader, ok := decodeSegment(head)
	if !ok {
		return signedToken{}, malformed("The access token's header is not base64url.")
	}
	h, err := parseHeader(rawHeader)
	if err != nil {
		return signedToken{}, err
	}
	payload, ok := decodeSegment(body)
	if !ok {
		return signedToken{}, malformed("The access token's payload is not base64url.")
	}
	signature, ok := decodeSegment(sig)
	if !ok {
		return signedToken{}, malformed("The access token's signature is not base64url.")
	}
	return signedToken{header: h, input: token[:len(head)+1+len(body)], payload: payload, signature: signature}, nil
}

// decodeSegment is strict, so that a token has one spelling: no padding, no spare bits, and no line
// breaks, which Go's decoder would skip.
func decodeSegment(segment string) ([]byte, bool) {
	if strings.ContainsAny(segment, "\r\n") {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	return raw, err == nil
}

func parseHeader(raw []byte) (header, error) {
	m, ok := members(raw)
	if !ok {
		return header{}, malformed("The access token's header is not a JSON object with distinct members.")
	}
	if _, ok := m["crit"]; ok {
		return header{}, malformed("The access token demands an extension (crit) that is not supported.")
	}
	var h header
	var err error
	if h.alg, err = algorithm(m); err != nil {
		return header{}, err
	}
	if raw, ok := m["kid"]; ok {
		h.hasKid = true
		if h.kid, ok = text(raw); !ok || len(h.kid) > maxKeyIDBytes {
			return header{}, malformed("The access token's key id (kid) is not a short string.")
		}
	}
	if !accessTokenType(m["typ"]) {
		return header{}, malformed("This token is of another type (typ) than an access token.")
	}
	return h, nil
}

func algorithm(m map[string]json.RawMessage) (string, error) {
	raw, ok := m["alg"]
	alg := ""
	if ok {
		if alg, ok = text(raw); !ok {
			return "", malformed("The access token's algorithm (alg) is not a string.")
		}
	}
	switch alg {
	case algHS256, algES256, algRS256:
		return alg, nil
	}
	return "", fault.New(fault.TokenAlgorithm, "The access token is unsigned, or signed with an algorithm that is not accepted.",
		"Have the issuer sign with ES256, RS256 or HS256.")
}

// accessTokenType refuses tokens an issuer signs for other ends, such as logout+jwt (RFC 8725, 3.11).
func accessTokenType(raw json.RawMessage) bool {
	if raw == nil {
		return true
	}
	typ, ok := text(raw)
	if !ok {
		return false
	}
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || typ == "at+jwt"
}

// verify checks the signature with the one method that belongs to the header's algorithm. The methods
// insist on the key's Go type, a second lock on the binding made in keyFor.
func (t signedToken) verify(key verificationKey) error {
	var method jwt.SigningMethod
	switch t.header.alg {
	case algHS256:
		method = jwt.SigningMethodHS256
	case algES256:
		method = jwt.SigningMethodES256
	case algRS256:
		method = jwt.SigningMethodRS256
	}
	if method == nil || method.Verify(t.input, t.signature, key.public) != nil {
		return fault.New(fault.TokenBadSignature, "The access token's signature is not valid.",
			"Sign in again. If it stays, the token comes from another issuer, or this server has another JWT secret.")
	}
	return nil
}

// members reads one JSON object. Names are compared exactly, a repeated one is refused (readers that
// disagree on which wins is how a token means two things), and nothing may follow the object.
func members(data []byte) (map[string]json.RawMessage, bool) {
	if !utf8.Valid(data) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	m := make(map[string]json.RawMessage, 12)
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, false
		}
		var value json.RawMessage
		if _, repeated := m[name]; repeated || dec.Decode(&value) != nil {
			return nil, false
		}
		m[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	_, err := dec.Token()
	return m, errors.Is(err, io.EOF)
}

// text returns the JSON string in raw; null and every other type are not one.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}
