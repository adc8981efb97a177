package tracing

import (
	"fmt"
	"sync"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// newSampler returns the sampler that OTEL_TRACES_SAMPLER names.
func newSampler(name string, ratio float64) (sdk.Sampler, error) {
	if !(ratio >= 0 && ratio <= 1) {
		return nil, fmt.Errorf("the share of traces to keep is not between 0 and 1")
	}
	var sampler sdk.Sampler
	switch name {
	case "", "parentbased_always_on":
		sampler = sdk.ParentBased(sdk.AlwaysSample())
	case "parentbased_always_off":
		sampler = sdk.ParentBased(sdk.NeverSample())
	case "parentbased_traceidratio":
		sampler = newBounded(sdk.ParentBased(sdk.TraceIDRatioBased(ratio)), ratio)
	case "always_on":
		sampler = sdk.AlwaysSample()
	case "always_off":
		sampler = sdk.NeverSample()
	case "traceidratio":
		sampler = newBounded(sdk.TraceIDRatioBased(ratio), ratio)
	default:
		return nil, fmt.Errorf("%q is no sampler VITAL has", name)
	}
	return within{sampler}, nil
}

// within has everything below a request's span decided as that was.
type within struct{ sdk.Sampler }

func (w within) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	if !parent.IsValid() || parent.IsRemote() {
		return w.Sampler.ShouldSample(p)
	}
	decision := sdk.Drop
	if parent.IsSampled() {
		decision = sdk.RecordAndSample
	}
	return sdk.SamplingResult{Decision: decision, Tracestate: parent.TraceState()}
}

// bounded is a sampler of a share, for callers nobody vouches for: a caller chooses the sampled flag and the trace id, and
// so could have everything sampled. They decide which of the traces they bring are kept, and never that more than the
// share is. One that is not kept goes on under its id all the same.
type bounded struct {
	sdk.Sampler
	share float64

	mu     sync.Mutex
	credit float64
}

// burst is how many traces callers may have kept beyond the share at once: honest ones do not come evenly.
const burst = 100

func newBounded(sampler sdk.Sampler, share float64) *bounded {
	b := &bounded{Sampler: sampler, share: share}
	if share > 0 {
		b.credit = burst
	}
	return b
}

func (b *bounded) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	result := b.Sampler.ShouldSample(p)
	brought := trace.SpanContextFromContext(p.ParentContext).IsValid()
	if brought && !b.afford(result.Decision == sdk.RecordAndSample) {
		result.Decision = sdk.Drop
	}
	return result
}

// afford counts a trace that a caller brought, and reports whether it may be kept where it is to be.
func (b *bounded) afford(keep bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit = min(b.credit+b.share, burst)
	if !keep || b.credit < 1 {
		return !keep
	}
	b.credit--
	return true
}
