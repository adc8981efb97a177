package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/perf"
)

// near is how close to the planting what is said to have been the beginning must be.
const near = 3 * time.Second

// faultsPlanted are all there are, in their order.
var faultsPlanted = []planted{slowQuery, failingTenant, cacheOutage, deniedStatement}

var slowQuery = planted{
	name:  "slow query",
	query: "rpc.prompt_summary",
	plant: statement("Slow"), lift: statement("Fast"),
	questions: []question{
		{of: "perf stats, what takes the most time", named: func(_, now *sight) bool {
			return now.most == "rpc.prompt_summary" && *now.byQuery[now.most].P99 > 1000
		}},
		{of: "perf slow, the slowest, with the step", named: func(_, now *sight) bool {
			return len(now.slowest) > 0 && now.slowest[0].Name == "rpc.prompt_summary" && strings.Contains(string(now.slowest[0].Steps), "RestCall")
		}},
		{of: "perf why of the first, for everybody and since then", named: func(_, now *sight) bool { return now.explains(now.first, "slow", "everybody") }},
		{of: "perf why of one amid, for everybody and since then", named: func(_, now *sight) bool { return now.explains(now.amid, "slow", "everybody") }},
		{of: "no gate fails for it, as contexts load", named: func(before, now *sight) bool {
			return len(now.failedGates().among(before.failedGates())) == len(now.failedGates())
		}},
		{of: "/metrics, which transaction takes more than 1 s", named: func(before, now *sight) bool {
			return only(before, now, "vital_query_duration_seconds", "name", "RestCall")
		}},
		alert("VitalSlow"),
		panel("p99 by route", func(labels map[string]string, value float64) bool {
			return strings.Contains(labels["route"], "/rest/v1/") && value > 1
		}),
		panel("Transactions, p99", func(labels map[string]string, value float64) bool { return labels["name"] == "RestCall" && value > 1 }),
	},
}

var failingTenant = planted{
	name:  "failing tenant",
	query: "tenant_context", code: "tenant_unconfigured",
	plant: func(ctx context.Context, s *faultStage) error {
		if err := s.operator.QueryRow(ctx, faultsQueries.Get("Configuration"), tenantID(unlucky)).Scan(&s.configuration); err != nil {
			return err
		}
		return s.as(ctx, "Unconfigure", tenantID(unlucky))
	},
	lift: func(ctx context.Context, s *faultStage) error { return s.as(ctx, "Configure", s.configuration) },
	questions: []question{
		{of: "perf stats --by tenant, that one and no other", named: func(before, now *sight) bool {
			worse := risen(before.byTenant, now.byTenant)
			return len(worse) == 1 && worse[0] == unluckySlug
		}},
		{of: "perf stats --by code", named: func(before, now *sight) bool {
			return now.byCode["tenant_unconfigured"].Loads > before.byCode["tenant_unconfigured"].Loads
		}},
		{of: "perf slow --failed, all of that tenant", named: func(_, now *sight) bool {
			return len(now.suffered) > 0 && !slices.ContainsFunc(now.suffered, func(r perf.Record) bool { return r.Tenant == nil || *r.Tenant != unluckySlug })
		}},
		{of: "perf why of the first, for the tenant and since then", named: func(_, now *sight) bool { return now.explains(now.first, "failed", "tenant") }},
		{of: "perf why of one amid, for the tenant and since then", named: func(_, now *sight) bool { return now.explains(now.amid, "failed", "tenant") }},
		{of: "perf why, the change before it", named: func(_, now *sight) bool {
			return changedBy(now.first, "deleted tenant_configurations") && changedBy(now.amid, "deleted tenant_configurations")
		}},
		{of: "report gates, tenants_load with the tenant", named: func(before, now *sight) bool {
			return !before.failedGates().has("tenants_load") && now.failedGates().has("tenants_load") && strings.Contains(now.gate("tenants_load").Evidence, unluckySlug)
		}},
		{of: "report gates, loading_works with the code", named: func(before, now *sight) bool {
			return !before.failedGates().has("loading_works") && now.failedGates().has("loading_works") && strings.Contains(now.gate("loading_works").Evidence, "tenant_unconfigured in tenant_context")
		}},
		{of: "report weekly, blocked with the tenant and the code", named: func(_, now *sight) bool {
			return now.weekly.Status == "BLOCKED" && now.reasoned(unluckySlug) && now.reasoned("tenant_unconfigured")
		}},
		{of: "/metrics, errors by code", named: func(before, now *sight) bool {
			return only(before, now, "vital_errors_total", "code", "tenant_unconfigured")
		}},
		alert("VitalTenantUnconfigured"),
		panel("Errors by code", func(labels map[string]string, value float64) bool {
			return labels["code"] == "tenant_unconfigured" && value > 0
		}),
	},
}

var cacheOutage = planted{
	name:  "cache outage",
	plant: func(_ context.Context, s *faultStage) error { return s.redis.cmd.Process.Signal(syscall.SIGSTOP) },
	lift:  func(_ context.Context, s *faultStage) error { return s.redis.cmd.Process.Signal(syscall.SIGCONT) },
	questions: []question{
		{of: "/metrics, vital_redis_up", named: func(before, now *sight) bool {
			return before.metrics.sum("vital_redis_up", nil) == 1 && now.metrics.sum("vital_redis_up", nil) == 0
		}},
		{of: "cache stats", named: func(before, now *sight) bool {
			return before.cache[0].Redis["up"] == 1 && now.cache[0].Redis["up"] == 0
		}},
		{of: "no load fails for it, and no gate", named: func(before, now *sight) bool {
			return len(now.failed) == len(before.failed) && len(now.failedGates().among(before.failedGates())) == len(now.failedGates())
		}},
		alert("VitalRedisDown"),
		panel("Redis answers", func(_ map[string]string, value float64) bool { return value == 0 }),
	},
}

var deniedStatement = planted{
	name:  "denied statement",
	query: "agents.select", code: "42501",
	plant: statement("Revoke"), lift: statement("Grant"),
	questions: []question{
		{of: "perf stats, that query and no other", named: func(before, now *sight) bool {
			worse := risen(before.byQuery, now.byQuery)
			return len(worse) == 1 && worse[0] == "agents.select"
		}},
		{of: "perf stats --by code", named: func(before, now *sight) bool { return now.byCode["42501"].Loads > before.byCode["42501"].Loads }},
		{of: "perf slow --failed, the latest", named: func(_, now *sight) bool {
			return len(now.suffered) > 0 && now.failed[0].Name == "agents.select" && now.failed[0].Code == "42501"
		}},
		{of: "perf why of the first, for everybody and since then", named: func(_, now *sight) bool { return now.explains(now.first, "failed", "everybody") }},
		{of: "perf why of one amid, for everybody and since then", named: func(_, now *sight) bool { return now.explains(now.amid, "failed", "everybody") }},
		{of: "report gates, rls_denials with the query", named: func(before, now *sight) bool {
			return !before.failedGates().has("rls_denials") && now.failedGates().has("rls_denials") && strings.Contains(now.gate("rls_denials").Evidence, "agents.select")
		}},
		{of: "report weekly, with the query", named: func(_, now *sight) bool { return now.weekly.Status != "ON_TRACK" && now.reasoned("agents.select") }},
		{of: "/metrics, what was denied", named: func(before, now *sight) bool {
			return only(before, now, "vital_rls_denials_total", "by", "privilege")
		}},
		alert("VitalDenied"),
		panel("Refused by the database", func(labels map[string]string, value float64) bool { return labels["by"] == "privilege" && value > 0 }),
	},
}

var unluckySlug = fmt.Sprintf("tenant-%d", unlucky)

func statement(name string) func(context.Context, *faultStage) error {
	return func(ctx context.Context, s *faultStage) error { return s.as(ctx, name) }
}

// risen are the labels of which a larger part failed than before.
func risen(before, now map[string]perf.Statistic) (worse []string) {
	for label, s := range now {
		failed := func(s perf.Statistic) float64 { return float64(s.Loads) * s.ErrorRate / 100 }
		// Rates have two digits.
		if label != "platform" && failed(s) > failed(before[label])+0.01*float64(s.Loads)/100+0.5 {
			worse = append(worse, label)
		}
	}
	return worse
}

// only says that of the metric's series by label none has grown but that with this value.
func only(before, now *sight, name, label, value string) bool {
	grown := false
	for _, metric := range now.metrics[name].GetMetric() {
		for _, l := range metric.GetLabel() {
			of := map[string]string{label: l.GetValue()}
			if l.GetName() != label || now.metrics.sum(name, of) == before.metrics.sum(name, of) {
				continue
			}
			if l.GetValue() != value {
				return false
			}
			grown = true
		}
	}
	return grown
}

// explains says that a lineage names the fault: how far it reaches, and that it began when it was planted.
func (s *sight) explains(line *perf.Lineage, verdict, scope string) bool {
	return line != nil && line.Verdict == verdict && line.Scope == scope && line.Since != nil && line.Since.Sub(s.window.from).Abs() < near
}

// changedBy says that a change stands among those before.
func changedBy(line *perf.Lineage, what string) bool {
	return line != nil && slices.ContainsFunc(line.Before, func(c perf.Change) bool { return c.Kind == "audit" && c.What == what })
}

// reasoned says that the week's status rests on something.
func (s *sight) reasoned(on string) bool {
	return slices.ContainsFunc(s.weekly.Reasons, func(reason string) bool { return strings.Contains(reason, on) })
}

// alert asks whether the alert's expression holds: that it fires or, before it has held for as long as it says, is pending.
func alert(name string) question {
	return question{of: "alert " + name, watched: true, named: func(before, now *sight) bool { return before.alerts[name] == "" && now.alerts[name] != "" }}
}

// panel asks whether a panel of the dashboard shows what it did not show before.
func panel(title string, shows func(labels map[string]string, value float64) bool) question {
	of := func(s *sight) bool {
		return slices.ContainsFunc(s.panels, func(p shown) bool { return p.title == title && shows(p.labels, p.value) })
	}
	return question{of: "panel " + title, watched: true, named: func(before, now *sight) bool { return !of(before) && of(now) }}
}
