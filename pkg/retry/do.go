package retry

import (
	"context"
	"time"
)

// Do calls fn until it succeeds or policy says to stop; it is Loop{Policy: policy}.Do.
func Do(ctx context.Context, policy Policy, fn func(context.Context) error) error {
	return Loop{Policy: policy}.Do(ctx, fn)
}

// Loop is Do with more to set. The zero value has the default policy and no budget.
type Loop struct {
	Policy Policy
	// Budget, if not nil, is told of the first attempt and asked before every other.
	Budget *Budget
	// Random returns numbers in [0, 1). Default math/rand/v2.
	Random func() float64
	// OnFailure, if not nil, is called after each failed attempt with its error and what
	// is done about it, in the goroutine of Do: for logs and counters.
	OnFailure func(err error, next Decision)
}

// Do calls fn, one call at a time, until it returns nil or the policy says anything but
// Sleep; the error is then an *Error. fn states the class of a failure with a *Failure or
// another Hinter. The deadline of ctx bounds the waits: Do returns at once instead of
// waiting for an attempt that would come too late. An attempt that fails after ctx has
// ended is no attempt, unless its class says that no other could help.
func (l Loop) Do(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Err() != nil {
		return interrupted(ctx, &Error{})
	}
	l.Budget.Attempted()
	var state progress
	for {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		next := l.Budget.Limit(l.Policy.Next(state.failed(ctx, err), l.Random))
		if l.OnFailure != nil {
			l.OnFailure(err, next)
		}
		stop := &Error{Last: err, Why: next.Reason, Attempts: state.attempts}
		switch {
		case next.Reason == ReasonCancelled:
			return interrupted(ctx, stop)
		case next.Action != Sleep:
			stop.Delay = next.Delay
			return stop
		case !sleep(ctx, next.Delay):
			return interrupted(ctx, stop)
		}
	}
}

// interrupted completes the error of a loop that was stopped from outside.
func interrupted(ctx context.Context, stop *Error) error {
	stop.Why = ReasonCancelled
	stop.Interrupt = context.Cause(ctx)
	return stop
}

// progress is what a loop remembers between attempts.
type progress struct {
	attempts     int
	firstFailure time.Time
}

// failed counts a failed attempt and returns what the decision about it depends on.
func (s *progress) failed(ctx context.Context, err error) Input {
	class, retryAfter := Classify(err)
	if ctx.Err() != nil && (class.Retryable() || !class.Valid()) {
		class = Cancelled
	}
	if class != Cancelled {
		s.attempts++
	}
	now := time.Now()
	if s.firstFailure.IsZero() {
		s.firstFailure = now
	}
	return Input{
		Attempt:    s.attempts,
		Class:      class,
		RetryAfter: retryAfter,
		Elapsed:    now.Sub(s.firstFailure),
		Remaining:  remaining(ctx, now),
	}
}

func remaining(ctx context.Context, now time.Time) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return NoDeadline
	}
	return deadline.Sub(now)
}

// sleep waits for d and reports whether ctx is still alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
