package cli

import (
	"context"
	"time"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/postgres"
)

// keepProof keeps what came of a proof where the checks' runs are: in the database of t also when a copy of it was attacked. What flags
// describe, or VITAL is not installed in, is a stranger's and gets nothing written to it.
func keepProof(ctx context.Context, t *target, flags subjectFlags, proof *isolation.Proof) error {
	if flags.config != "" || flags.tenantColumn != "" || len(flags.schemas) > 0 {
		return nil
	}
	kept, err := keepsProofs(ctx, t)
	if err != nil || !kept {
		return err
	}
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return err
	}
	defer service.Close()
	return jobs.KeepProof(ctx, service, proofFindings(proof), time.Duration(proof.Seconds*float64(time.Second)))
}

func keepsProofs(ctx context.Context, t *target) (kept bool, err error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, queries.Get("ProofsKept")).Scan(&kept)
	return kept, err
}

// proofFindings are those for which proofFault is not nil, by what was attacked and how: never what an attack got to see, which is rows.
func proofFindings(proof *isolation.Proof) (found []jobs.Finding) {
	for _, r := range proof.Results {
		if r.Outcome == isolation.Leaked {
			found = append(found, jobs.Finding{Check: r.Attack, Object: r.Object, Detail: r.Title + ", as " + r.Caller})
		}
	}
	for _, f := range proof.Findings {
		if f.Level == isolation.Error {
			found = append(found, jobs.Finding{Check: f.Check, Object: f.Object, Detail: f.Detail})
		}
	}
	if m := proof.Mutation; m != nil {
		for _, survivor := range m.Survivors() {
			found = append(found, jobs.Finding{Check: "mutant", Object: survivor.Name, Detail: survivor.Kind})
		}
	}
	return found
}
