package retry

import (
	"math"
	"math/rand/v2"
	"time"
)

// Input is everything that Policy.Next depends on.
type Input struct {
	// Attempt is how many attempts were made so far, at least 1, counting only failures
	// whose class CountsAsAttempt.
	Attempt int
	// Class of the last failure. One that is not Valid is treated as Transient, which ends
	// in a dead letter at worst.
	Class Class
	// RetryAfter is what the server asked for, 0 for nothing; see ParseRetryAfter.
	RetryAfter time.Duration
	// Elapsed since the first failure that counts as an attempt. Negative (a clock that
	// was set back) is 0.
	Elapsed time.Duration
	// Remaining until the deadline of this invocation, less what the next attempt itself
	// needs; zero or negative when there is none left, NoDeadline when there is no deadline.
	Remaining time.Duration
}

// Next decides what to do after a failure. It is pure: the same arguments give the same
// answer, and it may be called from many goroutines if rnd may. rnd returns numbers in
// [0, 1); nil stands for math/rand/v2.
//
//	permanent, too-large     dead letter
//	cancelled                defer, at once unless the server asked to wait
//	setup                    defer by MaxDelay; neither attempts nor age run out
//	all else                 dead letter when attempts or age are used up, or else wait:
//	                         sleep if the wait fits MaxInlineWait and Remaining, or else defer
//
// A wait is at least what the server asked for (up to MaxRetryAfter) and never above the
// larger of MaxDelay and MaxRetryAfter.
func (p Policy) Next(in Input, rnd func() float64) Decision {
	p = p.WithDefaults()
	asked := min(max(in.RetryAfter, 0), p.MaxRetryAfter)
	switch in.Class {
	case Permanent:
		return Decision{Action: DeadLetter, Reason: ReasonPermanent}
	case TooLarge:
		return Decision{Action: DeadLetter, Reason: ReasonTooLarge}
	case Cancelled:
		return Decision{Action: Defer, Delay: asked, Reason: ReasonCancelled}
	case Setup:
		return Decision{Action: Defer, Delay: max(p.MaxDelay, asked), Reason: ReasonSetup}
	case Transient, Throttled: // below, together with what is not Valid
	}
	switch {
	case in.Attempt >= p.MaxAttempts:
		return Decision{Action: DeadLetter, Reason: ReasonAttempts}
	case in.Elapsed >= p.MaxAge:
		return Decision{Action: DeadLetter, Reason: ReasonAge}
	}
	return p.place(p.wait(in.Attempt, asked, rnd), asked, in.Remaining)
}

// place decides where a wait is spent: here if it is short and ends before the deadline.
func (p Policy) place(wait, asked, remaining time.Duration) Decision {
	switch {
	case wait > p.MaxInlineWait:
		return Decision{Action: Defer, Delay: wait, Reason: ReasonLongWait}
	case wait >= remaining: // a wait that ends at the deadline leaves no time to try
		return Decision{Action: Defer, Delay: wait, Reason: ReasonDeadline}
	case asked > 0:
		return Decision{Action: Sleep, Delay: wait, Reason: ReasonRetryAfter}
	}
	return Decision{Action: Sleep, Delay: wait, Reason: ReasonBackoff}
}

// wait is max(backoff, asked), spread by jitter. What the server asked for is told to
// everybody it refuses, so the jitter goes on top of it: the wait lies in
// [asked, asked+backoff], cut off at the larger of the two caps. That is never below
// max(jittered backoff, asked), and with nothing asked it is plain full jitter.
func (p Policy) wait(attempt int, asked time.Duration, rnd func() float64) time.Duration {
	backoff := p.backoff(attempt)
	if p.Jitter == NoJitter {
		return max(backoff, asked)
	}
	room := max(p.MaxDelay, p.MaxRetryAfter) - asked
	return asked + fraction(min(backoff, room), rnd)
}

// backoff is InitialDelay*Multiplier^(attempt-1), at most MaxDelay. The cap comes before
// jitter: jitter that is capped afterwards piles up at the cap, where it matters most.
func (p Policy) backoff(attempt int) time.Duration {
	grown := float64(p.InitialDelay) * math.Pow(p.Multiplier, float64(max(attempt, 1)-1))
	if grown < float64(p.MaxDelay) {
		return time.Duration(grown)
	}
	return p.MaxDelay // also when grown is +Inf
}

// fraction returns a random part of d in [0, d], whatever rnd returns.
func fraction(d time.Duration, rnd func() float64) time.Duration {
	if rnd == nil {
		rnd = rand.Float64
	}
	part := float64(d) * rnd()
	switch {
	case part >= float64(d):
		return d
	case part > 0:
		return time.Duration(part)
	}
	return 0 // also when rnd is NaN
}
