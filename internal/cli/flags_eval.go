package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) flagsEvalCommand() *cobra.Command {
	var named, user, context string
	var explain, asJSON bool
	cmd := &cobra.Command{
		Use: "eval [FLAG] --tenant TENANT", Short: "Say what a flag is worth to a tenant and user, or every flag, and why",
		Long: "Evaluates a flag as /ofrep/v1 does for a user of the tenant, or every flag without an argument. --explain shows each\n" +
			"step of precedence, and of the rule what it was made of. Nothing is counted as use of the flag.",
		Example: "  vital flags eval model_tier --tenant pharma --as cyd@pharma.vital.test --context '{\"plan\": \"pro\"}' --explain",
		Args:    atMost("a flag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if named == "" {
				return fault.New(fault.Usage, "A flag is worth something to a tenant.", "Name it with --tenant.")
			}
			client, err := feature.ParseContext([]byte(context))
			if err != nil {
				return fault.New(fault.Usage, "--context is not a JSON object.", `Give it as '{"plan": "pro"}'.`)
			}
			var flags tenant.CallerFlags
			err = a.ofFlags(cmd.Context(), "FlagEvaluate", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				var who *uuid.UUID
				if user != "" {
					found, err := tenant.FindUserByReference(cmd.Context(), tx, user)
					if err != nil {
						return err
					}
					who = &found
				}
				flags, err = tenant.FlagsFor(cmd.Context(), tx, *id, who)
				return err
			})
			if err != nil {
				return err
			}
			keys := args
			if len(keys) == 0 {
				keys = flags.Keys()
			}
			results := make([]feature.Explanation, len(keys))
			for i, key := range keys {
				results[i] = flags.Explain(key, client, time.Now())
				if !explain {
					results[i].Steps = nil
				}
			}
			if len(args) == 1 && results[0].ErrorCode == feature.FlagNotFound {
				return fault.New(fault.NotFound, fmt.Sprintf("There is no flag %s.", args[0]), "See `vital flags list`.")
			}
			return a.printEvaluations(results, len(args) == 1, explain, asJSON)
		},
	}
	cmd.Flags().StringVar(&named, "tenant", "", "the tenant, by slug or id")
	cmd.Flags().StringVar(&user, "as", "", "a member of it, by address or id; without one, the tenant itself asks")
	cmd.Flags().StringVar(&context, "context", "", "what the application would say, as a JSON object")
	cmd.Flags().BoolVar(&explain, "explain", false, "show how it came to that")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printEvaluations(results []feature.Explanation, one, explain, asJSON bool) error {
	switch {
	case asJSON && one:
		return a.printJSON(results[0])
	case asJSON:
		return a.printJSON(results)
	case explain:
		for i, r := range results {
			if i > 0 {
				fmt.Fprintln(a.streams.Out)
			}
			a.printFlagSteps(r)
		}
		return nil
	}
	rows := make([][]string, len(results))
	for i, r := range results {
		rows[i] = []string{r.Key, valueOrDash(r.Value), dashed(r.Variant), reasonOf(r.Result)}
	}
	a.printTable([]string{"flag", "value", "variant", "reason"}, rows)
	return nil
}

// ruleStep is one operator with what went in and what came out.
func ruleStep(s feature.RuleStep) string {
	arguments, _ := json.Marshal(s.Arguments) // they came from JSON
	result, _ := json.Marshal(s.Result)
	text := fmt.Sprintf("%s %s = %s", s.Operator, arguments, result)
	if s.Arguments == nil { // a condition
		text = fmt.Sprintf("%s: %s", s.Operator, result)
	}
	if a := s.Assignment; a != nil {
		text = fmt.Sprintf("%s by %s %q: %d of %d, bucket %d = %s", s.Operator, a.KeyFrom, a.Key, a.Position, a.Total, a.Bucket, result)
	}
	if s.Note != "" {
		text += "  (" + s.Note + ")"
	}
	return text
}

func dashed(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func reasonOf(r feature.Result) string {
	if r.ErrorCode != "" {
		return string(r.ErrorCode) + ": " + r.ErrorDetails
	}
	return string(r.Reason)
}

// printFlagSteps shows the steps of precedence, and below each what it looked at.
func (a *app) printFlagSteps(r feature.Explanation) {
	out := a.streams.Out
	fmt.Fprintf(out, "%s  %s", paint(out, bold, r.Key), valueOrDash(r.Value))
	if r.Variant != "" {
		fmt.Fprintf(out, " (%s)", r.Variant)
	}
	fmt.Fprintf(out, "  %s\n", reasonOf(r.Result))
	for _, s := range r.Steps {
		mark, colour := "-", dim
		switch s.Outcome {
		case "decided":
			mark, colour = "*", green
		case "passed":
			mark, colour = ".", ""
		}
		fmt.Fprintf(out, "  %s %s  %s\n", paint(out, colour, mark), paint(out, colour, fmt.Sprintf("%-13s", s.Step)), s.Detail)
		for _, p := range s.Prerequisites {
			met := "met"
			if !p.Met {
				met = "not met"
			}
			fmt.Fprintf(out, "                   %s is %s, needs %s: %s\n", p.FlagKey, dashed(p.Variant), strings.Join(p.Needs, " or "), met)
		}
		for _, rule := range s.Rule {
			fmt.Fprintf(out, "                   %s\n", paint(out, dim, ruleStep(rule)))
		}
		if s.Truncated {
			fmt.Fprintln(out, "                   …")
		}
	}
}
