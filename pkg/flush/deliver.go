package flush

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// deliver sends every lane and returns when each event is delivered or has its fate.
// Sinks run side by side: none waits for another.
func (r *run) deliver(ctx context.Context, lanes []*lane) {
	bySink := make(map[string][]*lane)
	for _, l := range lanes {
		bySink[l.sink] = append(bySink[l.sink], l)
	}
	var wg sync.WaitGroup
	for _, lanes := range bySink {
		wg.Go(func() { r.deliverSink(ctx, lanes) })
	}
	wg.Wait()
}

// deliverSink sends the lanes of one sink, fresh events before retried ones, with at
// most the target's concurrency of batches on their way.
func (r *run) deliverSink(ctx context.Context, lanes []*lane) {
	slices.SortFunc(lanes, func(a, b *lane) int { return cmp.Compare(a.attempt, b.attempt) })
	slots := make(chan struct{}, cmp.Or(lanes[0].target.Concurrency, DefaultConcurrency))
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, l := range lanes {
		for _, b := range batch.Group(l.events, l.target.Sink.Limits()) {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				r.carry(ctx, l, b, l.attempt)
			})
		}
	}
}

// carry makes attempts with one batch until each of its events is delivered or has its
// fate. attempt counts those already made.
func (r *run) carry(ctx context.Context, l *lane, b batch.Batch, attempt int) {
	first := l.first
	for len(b.Events) > 0 {
		outcomes := r.attempt(ctx, l, b, attempt+1)
		if one, two, ok := split(b, outcomes); ok {
			// Too large together says nothing of the parts: no attempt is counted.
			r.carry(ctx, l, one, attempt)
			r.carry(ctx, l, two, attempt)
			return
		}
		attempt++
		if first.IsZero() {
			first = time.Now()
		}
		again, wait := r.conclude(ctx, l, b, outcomes, tally{attempt: attempt, first: first})
		if len(again) == 0 {
			return
		}
		r.count(ledger.Retried, l.sink, "", len(again))
		b = b.Only(again)
		pause(ctx, wait) // when ctx ends meanwhile, the next attempt is cancelled and deferred
	}
}

// split halves a batch that the sink found too large as a whole.
func split(b batch.Batch, outcomes []sink.Outcome) (one, two batch.Batch, ok bool) {
	if slices.ContainsFunc(outcomes, func(o sink.Outcome) bool { return o.Class != retry.TooLarge }) {
		return batch.Batch{}, batch.Batch{}, false
	}
	return b.Halves()
}

// attempt sends once and returns the outcome of each event. A sink that panics has
// failed, it does not take the other sinks with it.
func (r *run) attempt(ctx context.Context, l *lane, b batch.Batch, number int) (outcomes []sink.Outcome) {
	outcomes = make([]sink.Outcome, len(b.Events))
	defer func() {
		if p := recover(); p != nil {
			fill(outcomes, sink.Fail(retry.Transient, fmt.Sprintf("sink panicked: %v", p), nil).Outcome)
			r.Logger.Error("sink panicked", "sink", l.sink, "panic", p)
		}
	}()
	if err := context.Cause(ctx); err != nil {
		fill(outcomes, sink.OutcomeOf(err, true))
		return outcomes
	}
	result, err := l.target.Sink.Send(ctx, sink.Batch{Batch: b, Key: b.IdempotencyKey(l.sink), Attempt: number})
	if err != nil {
		fill(outcomes, sink.OutcomeOf(err, ctx.Err() != nil))
		return outcomes
	}
	for i := range outcomes {
		outcomes[i] = result.Of(i)
	}
	return outcomes
}

func fill(outcomes []sink.Outcome, o sink.Outcome) {
	for i := range outcomes {
		outcomes[i] = o
	}
}

// tally is what a decision needs to know of the attempts so far, the last one included.
type tally struct {
	attempt int
	first   time.Time // of the first failure
}

// conclude settles what an attempt ended for good, and returns the indexes of the
// events to try again here after a wait.
func (r *run) conclude(ctx context.Context, l *lane, b batch.Batch, outcomes []sink.Outcome, t tally) (again []int, wait time.Duration) {
	decisions := make(map[complaint]retry.Decision, 1)
	delivered := 0
	for i, o := range outcomes {
		if o.Verdict == sink.Delivered {
			delivered++
			continue
		}
		kind := complaint{o.Verdict, o.Class}
		d, known := decisions[kind]
		if !known {
			d = r.decide(ctx, l, longest(outcomes, o), t)
			decisions[kind] = d
			r.logFailure(l, len(b.Events), o, d, t.attempt)
		}
		if d.Action == retry.Sleep {
			again, wait = append(again, i), max(wait, d.Delay)
			continue
		}
		r.put(decided(d, l, counted(o.Class, t.attempt), o), l.origins[b.Positions[i]])
	}
	r.count(ledger.Delivered, l.sink, "", delivered)
	return again, wait
}

// complaint is what one decision is about: events of a batch that failed alike.
type complaint struct {
	verdict sink.Verdict
	class   retry.Class
}

// longest returns o with the longest wait that the sink asked for in its class.
func longest(outcomes []sink.Outcome, o sink.Outcome) sink.Outcome {
	for i := range outcomes {
		if outcomes[i].Class == o.Class {
			o.After = max(o.After, outcomes[i].After)
		}
	}
	return o
}

// counted is the number of attempts that count: being stopped, or a wrong password, is
// not the events' fault.
func counted(c retry.Class, attempt int) int {
	if c.CountsAsAttempt() {
		return attempt
	}
	return attempt - 1
}

func (r *run) decide(ctx context.Context, l *lane, o sink.Outcome, t tally) retry.Decision {
	remaining := retry.NoDeadline
	if deadline, ok := ctx.Deadline(); ok {
		remaining = time.Until(deadline)
	}
	d := l.target.Policy.Next(retry.Input{
		Attempt: t.attempt, Class: o.Class, RetryAfter: o.After, Elapsed: time.Since(t.first), Remaining: remaining,
	}, nil)
	if o.Verdict == sink.Rejected && d.Action != retry.DeadLetter {
		// The sink knows better than the class: it will never take these.
		return retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonPermanent}
	}
	return d
}

func (r *run) logFailure(l *lane, events int, o sink.Outcome, d retry.Decision, attempt int) {
	r.Logger.Warn("sink did not take a batch", "sink", l.sink, "events", events, "attempt", attempt,
		"class", o.Class, "status", o.Status, "cause", o.Cause, "decision", d.String())
}

func (r *run) count(c ledger.Counter, sinkName, class string, n int) {
	r.Ledger.Add(ledger.Key{Counter: c, Sink: sinkName, Class: class}, n)
}

// pause waits, but not past the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
