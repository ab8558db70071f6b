package flush

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
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

// Defaults of Options.
const (
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
	// Bucket holds the events of packs that are checked in; nil means none, and such packs
	// stay on the queue.
	Bucket Bucket
	// Dedup decides what was delivered before; nil looks for duplicates within one flush
	// and in the memory of its environment only. When its store keeps notes too (gate.Notes), the
	// breakers of the sinks are shared through it.
	Dedup *dedup.Deduper
	// Ledger counts; nil counts into one that nobody reads.
	Ledger *ledger.Ledger
	// Ended is told of each event that ends at a sink without a delivery, and how: Deduped,
	// Rejected or Dropped. It is called concurrently. nil tells nobody.
	Ended func(how ledger.Counter, sink string, e *event.Event)
	// Logger; nil means slog.Default().
	Logger *slog.Logger
	// Margin before the deadline at which sending stops. 0 means DefaultMargin, but
	// never more than a fifth of the time an invocation has.
	Margin time.Duration
}

// Flusher delivers packs. It is safe for concurrent use.
type Flusher struct {
	Options
	targets map[string]*target
	board   *gate.Board // nil without a store
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
	if o.Bucket == nil {
		o.Bucket = (*claimcheck.Bucket)(nil) // refuses
	}
	if o.Margin == 0 {
		o.Margin = DefaultMargin
	}
	if o.Dedup == nil {
		var err error
		if o.Dedup, err = dedup.New(dedup.Options{}); err != nil {
			return nil, fmt.Errorf("flush: %w", err)
		}
	}
	f := &Flusher{Options: o, targets: make(map[string]*target, len(o.Targets))}
	if notes, ok := o.Dedup.Store.(gate.Notes); ok {
		f.board = gate.NewBoard(notes, o.Logger)
	}
	for name, t := range o.Targets {
		t.Gate.Name, t.Gate.Board = name, f.board
		prepared, err := newTarget(name, t, o.Logger)
		if err != nil {
			return nil, fmt.Errorf("flush: sink %q: %w", name, err)
		}
		f.targets[name] = prepared
	}
	return f, nil
}

// Flush delivers the packs in messages and returns the indexes of the messages that
// must come back, in order; all others are settled and may be deleted. It returns some
// time before ctx's deadline.
//
// However many messages there are and however well they compress, it unpacks only what
// fits its memory at a time (see waves).
func (f *Flusher) Flush(ctx context.Context, messages []queue.Received) (back []int) {
	sending, stop := f.sendingContext(ctx)
	defer stop()
	return indexes(f.flush(ctx, sending, messages))
}

// FlushFrom is Flush for messages of a source that deletes the settled ones itself, as an
// event-source mapping does. It tells the source when the others are to come back.
func (f *Flusher) FlushFrom(ctx context.Context, source Source, messages []queue.Received) (back []int) {
	sending, stop := f.sendingContext(ctx)
	defer stop()
	returning := f.flush(ctx, sending, messages)
	f.hide(ctx, source, messages, returning)
	return indexes(returning)
}

// flush sends within one context and settles within another that lasts longer.
func (f *Flusher) flush(ctx, sending context.Context, messages []queue.Received) (back []returned) {
	units, requests := 0, int64(0)
	for _, w := range waves(messages) {
		run := newRun(f, messages[w.from:w.to])
		run.unpack(sending)
		run.route()
		run.claim(sending)
		run.deliver(sending, run.lanes())
		run.followUp()
		for _, b := range run.settle(ctx) {
			back = append(back, returned{w.from + b.message, b.after})
		}
		units, requests = units+len(run.units), requests+run.requests.Load()
	}
	if len(messages) > 0 {
		f.Logger.InfoContext(ctx, "flushed", "messages", len(messages), "events", units, "requests", requests, "back", len(back))
	}
	return back
}

// sendingContext ends early enough to settle what was not sent by then.
func (f *Flusher) sendingContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return endsBefore(ctx, f.Margin)
}

// endsBefore returns a context that ends earlier by margin, but never by more than a fifth of
// the time that is left.
func endsBefore(ctx context.Context, margin time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/5)))
}
