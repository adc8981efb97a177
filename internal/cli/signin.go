package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
)

// signIn opens the embedded sign-in. Where an external issuer rules, or there is nothing to seal its keys
// with, it is off, and off says why.
func (a *app) signIn(ctx context.Context, t *target, service *postgres.Service, address string) (s *signin.Service, off string, err error) {
	if a.config.JWKSURL != "" {
		return nil, "The embedded sign-in is off: an external issuer rules here (VITAL_JWKS_URL). Sign in there.", nil
	}
	kek, err := a.kek(t)
	if err != nil {
		return nil, "", err
	}
	if kek == nil {
		return nil, "The embedded sign-in is off: an external issuer rules here (VITAL_JWT_SECRET), and there is no keyring with a line for it (VITAL_KEK_FILE).", nil
	}
	ours, err := signin.AccountsAreOurs(ctx, service)
	if err != nil {
		return nil, "", err
	}
	if !ours {
		return nil, "The embedded sign-in is off: accounts belong to Supabase here. Sign in there.", nil
	}
	config, err := a.signInConfig(t, service, kek, address)
	if err != nil {
		return nil, "", err
	}
	if s, err = signin.New(config); err != nil {
		return nil, "", err
	}
	return s, "", s.Start(ctx)
}

func (a *app) signInConfig(t *target, service *postgres.Service, kek []byte, address string) (signin.Config, error) {
	tokens, err := a.tokenConfig(t)
	if err != nil {
		return signin.Config{}, err
	}
	config := signin.Config{
		DB: service, KEK: kek, Issuer: tokens.issuer, Audience: tokens.audience, Log: a.log,
		PublicURL: strings.TrimSuffix(address, "/"), OpenSignup: a.config.Signup == "open",
		// Any origin may call, but a session is led back only to one that is named.
		RedirectOrigins: slices.DeleteFunc(slices.Clone(a.config.CORSOrigins), func(o string) bool { return strings.Contains(o, "*") }),
	}
	if a.config.PublicURL != "" {
		config.PublicURL = strings.TrimSuffix(a.config.PublicURL, "/")
	}
	if a.config.Signup != "open" && a.config.Signup != "invited" {
		return config, fault.New(fault.ConfigInvalid, "VITAL_SIGNUP is neither invited nor open.", "Leave it out for invited.")
	}
	if a.config.SMTPURL != "" {
		if config.Mailer, err = signin.NewSMTP(a.config.SMTPURL); err != nil {
			return config, err
		}
	}
	return config, nil
}
