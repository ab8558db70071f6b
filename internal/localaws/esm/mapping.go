package esm

import (
	"context"
	"sync/atomic"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
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

// Mapping is a running event-source mapping. It is safe for concurrent use.
type Mapping struct {
	options Options
	queue   Queue
	invoke  InvokeFunc
	filters []pattern.Pattern
	life    *lifetime.Lifetime

	// turn is held by the one poller that receives, and carries what did not fit into the batch before.
	turn chan []record
	// throttled counts the batches whose invocation was refused and is tried again.
	throttled atomic.Int64
	// inFlight counts the batches that are being delivered.
	inFlight atomic.Int64
}

// Start checks the options and begins to receive. The mapping must be stopped.
func Start(queue Queue, invoke InvokeFunc, options Options) (*Mapping, error) {
	filters, err := options.check()
	if err != nil {
		return nil, err
	}
	m := &Mapping{
		options: options.withDefaults(), queue: queue, invoke: invoke, filters: filters,
		life: lifetime.New("event source mapping of " + options.Queue), turn: make(chan []record, 1),
	}
	m.turn <- nil
	for range m.options.MaximumConcurrency {
		m.life.Go(m.poll)
	}
	return m, nil
}

// Stop drains: nothing more is received, what was gathered is invoked, and Stop returns when all is done. When ctx ends first,
// the batches still out are abandoned (their messages come back) and its error is returned. It is idempotent.
func (m *Mapping) Stop(ctx context.Context) error { return m.life.End(ctx) }

// InFlight returns how many batches are with the function, or about to be, or being deleted.
func (m *Mapping) InFlight() int64 { return m.inFlight.Load() }
