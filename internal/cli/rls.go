package cli

import "github.com/spf13/cobra"

func (a *app) rlsCommand() *cobra.Command {
	return group("rls", "Show what row-level security lets each role do", a.rlsMatrixCommand(), a.rlsProveCommand(), a.rlsCertifyCommand(), a.rlsVerifyCommand(), a.rlsExplainCommand())
}
