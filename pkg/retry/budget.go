package retry

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// The values that a zero field of BudgetOptions stands for: those of Finagle's
// RetryBudget, 20 % on top of 10 retries a second, kept for 10 s.
const (
	DefaultShare        = 0.2
	DefaultMinPerSecond = 10.0
	DefaultBurst        = 100.0
)

// BudgetOptions says how many retries a Budget allows.
type BudgetOptions struct {
	// Share is how many retries each first attempt earns: 0.2 allows one retry for five
	// requests. Default 0.2.
	Share float64
	// MinPerSecond is how many retries a second are allowed whatever the traffic, for
	// callers with little of it. Default 10.
	MinPerSecond float64
	// Burst is how many unused retries are kept, at least 1. A new Budget has them all.
	// Default 100.
	Burst float64
}

// withDefaults returns the options with every field filled in.
func (o BudgetOptions) withDefaults() BudgetOptions {
	if o.Share == 0 {
		o.Share = DefaultShare
	}
	if o.MinPerSecond == 0 {
		o.MinPerSecond = DefaultMinPerSecond
	}
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	return o
}

// Validate returns all problems of the options joined, each beginning with the name of
// its field, or nil.
func (o BudgetOptions) Validate() error {
	o = o.withDefaults()
	return errors.Join(
		refuseBelow("Share", o.Share, 0),
		refuseBelow("MinPerSecond", o.MinPerSecond, 0),
		refuseBelow("Burst", o.Burst, 1),
	)
}

// Budget limits retries to a share of the traffic, so that a destination in trouble does
// not get several times its usual load. It is a token bucket: first attempts and the clock
// fill it, retries empty it. Over any stretch of time
//
//	retries <= Burst + Share*attempts + MinPerSecond*seconds
//
// Use one Budget for each destination. Its methods may be called from many goroutines. A
// nil *Budget allows everything.
type Budget struct {
	options BudgetOptions

	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// NewBudget returns a full budget, or the error of options.Validate.
func NewBudget(options BudgetOptions) (*Budget, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("retry budget: %w", err)
	}
	options = options.withDefaults()
	return &Budget{options: options, tokens: options.Burst, filled: time.Now()}, nil
}

// Attempted tells the budget of a first attempt, which earns Share of a retry.
func (b *Budget) Attempted() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(b.options.Share)
}

// Allow reports whether a retry may be made now, and if so pays for it.
func (b *Budget) Allow() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(0)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// Limit pays for the retry that a Sleep leads to, or turns it into a Defer of the same
// delay if the budget is spent: the work is kept, the load is not added. Other decisions
// are returned as they are.
func (b *Budget) Limit(d Decision) Decision {
	if d.Action != Sleep || b.Allow() {
		return d
	}
	return Decision{Action: Defer, Delay: d.Delay, Reason: ReasonBudget}
}

// fill adds what was earned, and what the clock brings since the last call.
func (b *Budget) fill(earned float64) {
	now := time.Now()
	earned += now.Sub(b.filled).Seconds() * b.options.MinPerSecond
	b.tokens = min(b.tokens+earned, b.options.Burst)
	b.filled = now
}
