package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

// ruleFile is alerts.yaml.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// TestAlerts_Rules: Prometheus' own tool reads them, and each fires where it must and nowhere else.
func TestAlerts_Rules(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("promtool")
	require.NoError(t, err, "promtool is missing: `.ci/require promtool` installs it (Debian: apt-get install prometheus; macOS: brew install prometheus)")
	run(t, "promtool", "check", "rules", "prometheus/alerts.yaml")
	run(t, "promtool", "test", "rules", "prometheus/alerts_test.yaml")
}

// TestAlerts_SayWhatToDo: whoever is woken is told what is wrong and which command comes next, and there is such a command.
func TestAlerts_SayWhatToDo(t *testing.T) {
	t.Parallel()
	commands, tested := read(t, "../docs/reference/cli.md"), read(t, "prometheus/alerts_test.yaml")
	command := regexp.MustCompile("`vital ([a-z]+(?: [a-z]+)?)")
	alerts := 0
	for _, group := range parse[ruleFile](t, "prometheus/alerts.yaml").Groups {
		for _, rule := range group.Rules {
			alerts++
			require.Contains(t, []string{"critical", "warning"}, rule.Labels["severity"], rule.Alert)
			require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			named := command.FindAllStringSubmatch(rule.Annotations["description"], -1)
			require.NotEmpty(t, named, "%s names no command", rule.Alert)
			for _, n := range named {
				require.Regexp(t, `(?m)^## vital `+n[1]+`$`, commands, "%s names a command there is not", rule.Alert)
			}
			require.Contains(t, tested, `alertname="`+rule.Alert+`",alertstate="firing"`, "no case in which it fires")
		}
	}
	require.Positive(t, alerts)
}

// dashboard is what of a dashboard of Grafana is looked at.
type dashboard struct {
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ UID string }
		Targets    []struct {
			Expr       string
			Datasource struct{ UID string }
		}
	}
	Templating struct {
		List []struct{ Name, Type, Query any }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(read(t, "grafana/vital.json")), &d))
	return d
}

// TestDashboard: it can be imported anywhere, and no panel is bound to one installation.
func TestDashboard(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	source := slices.IndexFunc(d.Templating.List, func(v struct{ Name, Type, Query any }) bool { return v.Name == "datasource" })
	require.GreaterOrEqual(t, source, 0)
	require.Equal(t, "datasource", d.Templating.List[source].Type)
	require.Equal(t, "prometheus", d.Templating.List[source].Query)
	ids := map[int]bool{}
	for _, panel := range d.Panels {
		require.False(t, ids[panel.ID], panel.Title)
		ids[panel.ID] = true
		if panel.Type == "row" {
			continue
		}
		require.Equal(t, "${datasource}", panel.Datasource.UID, panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			require.Equal(t, "${datasource}", target.Datasource.UID, panel.Title)
			require.Contains(t, target.Expr, `job="$job",instance=~"$instance"`, panel.Title)
		}
	}
}

// TestMetrics_Exposed: a server with everything beside it that it can have exposes what alerts and dashboard ask for, with the labels they
// ask for.
func TestMetrics_Exposed(t *testing.T) {
	t.Parallel()
	exposed := scrape(t)
	asked := map[string]string{} // expression, by where it stands
	for _, group := range parse[ruleFile](t, "prometheus/alerts.yaml").Groups {
		for _, rule := range group.Rules {
			asked[rule.Alert] = rule.Expr
		}
	}
	for _, panel := range readDashboard(t).Panels {
		for i, target := range panel.Targets {
			asked[fmt.Sprintf("panel %q, %d", panel.Title, i)] = target.Expr
		}
	}
	metric := regexp.MustCompile(`\b((?:vital|process|go)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	label := regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`)
	grouped := regexp.MustCompile(`\bby \(([^)]*)\)`)
	seen := 0
	for where, expression := range asked {
		known := []string{"job", "instance", "le"} // given by Prometheus, and by a histogram
		for _, found := range metric.FindAllStringSubmatch(expression, -1) {
			seen++
			labels, there := exposed[found[1]]
			require.True(t, there, "%s: no server exposes %s", where, found[1])
			known = append(known, labels...)
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				require.Contains(t, append(labels, "job", "instance"), l[1], "%s: %s has no such label", where, found[1])
			}
		}
		for _, by := range grouped.FindAllStringSubmatch(expression, -1) {
			for _, l := range strings.Split(by[1], ",") {
				require.Contains(t, known, strings.TrimSpace(l), "%s: nothing has such a label", where)
			}
		}
	}
	require.Greater(t, seen, 60)
}

// scrape starts a server with a Redis and a replica, lets happen what is counted only once it happens, and returns the labels of each
// metric by its name.
func scrape(t *testing.T) map[string][]string {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, "insert into vital.check_runs (check_name, status, duration_ms) values ('rls', 'ok', 1)")
	address := serve(t, []string{
		"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_REDIS_URL=" + pgtest.Redis(t), "VITAL_REPLICA_URLS=" + pgtest.NewStandby(t).URL(d.APIURL),
		"VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more",
	})
	get(t, address+"/v1/context")                     // an error, as it has no token
	get(t, address+"/rest/v1/organization_audit_log") // nobody may read that: the database refuses it
	exposed := map[string][]string{}
	require.Eventually(t, func() bool {
		exposed = metricsOf(t, address)
		return exposed["vital_check_findings"] != nil
	}, 30*time.Second, 100*time.Millisecond, "what a check came to is shown once it was read")
	return exposed
}

func metricsOf(t *testing.T, address string) map[string][]string {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(get(t, address+"/metrics")))
	require.NoError(t, err)
	exposed := map[string][]string{}
	for name, family := range families {
		labels := map[string]bool{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		names := []string{name}
		if family.GetType().String() == "HISTOGRAM" {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, n := range names {
			exposed[n] = slices.Collect(maps.Keys(labels))
		}
	}
	return exposed
}

func get(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// serve runs `vital serve` until t ends, and returns its address.
func serve(t *testing.T, environment []string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, said := io.Pipe()
	var log lines
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, append(environment, "HOME="+t.TempDir()), cli.Streams{In: strings.NewReader(""), Out: said, Err: &log})
		_ = said.Close()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	var address string
	_, err := fmt.Fscanf(out, "ready %s\n", &address)
	require.NoError(t, err, "it does not serve:\n%s", &log)
	go io.Copy(io.Discard, out) // it ends with the server
	return address
}

// lines is a log that is written and read at once.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
