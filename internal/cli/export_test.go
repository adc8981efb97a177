package cli

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

// Reference renders every command with its help, for docs/reference/cli.md.
func Reference() string {
	var b strings.Builder
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		cmd.InitDefaultHelpFlag()
		about := cmd.Long
		if about == "" {
			about = cmd.Short + "."
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s```\n", cmd.CommandPath(), about, cmd.UsageString())
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	a := &app{}
	walk(a.rootCommand())
	return b.String()
}

// Settings are the names of every setting, as the environment has them.
func Settings() []string {
	var names []string
	kind := reflect.TypeFor[Config]()
	for i := range kind.NumField() {
		names = append(names, kind.Field(i).Tag.Get("env"))
	}
	return names
}

// PlanFault is what a plan ends with.
var PlanFault = planFault
