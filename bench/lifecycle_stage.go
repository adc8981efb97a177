package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/archive"
)

// lifecycleStage is everything that runs, and what was done so far.
type lifecycleStage struct {
	world    *world
	database *target
	server   *process
	mixture  *mixture
	conn     *pgx.Conn // a superuser's
	dir      string    // of the operator: archives, key, files
	second   string    // another operator's login

	tables    []lifeTable
	before    sums
	restored  sums // of the tenant that is damaged, as it was
	archive   string
	exports   int
	erased    []uuid.UUID
	people    []string // of those who were erased, as they were
	onboarded int
	took      map[string][]time.Duration
}

func (w *world) openLifecycle(ctx context.Context, d *target) (_ *lifecycleStage, err error) {
	s := &lifecycleStage{world: w, database: d, second: w.pg.URL("bench_operator", w.secret, d.name), took: map[string][]time.Duration{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp(w.dir, "operator-"); err != nil {
		return nil, err
	}
	seed := base64.StdEncoding.EncodeToString([]byte(w.secret[:32]))
	if err := os.WriteFile(s.keyFile(), []byte(seed), 0o600); err != nil {
		return nil, err
	}
	if s.conn, err = pgx.Connect(ctx, d.superURL); err != nil {
		return nil, err
	}
	if s.server, err = w.serve(ctx, d); err != nil {
		return nil, err
	}
	if s.mixture, err = w.mix(s.server.address); err != nil {
		return nil, err
	}
	return s, s.begin(ctx)
}

// begin notes how everything is, and takes out the tenant that is to be put back.
func (s *lifecycleStage) begin(ctx context.Context) (err error) {
	if s.tables, err = s.lifeTables(ctx); err != nil {
		return err
	}
	if err := s.vital(ctx, 0, nil, s.database.superURL, "erasure", "wait", "0s", "--reason", "a measurement"); err != nil {
		return err
	}
	if s.before, err = s.sum(ctx, "Sums"); err != nil {
		return err
	}
	s.archive = filepath.Join(s.dir, "then")
	if err := s.takeOut(ctx, s.archive); err != nil {
		return err
	}
	s.restored, err = s.sum(ctx, "SumsOfOne", tenantID(lifeRestored).String())
	return err
}

func (s *lifecycleStage) close() error {
	var all []error
	if s.server != nil {
		all = append(all, s.server.stop())
	}
	if s.conn != nil {
		all = append(all, s.conn.Close(context.Background()))
	}
	return errors.Join(all...)
}

func (s *lifecycleStage) keyFile() string { return filepath.Join(s.dir, "key") }

// beside is a variant's run: the load, as long as the slice lasts and whatever is done again and again has ended once more.
func (s *lifecycleStage) beside(do func(context.Context) error) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		over, end := make(chan struct{}), time.Now().Add(slice)
		var failed error
		go func() {
			defer close(over)
			for do != nil && failed == nil && time.Now().Before(end) {
				failed = do(ctx)
			}
			if failed == nil {
				select {
				case <-time.After(time.Until(end)):
				case <-ctx.Done():
				}
			}
		}()
		took, err := s.mixture.run(ctx, clients, over)
		stop() // where the load has ended by itself
		<-over
		return took, errors.Join(err, failed)
	}
}

// vital runs a command as an operator, behind everything else, with the JSON that it prints where into is not nil. Any other exit code than the one that is wanted
// is an error.
func (s *lifecycleStage) vital(ctx context.Context, code int, into any, address string, args ...string) error {
	behind := []string{"chrt", "--idle", "0"}
	if _, err := exec.LookPath(behind[0]); err != nil {
		behind = []string{"nice", "-n", "19"}
	}
	args = slices.Concat(behind[1:], []string{s.world.binary}, args)
	cmd := exec.CommandContext(ctx, behind[0], args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "VITAL_DATA_DIR=" + s.dir, "VITAL_DATABASE_URL=" + address, "VITAL_AUDIT_KEY_FILE=" + s.keyFile(),
	}
	var complained strings.Builder
	cmd.Stderr = &complained
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		return fmt.Errorf("vital %s: exit code %d: %s%s", strings.Join(args, " "), got, out, complained.String())
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(out, into)
}

// slugOf is what load.sql calls tenant n.
func slugOf(n int) string { return fmt.Sprintf("tenant-%d", n) }

func (s *lifecycleStage) takeOut(ctx context.Context, dir string) error {
	return s.vital(ctx, 0, nil, s.database.superURL, "tenant", "export", slugOf(lifeRestored), "--out", dir, "--reason", "a measurement")
}

// start runs a command that does nothing.
func (s *lifecycleStage) start(ctx context.Context) error {
	return s.vital(ctx, 0, nil, s.database.superURL, "--version")
}

// compute keeps a connection busy with itself.
func (s *lifecycleStage) compute(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, lifecycleQueries.Get("Compute"))
	return err
}

// export takes a tenant out, and throws the archive away.
func (s *lifecycleStage) export(ctx context.Context) error {
	s.exports++
	dir := filepath.Join(s.dir, fmt.Sprintf("export-%d", s.exports))
	return errors.Join(s.takeOut(ctx, dir), os.RemoveAll(dir))
}

// damages are what is done by hand, and which of a comparison's numbers it is. What is made is not changed, or it would count twice.
var damages = []struct {
	query string
	kind  int
}{{"ChangePrompts", 2}, {"ChangeConfiguration", 2}, {"DeleteAgents", 1}, {"DeleteOverrides", 1}, {"DeleteMembers", 1}, {"InsertPrompts", 0}, {"InsertApps", 0}}

// restore damages a tenant, has it compared with what it was, puts it back, and looks whether it is what it was.
func (s *lifecycleStage) restore(ctx context.Context) error {
	var did [3]int64
	for _, damage := range damages {
		tag, err := s.conn.Exec(ctx, lifecycleQueries.Get(damage.query), tenantID(lifeRestored))
		if err != nil {
			return fmt.Errorf("%s: %w", damage.query, err)
		}
		did[damage.kind] += tag.RowsAffected()
	}
	if err := s.diff(ctx, 3, did); err != nil {
		return err
	}
	if err := s.vital(ctx, 0, nil, s.database.superURL, "tenant", "restore", slugOf(lifeRestored), "--from", s.archive, "--reason", "a measurement", "--yes"); err != nil {
		return err
	}
	if err := s.diff(ctx, 0, [3]int64{}); err != nil {
		return err
	}
	now, err := s.sum(ctx, "SumsOfOne", tenantID(lifeRestored).String())
	if err != nil {
		return err
	}
	if wrong := s.restored.differences(now, func(table, _ string) bool { return !lifeRecords[table] }); len(wrong) > 0 {
		return fmt.Errorf("what was put back is not as it was: %s", wrong)
	}
	return nil
}

// diff wants the command to end with code, and to tell of so many rows added, removed and changed.
func (s *lifecycleStage) diff(ctx context.Context, code int, want [3]int64) error {
	var answer struct{ Tables []archive.Difference }
	if err := s.vital(ctx, code, &answer, s.database.superURL, "tenant", "diff", slugOf(lifeRestored), "--from", s.archive, "--json"); err != nil {
		return err
	}
	var told [3]int64
	for _, t := range answer.Tables {
		told[0], told[1], told[2] = told[0]+t.Added, told[1]+t.Removed, told[2]+t.Changed
	}
	if told != want {
		return fmt.Errorf("diff tells of %d rows added, removed and changed, and not of %d", told, want)
	}
	return nil
}

// erase erases the next tenant, with two operators; --run ends with 3 where anything is left.
func (s *lifecycleStage) erase(ctx context.Context) error {
	n := lifeErased + 2*len(s.erased)
	if n > lifecycleShape.tenants {
		return errors.New("there is no tenant left to erase: shorter or fewer rounds")
	}
	rows, err := s.conn.Query(ctx, lifecycleQueries.Get("PeopleOf"), []uuid.UUID{tenantID(n)})
	if err != nil {
		return err
	}
	people, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	s.erased, s.people = append(s.erased, tenantID(n)), append(s.people, people...)
	one, two := s.database.superURL, s.second
	for _, step := range []struct {
		address string
		args    []string
	}{
		{one, []string{"suspend", slugOf(n), "--reason", "a measurement"}},
		{one, []string{"archive", slugOf(n), "--reason", "a measurement", "--yes"}},
		{one, []string{"erase", slugOf(n), "--reason", "a measurement"}},
		{two, []string{"erase", slugOf(n), "--approve"}},
		{one, []string{"erase", slugOf(n), "--run", "--yes", "--out", filepath.Join(s.dir, slugOf(n)+".json")}},
	} {
		if err := s.vital(ctx, 0, nil, step.address, append([]string{"tenant"}, step.args...)...); err != nil {
			return err
		}
	}
	return s.vital(ctx, 0, nil, one, "erasure", "verify", filepath.Join(s.dir, slugOf(n)+".json"))
}

// onboard makes the tenants of a file.
func (s *lifecycleStage) onboard(ctx context.Context) error {
	s.onboarded++
	var file struct {
		Tenants []map[string]any `json:"tenants"`
	}
	for n := range lifeFile {
		key := fmt.Sprintf("onboarded-%d-%d", s.onboarded, n)
		file.Tenants = append(file.Tenants, map[string]any{
			"organization": map[string]any{"tenant_key": key, "name": "Onboarded " + key, "tenant_type": "digital_health"},
			"owner":        fmt.Sprintf("user-%d@example.test", lifeOwner),
		})
	}
	text, err := json.Marshal(file)
	if err != nil {
		return err
	}
	name := filepath.Join(s.dir, "tenants.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return err
	}
	if err := s.vital(ctx, 0, nil, s.database.superURL, "tenant", "create", "--from", name); err != nil {
		return err
	}
	made, err := s.onboardedTenants(ctx, fmt.Sprintf("onboarded-%d-%%", s.onboarded))
	if err == nil && len(made) != lifeFile {
		err = fmt.Errorf("%d of %d tenants can be used", len(made), lifeFile)
	}
	return err
}

func (s *lifecycleStage) onboardedTenants(ctx context.Context, pattern string) ([]string, error) {
	rows, err := s.conn.Query(ctx, lifecycleQueries.Get("Onboarded"), pattern)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// others compares everything with what it was, but for what was meant to change.
func (s *lifecycleStage) others(ctx context.Context) (checked int, wrong []string, err error) {
	now, err := s.sum(ctx, "Sums")
	if err != nil {
		return 0, nil, err
	}
	made, err := s.onboardedTenants(ctx, "onboarded-%")
	if err != nil {
		return 0, nil, err
	}
	platform := platformID
	busy, meant := map[string]bool{}, map[string]bool{}
	for n := 1; n <= lifeBusy; n++ {
		busy[tenantID(n).String()] = true
	}
	for _, id := range slices.Concat(made, s.people) {
		meant[id] = true
	}
	for _, id := range append(s.erased, tenantID(lifeRestored)) {
		meant[id.String()] = true
	}
	counts := func(table, owner string) bool {
		switch {
		case meant[owner], lifeUnowned[table]:
			return false
		case busy[owner]:
			return !lifeWritten[table]
		case owner == platform:
			return table != "public.organization_audit_log"
		}
		return true
	}
	for at := range s.before {
		if counts(at.table, at.owner) {
			checked++
		}
	}
	wrong = s.before.differences(now, counts)
	for at := range now {
		if slices.ContainsFunc(s.erased, func(id uuid.UUID) bool { return id.String() == at.owner }) {
			wrong = append(wrong, at.table+" still has rows of an erased tenant")
		}
	}
	return checked, wrong, nil
}
