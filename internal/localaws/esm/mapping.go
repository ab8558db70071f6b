package esm

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// Queue is what a mapping needs of SQS.
type Queue interface {
	Receive(ctx context.Context, queue string, in sqs.ReceiveInput) ([]sqs.Message, error)
	Delete(ctx context.Context, queue string, receiptHandles []string) error
}

var _ Queue = (*sqs.Service)(nil)

// InvokeFunc invokes the mapping's function. An error means that it did not run (throttled above all);
// a function that ran and failed is a Result with a FunctionError.
type InvokeFunc func(ctx context.Context, payload []byte) (lambda.Result, error)

// Stats counts what a mapping has done since it started.
type Stats struct {
	// Batches and Messages were handed to the function and came to an end.
	Batches, Messages int64
	// Deleted messages succeeded; Failed ones come back after their visibility timeout.
	Deleted, Failed int64
	// Filtered messages matched no filter and were deleted. They are in no other count.
	Filtered int64
	// Throttles counts the invocations that were refused and tried again.
	Throttles int64
	// InFlight counts the batches that are being invoked now.
	InFlight int64
}

// Mapping is a running event-source mapping. It is safe for concurrent use.
type Mapping struct {
	options Options
	queue   Queue
	invoke  InvokeFunc
	filters []pattern.Pattern

	// collecting ends at Stop, invoking when Stop runs out of patience.
	collecting, invoking         context.Context //nolint:containedctx // the life of the mapping's own goroutines, no caller's
	stopCollecting, stopInvoking context.CancelFunc
	pollers                      sync.WaitGroup
	// turn is held by the one poller that receives, and carries what did not fit into the batch before.
	turn chan []record
	// throttled counts the batches whose invocation was refused and is tried again.
	throttled atomic.Int64

	batches, messages, deleted, failed, filtered, throttles, inFlight atomic.Int64
}

// Start checks the options and begins to receive. The mapping must be stopped.
func Start(queue Queue, invoke InvokeFunc, options Options) (*Mapping, error) {
	filters, err := options.check()
	if err != nil {
		return nil, err
	}
	m := &Mapping{options: options.withDefaults(), queue: queue, invoke: invoke, filters: filters, turn: make(chan []record, 1)}
	m.collecting, m.stopCollecting = context.WithCancel(context.Background())
	m.invoking, m.stopInvoking = context.WithCancel(context.Background())
	m.turn <- nil
	for range m.options.MaximumConcurrency {
		m.pollers.Go(m.poll)
	}
	return m, nil
}

// Stop drains: nothing more is received, what was gathered is invoked, and Stop returns when all is done. When ctx ends first,
// the batches still out are abandoned (their messages come back) and its error is returned. It is idempotent.
func (m *Mapping) Stop(ctx context.Context) error {
	m.stopCollecting()
	cut := context.AfterFunc(ctx, m.stopInvoking)
	m.pollers.Wait()
	if !cut() {
		return fmt.Errorf("event source mapping of %s: batches were abandoned: %w", m.options.Queue, context.Cause(ctx))
	}
	m.stopInvoking()
	return nil
}

// Stats returns the counters.
func (m *Mapping) Stats() Stats {
	return Stats{
		Batches: m.batches.Load(), Messages: m.messages.Load(), Deleted: m.deleted.Load(),
		Failed: m.failed.Load(), Filtered: m.filtered.Load(), Throttles: m.throttles.Load(), InFlight: m.inFlight.Load(),
	}
}
