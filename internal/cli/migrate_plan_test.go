package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

// TestPlanFault: a plan ends with 3 exactly where vital migrate up would refuse.
func TestPlanFault(t *testing.T) {
	t.Parallel()
	seen := schema.Problem{Level: schema.LintWarning, Lint: "dynamic_sql"}
	refused := schema.Problem{Level: schema.LintError, Lint: "granted_to_public"}
	require.NoError(t, cli.PlanFault(schema.Plan{}))
	require.NoError(t, cli.PlanFault(schema.Plan{Problems: []schema.Problem{seen}, Checks: []schema.GuardCheck{{Status: schema.GuardWarning}}}))
	err := cli.PlanFault(schema.Plan{Problems: []schema.Problem{seen, refused}, Checks: []schema.GuardCheck{{Status: schema.GuardFail}}})
	require.Equal(t, fault.FindingsFound, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, "2 reasons")
}
