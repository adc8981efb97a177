package cli

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// flushEvery bounds how long a line may wait in memory before it is written.
const flushEvery = 50 * time.Millisecond

// logWriter gathers log lines and writes them together: at most flushEvery later, or as soon as there
// are many, so that a busy server pays for one write where it would pay for hundreds. A warning or an
// error goes out at once, with all that stand before it.
type logWriter struct {
	mu    sync.Mutex
	out   io.Writer
	lines []byte
	timer *time.Timer
}

func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out}
	w.timer = time.AfterFunc(flushEvery, w.flush)
	return w
}

// Write takes one line, which slog hands over whole.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) == 0 {
		w.timer.Reset(flushEvery)
	}
	w.lines = append(w.lines, line...)
	if len(w.lines) > 64<<10 {
		w.write()
	}
	return len(line), nil
}

// flush writes what is waiting.
func (w *logWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write()
}

func (w *logWriter) write() {
	if len(w.lines) > 0 {
		_, _ = w.out.Write(w.lines) // there is nowhere left to say that the log cannot be written
		w.lines = w.lines[:0]
	}
}

// promptly is a handler that lets nothing of weight wait, and writes durations with their unit. It does the latter
// itself: a handler that is asked about every attribute takes twice as long for a line.
type promptly struct {
	slog.Handler
	writer *logWriter
}

func (h promptly) Handle(ctx context.Context, record slog.Record) error {
	err := h.Handler.Handle(ctx, withUnits(record))
	if record.Level >= slog.LevelWarn {
		h.writer.flush()
	}
	return err
}

func (h promptly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptly{h.Handler.WithAttrs(attrs), h.writer}
}

func (h promptly) WithGroup(name string) slog.Handler {
	return promptly{h.Handler.WithGroup(name), h.writer}
}

// withUnits is record with its durations as text.
func withUnits(record slog.Record) slog.Record {
	found := false
	record.Attrs(func(a slog.Attr) bool {
		found = a.Value.Kind() == slog.KindDuration
		return !found
	})
	if !found {
		return record
	}
	readable := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	record.Attrs(func(a slog.Attr) bool {
		if a.Value.Kind() == slog.KindDuration {
			a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
		}
		readable.AddAttrs(a)
		return true
	})
	return readable
}
