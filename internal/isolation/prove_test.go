package isolation_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"
	"time"

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
		require.NotEqual(t, isolation.Leaked, r.Outcome, "%s as %s on %s: %s\n%s", r.Attack, r.Caller, r.Object, r.Evidence, "")
	}
}

// plantedLeaks are those of testdata/leaky.sql, by the object that must be found leaking.
var plantedLeaks = []string{
	"public.no_rls", "public.not_forced", "public.open_read", "public.open_insert", "public.open_move", "public.open_take", "public.open_delete",
	"public.ored_open", "public.nobodys_rows", "public.coalesced", "public.role_is_enough", "public.claim_is_enough", "public.shadowed_column",
	"public.anonymous_read", "public.truncatable", "public.triggerable", "public.unique_title", "public.children", "public.child_without_tenant",
	"public.owners_view", "public.stored_view", "public.read_any(p_id uuid)", "public.delete_any(p_id uuid)", "public.count_any(p_tenant_id uuid)",
	"public.tell_in_error(p_id uuid)", "public.rename_any(IN p_id uuid)",
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

// TestMutate_OwnSchema tries one mutant in five, others each time; PROOF all of them, as vital rls prove --mutants does.
func TestMutate_OwnSchema(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	sample, least := func(isolation.Mutant) bool { return random.IntN(5) == 0 }, 60
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
