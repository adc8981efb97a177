package report

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/vital-db/vital/internal/fault"
)

// payloadType is what a certificate's envelope says it holds.
const payloadType = "application/vnd.vital.isolation-certificate+json"

// envelope is that of DSSE, the Dead Simple Signing Envelope: the signature is over the very bytes of the
// payload and its type, so that nobody has to write JSON anew in order to verify it.
type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"`
}

// signed are the bytes that a signature is over: DSSE's pre-authentication encoding.
func (e *envelope) signed() []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
}

// Sign puts key's public half into c and returns c's file.
func (c *Certificate) Sign(key ed25519.PrivateKey) ([]byte, error) {
	public, _ := key.Public().(ed25519.PublicKey) // it is one
	c.PublicKey = public
	var payload bytes.Buffer
	if err := writeJSON(&payload, c); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	e := envelope{PayloadType: payloadType, Payload: payload.Bytes()}
	e.Signatures = []signature{{KeyID(public), ed25519.Sign(key, e.signed())}}
	var file bytes.Buffer
	if err := writeJSON(&file, e); err != nil {
		return nil, fmt.Errorf("write envelope: %w", err)
	}
	return file.Bytes(), nil
}

// OpenCertificate returns the certificate of a file that Sign made, signed with trusted, or where that is nil
// with the key it names itself, for which it is the only voucher. Errors: CertificateInvalid.
func OpenCertificate(file []byte, trusted ed25519.PublicKey) (*Certificate, error) {
	var e envelope
	if err := strictly(file, &e); err != nil || e.PayloadType != payloadType || len(e.Signatures) == 0 {
		return nil, fault.Wrap(err, fault.CertificateInvalid, "The file is not a certificate of vital rls certify.", "Name the .json file that it wrote.")
	}
	c := &Certificate{}
	if err := json.Unmarshal(e.Payload, c); err != nil || len(c.PublicKey) != ed25519.PublicKeySize {
		return nil, fault.Wrap(err, fault.CertificateInvalid, "The certificate cannot be read: it was changed, or cut off.", "Take the file as it was issued.")
	}
	key := ed25519.PublicKey(c.PublicKey)
	if trusted != nil && !key.Equal(trusted) {
		return nil, fault.New(fault.CertificateInvalid, fmt.Sprintf("The certificate is signed with key %s, not with %s.", shortID(key), shortID(trusted)),
			"Ask who issued it for their public key.")
	}
	for _, s := range e.Signatures {
		if s.KeyID != KeyID(key) || !ed25519.Verify(key, e.signed(), s.Sig) {
			return nil, fault.New(fault.CertificateInvalid, "The signature is not good: the certificate was changed after it was issued.", "Take the file as it was issued.")
		}
	}
	if c.Format != CertificateFormat {
		return nil, fault.New(fault.CertificateInvalid, fmt.Sprintf("The certificate has the format %q, which this program does not know.", c.Format),
			"Verify it with a newer vital.")
	}
	return c, nil
}

// strictly reads one JSON value without a field that is not known.
func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return fmt.Errorf("something follows it")
	}
	return nil
}

// KeyID names a public key: SHA-256 of its SubjectPublicKeyInfo in DER, hex.
func KeyID(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // of an Ed25519 key it cannot be
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func shortID(key ed25519.PublicKey) string { return KeyID(key)[:16] }

// ParseSigningKey reads an Ed25519 private key, PKCS #8 in PEM.
func ParseSigningKey(text []byte) (ed25519.PrivateKey, error) {
	const hint = "Make one with `openssl genpkey -algorithm ed25519 -out certificate.key`."
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fault.New(fault.ConfigInvalid, "The signing key is not PEM.", hint)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fault.New(fault.ConfigInvalid, "The signing key is not an Ed25519 private key in PKCS #8.", hint) // err might quote it
	}
	return key, nil
}

// ParsePublicKey reads an Ed25519 public key in PEM.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) {
	const hint = "It is the .pem file that `vital rls certify` wrote, or what `openssl pkey -in certificate.key -pubout` prints."
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fault.New(fault.ConfigInvalid, "The public key is not PEM.", hint)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(ed25519.PublicKey)
	if err != nil || !ok {
		return nil, fault.Wrap(err, fault.ConfigInvalid, "The public key is not one of Ed25519.", hint)
	}
	return key, nil
}

// FormatPublicKey writes key in PEM.
func FormatPublicKey(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("write public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
