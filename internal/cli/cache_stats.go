package cli

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
)

func (a *app) cacheStatsCommand() *cobra.Command {
	var given []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stats", Short: "Show what running servers remember, and how often that answers", Args: noArguments,
		Long: "Reads /metrics of running servers: what each remembers and how often it answered from that, how changes are heard,\n" +
			"and how Redis and replicas fare. Counts are those since a server's start.",
		Example: "  vital cache stats --server http://10.0.0.1:8080 --server http://10.0.0.2:8080",
		RunE: func(cmd *cobra.Command, _ []string) error {
			addresses, err := a.servers(given)
			if err != nil {
				return err
			}
			stats := make([]serverStats, len(addresses))
			for i, address := range addresses {
				if stats[i], err = readServerStats(cmd.Context(), address); err != nil {
					return err
				}
			}
			if asJSON {
				return a.printJSON(stats)
			}
			a.printServerStats(stats)
			return nil
		},
	}
	registerServers(cmd, &given)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func registerServers(cmd *cobra.Command, given *[]string) {
	cmd.Flags().StringArrayVar(given, "server", nil, "address of a running server, as http://host:port; may be repeated (default: at VITAL_LISTEN)")
}

// serverStats are the metrics of one server, by subject: of it, or of each thing it has several of.
type serverStats struct {
	Server   string                        `json:"server"`
	Memory   map[string]map[string]float64 `json:"memory"` // by what is remembered
	Changes  map[string]float64            `json:"changes"`
	Redis    map[string]float64            `json:"redis"`    // null without one
	Replicas map[string]map[string]float64 `json:"replicas"` // by address
}

func readServerStats(ctx context.Context, address string) (serverStats, error) {
	stats := serverStats{Server: address}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/metrics", nil)
	if err != nil {
		return stats, err
	}
	client := serverClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return stats, errServer(err, address)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(http.MaxBytesReader(nil, response.Body, 16<<20))
	if response.StatusCode != http.StatusOK || err != nil {
		return stats, errNoVital(err, address)
	}
	stats.Memory = metricsBy(families, "vital_memory_", "of")
	stats.Changes = metricsBy(families, "vital_changes_", "")[""]
	stats.Redis = metricsBy(families, "vital_redis_", "")[""]
	stats.Replicas = metricsBy(families, "vital_replica_", "replica")
	if stats.Changes == nil {
		return stats, errNoVital(nil, address)
	}
	for _, of := range stats.Memory {
		of["hit_rate"] = ratio(of["hits"], of["hits"]+of["misses"]+of["stale"])
	}
	return stats, nil
}

// errNoVital says that something answered that is not a server.
func errNoVital(err error, address string) error {
	return fault.Wrap(err, fault.ServerUnreachable, fmt.Sprintf("What answers at %s is no server of VITAL.", address),
		"Name the address that `vital serve` prints with --server; a proxy before it must let /metrics through.")
}

// metricsBy returns the metrics whose names begin with prefix, by a label's value and the rest of the name.
func metricsBy(families map[string]*dto.MetricFamily, prefix, label string) map[string]map[string]float64 {
	by := map[string]map[string]float64{}
	for name, family := range families {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		rest = strings.TrimSuffix(rest, "_total")
		for _, metric := range family.GetMetric() {
			key := ""
			for _, l := range metric.GetLabel() {
				if l.GetName() == label {
					key = l.GetValue()
				}
			}
			if by[key] == nil {
				by[key] = map[string]float64{}
			}
			by[key][rest] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue() // it is one of them
		}
	}
	return by
}

func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

func (a *app) printServerStats(stats []serverStats) {
	header := []string{"remembered", "server", "entries", "bytes", "hits", "misses", "stale", "hit rate"}
	names := []string{"entries", "bytes", "hits", "misses", "stale"}
	var rows [][]string
	for _, kind := range slices.Sorted(maps.Keys(stats[0].Memory)) {
		total := map[string]float64{}
		for _, s := range stats {
			rows = append(rows, append([]string{kind, s.Server}, a.memoryCells(s.Memory[kind], names)...))
			for _, name := range names {
				total[name] += s.Memory[kind][name]
			}
		}
		if len(stats) > 1 {
			rows = append(rows, append([]string{kind, "all"}, a.memoryCells(total, names)...))
		}
	}
	a.printTable(header, rows)
	a.printSubject(stats, "changes", []string{"heard", "hints", "looks", "forgotten"}, func(s serverStats) map[string]map[string]float64 {
		return map[string]map[string]float64{"": s.Changes}
	})
	a.printSubject(stats, "redis", []string{"up", "hits", "misses", "stale", "garbage", "refused", "errors", "evictions", "evictions_pending"},
		func(s serverStats) map[string]map[string]float64 {
			if s.Redis == nil {
				return nil
			}
			return map[string]map[string]float64{"": s.Redis}
		})
	a.printSubject(stats, "replica", []string{"up", "behind_bytes", "served", "refused", "failed"}, func(s serverStats) map[string]map[string]float64 { return s.Replicas })
}

func (a *app) memoryCells(of map[string]float64, names []string) []string {
	cells := make([]string, 0, len(names)+1)
	for _, name := range names {
		cells = append(cells, number(of[name]))
	}
	return append(cells, fmt.Sprintf("%.1f %%", 100*ratio(of["hits"], of["hits"]+of["misses"]+of["stale"])))
}

// printSubject prints what servers say of a subject, where one says anything: a row each.
func (a *app) printSubject(stats []serverStats, subject string, names []string, of func(serverStats) map[string]map[string]float64) {
	var rows [][]string
	for _, s := range stats {
		parts := of(s)
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			cells := []string{strings.TrimSpace(s.Server + " " + name)}
			for _, n := range names {
				cells = append(cells, a.paintNumber(n, parts[name][n]))
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		return
	}
	header := []string{subject}
	for _, name := range names {
		header = append(header, strings.ReplaceAll(name, "_", " "))
	}
	fmt.Fprintln(a.streams.Out)
	a.printTable(header, rows)
}

// paintNumber is yes or no for what is one of them.
func (a *app) paintNumber(name string, value float64) string {
	if name != "up" && name != "heard" {
		return number(value)
	}
	colour := green
	if value == 0 {
		colour = red
	}
	return paint(a.streams.Out, colour, yesNo(value != 0))
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }
