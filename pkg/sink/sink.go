package sink

import (
	"context"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Sink is a destination for events.
//
// Implementations are safe for concurrent use: Send is called from several goroutines
// at once.
type Sink interface {
	// Limits says how large one batch may be. It is asked before every flush and is cheap.
	Limits() batch.Limits

	// Send makes one attempt to deliver one batch, which holds one tenant, group and
	// kind and at least one event. It returns when the destination has answered or ctx
	// is done, and must not keep the batch.
	//
	// A nil error means Result tells the outcome of each event. An error is the same
	// outcome for every event of the batch: a *Failure says which; any other error is
	// read as a transient failure, or as cancelled when ctx is done. Nothing may be
	// assumed delivered when an error is returned.
	Send(ctx context.Context, b Batch) (Result, error)
}

// Batch is one attempt's worth of events.
type Batch struct {
	batch.Batch
	// Key is the idempotency key: equal for every attempt with the same events.
	Key string
	// Attempt counts from 1, over all invocations of the flush function.
	Attempt int
}

// Closer is implemented by sinks that hold something open. Close flushes what was
// acknowledged to durable storage and is idempotent; no Send follows it.
type Closer interface {
	Close() error
}
