package esm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// Limits of an event-source mapping for standard queues. Source: "Using Lambda with Amazon SQS", Lambda developer guide (2026-09).
const (
	// DefaultBatchSize is the batch size when none is given; above it a window is required.
	DefaultBatchSize = 10
	// MaxBatchSize is the most messages of one invocation.
	MaxBatchSize = 10_000
	// MaxWindow is the longest batching window.
	MaxWindow = 300 * time.Second
	// MaxBatchBytes bounds the payload of one invocation: 6 MB of JSON.
	MaxBatchBytes = 6 << 20
	// MinMaximumConcurrency and MaxMaximumConcurrency bound ScalingConfig.MaximumConcurrency.
	MinMaximumConcurrency = 2
	MaxMaximumConcurrency = 1000
	// DefaultConcurrency is what a mapping without a maximum has here: AWS starts with five and goes on to 1,250.
	DefaultConcurrency = 5
	// MaxFilters is the most filter patterns of one mapping.
	MaxFilters = 5
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

// Options describe one mapping.
type Options struct {
	// Queue is the name of the queue, QueueARN its ARN and Region its region; the two go into the records.
	Queue, QueueARN, Region string
	// BatchSize is the most messages of one invocation, 1 to 10,000. Default 10; more needs a Window.
	BatchSize int
	// Window is how long to gather after the first message, 0 to 300 s. Default 0: whatever one receive returns goes at once.
	Window time.Duration
	// MaximumConcurrency bounds the invocations at a time, 2 to 1,000. 0 means DefaultConcurrency.
	MaximumConcurrency int
	// Filters are patterns (package pattern), at most five: a message that none of them matches is deleted and not handed to the
	// function. Without any, all are.
	Filters []string
	// ReportBatchItemFailures makes the mapping read the function's response (see Read). Without it every response is a success.
	ReportBatchItemFailures bool
	// Visibility is the queue's visibility timeout: a batch that a throttled function cannot take is given up when it would
	// run out. Default 30 s.
	Visibility time.Duration
	// Logger gets one line for each batch that failed or was given up. Default: nothing.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.BatchSize = cmp.Or(o.BatchSize, DefaultBatchSize)
	o.MaximumConcurrency = cmp.Or(o.MaximumConcurrency, DefaultConcurrency)
	o.Visibility = cmp.Or(o.Visibility, 30*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Validate joins everything that CreateEventSourceMapping would refuse.
func (o Options) Validate() error {
	var problems []error
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("event source mapping of %s: "+format, append([]any{o.Queue}, args...)...))
	}
	if o.BatchSize < 0 || o.BatchSize > MaxBatchSize {
		complain("batch size %d is outside 1 to %d", o.BatchSize, MaxBatchSize)
	}
	if o.Window < 0 || o.Window > MaxWindow {
		complain("batching window %s is outside 0 to %s", o.Window, MaxWindow)
	}
	if o.BatchSize > DefaultBatchSize && o.Window == 0 {
		complain("a batch size above %d needs a batching window of at least 1 s", DefaultBatchSize)
	}
	if o.MaximumConcurrency != 0 && (o.MaximumConcurrency < MinMaximumConcurrency || o.MaximumConcurrency > MaxMaximumConcurrency) {
		complain("maximum concurrency %d is outside %d to %d", o.MaximumConcurrency, MinMaximumConcurrency, MaxMaximumConcurrency)
	}
	if len(o.Filters) > MaxFilters {
		complain("%d filters, at most %d are allowed", len(o.Filters), MaxFilters)
	}
	if _, err := o.patterns(); err != nil {
		complain("%w", err)
	}
	return errors.Join(problems...)
}

func (o Options) patterns() ([]pattern.Pattern, error) {
	parsed := make([]pattern.Pattern, 0, len(o.Filters))
	for _, filter := range o.Filters {
		p, err := pattern.Parse(filter)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it is about
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}

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
	slots                        chan struct{}
	throttle                     gate
	work                         sync.WaitGroup

	batches, messages, deleted, failed, filtered, throttles, inFlight atomic.Int64
}

// Start checks the options and begins to receive. The mapping must be stopped.
func Start(queue Queue, invoke InvokeFunc, options Options) (*Mapping, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	m := &Mapping{options: options, queue: queue, invoke: invoke, slots: make(chan struct{}, options.MaximumConcurrency)}
	m.filters, _ = options.patterns() // validated
	m.collecting, m.stopCollecting = context.WithCancel(context.Background())
	m.invoking, m.stopInvoking = context.WithCancel(context.Background())
	m.work.Go(m.collect)
	return m, nil
}

// Stop drains: nothing more is received, what was gathered is invoked, and Stop returns when all is done. When ctx ends first,
// the batches still out are abandoned (their messages come back) and its error is returned. It is idempotent.
func (m *Mapping) Stop(ctx context.Context) error {
	m.stopCollecting()
	cut := context.AfterFunc(ctx, m.stopInvoking)
	m.work.Wait()
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
