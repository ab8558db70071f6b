package retry

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// The values that a zero field of Policy stands for.
const (
	// DefaultInitialDelay suits a request of tens of milliseconds: long enough for a load
	// balancer to drop a dead target, short beside an invocation.
	DefaultInitialDelay = 200 * time.Millisecond
	// DefaultMaxDelay is the ceiling that OpenTelemetry's retry_on_failure has too
	// (max_interval 30s).
	DefaultMaxDelay = 30 * time.Second
	// DefaultMultiplier doubles.
	DefaultMultiplier = 2.0
	// DefaultMaxInlineWait bounds what is paid for waiting in one function invocation.
	DefaultMaxInlineWait = 5 * time.Second
	// DefaultMaxRetryAfter is the longest DelaySeconds of an SQS message, 900 s
	// (SQS API reference, SendMessage).
	DefaultMaxRetryAfter = 15 * time.Minute
	// DefaultMaxAttempts is 11 waits, 2 min 21 s of backoff at most with the delays above:
	// long enough for a deployment or a failover on the other side.
	DefaultMaxAttempts = 12
	// DefaultMaxAge is a day, as long as EventBridge retries by default. It matters when a
	// server asks for long waits or the queue is slow, for attempts run out first otherwise.
	DefaultMaxAge = 24 * time.Hour
)

// NoDeadline is the Input.Remaining of a caller that may wait for ever.
const NoDeadline time.Duration = math.MaxInt64

// Jitter says how a backoff is spread, so that callers that failed together do not come
// back together.
type Jitter uint8

const (
	// FullJitter waits a random time between 0 and the backoff. Of the usual methods it
	// makes the fewest calls ("Exponential Backoff And Jitter", AWS Architecture Blog).
	FullJitter Jitter = iota
	// NoJitter waits the backoff exactly: for a single caller, or to reproduce a system
	// that does.
	NoJitter
)

// Policy says how long to wait between attempts and when to stop. The zero value is
// usable and means the defaults; a value that Validate refuses is read as its default.
// It holds no state: copy it and share it freely between goroutines.
type Policy struct {
	// InitialDelay is the backoff after the first attempt. Default 200 ms. With
	// FullJitter it is the upper end of what is waited.
	InitialDelay time.Duration
	// MaxDelay caps the backoff, before jitter. It is also the pause of a setup failure.
	// Default 30 s.
	MaxDelay time.Duration
	// Multiplier is by how much the backoff grows from attempt to attempt, 1 or more.
	// Default 2.
	Multiplier float64
	// Jitter spreads the waits. Default FullJitter.
	Jitter Jitter
	// MaxInlineWait is the longest Sleep; anything above is a Defer. Raise it to wait in
	// the process (paid for, in a function), lower it to use the queue more. Default 5 s.
	MaxInlineWait time.Duration
	// MaxRetryAfter is the most of a server's Retry-After that is obeyed, so that an absurd
	// value cannot park work for ever. Default 15 min, what one SQS delay can hold: a caller
	// that raises it has to chain delays.
	MaxRetryAfter time.Duration
	// MaxAttempts is how many attempts are made in all, the first included. Default 12.
	// For no limit use math.MaxInt.
	MaxAttempts int
	// MaxAge is how long after the first failure attempts are still made. Default 24 h.
	// For no limit use NoDeadline.
	MaxAge time.Duration
}

// WithDefaults returns the policy with every field filled in, as Next sees it.
func (p Policy) WithDefaults() Policy {
	p.InitialDelay = positiveOr(p.InitialDelay, DefaultInitialDelay)
	p.MaxDelay = positiveOr(p.MaxDelay, DefaultMaxDelay)
	p.MaxInlineWait = positiveOr(p.MaxInlineWait, DefaultMaxInlineWait)
	p.MaxRetryAfter = positiveOr(p.MaxRetryAfter, DefaultMaxRetryAfter)
	p.MaxAge = positiveOr(p.MaxAge, DefaultMaxAge)
	p.MaxAttempts = positiveOr(p.MaxAttempts, DefaultMaxAttempts)
	if !finiteFrom(1, p.Multiplier) {
		p.Multiplier = DefaultMultiplier
	}
	if p.Jitter > NoJitter {
		p.Jitter = FullJitter
	}
	return p
}

// Validate returns all problems of the policy joined, each beginning with the name of its
// field, or nil.
func (p Policy) Validate() error {
	problems := []error{
		refuseNegative("InitialDelay", p.InitialDelay),
		refuseNegative("MaxDelay", p.MaxDelay),
		refuseNegative("MaxInlineWait", p.MaxInlineWait),
		refuseNegative("MaxRetryAfter", p.MaxRetryAfter),
		refuseNegative("MaxAge", p.MaxAge),
	}
	if p.MaxAttempts < 0 {
		problems = append(problems, fmt.Errorf("MaxAttempts: %d is negative", p.MaxAttempts))
	}
	if p.Multiplier != 0 {
		problems = append(problems, refuseBelow("Multiplier", p.Multiplier, 1))
	}
	if p.Jitter > NoJitter {
		problems = append(problems, fmt.Errorf("Jitter: %d is unknown", p.Jitter))
	}
	if full := p.WithDefaults(); full.InitialDelay > full.MaxDelay {
		problems = append(problems, fmt.Errorf("InitialDelay: %s is above MaxDelay %s", full.InitialDelay, full.MaxDelay))
	}
	return errors.Join(problems...)
}

func positiveOr[T int | time.Duration](value, fallback T) T {
	if value > 0 {
		return value
	}
	return fallback
}

// finiteFrom reports whether value is a number, finite and at least least.
func finiteFrom(least, value float64) bool {
	return value >= least && !math.IsInf(value, 1) // NaN fails the comparison
}

func refuseBelow(field string, value, least float64) error {
	if finiteFrom(least, value) {
		return nil
	}
	return fmt.Errorf("%s: %v is not a finite number of %v or more", field, value, least)
}

func refuseNegative(field string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s: %s is negative", field, d)
	}
	return nil
}
