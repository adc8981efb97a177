package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
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
		return nil, "The embedded sign-in is off: an external issuer rules here (VITAL_JWT_SECRET), and VITAL_KEK_FILE is not set.", nil
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

// kek returns the key-encryption key: that of VITAL_KEK_FILE, else the private server's own, which lies
// beside its cluster and not in it. Nil without either.
func (a *app) kek(t *target) ([]byte, error) {
	if a.config.KEKFile != "" {
		text, err := os.ReadFile(a.config.KEKFile)
		if err != nil {
			return nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The key-encryption key %s cannot be read.", a.config.KEKFile), "Check VITAL_KEK_FILE.")
		}
		key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
		if err != nil || len(key) < 32 {
			return nil, fault.New(fault.ConfigInvalid, fmt.Sprintf("%s does not hold 32 bytes in base64.", a.config.KEKFile),
				"Make one: openssl rand -base64 32")
		}
		return key, nil
	}
	if t.private == nil {
		return nil, nil
	}
	secret, err := t.private.Secret("kek")
	return []byte(secret), err
}

// needKEK is kek where there must be one.
func (a *app) needKEK(t *target) ([]byte, error) {
	kek, err := a.kek(t)
	if err == nil && kek == nil {
		err = fault.New(fault.ConfigInvalid, "There is no key-encryption key.", "Set VITAL_KEK_FILE to a file of 32 bytes in base64: openssl rand -base64 32")
	}
	return kek, err
}
