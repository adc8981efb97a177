package cli

import (
	"bufio"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/pflag"

	"github.com/vital-db/vital/internal/fault"
)

// Config is everything that can be set. docs/reference/config.md has one entry for each variable (a
// test checks the pairing). A flag outranks the environment, the environment outranks the file.
type Config struct {
	DatabaseURL        string        `env:"VITAL_DATABASE_URL"`
	ServiceDatabaseURL string        `env:"VITAL_SERVICE_DATABASE_URL"`
	ReplicaURLs        []string      `env:"VITAL_REPLICA_URLS"`
	RedisURL           string        `env:"VITAL_REDIS_URL"`
	DatabaseConns      int32         `env:"VITAL_DATABASE_CONNS" envDefault:"16"`
	Fairness           bool          `env:"VITAL_FAIRNESS" envDefault:"true"`
	TenantRate         int           `env:"VITAL_TENANT_RATE"`
	Listen             string        `env:"VITAL_LISTEN" envDefault:"127.0.0.1:8080"`
	DataDir            string        `env:"VITAL_DATA_DIR"`
	PGBin              string        `env:"VITAL_PG_BIN"`
	JWTSecret          string        `env:"VITAL_JWT_SECRET"`
	JWKSURL            string        `env:"VITAL_JWKS_URL"`
	JWTIssuer          string        `env:"VITAL_JWT_ISSUER"`
	JWTAudience        string        `env:"VITAL_JWT_AUDIENCE" envDefault:"authenticated"`
	CORSOrigins        []string      `env:"VITAL_CORS_ORIGINS"`
	RestSchemas        []string      `env:"VITAL_REST_SCHEMAS" envDefault:"public"`
	RestAggregates     bool          `env:"VITAL_REST_AGGREGATES" envDefault:"true"`
	RestMaxRows        int64         `env:"VITAL_REST_MAX_ROWS"`
	AuditKeyFile       string        `env:"VITAL_AUDIT_KEY_FILE"`
	AuditCheckpoints   string        `env:"VITAL_AUDIT_CHECKPOINTS"`
	CacheBytes         int64         `env:"VITAL_CACHE_BYTES" envDefault:"67108864"`
	SlowQuery          time.Duration `env:"VITAL_SLOW_QUERY" envDefault:"1s"`
	LoadRate           int64         `env:"VITAL_LOAD_RATE" envDefault:"50"`
	LoadDays           int           `env:"VITAL_LOAD_DAYS" envDefault:"30"`
	MetricsTenants     int           `env:"VITAL_METRICS_TENANTS"`
	LogLevel           slog.Level    `env:"VITAL_LOG_LEVEL" envDefault:"info"`

	// Traces, by the names OpenTelemetry gave them: other programs on the machine read them, too.
	TraceEndpoint        string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	TraceTracesEndpoint  string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	TraceProtocol        string `env:"OTEL_EXPORTER_OTLP_PROTOCOL"`
	TraceTracesProtocol  string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"`
	TraceHeaders         string `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	TraceTracesHeaders   string `env:"OTEL_EXPORTER_OTLP_TRACES_HEADERS"`
	TraceExporter        string `env:"OTEL_TRACES_EXPORTER"`
	TraceSampler         string `env:"OTEL_TRACES_SAMPLER"`
	TraceSamplerArgument string `env:"OTEL_TRACES_SAMPLER_ARG"`
	TraceService         string `env:"OTEL_SERVICE_NAME"`
	TraceResource        string `env:"OTEL_RESOURCE_ATTRIBUTES"`
	TraceDisabled        string `env:"OTEL_SDK_DISABLED"`

	// Keys of tenants, and of the embedded sign-in.
	KEKFile        string        `env:"VITAL_KEK_FILE"`
	KEK            string        `env:"VITAL_KEK"`
	AuditSealAfter time.Duration `env:"VITAL_AUDIT_SEAL_AFTER" envDefault:"720h"`

	// The embedded sign-in.
	Signup         string         `env:"VITAL_SIGNUP" envDefault:"invited"`
	PublicURL      string         `env:"VITAL_PUBLIC_URL"`
	SMTPURL        string         `env:"VITAL_SMTP_URL"`
	TrustedProxies []netip.Prefix `env:"VITAL_TRUSTED_PROXIES"`
}

// flags are those every command takes.
type flags struct {
	set         *pflag.FlagSet
	configFile  string
	databaseURL string
	dataDir     string
	pgBin       string
	logLevel    string
}

func (f *flags) register(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.configFile, "config", "", "file of VITAL_… settings, one NAME=value a line (VITAL_CONFIG)")
	set.StringVar(&f.databaseURL, "database-url", "", "database to work on instead of the private server (VITAL_DATABASE_URL)")
	set.StringVar(&f.dataDir, "data-dir", "", "directory of the private server (VITAL_DATA_DIR)")
	set.StringVar(&f.pgBin, "pg-bin", "", "directory of initdb and postgres (VITAL_PG_BIN)")
	set.StringVar(&f.logLevel, "log-level", "", "debug, info, warn or error (VITAL_LOG_LEVEL)")
}

// configure reads file, environment and flags, in rising rank, and opens the log.
func (a *app) configure() error {
	values := map[string]string{}
	environment := env.ToMap(a.environ)
	file := environment["VITAL_CONFIG"]
	if a.flags.configFile != "" {
		file = a.flags.configFile
	}
	if file != "" {
		fromFile, err := readConfigFile(file)
		if err != nil {
			return err
		}
		maps.Copy(values, fromFile)
	}
	for name, value := range environment {
		if value != "" || values[name] == "" {
			values[name] = value
		}
	}
	for name, value := range map[string]string{
		"VITAL_DATABASE_URL": a.flags.databaseURL, "VITAL_DATA_DIR": a.flags.dataDir,
		"VITAL_PG_BIN": a.flags.pgBin, "VITAL_LOG_LEVEL": a.flags.logLevel,
	} {
		if value != "" {
			values[name] = value
		}
	}
	if err := env.ParseWithOptions(&a.config, env.Options{Environment: values}); err != nil {
		return fault.Wrap(err, fault.ConfigInvalid, "A setting cannot be read: "+settingError(err), "docs/reference/config.md says what each takes.")
	}
	if a.config.DatabaseConns < 1 {
		return fault.New(fault.ConfigInvalid, "VITAL_DATABASE_CONNS must be at least 1.", "Leave it out for 16.")
	}
	if a.config.TenantRate < 0 || a.config.TenantRate > 1_000_000 {
		return fault.New(fault.ConfigInvalid, "VITAL_TENANT_RATE must be from 0, for no limit, to 1000000.", "Leave it out for no limit.")
	}
	if a.config.CacheBytes < 1<<20 {
		return fault.New(fault.ConfigInvalid, "VITAL_CACHE_BYTES must be at least 1048576, one MiB.", "Leave it out for 64 MiB.")
	}
	if a.config.LoadRate < 0 || a.config.LoadDays < 1 {
		return fault.New(fault.ConfigInvalid, "VITAL_LOAD_RATE is negative, or VITAL_LOAD_DAYS less than one.", "Leave them out for 50 records a second, kept for 30 days.")
	}
	if a.config.AuditSealAfter < 0 {
		return fault.New(fault.ConfigInvalid, "VITAL_AUDIT_SEAL_AFTER is negative.", "Leave it out for 720h, 30 days; 0 seals nothing by itself.")
	}
	if len(a.config.RestSchemas) == 0 || a.config.RestMaxRows < 0 {
		return fault.New(fault.ConfigInvalid, "VITAL_REST_SCHEMAS names no schema, or VITAL_REST_MAX_ROWS is negative.", "Leave them out for public and for no bound.")
	}
	if a.config.DataDir == "" {
		a.config.DataDir = defaultDataDir(values)
	}
	a.log, a.logWriter = newLog(a.streams.Err, a.config.LogLevel)
	return nil
}

// settingError names the settings that could not be read without repeating their values, which may be
// secrets.
func settingError(err error) string {
	var names []string
	kind := reflect.TypeFor[Config]()
	for i := range kind.NumField() {
		if strings.Contains(err.Error(), `"`+kind.Field(i).Name+`"`) {
			names = append(names, kind.Field(i).Tag.Get("env"))
		}
	}
	return strings.Join(names, ", ") + "."
}

// readConfigFile reads NAME=value lines; # starts a comment line. An unknown name is an error: a typo
// would otherwise be ignored.
func readConfigFile(name string) (map[string]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The configuration file %s cannot be read.", name), "Check --config and VITAL_CONFIG.")
	}
	defer file.Close()
	known := settingNames()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if !ok || !known[key] {
			return nil, fault.New(fault.ConfigInvalid, fmt.Sprintf("%s, line %d: not a setting of VITAL.", name, number),
				"One NAME=value a line, with the names of docs/reference/config.md.")
		}
		values[key] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("The configuration file %s cannot be read.", name), "It is a text file of NAME=value lines.")
	}
	return values, nil
}

func settingNames() map[string]bool {
	names := map[string]bool{}
	kind := reflect.TypeFor[Config]()
	for i := range kind.NumField() {
		names[kind.Field(i).Tag.Get("env")] = true
	}
	return names
}

// defaultDataDir is where the private server lives when nobody says otherwise. Root's home is closed to
// the unprivileged user Postgres runs as, so root's is a system directory.
func defaultDataDir(environment map[string]string) string {
	if os.Geteuid() == 0 {
		return "/var/lib/vital"
	}
	if base := environment["XDG_DATA_HOME"]; filepath.IsAbs(base) {
		return filepath.Join(base, "vital")
	}
	return filepath.Join(environment["HOME"], ".local", "share", "vital")
}
