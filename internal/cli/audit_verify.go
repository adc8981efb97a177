package cli

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// verifyFlags say what is verified, against what.
type verifyFlags struct {
	tenant, checkpoints string
	publicKeys          []string
	asJSON              bool
}

func (a *app) auditVerifyCommand() *cobra.Command {
	var flags verifyFlags
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute every audit chain; exit code 3 when one was tampered with", Args: noArguments,
		Long: "Recomputes every audit chain from the columns of its rows and compares it with its head, with the signed\n" +
			"checkpoints in the database, and with those kept outside of it. Finds rows that were edited, deleted, inserted,\n" +
			"moved or cut off, and says which. Whoever may write everything in the database can rewrite a chain so that it\n" +
			"holds together; only checkpoints kept outside find that, up to the last one.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.verifyAudit(cmd.Context(), t, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.tenant, "tenant", "", "only this tenant, by slug or id")
	cmd.Flags().StringVar(&flags.checkpoints, "checkpoints", "", "file of checkpoints kept outside the database (VITAL_AUDIT_CHECKPOINTS)")
	cmd.Flags().StringArrayVar(&flags.publicKeys, "public-key", nil, "public key that counts beside the configured one, in base64; may be repeated")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// mostFindings are kept to be shown; more are counted.
const mostFindings = 10_000

// auditReport is what verifying came to.
type auditReport struct {
	Summary  tenant.AuditSummary   `json:"summary"`
	Findings []tenant.AuditFinding `json:"findings"`
	slugs    map[uuid.UUID]string
}

func (a *app) verifyAudit(ctx context.Context, t *target, flags verifyFlags) error {
	kept, closeKept, err := a.openKept(t, flags.checkpoints)
	if err != nil {
		return err
	}
	defer closeKept()
	keys, err := a.auditKeys(t, flags.publicKeys)
	if err != nil {
		return err
	}
	ring, err := a.keyring(t)
	if err != nil {
		return err
	}
	report := auditReport{Findings: []tenant.AuditFinding{}}
	err = lookAtAudit(ctx, t, func(tx pgx.Tx) error {
		check := tenant.AuditCheck{Keys: keys, Ring: ring, Kept: kept, Recent: time.Now().Add(-checkpointEvery), Found: func(f tenant.AuditFinding) error {
			if len(report.Findings) < mostFindings {
				report.Findings = append(report.Findings, f)
			}
			return nil
		}}
		if check.Tenant, err = namedTenant(ctx, tx, flags.tenant); err != nil {
			return err
		}
		if report.Summary, err = tenant.VerifyAudit(ctx, tx, check); err != nil {
			return err
		}
		report.slugs, err = tenant.Slugs(ctx, tx, tenantsOf(report.Findings))
		return err
	})
	if err != nil {
		return err
	}
	if flags.asJSON {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printVerified(report, kept != nil)
	}
	if report.Summary.Findings > 0 {
		return fault.New(fault.FindingsFound, fmt.Sprintf("The audit log is not what was written: %d findings.", report.Summary.Findings),
			"Compare with a backup or an export from before; docs/reference/audit.md says what each finding means.")
	}
	return nil
}

func tenantsOf(findings []tenant.AuditFinding) []uuid.UUID {
	seen := map[uuid.UUID]bool{}
	tenants := []uuid.UUID{}
	for _, f := range findings {
		if !seen[f.Tenant] {
			seen[f.Tenant] = true
			tenants = append(tenants, f.Tenant)
		}
	}
	return tenants
}

func (a *app) printVerified(report auditReport, kept bool) {
	out := a.streams.Out
	for _, f := range report.Findings {
		name := f.Tenant.String()
		if slug, found := report.slugs[f.Tenant]; found {
			name = slug
		}
		row := fmt.Sprintf("row %d", f.Seq)
		if f.ID != nil {
			row += " (" + f.ID.String() + ")"
		}
		fmt.Fprintf(out, "%s  %s: tenant %s, %s: %s\n", paint(out, red, "error"), f.Kind, name, row, f.What)
	}
	s := report.Summary
	if s.Findings == 0 {
		fmt.Fprintf(out, "%s  ", paint(out, green, "ok"))
	}
	fmt.Fprintf(out, "%d chains, %d rows and %d checkpoints verified\n", s.Chains, s.Rows, s.Checkpoints)
	if s.Opened+s.Closed+s.ErasedByKey > 0 {
		fmt.Fprintf(out, "of the rows, %d were sealed and opened, %d sealed and not opened, %d erased with their key\n", s.Opened, s.Closed, s.ErasedByKey)
	}
	if s.Closed > 0 {
		a.note("the contents of sealed rows that were not opened were not checked: that takes the keyring (VITAL_KEK_FILE)")
	}
	if !kept {
		fmt.Fprintf(a.streams.Err, "%s  no checkpoints kept outside the database were compared, so a chain that was rewritten as a whole, its\n"+
			"      checkpoints too, would not be found: name a file with --checkpoints\n", paint(a.streams.Err, amber, "note"))
	}
}

// openKept opens the file of checkpoints up to where it ends now, before anything is read from the
// database. A file nobody named may be missing; one that was named may not.
func (a *app) openKept(t *target, flag string) (io.Reader, func(), error) {
	name := a.checkpointsFile(t, flag)
	if name == "" {
		return nil, func() {}, nil
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && flag == "" && a.config.AuditCheckpoints == "" {
		return nil, func() {}, nil
	}
	var info fs.FileInfo
	if err == nil {
		info, err = file.Stat()
	}
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The checkpoints in %s cannot be read.", name), "Check --checkpoints and VITAL_AUDIT_CHECKPOINTS.")
	}
	return io.LimitReader(file, info.Size()), func() { file.Close() }, nil
}

// auditKeys are the public keys whose checkpoints count.
func (a *app) auditKeys(t *target, given []string) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, text := range given {
		key, err := tenant.ParseAuditPublicKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	signer, err := a.checkpointSigner(t, "")
	if err != nil || signer == nil {
		return keys, err
	}
	return append(keys, signer.public()), nil
}
