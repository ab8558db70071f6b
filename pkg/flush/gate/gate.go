package gate

import (
	"context"
	"fmt"
	"sync"
	"time"

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
	// Board shares the breaker with other environments, under the sink's Name. Nil keeps it
	// to this one.
	Board *Board
	Name  string
}

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
	slots    *slots
	rate     *rate.Limiter // nil without a bound
	onChange func(from, to State)
	board    *Board // nil when nothing is shared
	name     string

	telling sync.Mutex // the board is told in the order of the changes
	mu      sync.Mutex
	breaker breaker
}

// New returns a gate that is open for traffic: its breaker is closed.
func New(o Options) *Gate {
	g := &Gate{
		slots: newSlots(orDefault(o.Concurrency, DefaultConcurrency)), onChange: o.OnChange, board: o.Board, name: o.Name,
		breaker: breaker{
			state: Closed, failuresToOpen: orDefault(o.FailuresToOpen, DefaultFailuresToOpen), openFor: orDefault(o.OpenFor, DefaultOpenFor),
		},
	}
	if o.EventsPerSecond > 0 {
		g.rate = rate.NewLimiter(rate.Limit(o.EventsPerSecond), max(orDefault(o.BurstEvents, int(o.EventsPerSecond)), 1))
	}
	if g.board != nil {
		g.board.join(g.name, g)
	}
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
	defer g.tell(ctx) // when the slot is free again
	if err := g.slots.acquire(ctx); err != nil {
		return err
	}
	verdict, began := Verdict{Class: retry.Cancelled}, time.Now()
	defer func() { g.slots.release(verdict.Class, time.Since(began)) }()
	if err := g.pace(ctx, events, patience); err != nil {
		return err
	}
	p, err := g.enter(ctx)
	if err != nil {
		return err
	}
	defer g.change(func(now time.Time) { g.breaker.hear(p, verdict, now) })
	began = time.Now()
	verdict = send()
	return nil
}

// enter asks the breaker, and before a probe the other environments.
func (g *Gate) enter(ctx context.Context) (p pass, err error) {
	var shut *ShutError
	g.change(func(now time.Time) { p, shut = g.breaker.admit(now) })
	if p.ask && g.board != nil && !g.board.mayProbe(ctx, g.name, g.breaker.openFor) {
		g.change(func(now time.Time) { shut = g.breaker.yield(p, now) })
	}
	if shut != nil {
		return p, shut
	}
	return p, nil
}

// tell puts on the board what attempts have changed. Others wait for nothing: who finds
// news takes it.
func (g *Gate) tell(ctx context.Context) {
	if g.board == nil || !g.news() {
		return
	}
	g.telling.Lock()
	defer g.telling.Unlock()
	var s Standing
	var news bool
	g.change(func(now time.Time) { s, news = g.breaker.standing(now) })
	if news {
		g.board.tell(ctx, g.name, s, g.breaker.openFor)
	}
}

// adopt tells the breaker what another environment saw, unless it saw something itself since
// an era.
func (g *Gate) adopt(s Standing, era int) {
	g.change(func(now time.Time) {
		if g.breaker.era == era {
			g.breaker.adopt(s, now)
		}
	})
}

// change lets the breaker decide, one at a time, and reports the change of its state.
func (g *Gate) change(decide func(now time.Time)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	from := g.breaker.state
	decide(time.Now())
	if to := g.breaker.state; to != from && g.onChange != nil {
		g.onChange(from, to)
	}
}

func (g *Gate) era() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.era
}

func (g *Gate) news() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.news
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
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.breaker.state, g.breaker.last
}

// Concurrency is the most attempts that the gate ever lets through at once.
func (g *Gate) Concurrency() int { return int(g.slots.most) }

// Usual is the smoothed time of a good answer, 0 before the first.
func (g *Gate) Usual() time.Duration {
	g.slots.mu.Lock()
	defer g.slots.mu.Unlock()
	return g.slots.usual
}
