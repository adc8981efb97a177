package isolation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// TestProve_OwnSchema: nothing leaks, and a pgTAP script of the same attacks says so too.
func TestProve_OwnSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	proof := prove(t, d, subject)
	if name := os.Getenv("PROOF"); name != "" {
		text, _ := json.MarshalIndent(proof, "", " ")
		require.NoError(t, os.WriteFile(name, text, 0o600))
	}
	for _, r := range proof.Results {
		require.NotEqual(t, isolation.Leaked, r.Outcome, "%s as %s on %s: %s\n%s", r.Attack, r.Caller, r.Object, r.Evidence, "")
	}
	var script bytes.Buffer
	require.NoError(t, proof.WritePgTAP(&script))
	require.Contains(t, script.String(), "-- Left out, for it runs in no function: copy_to (")
	output := tap(t, d, script.String())
	require.Regexp(t, `(?m)^1\.\.\d{4,5}$`, output)
	require.NotContains(t, output, "# Looks like")
	require.Empty(t, failures(output))
	require.Equal(t, proof.Count(isolation.AtRisk), strings.Count(output, "\nnot ok "), "what is a risk is expected")
	left := 0
	for _, r := range proof.Results {
		if noFunction(r) {
			left++
		}
	}
	require.Equal(t, len(proof.Results)-left, strings.Count(output, "\nok ")+strings.Count(output, "\nnot ok "), "a test for each attack")
}

// noFunction reports an attack that pgTAP cannot make, because it runs in no function.
func noFunction(r isolation.Result) bool {
	return r.Attack == "copy_to" || r.Attack == "escape_transaction"
}

// plantedLeaks are those of testdata/leaky.sql, by the object that must be found leaking.
var plantedLeaks = []string{
	"public.no_rls", "public.not_forced", "public.open_read", "public.open_insert", "public.open_move", "public.open_take", "public.open_delete",
	"public.ored_open", "public.nobodys_rows", "public.coalesced", "public.role_is_enough", "public.claim_is_enough", "public.shadowed_column",
	"public.anonymous_read", "public.truncatable", "public.triggerable", "public.unique_title", "public.children", "public.child_without_tenant",
	"public.owners_view", "public.stored_view", "public.read_any(p_id uuid)", "public.delete_any(p_id uuid)", "public.count_any(p_tenant_id uuid)",
	"public.tell_in_error(p_id uuid)", "public.rename_any(IN p_id uuid)", "public.empty_all()",
	"public.shadowed_helper", "app.my_tenants()", "public.trimmed(p_title text)", "public.side_effects", "public.members",
}

func TestProve_FindsPlantedLeaks(t *testing.T) {
	t.Parallel()
	conn := connectPlain(t, pgtest.New(t))
	text, err := os.ReadFile("testdata/leaky.sql")
	require.NoError(t, err)
	_, err = conn.Exec(context.Background(), string(text))
	require.NoError(t, err)
	subject := &isolation.Subject{TenantColumn: "tenant_id", Roles: isolation.Roles{Anonymous: "anon", SignedIn: "authenticated", Login: "vital_api"}}
	proof, err := isolation.Prove(context.Background(), conn, subject, func(string) {})
	require.NoError(t, err)
	t.Log(proof.Assumed)
	found := map[string]string{}
	for _, r := range proof.Results {
		switch {
		case r.Outcome == isolation.Leaked && found[r.Object] == "":
			found[r.Object] = r.Caller + ": " + r.Attack + ": " + r.Evidence
		case r.Outcome == isolation.Untried:
			t.Log(r.Object, r.Caller, r.Attack, r.Evidence)
		}
	}
	for _, object := range plantedLeaks {
		require.NotEmpty(t, found[object], "%s was not found; found: %v", object, found)
	}
	for object, how := range found {
		require.Contains(t, plantedLeaks, object, "%s does not leak: %s", object, how)
	}
}

// TestMutate_OwnSchema tries one mutant in ten, others each time; PROOF all of them, as vital rls prove --mutants does.
func TestMutate_OwnSchema(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	sample, least := func(isolation.Mutant) bool { return random.IntN(10) == 0 }, 30
	if os.Getenv("PROOF") != "" {
		sample, least = nil, 500
	}
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	mutation, err := isolation.Mutate(context.Background(), pgtest.New(t).Connect(t), subject, sample, func(int, int) {})
	require.NoError(t, err)
	if name := os.Getenv("PROOF"); name != "" {
		text, _ := json.MarshalIndent(mutation, "", " ")
		require.NoError(t, os.WriteFile(name+".mutants", text, 0o600))
	}
	require.Greater(t, len(mutation.Mutants), least)
	require.Empty(t, mutation.Failed)
	for _, m := range mutation.Survivors() {
		t.Errorf("%s survives: %s", m.Kind, m.Name)
	}
}
