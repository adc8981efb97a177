package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) keyCommand() *cobra.Command {
	return group("key", "Make, list and revoke API keys; rotate the keys that seal and sign",
		a.keyDefaultCommand("anon", identity.Anon, "Print the key a web page uses, and nothing else",
			"Prints the API key supabase-js takes in a web page, and nothing else: the same one each time, until it is\n"+
				"revoked. It stands for nobody; what its users see is decided by their session."),
		a.keyDefaultCommand("service", identity.ServiceRole, "Print the key a trusted server uses, and nothing else",
			"Prints the API key of a trusted server, and nothing else: the same one each time, until it is revoked. It\n"+
				"bypasses row-level security. Never give it to a browser; requests from one are refused."),
		a.keyCreateCommand(), a.keyListCommand(), a.keyRenewCommand(), a.keyRevokeCommand(), a.keyRotateCommand())
}

func (a *app) keyDefaultCommand(use string, role identity.Role, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: noArguments,
		Example: "  const supabase = createClient('http://127.0.0.1:8080', process.env.KEY)   // KEY=$(vital key " + use + ")",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				key, err := a.defaultKey(cmd.Context(), t, role)
				if err != nil {
					return err
				}
				fmt.Fprintln(a.streams.Out, key)
				return nil
			})
		},
	}
}

func (a *app) defaultKey(ctx context.Context, t *target, role identity.Role) (key string, err error) {
	kek, err := a.needKEK(t)
	if err != nil {
		return "", err
	}
	err = a.onService(ctx, t, "APIKeyDefault", func(tx pgx.Tx) error {
		key, err = signin.DefaultAPIKey(ctx, tx, kek, role)
		return err
	})
	return key, err
}

// onService is asService on a database that is open already.
func (a *app) onService(ctx context.Context, t *target, name string, fn func(pgx.Tx) error) error {
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return err
	}
	defer service.Close()
	return service.AsService(ctx, name, fn)
}

func (a *app) keyCreateCommand() *cobra.Command {
	var role, name, slug string
	var rights []string
	var expires time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create --role ROLE|--tenant TENANT --name NAME", Short: "Make an API key; prints it, this once", Args: noArguments,
		Long: "Makes an API key and prints it, this once. With --tenant: a key with which a server of an application acts for\n" +
			"that tenant and no other, within --right; flags is to evaluate the tenant's feature flags.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || (role == "") == (slug == "") {
				return fault.New(fault.Usage, "A key has a name, and either a role or a tenant.", "Give --role anon|service_role or --tenant TENANT, and --name NAME.")
			}
			if role != "" && cmd.Flags().Changed("right") {
				return fault.New(fault.Usage, "--right is for keys of a tenant.", "Give --tenant instead of --role.")
			}
			if role == "service" {
				role = string(identity.ServiceRole)
			}
			return a.makeKey(cmd.Context(), "APIKeyCreate", asJSON, func(tx pgx.Tx) (signin.APIKey, string, error) {
				if slug == "" {
					return signin.CreateAPIKey(cmd.Context(), tx, identity.Role(role), name, expires)
				}
				id, err := tenant.FindTenant(cmd.Context(), tx, slug)
				if err != nil {
					return signin.APIKey{}, "", err
				}
				return signin.CreateTenantKey(cmd.Context(), tx, id, rights, name, expires)
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "anon or service_role")
	cmd.Flags().StringVar(&slug, "tenant", "", "the tenant it acts for, by slug or id")
	cmd.Flags().StringSliceVar(&rights, "right", []string{"flags"}, "what a tenant's key may do: flags")
	cmd.Flags().StringVar(&name, "name", "", "what it is for")
	cmd.Flags().DurationVar(&expires, "expires", 0, "how long it is good, as 720h; for ever when left out")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) keyRenewCommand() *cobra.Command {
	var overlap time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "renew ID", Short: "Make a key like another, which stays good for a while; prints it, this once", Args: exactly("a key's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseKeyID(args[0])
			if err != nil {
				return err
			}
			return a.makeKey(cmd.Context(), "APIKeyRotate", asJSON, func(tx pgx.Tx) (signin.APIKey, string, error) {
				return signin.RotateAPIKey(cmd.Context(), tx, id, overlap)
			})
		},
	}
	cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the former key stays good; 0 ends it at once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// makeKey prints the key that fn makes.
func (a *app) makeKey(ctx context.Context, name string, asJSON bool, fn func(pgx.Tx) (signin.APIKey, string, error)) error {
	var made signin.APIKey
	var key string
	err := a.asService(ctx, name, func(tx pgx.Tx) (err error) {
		made, key, err = fn(tx)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(struct {
			signin.APIKey
			Key string `json:"key"`
		}{made, key})
	}
	fmt.Fprintln(a.streams.Out, key)
	return nil
}

func parseKeyID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.New(fault.Usage, fmt.Sprintf("%q is not a key's id.", text), "See vital key list.")
	}
	return id, nil
}

func (a *app) keyListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List API keys", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys := []signin.APIKey{}
			err := a.asService(cmd.Context(), "APIKeyList", func(tx pgx.Tx) (err error) {
				keys, err = signin.ListAPIKeys(cmd.Context(), tx)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(keys)
			}
			day := func(t *time.Time) string {
				if t == nil {
					return "-"
				}
				return t.Format("2006-01-02 15:04")
			}
			rows := make([][]string, len(keys))
			for i, k := range keys {
				rows[i] = []string{k.ID.String(), k.Name, keyScope(k), k.Prefix + "…", a.paintWord(keyState(k)), day(&k.CreatedAt), day(k.ExpiresAt), day(k.LastUsedAt)}
			}
			a.printTable([]string{"id", "name", "acts as", "key", "state", "created", "expires", "last used"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// keyScope is the role of a key, or its tenant and rights.
func keyScope(k signin.APIKey) string {
	if k.Tenant == nil {
		return string(k.Role)
	}
	return *k.Tenant + ": " + strings.Join(k.Rights, ", ")
}

func keyState(k signin.APIKey) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && time.Now().After(*k.ExpiresAt):
		return "expired"
	default:
		return "active"
	}
}

func (a *app) keyRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Revoke an API key; its next request is refused", Args: exactly("a key's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseKeyID(args[0])
			if err != nil {
				return err
			}
			err = a.asService(cmd.Context(), "APIKeyRevoke", func(tx pgx.Tx) error {
				return signin.RevokeAPIKey(cmd.Context(), tx, id)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s is revoked\n", id)
			return nil
		},
	}
}

func (a *app) keyRotateCommand() *cobra.Command {
	var grace time.Duration
	var now bool
	rotate := &cobra.Command{
		Use: "rotate [seal|signing]", Short: "Make a new seal key, or signing key; the former one stays good for the grace period",
		Long: "Makes a new key. seal (without an argument): the key that seals who a transaction acts for. signing: the key\n" +
			"that signs access tokens of the embedded sign-in; the next one is published ahead, so that no session is lost.\n" +
			"signing --now refuses every token of the former key as soon as servers have read the keys again, within a\n" +
			"minute: for a key that leaked. Clients then refresh.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "seal" && args[0] != "signing" {
				return fault.New(fault.Usage, fmt.Sprintf("%q takes seal or signing.", cmd.CommandPath()), "See `vital key rotate --help`.")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "signing" {
				if cmd.Flags().Changed("grace") {
					return fault.New(fault.Usage, "A signing key stays good as long as its tokens live.", "Leave --grace out, or say --now.")
				}
				return a.rotateSigningKey(cmd.Context(), now)
			}
			if now {
				return fault.New(fault.Usage, "--now is for signing keys.", "Give --grace.")
			}
			return a.rotateSealKey(cmd.Context(), grace)
		},
	}
	rotate.Flags().DurationVar(&grace, "grace", 5*time.Minute, "how long the former seal key stays good")
	rotate.Flags().BoolVar(&now, "now", false, "refuse the former signing key's tokens at once")
	return rotate
}

func (a *app) rotateSigningKey(ctx context.Context, now bool) error {
	return a.withTarget(ctx, func(t *target) error {
		kek, err := a.needKEK(t)
		if err != nil {
			return err
		}
		grace := signin.SigningKeyGrace
		if now {
			grace = 0
		}
		var kid string
		err = a.onService(ctx, t, "SigningKeyRotate", func(tx pgx.Tx) error {
			kid, err = signin.RotateSigningKey(ctx, tx, kek, grace)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.streams.Out, "signing key %s signs now; the former one is good until %s\n", kid, time.Now().Add(grace).Format(time.RFC3339))
		return nil
	})
}

func (a *app) rotateSealKey(ctx context.Context, grace time.Duration) error {
	if grace < time.Minute {
		return fault.New(fault.Usage, "The grace period is shorter than running servers need to follow.", "Give --grace at least 1m.")
	}
	return a.withTarget(ctx, func(t *target) error {
		conn, err := pgx.Connect(ctx, t.operatorURL)
		if err != nil {
			return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
		}
		defer conn.Close(context.WithoutCancel(ctx))
		var id string
		if err := conn.QueryRow(ctx, queries.Get("SealKeyRotate"), grace).Scan(&id); err != nil {
			return fmt.Errorf("rotate seal key: %w", err)
		}
		fmt.Fprintf(a.streams.Out, "seal key %s made; the former one is good until %s\n", id, time.Now().Add(grace).Format(time.RFC3339))
		return nil
	})
}
