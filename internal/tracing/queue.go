package tracing

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// queued is how many spans may wait, those being sent included.
	queued = 2048
	// calm is how long after the last loss spans must arrive before the loss is over, for the log.
	calm = time.Minute
)

var errFull = errors.New("more spans are made than the collector takes")

// queue holds spans until they are sent, and drops those it has no room for: nothing ever waits for it. It has just as
// much room as the library's own processor behind it, which would drop without a word.
type queue struct {
	sdk.SpanProcessor

	log                    *slog.Logger
	waiting, sent, dropped atomic.Int64

	mu     sync.Mutex
	losing bool
	last   time.Time // when spans were lost last
}

func newQueue(sender sdk.SpanExporter, every time.Duration, log *slog.Logger) *queue {
	q := &queue{log: log}
	options := []sdk.BatchSpanProcessorOption{sdk.WithMaxQueueSize(queued)}
	if every > 0 {
		options = append(options, sdk.WithBatchTimeout(every))
	}
	q.SpanProcessor = sdk.NewBatchSpanProcessor(exporter{sender, q}, options...)
	return q
}

// OnEnd takes a span that is over.
func (q *queue) OnEnd(span sdk.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if q.waiting.Add(1) > queued {
		q.waiting.Add(-1)
		q.lost(1, errFull)
		return
	}
	q.SpanProcessor.OnEnd(span)
}

// exporter sends spans, and keeps count for its queue.
type exporter struct {
	sdk.SpanExporter
	queue *queue
}

// ExportSpans sends spans. A failure is told here, in VITAL's log; the library would write to standard error.
func (e exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	defer e.queue.waiting.Add(-int64(len(spans)))
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.queue.lost(len(spans), err)
		return nil
	}
	e.queue.arrived(len(spans))
	return nil
}

// lost counts spans, and says so where none were lost before.
func (q *queue) lost(spans int, why error) {
	q.dropped.Add(int64(spans))
	q.mu.Lock()
	news := !q.losing
	q.losing, q.last = true, time.Now()
	q.mu.Unlock()
	if news {
		q.log.Warn("spans are lost: the collector of traces does not take them; requests are not affected", "error", withoutAddress(why))
	}
}

func (q *queue) arrived(spans int) {
	q.sent.Add(int64(spans))
	q.mu.Lock()
	over := q.losing && time.Since(q.last) > calm
	if over {
		q.losing = false
	}
	q.mu.Unlock()
	if over {
		q.log.Info("spans arrive at the collector of traces again", "lost_so_far", q.dropped.Load())
	}
}

// withoutAddress is why, without the address that the client puts in front: its path may hold a key.
func withoutAddress(why error) error {
	var withURL *url.Error
	if errors.As(why, &withURL) {
		return withURL.Err
	}
	return why
}
