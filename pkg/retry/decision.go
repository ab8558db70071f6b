package retry

import (
	"fmt"
	"time"
)

// Action is what to do after a failure.
type Action string

// The three actions.
const (
	// Sleep: wait Decision.Delay here, then try again.
	Sleep Action = "sleep"
	// Defer: hand the work back (to a queue, a schedule, the caller) to be tried again no
	// sooner than Decision.Delay from now.
	Defer Action = "defer"
	// DeadLetter: stop, and park the work with Decision.Reason. Decision.Delay is 0.
	DeadLetter Action = "dead-letter"
)

// Decision is the answer of Policy.Next.
type Decision struct {
	Action Action
	// Delay is never negative and never above the larger of Policy.MaxDelay and
	// Policy.MaxRetryAfter.
	Delay  time.Duration
	Reason Reason
}

// String returns the decision in words, for logs: "sleep 200ms (backoff)".
func (d Decision) String() string {
	if d.Action == DeadLetter {
		return fmt.Sprintf("%s (%s)", d.Action, d.Reason)
	}
	return fmt.Sprintf("%s %s (%s)", d.Action, d.Delay, d.Reason)
}

// Reason says why a decision was taken. Its value is a short word for metrics and stored
// headers; Text is the sentence for people.
type Reason string

// Why to sleep.
const (
	ReasonBackoff    Reason = "backoff"
	ReasonRetryAfter Reason = "retry-after"
)

// Why to defer.
const (
	ReasonLongWait  Reason = "long-wait"
	ReasonDeadline  Reason = "deadline"
	ReasonCancelled Reason = "cancelled"
	ReasonSetup     Reason = "setup"
	ReasonBudget    Reason = "budget"
)

// Why to make a dead letter.
const (
	ReasonPermanent Reason = "permanent"
	ReasonTooLarge  Reason = "too-large"
	ReasonAttempts  Reason = "attempts"
	ReasonAge       Reason = "age"
)

// Text returns the reason as a clause for people, or the bare word if it is not one of
// the constants above.
func (r Reason) Text() string {
	switch r {
	case ReasonBackoff:
		return "waiting as long as the backoff says"
	case ReasonRetryAfter:
		return "waiting as long as the other side asked"
	case ReasonLongWait:
		return "the wait is longer than may be spent here"
	case ReasonDeadline:
		return "the wait would end after the deadline"
	case ReasonCancelled:
		return "stopped from outside, not an attempt"
	case ReasonSetup:
		return "credentials or configuration have to be put right first"
	case ReasonBudget:
		return "retries have used up their share of the traffic"
	case ReasonPermanent:
		return "the same request would be refused again"
	case ReasonTooLarge:
		return "a single item is above the size limit"
	case ReasonAttempts:
		return "all attempts are used up"
	case ReasonAge:
		return "too long since the first failure"
	}
	return string(r)
}
