package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) tokenCommand() *cobra.Command {
	var email, named string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "token --user EMAIL [--tenant SLUG]",
		Short: "Print an access token for trying out, and nothing else",
		Long: "Prints an access token of a known user, signed with VITAL_JWT_SECRET or the private server's secret.\n" +
			"It proves nothing about a password: whoever may run this may act as anybody.",
		Example: "  curl -H \"Authorization: Bearer $(vital token --user ada@digital-health.vital.test)\" http://127.0.0.1:8080/v1/context",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := a.mintToken(cmd.Context(), email, named, ttl)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.streams.Out, token)
			return nil
		},
	}
	cmd.Flags().StringVar(&email, "user", "", "e-mail address of the user")
	cmd.Flags().StringVar(&named, "tenant", "", "tenant the token names, by slug or id; without it, the user's default")
	cmd.Flags().DurationVar(&ttl, "ttl", time.Hour, "how long the token is good")
	return cmd
}

func (a *app) mintToken(ctx context.Context, email, named string, ttl time.Duration) (string, error) {
	if email == "" {
		return "", fault.New(fault.Usage, "A token needs a user.", "Name one with --user EMAIL.")
	}
	t, err := a.openTarget(ctx)
	if err != nil {
		return "", err
	}
	defer t.close(ctx) //nolint:errcheck // the token is made; a server that will not stop says so in the log
	issuer, err := a.tokenIssuer(t)
	if err != nil {
		return "", err
	}
	grant := identity.Grant{Email: email, Role: identity.Authenticated, SessionID: uuid.New(), TTL: ttl}
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return "", err
	}
	defer service.Close()
	err = service.AsService(ctx, "TokenGrant", func(tx pgx.Tx) error {
		if grant.UserID, err = tenant.FindUser(ctx, tx, email); err != nil || named == "" {
			return err
		}
		id, err := tenant.FindTenant(ctx, tx, named)
		grant.Tenant = id.String()
		return err
	})
	if err != nil {
		return "", err
	}
	return issuer.Issue(grant)
}

// tokenIssuer signs access tokens as the server verifies them.
func (a *app) tokenIssuer(t *target) (*identity.TokenIssuer, error) {
	config, err := a.tokenConfig(t)
	if err != nil {
		return nil, err
	}
	if config.secret == "" {
		return nil, fault.New(fault.ConfigInvalid, "There is no secret to sign a token with: they come from an issuer, or from the embedded sign-in.",
			"Get one by signing in there.")
	}
	return identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(config.secret), Issuer: config.issuer, Audience: config.audience})
}
