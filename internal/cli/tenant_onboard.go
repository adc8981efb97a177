package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// onboardFlags are those of `vital tenant create --from`.
type onboardFlags struct {
	file, invitations string
	dryRun, asJSON    bool
	expires           time.Duration
	reason            string
}

func (f *onboardFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "from", "", "file of tenants in YAML or JSON, or - for standard input")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --from: show what would change, and change nothing")
	flags.BoolVar(&f.asJSON, "json", false, "with --from: print JSON")
	flags.StringVar(&f.invitations, "invitations", "", "with --from: file to make for the tokens of invitations, as JSON Lines; without it they are printed")
	flags.DurationVar(&f.expires, "expires", 7*24*time.Hour, "with --from: how long invitations can be accepted, at most 720h")
}

// check refuses flags of the one way of making tenants beside those of the other.
func (f *onboardFlags) check(cmd *cobra.Command) error {
	strangers := []string{"dry-run", "json", "invitations", "expires"}
	message := "--%s goes with --from."
	if f.file != "" {
		strangers = []string{"name", "slug", "type", "owner", "key", "tier", "parent", "template", "pending"}
		message = "--%s does not go with --from: the file says it."
	}
	for _, name := range strangers {
		if cmd.Flags().Changed(name) {
			return fault.New(fault.Usage, fmt.Sprintf(message, name), fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
		}
	}
	return nil
}

// largestFile is how much of a file is read: some 100,000 tenants.
const largestFile = 256 << 20

// readInput reads a file, or standard input for -.
func (a *app) readInput(name string) ([]byte, error) {
	in := a.streams.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be read.", name), "Name a file, or - for standard input.")
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, largestFile+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be read.", name), "Name a file, or - for standard input.")
	}
	if len(text) > largestFile {
		return nil, fault.New(fault.Usage, fmt.Sprintf("The file is larger than %d MiB.", largestFile>>20), "Make several of it.")
	}
	return text, nil
}

// onboard makes the tenants of a file, or with --dry-run does it and takes it back.
func (a *app) onboard(ctx context.Context, flags onboardFlags) error {
	text, err := a.readInput(flags.file)
	if err != nil {
		return err
	}
	progress := a.progress("")
	defer a.clearProgress()
	progress("reading the file")
	file, err := tenant.ReadTenants(text, tenant.FormatOf(flags.file, text))
	if err != nil {
		return err
	}
	options := tenant.OnboardOptions{
		Reason: strings.TrimSpace(flags.reason), InvitationsExpireIn: flags.expires,
		Progress: func(step string, done, of int) { progress(fmt.Sprintf("%s, %d of %d", step, done, of)) },
	}
	if options.Reason == "" {
		options.Reason = "onboarded from " + filepath.Base(flags.file)
	}
	report, err := a.applyOnboarding(ctx, file, flags, options)
	if err != nil {
		return err
	}
	a.clearProgress()
	if flags.asJSON {
		return a.printJSON(struct {
			Applied bool `json:"applied"`
			*tenant.Onboarding
		}{!flags.dryRun, report})
	}
	a.printOnboarding(report, flags)
	return nil
}

// applyOnboarding runs the one transaction. Tokens are on disk before it commits: one that nobody has is worth nothing.
func (a *app) applyOnboarding(ctx context.Context, file *tenant.TenantFile, flags onboardFlags, options tenant.OnboardOptions) (report *tenant.Onboarding, err error) {
	tokens, err := openTokens(flags)
	if err != nil {
		return nil, err
	}
	handed := false
	err = a.asService(ctx, "Onboard", func(tx pgx.Tx) (err error) {
		if report, err = tenant.Onboard(ctx, tx, file, options); err != nil {
			return err
		}
		if flags.dryRun {
			report.Invitations = []tenant.TenantInvitation{} // they are void
			return errUndo
		}
		if err := tokens.write(report.Invitations); err != nil {
			return err
		}
		handed = true
		return nil
	})
	if errors.Is(err, errUndo) {
		return report, nil
	}
	if err != nil {
		// Once tokens are written, only the commit can have failed; it may have been kept, so they are.
		return nil, errors.Join(err, tokens.close(handed))
	}
	written := len(report.Invitations)
	if tokens != nil {
		report.Invitations = []tenant.TenantInvitation{}
	}
	return report, tokens.close(written > 0)
}

// tokenFile is where invitations go, readable by nobody else; nil for none.
type tokenFile struct{ file *os.File }

func openTokens(flags onboardFlags) (*tokenFile, error) {
	if flags.invitations == "" || flags.dryRun {
		return nil, nil
	}
	file, err := os.OpenFile(flags.invitations, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be made.", flags.invitations), "Name one that is not there yet, in a directory you may write to.")
	}
	return &tokenFile{file}, nil
}

func (t *tokenFile) write(invitations []tenant.TenantInvitation) error {
	if t == nil {
		return nil
	}
	encoder := json.NewEncoder(t.file)
	for _, invitation := range invitations {
		if err := encoder.Encode(invitation); err != nil {
			return fmt.Errorf("write invitations: %w", err)
		}
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("write invitations: %w", err)
	}
	return nil
}

// close ends the file, and takes it away where it is of no use.
func (t *tokenFile) close(keep bool) error {
	if t == nil {
		return nil
	}
	err := t.file.Close()
	if !keep {
		err = errors.Join(err, os.Remove(t.file.Name()))
	}
	return err
}

// mostShown is how many tenants are told one by one; --json has all.
const mostShown = 200

func (a *app) printOnboarding(report *tenant.Onboarding, flags onboardFlags) {
	out := a.streams.Out
	for i, t := range report.Tenants {
		if i == mostShown {
			fmt.Fprintln(out, paint(out, dim, fmt.Sprintf("… and %d more; --json has all", len(report.Tenants)-i)))
			break
		}
		a.printOnboarded(t)
	}
	if len(report.Invitations) > 0 {
		rows := make([][]string, len(report.Invitations))
		for i, v := range report.Invitations {
			rows[i] = []string{v.Tenant, v.Email, v.Role, v.ExpiresAt.Format(time.RFC3339), v.Token}
		}
		fmt.Fprintln(out)
		a.printTable([]string{"tenant", "invited", "as", "until", "token, shown this once"}, rows)
	}
	verdict := fmt.Sprintf("%s made, %d changed, %d as they are", plural(report.Made, "tenant"), report.Changed, report.Unchanged)
	switch {
	case flags.dryRun && report.Made+report.Changed > 0:
		verdict = fmt.Sprintf("%s would be made, %d changed, %d are as the file says; nothing was changed: leave --dry-run out where it is meant",
			plural(report.Made, "tenant"), report.Changed, report.Unchanged)
	case report.Made+report.Changed == 0:
		verdict = fmt.Sprintf("nothing to change: %s as the file says", plural(report.Unchanged, "tenant"))
	case flags.invitations != "":
		verdict += "; invitations, if any, are in " + flags.invitations
	}
	fmt.Fprintln(out, verdict)
}

// signColours are those of what is added, changed and taken away.
var signColours = map[string]string{"+": green, "~": amber, "-": red}

func (a *app) printOnboarded(t tenant.OnboardedTenant) {
	out := a.streams.Out
	sign := func(action string) string { return paint(out, signColours[action], action) }
	if t.Made {
		fmt.Fprintf(out, "%s %s  %s, %s, %s, template %s, %s", sign("+"), paint(out, bold, t.Key), compact(t.Name), t.Type, t.Tier, t.Template, a.paintWord(t.State))
		if t.Parent != nil {
			fmt.Fprintf(out, ", in %s", *t.Parent)
		}
		fmt.Fprintln(out)
	} else {
		fmt.Fprintf(out, "%s %s\n", sign("~"), paint(out, bold, t.Key))
	}
	for _, c := range t.Changes {
		what := c.Object
		for _, part := range []string{c.Name, c.Path} {
			if part != "" {
				what += " " + part
			}
		}
		switch c.Action {
		case "+":
			fmt.Fprintf(out, "    %s %s  %s\n", sign("+"), what, compact(c.After))
		case "-":
			fmt.Fprintf(out, "    %s %s  %s\n", sign("-"), what, compact(c.Before))
		default:
			fmt.Fprintf(out, "    %s %s  %s -> %s\n", sign("~"), what, compact(c.Before), compact(c.After))
		}
	}
}
