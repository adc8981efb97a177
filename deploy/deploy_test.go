// Package deploy_test holds what is deployed to what is there: units, images, alerts and dashboards.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vital-db/vital/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

func parse[T any](t *testing.T, name string) (value T) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, name)), &value), name)
	return value
}

// run runs a program that must go well, and returns what it says.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s %s:\n%s", program, strings.Join(args, " "), said)
	return string(said)
}

// TestUnits: systemd knows every directive, and what a unit leaves open is 2.0 of 10 at most.
func TestUnits(t *testing.T) {
	t.Parallel()
	const analyze = "systemd-analyze"
	if _, err := exec.LookPath(analyze); err != nil {
		t.Skip("systemd-analyze, which reads units, is of systemd, and this machine has none")
	}
	units, err := filepath.Glob("systemd/vital*")
	require.NoError(t, err)
	require.Len(t, units, 3)
	// The program has to be there, so that another stands in for it.
	program, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	var services []string
	copies := []string{"verify", "--man=no"}
	for _, unit := range units {
		text := strings.ReplaceAll(read(t, unit), "ExecStart=/usr/local/bin/vital ", "ExecStart="+program+" ")
		name := filepath.Join(dir, filepath.Base(unit))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		copies = append(copies, name)
		if filepath.Ext(unit) == ".service" {
			services = append(services, name)
		}
	}
	require.Empty(t, run(t, analyze, copies...), "what it does not know it warns of, and goes on")
	for _, service := range services {
		run(t, analyze, "security", "--offline=yes", "--no-pager", "--threshold=20", service)
	}
}

// composed is what of compose.yaml is looked at.
type composed struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Environment map[string]string `yaml:"environment"`
		Ports       []string          `yaml:"ports"`
		Networks    []string          `yaml:"networks"`
		ReadOnly    bool              `yaml:"read_only"`
		CapDrop     []string          `yaml:"cap_drop"`
		StopGrace   string            `yaml:"stop_grace_period"`
		Command     []string          `yaml:"command"`
		DependsOn   map[string]struct {
			Condition string `yaml:"condition"`
		} `yaml:"depends_on"`
	} `yaml:"services"`
	Networks map[string]*struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
}

// required is a variable that compose does not go on without; it says what to do.
var required = regexp.MustCompile(`\$\{([A-Z_]+):\?copy \.env\.example to \.env[^}]*\}`)

func TestCompose_SecretsAreGiven(t *testing.T) {
	t.Parallel()
	file := parse[composed](t, "compose.yaml")
	example := read(t, ".env.example")
	secret := regexp.MustCompile(`PASSWORD|SECRET|_URL$`)
	found := 0
	for name, service := range file.Services {
		for setting, value := range service.Environment {
			if !secret.MatchString(setting) {
				continue
			}
			found++
			variable := required.FindStringSubmatch(value)
			require.NotNil(t, variable, "%s of %s is not taken from a variable that must be set", setting, name)
			require.Regexp(t, `(?m)^`+variable[1]+`=$`, example, "named, without a value that somebody could keep")
		}
	}
	require.GreaterOrEqual(t, found, 9)
	require.Empty(t, regexp.MustCompile(`postgres://\w+:[^$]`).FindString(read(t, "compose.yaml")), "a password in an address")
}

func TestCompose_ClosedAndInOrder(t *testing.T) {
	t.Parallel()
	file := parse[composed](t, "compose.yaml")
	require.True(t, file.Networks["inside"].Internal)
	for name, service := range file.Services {
		for _, port := range service.Ports {
			require.Regexp(t, `^127\.0\.0\.1:`, port, name)
		}
		require.Equal(t, name == "vital", len(service.Ports) > 0, "%s is published", name)
		require.Equal(t, name == "vital", len(service.Networks) > 1, "%s reaches the world", name)
		require.Regexp(t, `:(\d+\.\d+-bookworm|\$\{VITAL_VERSION:-devel\})$`, service.Image, name)
		if name != "postgres" { // whose image begins as root, to own its volume
			require.True(t, service.ReadOnly, name)
			require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		}
	}
	serve, logins, migrate := file.Services["vital"], file.Services["logins"], file.Services["migrate"]
	require.Equal(t, []string{"migrate", "up"}, migrate.Command)
	require.Equal(t, "service_healthy", migrate.DependsOn["postgres"].Condition)
	require.Equal(t, "service_completed_successfully", logins.DependsOn["migrate"].Condition)
	require.Equal(t, "service_completed_successfully", serve.DependsOn["logins"].Condition)
	require.Equal(t, "30s", serve.StopGrace, "longer than running requests get")
}

// TestDockerfile: what is built is built from tags that stay what they are, by the toolchain go.mod asks for, and serves as nobody.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := read(t, "Dockerfile")
	argument := func(name string) string {
		found := regexp.MustCompile(`(?m)^ARG ` + name + `=(\S+)$`).FindStringSubmatch(text)
		require.NotNil(t, found, name)
		return found[1]
	}
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))[1]
	require.Regexp(t, `^`+regexp.QuoteMeta(language)+`\.\d+$`, argument("GO_VERSION"))
	require.Contains(t, text, "COPY --from=console /src/console/dist console/dist\n", "with the console")
	require.Equal(t, "postgres:"+argument("POSTGRES_VERSION")+"-bookworm", parse[composed](t, "compose.yaml").Services["postgres"].Image,
		"pg_dump is of the database's version")

	stages := regexp.MustCompile(`(?m)^FROM `).Split(text, -1)
	last := stages[len(stages)-1]
	require.True(t, strings.HasPrefix(last, "scratch AS serve\n"))
	require.Contains(t, last, "\nUSER 65532:65532\n")
	require.Contains(t, last, `HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/vital", "health"]`)
	for _, stage := range stages[1:] {
		from, _, _ := strings.Cut(stage, "\n")
		require.Regexp(t, `^(scratch|(--platform=\$BUILDPLATFORM )?(node|golang|postgres):\$\{\w+\}-bookworm(-slim)?) AS `, from)
	}
}
