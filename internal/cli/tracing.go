package cli

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tracing"
)

// openTracing makes the tracer that OpenTelemetry's variables ask for; nil where they name no collector, or turn it off.
func (a *app) openTracing(ctx context.Context) (*tracing.Tracer, error) {
	c := &a.config
	endpoint := c.traceEndpoint()
	if endpoint == "" || strings.EqualFold(c.TraceDisabled, "true") || c.TraceExporter == "none" {
		return nil, nil //nolint:nilnil // nil is the tracer that traces nothing
	}
	if exporter := cmp.Or(c.TraceExporter, "otlp"); exporter != "otlp" {
		return nil, errTracing("OTEL_TRACES_EXPORTER names an exporter VITAL does not have.", "It is otlp, or none to turn traces off.")
	}
	if protocol := cmp.Or(c.TraceTracesProtocol, c.TraceProtocol, otlpHTTP); protocol != otlpHTTP {
		return nil, errTracing("OTEL_EXPORTER_OTLP_PROTOCOL names a protocol VITAL does not speak.",
			"It is http/protobuf: name the collector's port for that, usually 4318.")
	}
	config := tracing.Config{Endpoint: endpoint, Sampler: c.TraceSampler, Ratio: 1, Log: a.log}
	var err error
	if c.TraceSamplerArgument != "" {
		if config.Ratio, err = strconv.ParseFloat(c.TraceSamplerArgument, 64); err != nil {
			return nil, errTracing("OTEL_TRACES_SAMPLER_ARG is not a number.", "It is the share of traces to keep, between 0 and 1: 0.1.")
		}
	}
	if config.Headers, err = parsePairs(cmp.Or(c.TraceTracesHeaders, c.TraceHeaders)); err != nil {
		return nil, errTracing("OTEL_EXPORTER_OTLP_HEADERS cannot be read.", "It is name=value with commas, what is special in a URL percent-encoded.")
	}
	if config.Resource, err = parsePairs(c.TraceResource); err != nil {
		return nil, errTracing("OTEL_RESOURCE_ATTRIBUTES cannot be read.", "It is name=value with commas, what is special in a URL percent-encoded.")
	}
	for name, value := range map[string]string{
		"service.name": cmp.Or(c.TraceService, config.Resource["service.name"], "vital"),
		// Who says otherwise means it.
		"service.version":     cmp.Or(config.Resource["service.version"], version()),
		"service.instance.id": cmp.Or(config.Resource["service.instance.id"], uuid.NewString()),
	} {
		config.Resource[name] = value
	}
	tracer, err := tracing.Open(ctx, config)
	if err != nil {
		return nil, errTracing("The tracing that is asked for cannot be set up: "+err.Error()+".",
			"OTEL_EXPORTER_OTLP_ENDPOINT is the collector's address, as http://127.0.0.1:4318; docs/reference/traces.md says what else there is.")
	}
	return tracer, nil
}

const otlpHTTP = "http/protobuf"

// traceEndpoint is where spans go: as it stands where it is named for traces, else below the address named for everything.
func (c *Config) traceEndpoint() string {
	if c.TraceTracesEndpoint != "" || c.TraceEndpoint == "" {
		return c.TraceTracesEndpoint
	}
	return strings.TrimSuffix(c.TraceEndpoint, "/") + "/v1/traces"
}

// errPair quotes nothing: it may be part of a key.
var errPair = errors.New("not name=value")

func errTracing(message, hint string) error { return fault.New(fault.ConfigInvalid, message, hint) }

// parsePairs reads name=value,name=value as OpenTelemetry has it: percent-encoded, with spaces around.
func parsePairs(text string) (map[string]string, error) {
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name, err := url.PathUnescape(strings.TrimSpace(name))
		if !ok || err != nil || name == "" {
			return nil, errPair
		}
		if pairs[name], err = url.PathUnescape(strings.TrimSpace(value)); err != nil {
			return nil, errPair
		}
	}
	return pairs, nil
}

// keyClient fetches signing keys; nil leaves that to the default.
func keyClient(tracer *tracing.Tracer) *http.Client {
	if tracer == nil {
		return nil
	}
	return &http.Client{Transport: tracer.Transport(http.DefaultTransport)} // each fetch has a deadline of its own
}
