package flush

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// Sender puts packs on a queue; *queue.Queue is one. A nil error means that every
// message is confirmed, a *queue.SendError names those that are not.
type Sender interface {
	Send(ctx context.Context, messages ...queue.Outgoing) error
}

// Router tells which sinks an event goes to. The result is shared: read it only.
type Router interface {
	Sinks(e *event.Event) []string
}

// Target is a sink with the way it is treated.
type Target struct {
	Sink   sink.Sink
	Policy retry.Policy
	// Concurrency is how many batches are on their way to the sink at once, within one
	// invocation. 0 means DefaultConcurrency.
	Concurrency int
}

// Defaults of Options.
const (
	DefaultConcurrency = 4
	// DefaultMargin is what an invocation keeps back of its time to write residues and
	// dead letters: some calls to SQS of 10 to 50 ms each, and one of them slow.
	DefaultMargin = 3 * time.Second
)

// Options are what a Flusher works with.
type Options struct {
	// Targets by sink name. Required.
	Targets map[string]Target
	// Router decides where fresh events go. Required.
	Router Router
	// Queue takes residues, DeadLetters takes dead letters. Required.
	Queue, DeadLetters Sender
	// Ledger counts; nil counts into one that nobody reads.
	Ledger *ledger.Ledger
	// Logger; nil means slog.Default().
	Logger *slog.Logger
	// Margin before the deadline at which sending stops. 0 means DefaultMargin, but
	// never more than a fifth of the time an invocation has.
	Margin time.Duration
}

// Flusher delivers packs. It is safe for concurrent use.
type Flusher struct {
	Options
}

// New checks the options and returns a Flusher.
func New(o Options) (*Flusher, error) {
	if len(o.Targets) == 0 || o.Router == nil || o.Queue == nil || o.DeadLetters == nil {
		return nil, errors.New("flush: Targets, Router, Queue and DeadLetters are required")
	}
	if o.Ledger == nil {
		o.Ledger = ledger.New()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Margin == 0 {
		o.Margin = DefaultMargin
	}
	return &Flusher{Options: o}, nil
}

// Flush delivers the packs in messages and returns the indexes of the messages that
// must come back; all others are settled and may be deleted. It returns some time
// before ctx's deadline.
func (f *Flusher) Flush(ctx context.Context, messages []queue.Received) (back []int) {
	sending, stop := f.sendingContext(ctx)
	defer stop()

	run := newRun(f, messages)
	run.unpack()
	lanes := run.route()
	run.deliver(sending, lanes)
	return run.settle(ctx)
}

// sendingContext ends early enough to settle what was not sent by then.
func (f *Flusher) sendingContext(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	margin := min(f.Margin, time.Until(deadline)/5)
	return context.WithDeadline(ctx, deadline.Add(-margin))
}
