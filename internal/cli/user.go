package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
)

func (a *app) userCommand() *cobra.Command {
	var fromStdin bool
	password := &cobra.Command{
		Use: "password EMAIL", Short: "Give an account another password, and end its sessions", Args: exactly("an e-mail address"),
		Long: "Gives an account of the embedded sign-in another password and ends its sessions. Prints the password that was\n" +
			"made, and nothing else; with --stdin it takes the first line of standard input, and prints nothing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen := signin.GeneratePassword()
			if fromStdin {
				line, err := bufio.NewReader(a.streams.In).ReadString('\n')
				if err != nil && err != io.EOF {
					return fmt.Errorf("read password: %w", err)
				}
				chosen = strings.TrimRight(line, "\r\n")
			}
			err := a.withTarget(cmd.Context(), func(t *target) error {
				service, err := postgres.OpenService(cmd.Context(), postgres.Config{ServiceURL: t.serviceURL})
				if err != nil {
					return err
				}
				defer service.Close()
				ours, err := signin.AccountsAreOurs(cmd.Context(), service)
				if err == nil && !ours {
					err = fault.New(fault.SignInOff, "Accounts belong to Supabase here.", "Set the password there.")
				}
				if err != nil {
					return err
				}
				return signin.SetPassword(cmd.Context(), service, args[0], chosen)
			})
			if err == nil && !fromStdin {
				fmt.Fprintln(a.streams.Out, chosen)
			}
			return err
		},
	}
	password.Flags().BoolVar(&fromStdin, "stdin", false, "take the password from standard input")
	return group("user", "Manage accounts, and take out or erase what is one person's", password, a.userExportCommand(), a.userEraseCommand())
}
