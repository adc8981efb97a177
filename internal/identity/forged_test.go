package identity_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

type forgery struct {
	token string
	code  fault.Code
}

// requireRefused runs each forgery twice, so that a wrong success could not come from the cache either.
func requireRefused(t *testing.T, b *testBundle, cases map[string]forgery) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				caller, err := b.verify(c.token)
				requireFault(t, c.code, err)
				require.Zero(t, caller)
				requireSilent(t, c.token, err)
			}
		})
	}
}

func TestVerify_Malformed(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	good := b.hs256(t, nil)
	parts := strings.Split(good, ".")
	hs := func(header string) string { return sealRaw(t, header, `{"role":"anon"}`, withHMAC(b.secret)) }
	body := func(payload string) string { return sealRaw(t, `{"alg":"HS256"}`, payload, withHMAC(b.secret)) }
	m := fault.TokenMalformed
	requireRefused(t, b, map[string]forgery{
		"Missing":           {"", fault.TokenMissing},
		"Word":              {"s3cr3t-garbage", m},
		"Dots":              {"..", m},
		"TwoParts":          {parts[0] + "." + parts[1], m},
		"FourParts":         {good + ".", m},
		"FiveParts":         {good + ".a.b", m},
		"Oversized":         {good + strings.Repeat("A", 16<<10), m},
		"Bearer":            {"Bearer " + good, m},
		"Space":             {good + " ", m},
		"NewlineInside":     {good[:10] + "\n" + good[10:], m},
		"NewlineAtEnd":      {good + "\n", m},
		"Padding":           {good + "=", m},
		"StandardBase64":    {parts[0] + "." + parts[1] + ".+/+/", m},
		"SpareBits":         {parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + spareBits(parts[2]), m},
		"HeaderNotJSON":     {hs(`alg`), m},
		"HeaderArray":       {hs(`["HS256"]`), m},
		"HeaderTrailing":    {hs(`{"alg":"HS256"}{}`), m},
		"HeaderInvalidUTF8": {hs("{\"alg\":\"HS256\",\"x\":\"\xff\"}"), m},
		"DuplicateAlg":      {hs(`{"alg":"none","alg":"HS256"}`), m},
		"EscapedDuplicate":  {hs(`{"alg":"HS256","\u0061lg":"HS256"}`), m},
		"AlgNumber":         {hs(`{"alg":256}`), m},
		"KidNumber":         {hs(`{"alg":"HS256","kid":1}`), m},
		"KidNull":           {hs(`{"alg":"HS256","kid":null}`), m},
		"KidLong":           {hs(`{"alg":"ES256","kid":"` + strings.Repeat("k", 300) + `"}`), m},
		"CritUnknown":       {hs(`{"alg":"HS256","crit":["exp"],"exp":1}`), m},
		"CritEmpty":         {hs(`{"alg":"HS256","crit":[]}`), m},
		"CritNull":          {hs(`{"alg":"HS256","crit":null}`), m},
		"CritUnencoded":     {hs(`{"alg":"HS256","crit":["b64"],"b64":false}`), m},
		"CritDuplicate":     {hs(`{"alg":"HS256","crit":["b64"],"crit":["b64"]}`), m},
		"LogoutToken":       {hs(`{"alg":"HS256","typ":"logout+jwt"}`), m},
		"TypNumber":         {hs(`{"alg":"HS256","typ":1}`), m},
		"PayloadNotJSON":    {body(`role`), m},
		"PayloadNull":       {body(`null`), m},
		"PayloadString":     {body(`"role"`), m},
		"PayloadTruncated":  {body(`{"role":"anon"`), m},
		"PayloadTrailing":   {body(`{"role":"anon"} x`), m},
		"DuplicateRole":     {body(`{"role":"anon","role":"service_role"}`), m},
		"NestedToken":       {body(good), m},
		"Deep":              {body(`{"a":` + strings.Repeat("[", 9000)), m},
	})
}

func spareBits(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	// 32 bytes end in a character with two spare bits; setting one is another spelling of the same bytes.
	return string(alphabet[strings.IndexByte(alphabet, signature[len(signature)-1])|1])
}

func TestVerify_ForgedKey(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	der, err := x509.MarshalPKIXPublicKey(b.rsa.Public())
	require.NoError(t, err)
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	jwkBytes, err := json.Marshal(rsaJWK("rsa", b.rsa))
	require.NoError(t, err)
	stranger := newEC(t)
	admin := b.claims(map[string]any{"role": "service_role"})
	hs := func(kid string, key []byte) string {
		return seal(t, map[string]any{"alg": "HS256", "kid": kid}, admin, withHMAC(key))
	}
	alg := func(name string, s signer) string { return seal(t, map[string]any{"alg": name, "kid": "ec"}, admin, s) }
	own := func(extra map[string]any) string {
		return seal(t, with(extra, "alg", "ES256"), b.claims(nil), withEC(stranger))
	}
	badSig, badAlg, unknown := fault.TokenBadSignature, fault.TokenAlgorithm, fault.TokenUnknownKey
	requireRefused(t, b, map[string]forgery{
		"None":              {alg("none", withBytes()), badAlg},
		"NoneCapital":       {alg("None", withBytes()), badAlg},
		"NoneUpper":         {alg("NONE", withBytes()), badAlg},
		"NoneMixed":         {alg("nOnE", withBytes(1)), badAlg},
		"AlgMissing":        {seal(t, map[string]any{"kid": "ec"}, admin, withBytes()), badAlg},
		"AlgNull":           {sealRaw(t, `{"alg":""}`, `{}`, withBytes()), badAlg},
		"AlgLowerCase":      {alg("hs256", withHMAC(b.secret)), badAlg},
		"HS512":             {alg("HS512", withMethod(jwt.SigningMethodHS512, b.secret)), badAlg},
		"RS512":             {alg("RS512", withMethod(jwt.SigningMethodRS512, b.rsa)), badAlg},
		"PS256":             {alg("PS256", withMethod(jwt.SigningMethodPS256, b.rsa)), badAlg},
		"EdDSA":             {alg("EdDSA", withBytes(1, 2, 3)), badAlg},
		"HMACWithRSAPEM":    {hs("rsa", pemKey), badSig},
		"HMACWithRSADER":    {hs("rsa", der), badSig},
		"HMACWithRSAJWK":    {hs("rsa", jwkBytes), badSig},
		"HMACWithModulus":   {hs("rsa", b.rsa.N.Bytes()), badSig},
		"HMACEmptyKey":      {hs("", nil), badSig},
		"WrongSecret":       {hs("", randomBytes(48)), badSig},
		"WrongEC":           {seal(t, map[string]any{"alg": "ES256", "kid": "ec"}, b.claims(nil), withEC(stranger)), badSig},
		"KidOfOtherAlg":     {seal(t, map[string]any{"alg": "ES256", "kid": "rsa"}, b.claims(nil), withEC(stranger)), badAlg},
		"RS256WithECKid":    {seal(t, map[string]any{"alg": "RS256", "kid": "ec"}, b.claims(nil), withRSA(b.rsa)), badAlg},
		"UnknownKid":        {seal(t, map[string]any{"alg": "ES256", "kid": "s3cr3t-kid"}, b.claims(nil), withEC(stranger)), unknown},
		"EmptyKid":          {seal(t, map[string]any{"alg": "ES256", "kid": ""}, b.claims(nil), withEC(stranger)), unknown},
		"KidPath":           {seal(t, map[string]any{"alg": "ES256", "kid": "../../dev/null"}, b.claims(nil), withEC(stranger)), unknown},
		"EmbeddedJWK":       {own(map[string]any{"jwk": ecJWK("ec", stranger), "kid": "ec"}), badSig},
		"EmbeddedJWKNoKid":  {own(map[string]any{"jwk": ecJWK("x", stranger)}), badSig},
		"JKU":               {own(map[string]any{"jku": "http://127.0.0.1:1/jwks", "kid": "ec"}), badSig},
		"X5U":               {own(map[string]any{"x5u": "http://127.0.0.1:1/cert", "kid": "ec"}), badSig},
		"X5C":               {own(map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}, "kid": "ec"}), badSig},
		"ServiceRoleByJWKS": {b.es256(t, map[string]any{"role": "service_role"}), fault.TokenBadClaims},
		"ServiceRoleByRSA":  {b.rs256(t, map[string]any{"role": "service_role", "sub": nil}), fault.TokenBadClaims},
	})
}

func TestVerify_ForgedSignature(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	derSignature := func(tb testing.TB, input string) []byte {
		tb.Helper()
		digest := sha256.Sum256([]byte(input))
		raw, err := ecdsa.SignASN1(rand.Reader, b.ec, digest[:])
		require.NoError(tb, err)
		return raw
	}
	es := func(s signer) string { return seal(t, map[string]any{"alg": "ES256", "kid": "ec"}, b.claims(nil), s) }
	tamper := func(token string) string {
		parts := strings.Split(token, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		parts[1] = b64([]byte(strings.Replace(string(payload), "acme", "pwnd", 1)))
		return strings.Join(parts, ".")
	}
	cut := func(token string, n int) string { return token[:len(token)-n] }
	swap := func(a, c string) string { return a[:strings.LastIndex(a, ".")] + c[strings.LastIndex(c, "."):] }
	n := b.ec.Params().N.FillBytes(make([]byte, 32))
	one := append(make([]byte, 31), 1)
	badSig := fault.TokenBadSignature
	requireRefused(t, b, map[string]forgery{
		"TamperedHS":   {tamper(b.hs256(t, nil)), badSig},
		"TamperedES":   {tamper(b.es256(t, nil)), badSig},
		"TamperedRS":   {tamper(b.rs256(t, nil)), badSig},
		"TruncatedHS":  {cut(b.hs256(t, nil), 3), badSig},
		"ShortHS":      {seal(t, map[string]any{"alg": "HS256"}, b.claims(nil), withBytes(make([]byte, 16)...)), badSig},
		"TruncatedES":  {cut(b.es256(t, nil), 2), badSig},
		"TruncatedRS":  {cut(b.rs256(t, nil), 2), badSig},
		"EmptyHS":      {seal(t, map[string]any{"alg": "HS256"}, b.claims(nil), withBytes()), badSig},
		"EmptyES":      {es(withBytes()), badSig},
		"ZeroES":       {es(withBytes(make([]byte, 64)...)), badSig},
		"OrderES":      {es(withBytes(append(append([]byte{}, n...), n...)...)), badSig},
		"ROneSZero":    {es(withBytes(append(append([]byte{}, one...), make([]byte, 32)...)...)), badSig},
		"DERES":        {es(derSignature), badSig},
		"ZeroRS":       {seal(t, map[string]any{"alg": "RS256", "kid": "rsa"}, b.claims(nil), withBytes(make([]byte, 256)...)), badSig},
		"OneRS":        {seal(t, map[string]any{"alg": "RS256", "kid": "rsa"}, b.claims(nil), withBytes(append(make([]byte, 255), 1)...)), badSig},
		"OtherTokenES": {swap(b.es256(t, nil), b.es256(t, map[string]any{"sub": "x"})), badSig},
	})
}

func TestVerify_BadClaims(t *testing.T) {
	t.Parallel()
	b := started(t, setup(t))
	now := b.clock.Now().Unix()
	claim := func(name string, value any) string { return b.es256(t, map[string]any{name: value}) }
	metadata := func(value any) string { return claim("app_metadata", map[string]any{"tenant_id": value}) }
	key := func(name string, value any) string {
		return seal(t, map[string]any{"alg": "HS256"}, map[string]any{"role": "service_role", name: value}, withHMAC(b.secret))
	}
	bad := fault.TokenBadClaims
	requireRefused(t, b, map[string]forgery{
		"RoleMissing":       {claim("role", nil), bad},
		"RoleNumber":        {claim("role", 1), bad},
		"RoleList":          {claim("role", []string{"authenticated"}), bad},
		"RoleUnknown":       {claim("role", "s3cr3t-postgres"), bad},
		"RoleOtherCase":     {claim("role", "Authenticated"), bad},
		"RoleEmpty":         {claim("role", ""), bad},
		"SubMissing":        {claim("sub", nil), bad},
		"SubNumber":         {claim("sub", 42), bad},
		"SubNotUUID":        {claim("sub", "s3cr3t|1"), bad},
		"SubBraced":         {claim("sub", "{"+b.user.String()+"}"), bad},
		"SubURN":            {claim("sub", "urn:uuid:"+b.user.String()), bad},
		"SubZero":           {claim("sub", "00000000-0000-0000-0000-000000000000"), bad},
		"SubEmpty":          {claim("sub", ""), bad},
		"ExpMissing":        {claim("exp", nil), bad},
		"ExpMissingHS":      {b.hs256(t, map[string]any{"exp": nil}), bad},
		"Expired":           {claim("exp", now-5), fault.TokenExpired},
		"ExpiredLongAgo":    {claim("exp", 1), fault.TokenExpired},
		"NotBefore":         {claim("nbf", now+6), fault.TokenNotYetValid},
		"IssuedInFuture":    {claim("iat", now+6), fault.TokenNotYetValid},
		"AudienceOther":     {claim("aud", "other"), fault.TokenWrongAudience},
		"AudienceMissing":   {claim("aud", nil), fault.TokenWrongAudience},
		"AudienceEmptyList": {claim("aud", []string{}), fault.TokenWrongAudience},
		"AudienceNumber":    {claim("aud", 1), bad},
		"AudienceMixed":     {claim("aud", []any{testAudience, 1}), bad},
		"AudienceObject":    {claim("aud", map[string]any{testAudience: 1}), bad},
		"IssuerOther":       {claim("iss", testIssuer+"/"), fault.TokenWrongIssuer},
		"IssuerMissing":     {claim("iss", nil), fault.TokenWrongIssuer},
		"IssuerNumber":      {claim("iss", 7), bad},
		"AnonByJWKSOther":   {b.es256(t, map[string]any{"role": "anon", "iss": "supabase"}), fault.TokenWrongIssuer},
		"SessionNumber":     {claim("session_id", 7), bad},
		"SessionNotUUID":    {claim("session_id", "s3cr3t"), bad},
		"SessionEmpty":      {claim("session_id", ""), bad},
		"MetadataString":    {claim("app_metadata", `{"tenant_id":"acme"}`), bad},
		"MetadataList":      {claim("app_metadata", []string{"acme"}), bad},
		"TenantNumber":      {metadata(7), bad},
		"TenantList":        {metadata([]string{"acme"}), bad},
		"TenantObject":      {metadata(map[string]any{"id": "acme"}), bad},
		"TenantEmpty":       {metadata(""), bad},
		"KeyExpired":        {key("exp", now-5), fault.TokenExpired},
		"KeyNotYet":         {key("nbf", now+6), fault.TokenNotYetValid},
		"KeySubNumber":      {key("sub", 7), bad},
		"KeyTenantNumber":   {key("app_metadata", map[string]any{"tenant_id": 7}), bad},
		"KeyAudienceNumber": {key("aud", 7), bad},
		"TenantTwice": {sealRaw(t, `{"alg":"HS256"}`,
			`{"role":"anon","app_metadata":{"tenant_id":"acme","tenant_id":"evil"}}`, withHMAC(b.secret)), bad},
	})
}

// With one source configured, the other's algorithms are refused by name.
func TestVerify_AlgorithmNeedsItsSource(t *testing.T) {
	t.Parallel()
	onlySecret := setup(t, func(c *identity.Config) { c.JWKSURL = "" })
	for _, token := range []string{onlySecret.rs256(t, nil), onlySecret.es256(t, nil)} {
		_, err := onlySecret.verify(token)
		requireFault(t, fault.TokenAlgorithm, err)
	}
	require.Zero(t, onlySecret.issuer.fetches.Load())

	onlyKeys := started(t, setup(t, func(c *identity.Config) { c.Secret = nil }))
	der, err := x509.MarshalPKIXPublicKey(onlyKeys.rsa.Public())
	require.NoError(t, err)
	for _, key := range [][]byte{der, onlyKeys.secret, {}} {
		_, err := onlyKeys.verify(seal(t, map[string]any{"alg": "HS256", "kid": "rsa"}, onlyKeys.claims(nil), withHMAC(key)))
		requireFault(t, fault.TokenAlgorithm, err)
	}
}
