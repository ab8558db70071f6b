package gate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// The values that a zero field of Options stands for.
const (
	// DefaultConcurrency is the most attempts at once.
	DefaultConcurrency = 8
	// DefaultFailuresToOpen is the number of failures in a row that open the breaker.
	DefaultFailuresToOpen = 5
	// DefaultOpenFor is how long a sink is left alone.
	DefaultOpenFor = 30 * time.Second
)

// Options say how a sink is protected.
type Options struct {
	// Concurrency is the most attempts at once; the gate may allow fewer while the sink
	// throttles or slows down. 0 means DefaultConcurrency.
	Concurrency int
	// EventsPerSecond bounds the rate of events. 0 means no bound.
	EventsPerSecond float64
	// BurstEvents may go at once after a pause. 0 means what one second brings.
	BurstEvents int
	// FailuresToOpen in a row open the breaker. 0 means DefaultFailuresToOpen.
	FailuresToOpen int
	// OpenFor is how long the open breaker refuses. 0 means DefaultOpenFor.
	OpenFor time.Duration
	// OnChange is told of each change of the breaker's state, in order. May be nil. It
	// must not call the gate.
	OnChange func(from, to State)
}

// State is the breaker's state: "closed", "half-open" or "open".
type State string

// ShutError says that an attempt was not made.
type ShutError struct {
	// Class of the failure that shut the gate. Cancelled, which is no attempt, when it is
	// the gate's own rate: that is not the events' fault.
	Class retry.Class
	// After is how long it will stay shut.
	After time.Duration
	// Cause is a sentence for people.
	Cause string
}

func (e *ShutError) Error() string { return fmt.Sprintf("not sent for %v: %s", e.After, e.Cause) }

// Gate protects one sink. Make it with New.
type Gate struct {
	slots   *slots
	rate    *rate.Limiter // nil without a bound
	breaker *gobreaker.CircuitBreaker[struct{}]
	openFor time.Duration

	mu       sync.Mutex
	openedAt time.Time
	last     failure // the latest failure
}

// failure is an attempt that speaks against the sink.
type failure struct {
	class retry.Class
	cause string
}

func (f failure) Error() string { return f.cause }

// errCancelled is an attempt that says nothing about the sink.
var errCancelled = errors.New("cancelled")

// New returns a gate that is open for traffic: its breaker is closed.
func New(o Options) *Gate {
	g := &Gate{openFor: orDefault(o.OpenFor, DefaultOpenFor)}
	g.slots = newSlots(orDefault(o.Concurrency, DefaultConcurrency))
	if o.EventsPerSecond > 0 {
		g.rate = rate.NewLimiter(rate.Limit(o.EventsPerSecond), max(orDefault(o.BurstEvents, int(o.EventsPerSecond)), 1))
	}
	failures := uint32(orDefault(o.FailuresToOpen, DefaultFailuresToOpen)) //nolint:gosec // a small count
	g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout: g.openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= failures || g.lastFailure().class == retry.Setup
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errCancelled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			g.changed(to)
			if o.OnChange != nil {
				o.OnChange(State(from.String()), State(to.String()))
			}
		},
	})
	return g
}

func orDefault[T int | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// Verdict is what an attempt says about the sink: the class of its worst outcome,
// empty when all went well, and the cause.
type Verdict struct {
	Class retry.Class
	Cause string
}

// Attempt makes one attempt with a number of events, waiting for its turn first, for
// the rate at most patience. It returns a *ShutError, or ctx's error, when send was
// not called.
func (g *Gate) Attempt(ctx context.Context, events int, patience time.Duration, send func() Verdict) error {
	if err := g.slots.acquire(ctx); err != nil {
		return err
	}
	verdict, began := Verdict{Class: retry.Cancelled}, time.Now()
	defer func() { g.slots.release(verdict.Class, time.Since(began)) }()
	if err := g.pace(ctx, events, patience); err != nil {
		return err
	}
	_, err := g.breaker.Execute(func() (struct{}, error) {
		began = time.Now()
		verdict = send()
		return struct{}{}, g.judge(verdict)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return g.shut()
	}
	return nil
}

// judge reads a verdict for the breaker.
func (g *Gate) judge(v Verdict) error {
	switch v.Class {
	case retry.Transient, retry.Throttled, retry.Setup:
		f := failure{class: v.Class, cause: v.Cause}
		g.mu.Lock()
		g.last = f
		g.mu.Unlock()
		return f
	case retry.Cancelled:
		return errCancelled
	case retry.Permanent, retry.TooLarge:
	}
	return nil
}

func (g *Gate) lastFailure() failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

func (g *Gate) changed(to gobreaker.State) {
	if to == gobreaker.StateOpen {
		g.mu.Lock()
		g.openedAt = time.Now()
		g.mu.Unlock()
	}
}

// shut tells why the breaker refused, and for how long. Behind a probe that is under
// way the wait is not known: a tenth of the pause is a fair guess.
func (g *Gate) shut() *ShutError {
	g.mu.Lock()
	defer g.mu.Unlock()
	left := g.openFor - time.Since(g.openedAt)
	return &ShutError{
		Class: g.last.class, After: max(left, g.openFor/10), //nolint:mnd // a tenth
		Cause: "the sink is left alone for a while: " + g.last.cause,
	}
}

// pace waits until the rate allows the events. A batch larger than the burst counts as
// a full burst, because it could never pass otherwise.
func (g *Gate) pace(ctx context.Context, events int, patience time.Duration) error {
	if g.rate == nil {
		return nil
	}
	turn := g.rate.ReserveN(time.Now(), min(events, g.rate.Burst()))
	wait := turn.Delay()
	if wait > patience {
		turn.Cancel()
		return &ShutError{Class: retry.Cancelled, After: wait, Cause: "the sink's own rate limit"}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return context.Cause(ctx)
	}
}

// State returns the breaker's state and the latest failure, for status.
func (g *Gate) State() (state State, last Verdict) {
	f := g.lastFailure()
	return State(g.breaker.State().String()), Verdict{Class: f.class, Cause: f.cause}
}

// Concurrency is the most attempts that the gate ever lets through at once.
func (g *Gate) Concurrency() int { return int(g.slots.most) }

// Usual is the smoothed time of a good answer, 0 before the first.
func (g *Gate) Usual() time.Duration {
	g.slots.mu.Lock()
	defer g.slots.mu.Unlock()
	return g.slots.usual
}
