package cli

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) tenantTemplateCommand() *cobra.Command {
	return group("template", "What new tenants are set up with: one for each tenant_type, or default",
		a.templateListCommand(), a.templateShowCommand(), a.templateSetCommand())
}

func (a *app) templateListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List templates", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var templates []tenant.Template
			err := a.asService(cmd.Context(), "TemplateList", func(tx pgx.Tx) (err error) {
				templates, err = tenant.ListTemplates(cmd.Context(), tx)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(templates)
			}
			rows := make([][]string, len(templates))
			for i, t := range templates {
				rows[i] = []string{t.Name, t.Description, fmt.Sprint(len(t.Apps)), fmt.Sprint(len(t.Flags)), t.UpdatedAt.Format("2006-01-02")}
			}
			a.printTable([]string{"template", "for", "apps", "flags", "changed"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) templateShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Print a template as a file that set takes", Args: exactly("a template's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var template tenant.Template
			err := a.asService(cmd.Context(), "TemplateShow", func(tx pgx.Tx) (err error) {
				template, err = tenant.ShowTemplate(cmd.Context(), tx, args[0])
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(template)
			}
			return a.printYAML(template)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printYAML writes value under the names and in the order that JSON gives it.
func (a *app) printYAML(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil { // JSON is YAML
		return fmt.Errorf("encode: %w", err)
	}
	blockStyle(&document)
	encoder := yaml.NewEncoder(a.streams.Out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return encoder.Close()
}

// blockStyle has a document written line by line, not in braces, and quotes only where they are needed.
func blockStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		blockStyle(child)
	}
}

func (a *app) templateSetCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "set FILE --reason REASON", Short: "Make a template, or make the one of that name as the file says", Args: exactly("a file, or - for standard input"),
		Long: "Makes a template, or makes the one of that name as the file says, whole: what the file leaves out it does not have. New tenants\n" +
			"start with it; those that are there stay as they are. `vital tenant template show` prints such a file.",
		Example: "  vital tenant template show default > clinic.yaml   # then name it clinic, and edit it\n" +
			`  vital tenant template set clinic.yaml --reason "clinics are under HIPAA"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			text, err := a.readInput(args[0])
			if err != nil {
				return err
			}
			template, err := tenant.ReadTemplate(text, tenant.FormatOf(args[0], text))
			if err != nil {
				return err
			}
			var made, changed bool
			err = a.asService(cmd.Context(), "TemplateSet", func(tx pgx.Tx) (err error) {
				made, changed, err = tenant.SetTemplate(cmd.Context(), tx, template, reason)
				return err
			})
			if err != nil {
				return err
			}
			word := "is so already"
			if changed {
				word = madeOrChanged(made)
			}
			fmt.Fprintf(a.streams.Out, "template %s: %s\n", template.Name, word)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}
