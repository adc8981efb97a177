package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/signin"
)

// defaultPage is GoTrue's.
const defaultPage = 50

func (s *Server) authListUsers(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	page, err := countParameter(query, "page", 1)
	if err != nil {
		return err
	}
	perPage, err := countParameter(query, "per_page", defaultPage)
	if err != nil {
		return err
	}
	users, total, err := s.config.SignIn.ListUsers(r.Context(), page, perPage)
	if err != nil {
		return err
	}
	last := (total + perPage - 1) / perPage
	link := func(page int, rel string) string {
		query.Set("page", strconv.Itoa(page))
		return "<" + r.URL.Path + "?" + query.Encode() + `>; rel="` + rel + `"`
	}
	header := ""
	if page < last {
		header = link(page+1, "next") + ", "
	}
	w.Header().Set("Link", header+link(last, "last"))
	w.Header().Set("X-Total-Count", strconv.Itoa(total))
	return writeJSON(w, map[string]any{"users": users, "aud": "authenticated"})
}

func countParameter(query url.Values, name string, otherwise int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fault.New(fault.ValidationFailed, "Bad Pagination Parameters: "+name+" counts from 1", "Correct the request.")
	}
	return n, nil
}

// adminUser is the body of a change by an operator.
type adminUser struct {
	ID           string         `json:"id"`
	Email        string         `json:"email"`
	EmailConfirm bool           `json:"email_confirm"`
	Password     *string        `json:"password"`
	PasswordHash string         `json:"password_hash"`
	UserMetadata map[string]any `json:"user_metadata"`
	AppMetadata  map[string]any `json:"app_metadata"`
	BanDuration  string         `json:"ban_duration"`
}

func (s *Server) authCreateUser(w http.ResponseWriter, r *http.Request) error {
	var asked adminUser
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	user, err := s.config.SignIn.CreateUser(r.Context(), signin.AdminUser(asked))
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}

func (s *Server) authReadUser(w http.ResponseWriter, r *http.Request) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	user, err := s.config.SignIn.ReadUser(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}

func (s *Server) authUpdateAnyUser(w http.ResponseWriter, r *http.Request) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	var asked adminUser
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	user, err := s.config.SignIn.UpdateAnyUser(r.Context(), id, signin.AdminUser(asked))
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}

func (s *Server) authDeleteUser(w http.ResponseWriter, r *http.Request) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	var asked struct {
		ShouldSoftDelete bool `json:"should_soft_delete"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(body) > 0 && json.Unmarshal(body, &asked) != nil {
		return fault.Wrap(errors.New("body is not the JSON it should be"), fault.BadJSON, "Could not parse request body as JSON", "Send none, or a JSON object.")
	}
	if err := s.config.SignIn.DeleteUser(r.Context(), id, asked.ShouldSoftDelete); err != nil {
		return err
	}
	return writeJSON(w, struct{}{})
}

func userID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, fault.New(fault.UserNotFound, "user_id must be an UUID", "List the users.")
	}
	return id, nil
}

func (s *Server) authGenerateLink(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Type       string         `json:"type"`
		Email      string         `json:"email"`
		Password   string         `json:"password"`
		Data       map[string]any `json:"data"`
		RedirectTo string         `json:"redirect_to"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	if asked.RedirectTo == "" {
		asked.RedirectTo = r.URL.Query().Get("redirect_to")
	}
	user, link, err := s.config.SignIn.GenerateLink(r.Context(), signin.LinkRequest(asked))
	if err != nil {
		return err
	}
	return writeJSON(w, struct {
		*signin.User
		signin.Link
	}{user, link})
}

func (s *Server) authInvite(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Email string         `json:"email"`
		Data  map[string]any `json:"data"`
	}
	if err := decodeAuth(r, &asked); err != nil {
		return err
	}
	user, err := s.config.SignIn.Invite(r.Context(), asked.Email, r.URL.Query().Get("redirect_to"), asked.Data)
	if err != nil {
		return err
	}
	return writeJSON(w, user)
}
