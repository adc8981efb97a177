// Package tracing tells a collector how requests went, as OpenTelemetry has it: a span for each request, and below it one
// for each transaction, each script that Redis ran and each fetch of signing keys. A span says what kind of thing was
// done, for which tenant and how it ended, and never what was asked or answered: no path, query string, header, body,
// statement or value. A nil Tracer traces nothing and costs nothing.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says where spans go and which are kept.
type Config struct {
	// Endpoint is the URL that spans are posted to, in OTLP's protobuf: http://127.0.0.1:4318/v1/traces. Required.
	Endpoint string
	// Headers go with every post. Defaults to none.
	Headers map[string]string
	// Sampler is a name of OTEL_TRACES_SAMPLER. Defaults to parentbased_always_on.
	Sampler string
	// Ratio is the share that a sampler with traceidratio in its name keeps.
	Ratio float64
	// Resource describes this server: service.name and what else its operators want to find it by.
	Resource map[string]string
	// Every is how long spans are gathered before they are sent. Defaults to 5s.
	Every time.Duration
	// Log is told once when spans begin to be lost. Defaults to nothing.
	Log *slog.Logger
}

// Tracer makes spans and sends them, in the background.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	queue    *queue
}

// closeTime bounds what Close waits for a collector.
const closeTime = 2 * time.Second

// w3c reads and writes traceparent and tracestate. Baggage is left alone: nobody here has a use for what a caller packs.
var w3c = propagation.TraceContext{}

// Open makes a tracer. A collector that is not reached is no error: what it misses is counted. An error quotes nothing
// of the endpoint or the headers, which may hold a key.
func Open(ctx context.Context, config Config) (*Tracer, error) {
	sampler, err := newSampler(config.Sampler, config.Ratio)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(config.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("the endpoint is no address of the form http://host:4318")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(config.Endpoint)}
	if len(config.Headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(config.Headers))
	}
	sender, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("make an exporter: %w", err)
	}
	t := &Tracer{queue: newQueue(sender, config.Every, config.Log)}
	// Only what is said here: the library's detectors would tell of the machine, its user and the command line.
	attributes := make([]attribute.KeyValue, 0, len(config.Resource))
	for _, name := range slices.Sorted(maps.Keys(config.Resource)) {
		attributes = append(attributes, attribute.String(name, config.Resource[name]))
	}
	described, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attributes...))
	if err != nil {
		return nil, fmt.Errorf("describe this server: %w", err)
	}
	t.provider = sdk.NewTracerProvider(sdk.WithSampler(sampler), sdk.WithResource(described), sdk.WithSpanProcessor(t.queue))
	t.tracer = t.provider.Tracer("github.com/vital-db/vital")
	return t, nil
}

// Close sends what waits, for at most two seconds.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	// What did not go out in that time has been counted or is lost with the process; there is nobody left to be told.
	_ = t.provider.Shutdown(ctx)
}

// Stat counts spans since the start.
type Stat struct {
	Sent    int64
	Dropped int64 // the queue was full, or the collector did not take them
}

// Stat returns what became of the spans so far.
func (t *Tracer) Stat() Stat {
	if t == nil {
		return Stat{}
	}
	return Stat{Sent: t.queue.sent.Load(), Dropped: t.queue.dropped.Load()}
}
