package httpapi

import (
	"net/http"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// authenticate returns who is calling. The Authorization header outranks the apikey header, which is
// how supabase-js sends its key. A token in the URL is never read: URLs end up in logs.
func (s *Server) authenticate(r *http.Request) (identity.Caller, error) {
	token, err := bearer(r)
	if err != nil {
		return identity.Caller{}, err
	}
	caller, err := s.config.Verifier.Verify(r.Context(), token)
	if err != nil {
		return identity.Caller{}, err
	}
	// A page's own server gets reads without Origin; browsers alone say Sec-Fetch-Site.
	if caller.Role == identity.ServiceRole && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "") {
		return identity.Caller{}, fault.New(fault.OriginNotAllowed, "A service key was sent from a web page.",
			"Whoever opens the page can read it: revoke the key, and use the anon key with a user's session there.")
	}
	return caller, nil
}

func bearer(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return "", fault.New(fault.TokenMalformed, "The request has more than one Authorization header.", "Send one.")
	}
	if len(values) == 0 {
		return r.Header.Get("Apikey"), nil
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return "", fault.New(fault.TokenMalformed, "The Authorization header is not of the form Bearer TOKEN.",
			"Send `Authorization: Bearer ` followed by the access token.")
	}
	return strings.TrimSpace(token), nil
}
