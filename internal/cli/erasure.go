package cli

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/erasure"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) erasureCommand() *cobra.Command {
	return group("erasure", "See erasures of tenants and users, and what they certify",
		a.erasureListCommand(), a.erasureShowCommand(), a.erasureCertificateCommand(), a.erasureVerifyCommand(), a.erasureScanCommand(), a.erasureWaitCommand())
}

func (a *app) erasureListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List erasures, the latest first: where each stands and what comes next", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list []erasure.Request
			err := a.withTarget(cmd.Context(), func(t *target) error {
				return asOperator(cmd.Context(), t, "ErasureList", func(tx pgx.Tx) (err error) {
					list, err = erasure.List(cmd.Context(), tx)
					return err
				})
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(list)
			}
			if len(list) == 0 {
				fmt.Fprintln(a.streams.Out, "nothing was erased, or is to be")
				return nil
			}
			rows := make([][]string, len(list))
			for i, r := range list {
				rows[i] = []string{r.ID.String(), r.Subject + " " + r.SubjectID.String(), a.paintErasure(r), r.RequestedBy, orDash(r.ApprovedBy), r.NotBefore.UTC().Format("2006-01-02 15:04"), next(r)}
			}
			a.printTable([]string{"erasure", "of", "state", "asked by", "approved by", "not before", "next"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) erasureShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show an erasure: where it stands, or what came of it", Args: exactly("the id of an erasure, or of whom it is of"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withErasure(cmd.Context(), args[0], func(tx pgx.Tx, r erasure.Request) error {
				if r.State != "finished" {
					if asJSON {
						return a.printJSON(r)
					}
					a.printRequest(r)
					return nil
				}
				certificate, err := keptCertificate(cmd.Context(), tx, r.ID)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(certificate)
				}
				a.printErasure(certificate)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// withErasure runs fn with the erasure that reference names: its id, or that of its subject.
func (a *app) withErasure(ctx context.Context, reference string, fn func(pgx.Tx, erasure.Request) error) error {
	return a.withTarget(ctx, func(t *target) error { return onErasure(ctx, t, reference, fn) })
}

func onErasure(ctx context.Context, t *target, reference string, fn func(pgx.Tx, erasure.Request) error) error {
	id, err := uuid.Parse(reference)
	if err != nil {
		return fault.New(fault.Usage, fmt.Sprintf("%q is no id.", reference), "`vital erasure list` has them.")
	}
	return asOperator(ctx, t, "Erasure", func(tx pgx.Tx) error {
		r, err := erasure.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		return fn(tx, r)
	})
}

func keptCertificate(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*erasure.Certificate, error) {
	text, signature, err := erasure.Kept(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	file, err := erasure.Write(text, signature)
	if err != nil {
		return nil, err
	}
	return erasure.Open(file, nil)
}

func (a *app) erasureCertificateCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "certificate ID", Short: "Print the signed certificate of an erasure, or write it to a file", Args: exactly("the id of an erasure, or of whom it is of"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withErasure(cmd.Context(), args[0], func(tx pgx.Tx, r erasure.Request) error {
				return a.writeErasure(cmd.Context(), tx, r.ID, out)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write it to")
	return cmd
}

// writeErasure writes the certificate that the database keeps to a file, or to standard output for "".
func (a *app) writeErasure(ctx context.Context, tx pgx.Tx, id uuid.UUID, out string) error {
	text, signature, err := erasure.Kept(ctx, tx, id)
	if err != nil {
		return err
	}
	file, err := erasure.Write(text, signature)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	}
	if out == "" {
		return write(a.streams.Out)
	}
	return writeFile(out, "out", write)
}

func (a *app) erasureVerifyCommand() *cobra.Command {
	var publicKey string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a certificate, and say what it says; exit code 3 when something was left", Args: exactly("a certificate's file"),
		Long: "Verifies the signature of a certificate and prints what it says. Without --public-key, and without VITAL_AUDIT_KEY_FILE, the\n" +
			"key is the one the certificate names itself: that shows it was not changed, and not by whom it was made. `vital audit\n" +
			"checkpoint` prints a server's public key. The exit code is 1 when the signature is not good.",
		RunE: func(_ *cobra.Command, args []string) error { return a.verifyErasure(args[0], publicKey, asJSON) },
	}
	cmd.Flags().StringVar(&publicKey, "public-key", "", "public key of the server that is trusted, in base64")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the certificate's JSON, once it is verified")
	return cmd
}

func (a *app) verifyErasure(name, publicKey string, asJSON bool) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return fault.Wrap(err, fault.Usage, fmt.Sprintf("The certificate %s cannot be read.", name), "Name the file that `vital erasure certificate` wrote.")
	}
	trusted, err := a.trustedKey(publicKey)
	if err != nil {
		return err
	}
	certificate, err := erasure.Open(file, trusted)
	if err != nil {
		return err
	}
	if asJSON {
		err = a.printJSON(certificate)
	} else {
		fmt.Fprintf(a.streams.Out, "%s  the signature is good\n", paint(a.streams.Out, green, "ok"))
		a.printErasure(certificate)
	}
	if err != nil {
		return err
	}
	if trusted == nil {
		a.note("only the certificate itself vouches for its key: compare the key, or name the server's with --public-key")
	}
	return leftFault(certificate.Scan, certificate.Erasure)
}

// trustedKey is the key named, else that of the configured audit key, else none.
func (a *app) trustedKey(named string) (ed25519.PublicKey, error) {
	if named != "" {
		key, err := base64.StdEncoding.DecodeString(named)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fault.New(fault.Usage, "--public-key is no Ed25519 key in base64.", "`vital audit checkpoint` prints it.")
		}
		return key, nil
	}
	signer, err := a.checkpointSigner(&target{}, "")
	if err != nil || signer == nil {
		return nil, err
	}
	return signer.public(), nil
}

func (a *app) erasureScanCommand() *cobra.Command {
	var places searchFlags
	var addresses []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "scan ID", Short: "Look once more for what is left after an erasure; exit code 3 when something is", Args: exactly("the id of an erasure, or of whom it is of"),
		Long: "Looks through every table of every schema, jobs, the planner's statistics, large objects, Redis and the files of --search for\n" +
			"the ids of an erasure. Addresses are not known any more once it is finished: give those you know with --email. Nothing is\n" +
			"changed, and what is found is told by its place.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				var r erasure.Request
				if err := onErasure(cmd.Context(), t, args[0], func(_ pgx.Tx, found erasure.Request) error { r = found; return nil }); err != nil {
					return err
				}
				return a.scanErasure(cmd.Context(), t, r.ID, addresses, a.search(t, places), asJSON)
			})
		},
	}
	registerNiceRatio(cmd)
	places.register(cmd)
	cmd.Flags().StringArrayVar(&addresses, "email", nil, "address to look for as well; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) scanErasure(ctx context.Context, t *target, id uuid.UUID, addresses []string, search erasure.Search, asJSON bool) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	scan, err := erasure.Find(ctx, conn, id, addresses, search)
	a.clearProgress()
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.printJSON(scan); err != nil {
			return err
		}
	} else {
		a.printScan(*scan)
	}
	return leftFault(*scan, id)
}

func (a *app) erasureWaitCommand() *cobra.Command {
	var users bool
	var reason string
	cmd := &cobra.Command{
		Use: "wait [DURATION]", Short: "Show or set how long a tenant must have been archived before it may be erased", Args: atMost("a duration, as 720h"),
		Long: "Shows how long a tenant must have been archived, and how long ago a user's erasure must have been asked for, before they may be\n" +
			"erased. With a duration it sets that of tenants, with --users that of users; the platform's audit log has it. What was asked\n" +
			"for before keeps its time.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				return asOperator(cmd.Context(), t, "ErasureWait", func(tx pgx.Tx) error { return a.erasureWait(cmd.Context(), tx, args, users, reason) })
			})
		},
	}
	cmd.Flags().BoolVar(&users, "users", false, "set the time of users")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

func (a *app) erasureWait(ctx context.Context, tx pgx.Tx, args []string, users bool, reason string) error {
	if len(args) > 0 {
		if err := needReason(reason); err != nil {
			return err
		}
		wait, err := time.ParseDuration(args[0])
		if err != nil || wait < 0 {
			return fault.New(fault.Usage, fmt.Sprintf("%q is no time to wait.", args[0]), "Give hours, as 720h for 30 days.")
		}
		subject := "tenant"
		if users {
			subject = "user"
		}
		if err := erasure.SetWait(ctx, tx, subject, wait, reason); err != nil {
			return err
		}
	}
	tenants, people, err := erasure.Waits(ctx, tx)
	if err != nil {
		return err
	}
	a.printTable([]string{"", "waits"}, [][]string{{"a tenant, since it was archived", sayWait(tenants)}, {"a user, since it was asked for", sayWait(people)}})
	return nil
}

// sayWait is a time to wait, in days where it is whole ones.
func sayWait(wait time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case wait == 0:
		return "not at all"
	case wait == day:
		return "1 day"
	case wait%day == 0:
		return fmt.Sprintf("%d days", wait/day)
	}
	return wait.String()
}

func (a *app) tenantHoldCommand() *cobra.Command {
	var reason string
	var release bool
	cmd := &cobra.Command{
		Use: "hold TENANT --reason REASON", Short: "Put a tenant on legal hold, or lift that", Args: exactly("a tenant's slug or id"),
		Long: "Puts a tenant on legal hold: it is not erased, nor are its members, and nothing of it is dropped for its age, until the hold is\n" +
			"lifted with --release. The tenant's audit log has both.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			err := a.withTarget(cmd.Context(), func(t *target) error {
				return asOperator(cmd.Context(), t, "LegalHold", func(tx pgx.Tx) error {
					id, err := tenant.FindTenant(cmd.Context(), tx, args[0])
					if err != nil {
						return err
					}
					return erasure.Hold(cmd.Context(), tx, id, !release, reason)
				})
			})
			if err != nil {
				return err
			}
			state := "on legal hold"
			if release {
				state = "on legal hold no more"
			}
			fmt.Fprintf(a.streams.Out, "tenant %s is %s\n", args[0], state)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	cmd.Flags().BoolVar(&release, "release", false, "lift the hold")
	return cmd
}
