package flush

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// courier carries one batch of a lane to its sink, until each of the events is
// delivered or has its fate.
type courier struct {
	*run
	*lane
	attempts int       // made so far
	first    time.Time // of the first failure; zero when there was none
	forks    int       // see maxForks
}

// carry makes attempts until nothing is left to be tried here. fits tells that the sink
// did not call any part of the batch too large.
func (c courier) carry(ctx context.Context, b batch.Batch) (fits bool) {
	c.target.budget.Attempted()
	return c.carryOn(ctx, b, c.attempt(ctx, b))
}

// carryOn is carry after the first attempt.
func (c courier) carryOn(ctx context.Context, b batch.Batch, outcomes []sink.Outcome) (fits bool) {
	for {
		if tooLarge(outcomes) {
			return c.halve(ctx, b, outcomes)
		}
		if c.forks <= maxForks && poisoned(outcomes) {
			return c.search(ctx, b)
		}
		c.attempts++
		if c.first.IsZero() {
			c.first = time.Now()
		}
		again, pause := c.conclude(ctx, b, outcomes)
		if len(again) == 0 {
			return true
		}
		c.count(ledger.Retried, c.sink, "", len(again))
		b = b.Only(again)
		sleep(ctx, pause) // when ctx ends meanwhile, the next attempt is cancelled and deferred
		outcomes = c.attempt(ctx, b)
	}
}

// tooLarge says whether the sink found a batch too large as a whole.
func tooLarge(outcomes []sink.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o sink.Outcome) bool { return o.Class != retry.TooLarge })
}

// halve carries a batch that is too large in two parts. That it was says nothing of
// the parts, so no attempt is counted. A single event is concluded: it never will fit.
func (c courier) halve(ctx context.Context, b batch.Batch, outcomes []sink.Outcome) (fits bool) {
	one, two, ok := b.Halves()
	if !ok {
		c.attempts++
		outcomes[0].Cause = c.target.explainTooLarge(&b, outcomes[0].Cause)
		c.conclude(ctx, b, outcomes)
		return false
	}
	oneFits, twoFits := c.carry(ctx, one), c.carry(ctx, two)
	if oneFits && twoFits { // else an event was to blame, not the size
		c.target.halved(&one, &two)
	}
	return oneFits && twoFits
}

// attempt sends once, through the gate, and returns the outcome of each event. A gate
// that is shut answers in the sink's place, so that its refusal is waited for, counted
// and in the end dead-lettered by the same policy.
func (c *courier) attempt(ctx context.Context, b batch.Batch) []sink.Outcome {
	outcomes := make([]sink.Outcome, len(b.Events))
	patience := c.target.Policy.WithDefaults().MaxInlineWait
	err := c.target.gate.Attempt(ctx, len(b.Events), patience, func() gate.Verdict {
		c.requests.Add(1)
		c.send(ctx, b, outcomes)
		return verdict(outcomes)
	})
	var shut *gate.ShutError
	switch {
	case errors.As(err, &shut):
		fill(outcomes, sink.Outcome{Verdict: sink.Retry, Class: shut.Class, After: shut.After, Cause: shut.Cause})
	case err != nil: // ctx ended before the turn came
		fill(outcomes, sink.OutcomeOf(err, true))
	}
	return outcomes
}

// send calls the sink. One that panics has failed, it does not take the others with it.
func (c *courier) send(ctx context.Context, b batch.Batch, outcomes []sink.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			fill(outcomes, sink.Fail(retry.Transient, fmt.Sprintf("sink panicked: %v", p), nil).Outcome)
			c.Logger.Error("sink panicked", "sink", c.sink, "panic", p)
		}
	}()
	began := time.Now()
	result, err := c.target.Sink.Send(ctx, sink.Batch{Batch: b, Key: b.IdempotencyKey(c.sink), Attempt: c.attempts + 1})
	if err != nil {
		fill(outcomes, cutOff(ctx, sink.OutcomeOf(err, ctx.Err() != nil), time.Since(began)))
		return
	}
	for i := range outcomes {
		outcomes[i] = result.Of(i)
	}
}

// fairTime is how long an attempt must have had for its end by us to be a failure of the
// sink. One that hangs would otherwise hang for ever: no attempt would be counted, and
// no breaker would open.
const fairTime = 5 * time.Second

// cutOff judges an attempt that we ended, at the deadline or because the other sinks are
// done: one that had its time has failed, any other was no attempt. Shutdown never is.
func cutOff(ctx context.Context, o sink.Outcome, took time.Duration) sink.Outcome {
	cause := context.Cause(ctx)
	ours := errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, errLeftBehind)
	if o.Class != retry.Cancelled || took < fairTime || !ours {
		return o
	}
	return sink.Outcome{
		Verdict: sink.Retry, Class: retry.Transient,
		Cause: fmt.Sprintf("no answer within %v: %v", took.Round(time.Millisecond), cause),
	}
}

func fill(outcomes []sink.Outcome, o sink.Outcome) {
	for i := range outcomes {
		outcomes[i] = o
	}
}

// verdict is what the outcomes say about the sink: trouble when it answered none of the
// events for good, or when it will not until a person acts.
func verdict(outcomes []sink.Outcome) gate.Verdict {
	var v gate.Verdict
	for i := range outcomes {
		o := &outcomes[i]
		if o.Verdict != sink.Retry {
			return gate.Verdict{}
		}
		if v.Class == "" || o.Class == retry.Setup {
			v = gate.Verdict{Class: o.Class, Cause: o.Cause}
		}
	}
	return v
}

// complaint is what one decision is about: events of a batch that failed alike.
type complaint struct {
	verdict sink.Verdict
	class   retry.Class
}

// conclude settles what an attempt ended for good, and returns the indexes of the
// events to try again here after a pause.
func (c *courier) conclude(ctx context.Context, b batch.Batch, outcomes []sink.Outcome) (again []int, pause time.Duration) {
	decisions := make(map[complaint]retry.Decision, 1)
	delivered, untold := 0, 0
	for i, o := range outcomes {
		if o.Verdict == sink.Delivered {
			delivered++
			c.plan.Delivered(c.origins[b.Positions[i]].unit)
			continue
		}
		if o.Verdict == sink.Untold {
			untold++
			c.plan.Delivered(c.origins[b.Positions[i]].unit) // the batch must not be sent again
			continue
		}
		kind := complaint{o.Verdict, o.Class}
		d, known := decisions[kind]
		if !known {
			d = c.decide(ctx, longest(outcomes, o))
			decisions[kind] = d
			c.logFailure(len(b.Events), o, d)
		}
		if d.Action == retry.Sleep {
			again, pause = append(again, i), max(pause, d.Delay)
			continue
		}
		c.settle(decided(d, c.lane, counted(o.Class, c.attempts), o), b.Positions[i])
	}
	if delivered > 0 {
		c.target.drops.over()
		c.target.taken(&b)
		c.count(ledger.Delivered, c.sink, "", delivered)
	}
	c.countUntold(untold, outcomes)
	return again, pause
}

// countUntold counts events that are settled, but of which the books must not claim
// that they arrived.
func (c *courier) countUntold(n int, outcomes []sink.Outcome) {
	if n == 0 {
		return
	}
	c.count(ledger.Rejected, c.sink, string(retry.Permanent), n)
	o := outcomes[slices.IndexFunc(outcomes, func(o sink.Outcome) bool { return o.Verdict == sink.Untold })]
	c.Logger.Warn("sink refused events and does not tell which", "sink", c.sink, "refused", n, "events", len(outcomes), "cause", o.Cause)
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
func counted(class retry.Class, attempts int) int {
	if class.CountsAsAttempt() {
		return attempts
	}
	return attempts - 1
}

func (c *courier) decide(ctx context.Context, o sink.Outcome) retry.Decision {
	remaining := retry.NoDeadline
	if deadline, ok := ctx.Deadline(); ok {
		remaining = time.Until(deadline)
	}
	if ctx.Err() != nil {
		remaining = 0 // cut off: there is nothing to wait for here
	}
	d := c.target.budget.Limit(c.target.Policy.Next(retry.Input{
		Attempt: c.attempts, Class: o.Class, RetryAfter: o.After, Elapsed: time.Since(c.first), Remaining: remaining,
	}, nil))
	if o.Verdict == sink.Rejected && d.Action != retry.DeadLetter {
		// The sink knows better than the class: it will never take these.
		return retry.Decision{Action: retry.DeadLetter, Reason: retry.ReasonPermanent}
	}
	return d
}

func (c *courier) logFailure(events int, o sink.Outcome, d retry.Decision) {
	c.Logger.Warn("sink did not take a batch", "sink", c.sink, "events", events, "attempt", c.attempts,
		"class", o.Class, "status", o.Status, "cause", o.Cause, "decision", d.String())
}

// settle gives the event at a position of the lane its fate, or drops it where the
// configuration says so.
func (c *courier) settle(f fate, position int) {
	switch {
	case c.target.Mode == FailOpen:
		c.drop(f, c.origins[position])
	case f.action == retry.DeadLetter && c.target.Discard != nil && c.target.Discard(f.class, f.status):
		c.ended(ledger.Rejected, c.sink, f.class, c.origins[position])
	default:
		c.put(f, c.origins[position])
	}
}

// drop counts an event that a best-effort sink did not take.
func (c *courier) drop(f fate, from origin) {
	c.ended(ledger.Dropped, c.sink, f.class, from)
	if total, warn := c.target.drops.dropped(1); warn {
		c.Logger.Warn("best-effort sink drops events", "sink", c.sink, "dropped", total, "class", f.class, "status", f.status, "cause", f.cause)
	}
}

// sleep waits, but not past the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
