package filesink

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/record"
)

// Stdout is the `stdout` sink: records as NDJSON on a stream. It is safe for concurrent
// use as far as nobody else writes to the stream.
type Stdout struct {
	mu     sync.Mutex
	stream io.Writer
	buf    []byte
	limits batch.Limits
}

var _ sink.Sink = (*Stdout)(nil)

// NewStdout returns a sink that writes each batch to stream with one Write. The name is
// that of the sink in the configuration; 0 for a limit means its default.
func NewStdout(name string, stream io.Writer, maxEvents, maxBytes int) (*Stdout, error) {
	limits, err := limitsOf(maxEvents, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("sink %q: %w", name, err)
	}
	return &Stdout{stream: stream, limits: limits}, nil
}

// Limits are those given to NewStdout. An event's size is that of its record.
func (s *Stdout) Limits() batch.Limits { return s.limits }

// Send writes the batch. An error is a *sink.Failure for every event; some of them may
// stand in the stream all the same.
func (s *Stdout) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return sink.Result{}, failure(err)
	}
	s.buf = record.AppendLines(s.buf[:0], b.Events)
	if _, err := s.stream.Write(s.buf); err != nil {
		return sink.Result{}, failure(fmt.Errorf("write: %w", err))
	}
	return sink.Result{}, nil
}
