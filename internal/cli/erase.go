package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/erasure"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// eraseFlags say which step of an erasure is taken.
type eraseFlags struct {
	reason, out                  string
	approve, run, cancel, status bool
	yes, asJSON                  bool
	places                       searchFlags
}

// searchFlags say where to look for what is left, beside the database and Redis.
type searchFlags struct {
	paths   []string
	backups backupFlags
}

func (f *searchFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.paths, "search", nil, "file or directory to look into as well: logs, archives; may be repeated")
	f.backups.register(cmd)
}

const eraseLong = "It takes two operators and a time to wait: one asks for it (--reason), another approves it (--approve), and once the time is over\n" +
	"either has it done (--run); --cancel calls it off before that, --status shows where it stands and what comes next. An operator is a\n" +
	"database login, or a super admin who calls request_erasure and approve_erasure through the API.\n\n" +
	"What is erased goes in small batches, beside which everybody else goes on; a run that is broken off goes on with --run. At the end\n" +
	"every table, job, Redis key, and the files of --search are looked through for ids and addresses, and a signed certificate says what\n" +
	"was erased, looked at and found. The exit code is 3 when something is left. docs/reference/erasure.md."

func (a *app) tenantEraseCommand() *cobra.Command {
	return a.eraseCommand("tenant", "TENANT", "acme", "a tenant's slug or id, or the erasure's",
		"Erase an archived tenant for good, and certify it",
		"Erases everything of an archived tenant, members that are in no other tenant included; its key is destroyed.\n")
}

func (a *app) userEraseCommand() *cobra.Command {
	return a.eraseCommand("user", "EMAIL", "dana@acme.test", "a user's address or id, or the erasure's",
		"Erase a user for good, and certify it",
		"Erases a user: account, sessions, profile, memberships, what others' rows and audit logs say of them.\n")
}

func (a *app) eraseCommand(subject, use, example, takes, short, about string) *cobra.Command {
	var flags eraseFlags
	cmd := &cobra.Command{
		Use: "erase " + use, Short: short, Long: about + eraseLong, Args: exactly(takes),
		Example: fmt.Sprintf("  vital %[1]s erase %[2]s --reason \"asked for on 2 March\"\n  vital %[1]s erase %[2]s --approve\n  vital %[1]s erase %[2]s --run --out certificate.json", subject, example),
		RunE: func(cmd *cobra.Command, args []string) error {
			steps := 0
			for _, step := range []bool{flags.approve, flags.run, flags.cancel, flags.status} {
				if step {
					steps++
				}
			}
			if steps > 1 {
				return fault.New(fault.Usage, "These are different steps of an erasure.", "Give one of --approve, --run, --cancel and --status; --reason alone asks for it.")
			}
			if steps == 0 || flags.cancel {
				if err := needReason(flags.reason); err != nil {
					return err
				}
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.erase(cmd.Context(), t, subject, args[0], flags) })
		},
	}
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why it is erased, or with --cancel why not; kept, so without the address of whom it is about")
	cmd.Flags().BoolVar(&flags.approve, "approve", false, "agree, as another operator than the one who asked")
	cmd.Flags().BoolVar(&flags.run, "run", false, "erase, look for what is left, and certify; or go on with it")
	cmd.Flags().BoolVar(&flags.cancel, "cancel", false, "call it off before it has begun")
	cmd.Flags().BoolVar(&flags.status, "status", false, "show where it stands")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask")
	cmd.Flags().StringVar(&flags.out, "out", "", "with --run, file to write the certificate to as well")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	flags.places.register(cmd)
	registerNiceRatio(cmd)
	return cmd
}

// erase takes one step of an erasure.
func (a *app) erase(ctx context.Context, t *target, subject, reference string, flags eraseFlags) error {
	var r erasure.Request
	err := asOperator(ctx, t, "Erase", func(tx pgx.Tx) (err error) {
		id, err := findSubject(ctx, tx, subject, reference)
		if err != nil {
			return err
		}
		if !flags.approve && !flags.run && !flags.cancel && !flags.status {
			if id, err = erasure.Ask(ctx, tx, subject, id, flags.reason); err != nil {
				return err
			}
		}
		if r, err = erasure.Get(ctx, tx, id); err != nil {
			return err
		}
		switch {
		case r.Subject != subject:
			return fault.New(fault.NotFound, "There is no such erasure of a "+subject+".", "See `vital erasure list`.")
		case flags.approve:
			err = erasure.Approve(ctx, tx, r.ID)
		case flags.cancel:
			err = erasure.Cancel(ctx, tx, r.ID, flags.reason)
		}
		if err == nil {
			r, err = erasure.Get(ctx, tx, r.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if flags.run {
		return a.runErasure(ctx, t, r, reference, flags)
	}
	if flags.asJSON {
		return a.printJSON(r)
	}
	a.printRequest(r)
	return nil
}

// asOperator runs fn in one transaction as service_role, through the operator's own login: who acts is told by it where a step takes two of
// them. The server's logins are nobody's own, and count as one.
func asOperator(ctx context.Context, t *target, name string, fn func(pgx.Tx) error) error {
	address := t.operatorURL
	if u, err := url.Parse(address); err == nil && u.User != nil && u.User.Username() == "vital_api" {
		address = t.serviceURL
	}
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: address})
	if err != nil {
		return err
	}
	defer service.Close()
	return service.AsService(ctx, name, fn)
}

// findSubject is the id of whom an erasure is of. Who is gone is known by id alone, or by that of the erasure.
func findSubject(ctx context.Context, tx pgx.Tx, subject, reference string) (id uuid.UUID, err error) {
	if subject == "tenant" {
		id, err = tenant.FindTenant(ctx, tx, reference)
	} else {
		id, err = tenant.FindUserByReference(ctx, tx, reference)
	}
	if err == nil {
		return id, nil
	}
	if known, bad := uuid.Parse(reference); bad == nil {
		return known, nil
	}
	return id, err
}

// operatorFault is err as a fault where VITAL's own functions raised it.
func operatorFault(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		if own := postgres.OwnFault(pgErr); own != nil {
			return own
		}
		if pgErr.Code == "42501" {
			return fault.Wrap(err, fault.PermissionDenied, "This login may not do this.", "Log in as an operator: a superuser, or a member of service_role that no policy binds.")
		}
	}
	return err
}

// runErasure erases, looks for what is left, and certifies.
func (a *app) runErasure(ctx context.Context, t *target, r erasure.Request, reference string, flags eraseFlags) error {
	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return err
	}
	if signer == nil {
		return fault.New(fault.ConfigInvalid, "There is no key to sign the certificate with.", "Name one with VITAL_AUDIT_KEY_FILE.")
	}
	issue := erasure.Issue{Key: signer.key, Search: a.search(t, flags.places)}
	if issue.Backups, err = a.backupsBefore(t, flags.places.backups, time.Now()); err != nil {
		return err
	}
	if !flags.yes && r.State == "approved" {
		if err := a.confirm(fmt.Sprintf("Erase %s for good? This cannot be undone.", reference)); err != nil {
			return err
		}
	}
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	erased := a.progress("erasing")
	config := erasure.Config{Progress: func(what string, rows int64) { erased(fmt.Sprintf("%s, %s", what, plural(int(rows), "row"))) }}
	if a.config.RedisURL != "" {
		config.Evict = func(ctx context.Context, id uuid.UUID) (int64, error) {
			return cache.DropTenant(ctx, a.config.RedisURL, id)
		}
	}
	defer a.clearProgress()
	done, err := erasure.Run(ctx, conn, r.ID, config)
	if err != nil {
		return operatorFault(err)
	}
	certificate, err := erasure.Certify(ctx, conn, done, issue)
	a.clearProgress()
	if err != nil {
		return operatorFault(err)
	}
	if flags.out != "" {
		if err := asOperator(ctx, t, "ErasureCertificate", func(tx pgx.Tx) error { return a.writeErasure(ctx, tx, r.ID, flags.out) }); err != nil {
			return fault.Wrap(err, fault.CodeOf(err), "Everything is erased and certified, but the certificate could not be written to "+flags.out+".",
				"It is kept: `vital erasure certificate "+r.ID.String()+" --out FILE` writes it.")
		}
	}
	if flags.asJSON {
		if err := a.printJSON(certificate); err != nil {
			return err
		}
	} else {
		a.printErasure(certificate)
	}
	return leftFault(certificate.Scan, r.ID)
}

// leftFault is what makes the exit code 3, or nil.
func leftFault(scan erasure.Scan, id uuid.UUID) error {
	if len(scan.Left) == 0 {
		return nil
	}
	return fault.New(fault.FindingsFound, "Whom nothing should name is still named in "+plural(len(scan.Left), "place")+".",
		"Delete what is there, and look again: `vital erasure scan "+id.String()+"`.")
}

// search is where to look beside the database.
func (a *app) search(t *target, flags searchFlags) erasure.Search {
	reading := a.progress("searching")
	search := erasure.Search{Files: flags.paths, Progress: reading}
	if t.private != nil {
		for _, name := range []string{"postgres.log", "postgres.log.1"} {
			if file := filepath.Join(a.config.DataDir, name); isFile(file) {
				search.Files = append(search.Files, file)
			}
		}
	}
	if a.config.RedisURL != "" {
		search.Redis = func(ctx context.Context, each func(string, []byte) error) (int64, error) {
			return cache.Search(ctx, a.config.RedisURL, each)
		}
	}
	return search
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// backupsBefore are the backups that have what was there before a time.
func (a *app) backupsBefore(t *target, flags backupFlags, before time.Time) ([]erasure.Backup, error) {
	backups := flags.of(a, t)
	found, err := backups.List()
	if err != nil {
		return nil, err
	}
	list := []erasure.Backup{}
	for i, b := range found {
		if b.MadeAt.Before(before) {
			newer := max(1, defaultBackups-i)
			list = append(list, erasure.Backup{File: b.File, MadeAt: b.MadeAt, Goes: fmt.Sprintf("when %s more of %s are kept", plural(newer, "backup"), b.Database)})
		}
	}
	return list, nil
}

// defaultBackups is how many backups are kept where nobody says otherwise.
const defaultBackups = 5
