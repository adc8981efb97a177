package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/signin"
)

// maxSignInBody bounds the body of a request to the sign-in.
const maxSignInBody = 64 << 10

// signInRoutes adds the embedded sign-in, as GoTrue has it, grouped by who may call. Where it is off, every
// route says so.
func (s *Server) signInRoutes(mux *http.ServeMux) {
	if s.config.SignIn == nil {
		mux.Handle("/auth/v1/", s.signIn(s.signInOff))
		return
	}
	// Anybody.
	mux.Handle("GET /auth/v1/health", s.signIn(s.authHealth))
	mux.Handle("GET /auth/v1/settings", s.signIn(s.authSettings))
	mux.Handle("GET /auth/v1/.well-known/jwks.json", s.signIn(s.authJWKS))
	mux.Handle("POST /auth/v1/signup", s.signIn(s.authSignup))
	mux.Handle("POST /auth/v1/token", s.signIn(s.authToken))
	mux.Handle("POST /auth/v1/recover", s.signIn(s.authRecover))
	mux.Handle("POST /auth/v1/resend", s.signIn(s.authResend))
	mux.Handle("GET /auth/v1/verify", s.signIn(s.authVerifyLink))
	mux.Handle("POST /auth/v1/verify", s.signIn(s.authVerify))

	// Users: a verified token of a session that goes on.
	mux.Handle("GET /auth/v1/user", s.signIn(s.authUser(s.authGetUser)))
	mux.Handle("PUT /auth/v1/user", s.signIn(s.authUser(s.authUpdateUser)))
	mux.Handle("POST /auth/v1/logout", s.signIn(s.authUser(s.authLogout)))

	// Operators: a service key.
	mux.Handle("GET /auth/v1/admin/users", s.signIn(s.authAdmin(s.authListUsers)))
	mux.Handle("POST /auth/v1/admin/users", s.signIn(s.authAdmin(s.authCreateUser)))
	mux.Handle("GET /auth/v1/admin/users/{id}", s.signIn(s.authAdmin(s.authReadUser)))
	mux.Handle("PUT /auth/v1/admin/users/{id}", s.signIn(s.authAdmin(s.authUpdateAnyUser)))
	mux.Handle("DELETE /auth/v1/admin/users/{id}", s.signIn(s.authAdmin(s.authDeleteUser)))
	mux.Handle("POST /auth/v1/admin/generate_link", s.signIn(s.authAdmin(s.authGenerateLink)))
	mux.Handle("POST /auth/v1/invite", s.signIn(s.authAdmin(s.authInvite)))

	mux.Handle("/auth/v1/", s.signIn(s.authNotFound))
}

// signIn is public with GoTrue's errors. An API key that is sent must be a good one: a mistyped or revoked
// one is told at sign-in, and not when the first row is missing. None need be sent.
func (s *Server) signIn(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxSignInBody)
		}
		var err error
		if key := r.Header.Get("Apikey"); identity.IsAPIKey(key) {
			_, err = s.config.Verifier.Verify(r.Context(), key)
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.writeAuthError(w, r, err)
		}
	})
}

func (s *Server) signInOff(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.SignInOff, s.config.SignInOff, "docs/reference/signin.md says when the embedded sign-in is on.")
}

func (s *Server) authNotFound(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "The embedded sign-in does not have this.", "docs/reference/signin.md lists what it has.")
}

// authUser lets whoever has a valid user's token call h.
func (s *Server) authUser(h callerHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, err := s.authenticate(r)
		if err != nil {
			return err
		}
		requestOf(r.Context()).user = caller.UserID
		return h(w, r, caller)
	}
}

// authAdmin lets whoever has a service key call h.
func (s *Server) authAdmin(h handler) handler {
	return s.authUser(func(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
		if caller.Role != identity.ServiceRole {
			return fault.New(fault.NotAdmin, "User not allowed", "Use a service key, from a server.")
		}
		return h(w, r)
	})
}

// decodeAuth reads a body as GoTrue does: JSON, unknown members ignored.
func decodeAuth(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fault.Wrap(errors.New("body is not the JSON it should be"), fault.BadJSON, "Could not parse request body as JSON",
			"Send a JSON object with members of the right types.")
	}
	return nil
}

// client is who signs in, as far as that shows.
func (s *Server) client(r *http.Request) signin.Client {
	client := signin.Client{UserAgent: userAgent(r)}
	if ip := s.address(r); ip.IsValid() {
		client.IP = ip.String()
	}
	return client
}

// address is where the request came from, the zero address where that is not known. Behind the proxies the operator trusts, it
// is what the nearest of them that is not trusted itself was told.
func (s *Server) address(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(host); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = hop.String()
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func (s *Server) trusts(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, network := range s.config.TrustedProxies {
		if network.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// userAgent is as it was sent, without what a text column refuses.
func userAgent(r *http.Request) string {
	return strings.ToValidUTF8(strings.ReplaceAll(r.UserAgent(), "\x00", ""), "")
}

func (s *Server) authHealth(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]string{"name": "VITAL", "description": "Sign-in, a subset of GoTrue"})
}

func (s *Server) authSettings(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, s.config.SignIn.Settings())
}

func (s *Server) authJWKS(w http.ResponseWriter, r *http.Request) error {
	keys, err := s.config.SignIn.JWKS(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(keys) // the caller may be gone
	return nil
}

func (s *Server) authSignup(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Email    string         `json:"email"`
		Password string         `json:"password"`
		Data     map[string]any `json:"data"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	session, user, err := s.config.SignIn.SignUp(r.Context(), s.client(r), signin.Signup{
		Email: asked.Email, Password: asked.Password, Data: asked.Data, RedirectTo: r.URL.Query().Get("redirect_to"),
	})
	switch {
	case err != nil:
		return err
	case session != nil:
		return writeJSON(w, session)
	default:
		return writeJSON(w, user)
	}
}

func (s *Server) authToken(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Email        string `json:"email"`
		Password     string `json:"password"`
		RefreshToken string `json:"refresh_token"`
	}
	grant := r.URL.Query().Get("grant_type")
	if grant != "password" && grant != "refresh_token" {
		return fault.New(fault.InvalidCredentials, "unsupported_grant_type", "Use grant_type=password or refresh_token.")
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	var session *signin.Session
	var err error
	if grant == "password" {
		session, err = s.config.SignIn.SignIn(r.Context(), s.client(r), asked.Email, asked.Password)
	} else {
		session, err = s.config.SignIn.Refresh(r.Context(), s.client(r), asked.RefreshToken)
	}
	if err != nil {
		return err
	}
	s.warmSession(r.Context(), session.AccessToken)
	return writeJSON(w, session)
}

func (s *Server) authRecover(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Email string `json:"email"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	if err := s.config.SignIn.Recover(r.Context(), s.client(r), asked.Email, r.URL.Query().Get("redirect_to")); err != nil {
		return err
	}
	return writeJSON(w, struct{}{})
}

func (s *Server) authResend(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Type  string `json:"type"`
		Email string `json:"email"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	if err := s.config.SignIn.Resend(r.Context(), s.client(r), asked.Type, asked.Email, r.URL.Query().Get("redirect_to")); err != nil {
		return err
	}
	return writeJSON(w, struct{}{})
}

func (s *Server) authVerify(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Type      string `json:"type"`
		Token     string `json:"token"`
		TokenHash string `json:"token_hash"`
		Email     string `json:"email"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	if asked.Token != "" && asked.TokenHash != "" {
		return fault.New(fault.ValidationFailed, "Verify requires either a token or a token hash", "Send one of them.")
	}
	session, err := s.config.SignIn.Verify(r.Context(), s.client(r), asked.Type, asked.Token+asked.TokenHash, asked.Email)
	if err != nil {
		return err
	}
	s.warmSession(r.Context(), session.AccessToken)
	return writeJSON(w, session)
}

// authVerifyLink is a link that was opened in a browser. It leads to an address of the application with the
// session in the fragment, which no server sees; without an allowed one it answers with the session.
func (s *Server) authVerifyLink(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead { // something looks at the link ahead of its reader, and would use it up
		w.Header().Set("Allow", "GET, POST")
		return fault.New(fault.MethodNotAllowed, "A link is opened with GET.", "Open it in a browser.")
	}
	query := r.URL.Query()
	kind := query.Get("type")
	session, err := s.config.SignIn.Verify(r.Context(), s.client(r), kind, query.Get("token"), "")
	to := s.config.SignIn.Redirect(query.Get("redirect_to"))
	if to == nil {
		if err != nil {
			return err
		}
		return writeJSON(w, session)
	}
	fragment := url.Values{"sb": {""}}
	if err != nil {
		f := fault.From(err)
		requestOf(r.Context()).err = err
		fragment.Set("error", "access_denied")
		fragment.Set("error_code", string(f.Code))
		fragment.Set("error_description", f.Message)
	} else {
		fragment.Set("access_token", session.AccessToken)
		fragment.Set("refresh_token", session.RefreshToken)
		fragment.Set("token_type", session.TokenType)
		fragment.Set("expires_in", strconv.Itoa(session.ExpiresIn))
		fragment.Set("expires_at", strconv.FormatInt(session.ExpiresAt, 10))
		fragment.Set("type", kind)
	}
	to.Fragment, to.RawFragment = "", ""
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to.String()+"#"+fragment.Encode(), http.StatusSeeOther) //nolint:gosec // Redirect knows only origins the operator named
	return nil
}

func (s *Server) authGetUser(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	user, err := s.config.SignIn.GetUser(r.Context(), caller)
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}

func (s *Server) authUpdateUser(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	var asked struct {
		Email       string          `json:"email"`
		Password    *string         `json:"password"`
		Data        map[string]any  `json:"data"`
		AppMetadata json.RawMessage `json:"app_metadata"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	if asked.AppMetadata != nil {
		return fault.New(fault.NotAdmin, "Updating app_metadata requires admin privileges", "Use the admin API with a service key.")
	}
	user, err := s.config.SignIn.UpdateUser(r.Context(), s.client(r), caller, signin.UserChange{
		Email: asked.Email, Password: asked.Password, Data: asked.Data, RedirectTo: r.URL.Query().Get("redirect_to"),
	})
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}

func (s *Server) authLogout(w http.ResponseWriter, r *http.Request, caller identity.Caller) error {
	if err := s.config.SignIn.SignOut(r.Context(), caller, signin.Scope(r.URL.Query().Get("scope"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// authVersion is the shape of errors since 2024-01-01.
const authVersion = "2024-01-01"

// authErrors are the faults GoTrue has another name for, or another status.
var authErrors = map[fault.Code]struct {
	status int
	code   string
}{
	fault.TokenMissing:       {http.StatusUnauthorized, "no_authorization"},
	fault.TokenMalformed:     {http.StatusForbidden, "bad_jwt"},
	fault.TokenExpired:       {http.StatusForbidden, "bad_jwt"},
	fault.TokenNotYetValid:   {http.StatusForbidden, "bad_jwt"},
	fault.TokenBadSignature:  {http.StatusForbidden, "bad_jwt"},
	fault.TokenAlgorithm:     {http.StatusForbidden, "bad_jwt"},
	fault.TokenUnknownKey:    {http.StatusForbidden, "bad_jwt"},
	fault.TokenWrongAudience: {http.StatusForbidden, "bad_jwt"},
	fault.TokenWrongIssuer:   {http.StatusForbidden, "bad_jwt"},
	fault.TokenBadClaims:     {http.StatusForbidden, "bad_jwt"},
	fault.UserRequired:       {http.StatusForbidden, "bad_jwt"},
	fault.SessionRevoked:     {http.StatusForbidden, "session_not_found"},
	fault.Internal:           {http.StatusInternalServerError, "unexpected_failure"},
	fault.BodyTooLarge:       {http.StatusRequestEntityTooLarge, "request_entity_too_large"},
}

// writeAuthError answers with err as GoTrue's clients read it: {code, message} where they ask for it by
// version, {code, error_code, msg} otherwise.
func (s *Server) writeAuthError(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.Wrap(err, fault.BodyTooLarge, "Request body too large", "Send less at once.")
	}
	requestOf(r.Context()).err = err
	if out, ok := w.(*response); ok && out.status != 0 {
		return // too late to say so; the log line does
	}
	f := fault.From(err)
	status, code := statuses[f.Code], string(f.Code)
	if other, ok := authErrors[f.Code]; ok {
		status, code = other.status, other.code
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	body := map[string]any{"code": status, "error_code": code, "msg": f.Message, "hint": f.Hint}
	if version := r.Header.Get("X-Supabase-Api-Version"); len(version) == len(authVersion) && version >= authVersion {
		w.Header().Set("X-Supabase-Api-Version", authVersion)
		body = map[string]any{"code": code, "message": f.Message, "hint": f.Hint}
	}
	var weak signin.WeakPasswordError
	if errors.As(err, &weak) {
		body["weak_password"] = map[string]any{"reasons": weak.Reasons}
	}
	var throttled signin.ThrottledError
	if errors.As(err, &throttled) {
		w.Header().Set("Retry-After", strconv.Itoa(int(throttled.After.Seconds())+1))
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("X-Sb-Error-Code", code)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the caller may be gone
}
