// Package cli is the command line: the only reader of flags, environment and files, and the only place
// where the packages below are put together.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vital-db/vital/internal/fault"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitFindings = 3
)

// Streams are a command's input and outputs: the result goes to Out, the log and errors to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// app is one run of the program.
type app struct {
	streams Streams
	environ []string
	flags   flags
	config  Config
	log     *slog.Logger

	niceRatio float64 // of the command's operator connections

	logWriter *logWriter
}

// Run executes args and returns the exit code: 0 ok, 1 failed, 2 usage, 3 findings.
func Run(ctx context.Context, args, environ []string, streams Streams) int {
	a := &app{streams: streams, environ: environ}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	if a.logWriter != nil {
		a.logWriter.flush()
	}
	if err == nil {
		return exitOK
	}
	return a.fail(interrupted(ctx, err))
}

// interrupted says of an error that comes of the user's asking to stop that it does; one that says more of it already stays as it is.
func interrupted(ctx context.Context, err error) error {
	var said *fault.Error
	if !isDone(ctx, err) || errors.As(err, &said) && said.Code != fault.DatabaseUnavailable {
		return err
	}
	return fault.Wrap(err, fault.RequestCancelled, "It was ended before it was done.", "Run the same again: of a transaction nothing was kept, and what is done in steps goes on.")
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "vital",
		Short: "The tenant data plane for a SaaS on PostgreSQL",
		Long: "VITAL answers who a user is, which tenants are theirs, what they may see and how their tenant is\n" +
			"set up, in one call, and enforces it in the database with row-level security on every table.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.takeNiceRatio(cmd); err != nil {
				return err
			}
			return a.configure()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.Wrap(err, fault.Usage, sentence(err.Error()), fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	})
	a.flags.register(root.PersistentFlags())
	for _, cmd := range []*cobra.Command{
		a.upCommand(), a.serveCommand(), a.healthCommand(), a.restCommand(), a.migrateCommand(), a.tokenCommand(), a.checkCommand(), a.fixCommand(), a.rlsCommand(), a.tenantCommand(), a.memberCommand(),
		a.agentCommand(), a.toolCommand(), a.flagsCommand(), a.dbCommand(), a.keyCommand(), a.keysCommand(),
		a.auditCommand(), a.accessCommand(), a.erasureCommand(), a.userCommand(), a.cacheCommand(), a.perfCommand(), a.reportCommand(), a.retentionCommand(), a.benchCommand(),
	} {
		root.AddCommand(cmd)
	}
	return root
}

// noArguments refuses stray arguments as a usage error.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fault.New(fault.Usage, fmt.Sprintf("%q takes no argument %q.", cmd.CommandPath(), args[0]),
			fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	}
	return nil
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fault.New(fault.Usage, fmt.Sprintf("%q has no command %q.", cmd.CommandPath(), args[0]),
					fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// fail prints err for a person and returns the exit code it stands for. It is the one place where a
// command's error is shown.
func (a *app) fail(err error) int {
	f := fault.From(err)
	if f.Code == fault.Internal && isCobraUsage(f.Err) {
		f = fault.Wrap(f.Err, fault.Usage, sentence(f.Err.Error()), "See `vital --help`.")
	}
	fmt.Fprintf(a.streams.Err, "%s %s (%s)\n", paint(a.streams.Err, red, "error:"), f.Message, f.Code)
	if f.Detail != "" {
		fmt.Fprintf(a.streams.Err, "       %s\n", strings.ReplaceAll(strings.TrimSpace(f.Detail), "\n", "\n       "))
	}
	if f.Err != nil && (f.Code == fault.Internal || a.config.LogLevel == slog.LevelDebug) {
		fmt.Fprintf(a.streams.Err, "cause: %v\n", f.Err)
	}
	if f.Hint != "" {
		fmt.Fprintf(a.streams.Err, "%s  %s\n", paint(a.streams.Err, dim, "hint:"), f.Hint)
	}
	switch f.Code {
	case fault.Usage:
		return exitUsage
	case fault.FindingsFound:
		return exitFindings
	default:
		return exitFailed
	}
}

// isCobraUsage recognises what cobra says by text alone.
func isCobraUsage(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag"))
}

func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// printJSON writes value for a program to read.
func (a *app) printJSON(value any) error {
	encoder := json.NewEncoder(a.streams.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

const (
	red   = "31"
	green = "32"
	amber = "33"
	dim   = "2"
	bold  = "1"
)

// paint colours text where w is a terminal and NO_COLOR is not set.
func paint(w io.Writer, colour, text string) string {
	if !isTerminal(w) || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// release is the version a release build sets: -ldflags "-X …/internal/cli.release=v1.2.3".
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// isDone reports whether err only says that the user asked to stop.
func isDone(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}
