package isolation_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

func TestProve_OwnSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	proof, err := isolation.Prove(context.Background(), d.Connect(t), subject, func(string) {})
	require.NoError(t, err)
	if name := os.Getenv("PROOF"); name != "" {
		text, _ := json.MarshalIndent(proof, "", " ")
		require.NoError(t, os.WriteFile(name, text, 0o600))
	}
	for _, r := range proof.Results {
		require.NotEqual(t, isolation.Leaked, r.Outcome, "%s as %s on %s: %s\n%s", r.Attack, r.Caller, r.Object, r.Evidence, r.Script)
	}
}
