package cli

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

func (a *app) rlsCertifyCommand() *cobra.Command {
	var flags subjectFlags
	var out, keyFile string
	cmd := &cobra.Command{
		Use: "certify --out DIR|FILE", Short: "Attack the database and sign what came of it; exit code 3 when something leaks", Args: noArguments,
		Long: "Does what `vital rls prove` does, and writes three files: a signed certificate (.json), the same as one page for\n" +
			"people (.html), and the public key it is signed with (.pem). --out names their directory, or the .json file.\n" +
			"The private server keeps a key of its own; of another database, name one with --key (PEM, PKCS #8, Ed25519;\n" +
			"`openssl genpkey -algorithm ed25519 -out certificate.key` makes one). A database that leaks gets a certificate\n" +
			"too: it says so. There is no row of a tenant in it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return fault.New(fault.Usage, "Nothing says where the certificate goes.", "Name a directory, or a .json file, with --out.")
			}
			var key ed25519.PrivateKey
			if keyFile != "" {
				var err error
				if key, err = readKey(keyFile, report.ParseSigningKey); err != nil {
					return err
				}
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.rlsCertify(cmd.Context(), t, flags, out, key) })
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "directory, or .json file, to write to")
	cmd.Flags().StringVar(&keyFile, "key", "", "private key to sign with, instead of the private server's own")
	return cmd
}

func (a *app) rlsCertify(ctx context.Context, t *target, flags subjectFlags, out string, key ed25519.PrivateKey) error {
	if key == nil {
		var err error
		if key, err = certificateKey(t); err != nil {
			return err
		}
	}
	proof, err := a.prove(ctx, t, flags)
	if err != nil {
		return err
	}
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	certificate, err := certify(ctx, conn, proof)
	if err != nil {
		return err
	}
	name, err := writeCertificate(out, certificate, key)
	if err != nil {
		return err
	}
	a.printCertificate(certificate)
	fmt.Fprintf(a.streams.Out, "%s   %s, with its .html and .pem beside it\n", paint(a.streams.Out, dim, "written"), name)
	return proofFault(proof)
}

// certificateKey is the private server's own.
func certificateKey(t *target) (ed25519.PrivateKey, error) {
	if t.private == nil {
		return nil, fault.New(fault.ConfigInvalid, "There is no key to sign with.", "Make one with `openssl genpkey -algorithm ed25519 -out certificate.key`, and name it with --key.")
	}
	secret, err := t.private.Secret("certificate")
	if err != nil {
		return nil, err
	}
	seed, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fault.New(fault.DataDirUnusable, "The private server's key for certificates is not 32 bytes in base64url.", "Restore secrets/certificate from a backup of the data directory.")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// certify is proof with the matrix of the same schemas, as a certificate of now.
func certify(ctx context.Context, conn *pgx.Conn, proof *isolation.Proof) (*report.Certificate, error) {
	matrix, err := isolation.ReadMatrix(ctx, conn, proof.Subject.Schemas, nil)
	if err != nil {
		return nil, err
	}
	build := report.Build{Version: version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				build.Commit = setting.Value
			}
		}
	}
	return report.NewCertificate(proof, matrix, build, time.Now())
}

// writeCertificate writes the three files and returns the name of the first.
func writeCertificate(out string, c *report.Certificate, key ed25519.PrivateKey) (string, error) {
	name, isFile := strings.CutSuffix(out, ".json")
	if !isFile {
		name = filepath.Join(out, "certificate")
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return "", fault.Wrap(err, fault.Usage, "The directory of --out cannot be made.", "Name one in a directory you may write to.")
	}
	signed, err := c.Sign(key)
	if err != nil {
		return "", err
	}
	public, err := report.FormatPublicKey(c.PublicKey)
	if err != nil {
		return "", err
	}
	text := func(content []byte) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		}
	}
	for _, file := range []struct {
		suffix string
		write  func(io.Writer) error
	}{{".json", text(signed)}, {".pem", text(public)}, {".html", func(w io.Writer) error { return report.WriteCertificateHTML(w, c) }}} {
		if err := writeFile(name+file.suffix, "out", file.write); err != nil {
			return "", err
		}
	}
	return name + ".json", nil
}

func (a *app) rlsVerifyCommand() *cobra.Command {
	var keyFile string
	var live, asJSON bool
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a certificate, and say what it says; exit code 3 when that is bad", Args: exactly("a certificate's file"),
		Long: "Verifies the signature of a certificate of `vital rls certify` and prints who signed it and what it says. Without\n" +
			"--key the key is the one the certificate names itself: that shows it was not changed, and not by whom it was made.\n" +
			"With --live or --database-url it also compares the schema's fingerprint with the database as it is. The exit code\n" +
			"is 1 when the signature is not good, 3 when it says that tenants leak or when the schema is another by now.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rlsVerify(cmd.Context(), args[0], keyFile, live || a.config.DatabaseURL != "", asJSON)
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "public key of who is trusted to issue it, PEM")
	cmd.Flags().BoolVar(&live, "live", false, "compare with the database as it is now; --database-url implies it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the certificate's JSON, once it is verified")
	return cmd
}

func (a *app) rlsVerify(ctx context.Context, name, keyFile string, live, asJSON bool) error {
	var trusted ed25519.PublicKey
	if keyFile != "" {
		var err error
		if trusted, err = readKey(keyFile, report.ParsePublicKey); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fault.Wrap(err, fault.Usage, fmt.Sprintf("The certificate %s cannot be read.", name), "Name the .json file that `vital rls certify` wrote.")
	}
	certificate, err := report.OpenCertificate(text, trusted)
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.printJSON(certificate); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.streams.Out, "%s the signature is good\n", paint(a.streams.Out, green, "ok      "))
		a.printCertificate(certificate)
	}
	if trusted == nil {
		a.note("only the certificate itself vouches for its key: compare the key, or name the issuer's with --key")
	}
	if time.Now().After(certificate.Expires) {
		a.note(fmt.Sprintf("it was of %s and is past its date: certify the database again", certificate.Issued.Format("2 January 2006")))
	}
	if live {
		if err := a.compareLive(ctx, certificate); err != nil {
			return err
		}
	}
	switch certificate.Verdict {
	case report.Leaking, report.Flawed:
		return fault.New(fault.FindingsFound, "The certificate is genuine, and says: "+certificate.Summary, "Mend what it lists, and certify again.")
	default:
		return nil
	}
}

// compareLive holds the fingerprint of c against the database as it is.
func (a *app) compareLive(ctx context.Context, c *report.Certificate) error {
	return a.withTarget(ctx, func(t *target) error {
		conn, err := connectOperator(ctx, t)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		now, err := isolation.Fingerprint(ctx, conn, c.Subject.Schemas)
		if err != nil {
			return err
		}
		if now != c.Database.Fingerprint {
			return fault.New(fault.FindingsFound, fmt.Sprintf("The schema has drifted: its fingerprint is %.16s, the certificate is of %.16s.", now, c.Database.Fingerprint),
				"A table, policy, function, privilege or role is another by now: certify again.")
		}
		fmt.Fprintf(a.streams.Err, "%s the schema is still the one that was certified\n", paint(a.streams.Err, green, "ok      "))
		return nil
	})
}

func (a *app) note(text string) {
	fmt.Fprintf(a.streams.Err, "%s %s\n", paint(a.streams.Err, amber, "note    "), text)
}

// printCertificate says what c says, in short.
func (a *app) printCertificate(c *report.Certificate) {
	out := a.streams.Out
	colour := map[report.Verdict]string{report.Isolated: green, report.Incomplete: amber}[c.Verdict]
	if colour == "" {
		colour = red
	}
	levels := map[string]int{}
	for _, s := range c.Standings {
		levels[s.Level]++
	}
	build := "vital " + c.Build.Version
	if c.Build.Commit != "" {
		build += fmt.Sprintf(", commit %.12s", c.Build.Commit)
	}
	mutants := "not run"
	if c.Mutants != nil {
		mutants = fmt.Sprintf("%d of %d found out", c.Mutants.Killed, c.Mutants.Made)
	}
	for _, line := range []struct{ name, value string }{
		{"verdict", paint(out, colour, string(c.Verdict)) + ": " + c.Summary},
		{"database", fmt.Sprintf("%s, PostgreSQL %s, schema %.16s", c.Database.Name, c.Database.Server, c.Database.Fingerprint)},
		{"issued", fmt.Sprintf("%s by %s; look again by %s", c.Issued.Format(time.RFC3339), build, c.Expires.Format("2006-01-02"))},
		{"key", report.KeyID(c.PublicKey)},
		{"levels", fmt.Sprintf("%d proved, %d tested, %d unknown, %d leaked", levels[isolation.Proved], levels[isolation.Tested], levels[isolation.Untested], levels[isolation.Open])},
		{"found", strings.Join([]string{plural(len(c.Leaks), "leak"), plural(len(c.Risks), "risk"), plural(len(c.Findings), "lint finding")}, ", ")},
		{"mutants", mutants},
	} {
		fmt.Fprintf(out, "%s %s\n", paint(out, dim, fmt.Sprintf("%-8s", line.name)), line.value)
	}
	for _, leaking := range report.ByObject(c.Leaks) {
		attacks := leaking.Breaches[0].Title
		if more := len(leaking.Breaches) - 1; more > 0 {
			attacks += fmt.Sprintf(" and %d more", more)
		}
		fmt.Fprintf(out, "%s %s: %s, as %s\n", paint(out, red, "leak    "), leaking.Object, attacks, strings.Join(leaking.Callers, ", "))
	}
	for _, cve := range c.Database.CVEs {
		fmt.Fprintf(out, "%s %s, fixed in %s: %s\n", paint(out, amber, "server  "), cve.ID, cve.Fixed, cve.Title)
	}
}

func readKey[K any](name string, parse func([]byte) (K, error)) (key K, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return key, fault.Wrap(err, fault.ConfigInvalid, "The file of --key cannot be read.", "Name a PEM file.")
	}
	return parse(text)
}
