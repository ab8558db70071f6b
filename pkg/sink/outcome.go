package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// Verdict is what a sink says of an event: one of three things, and a fourth for
// destinations that do not say enough.
type Verdict uint8

// The verdicts. The zero value is Delivered, so that the zero Result means that
// the whole batch arrived.
const (
	// Delivered: the destination has it, or had it already.
	Delivered Verdict = iota
	// Retry: it may be taken later; Class and After say how to wait.
	Retry
	// Rejected: it will never be taken as it is; Class says why.
	Rejected
	// Untold: the destination took the batch but for as many events as have this verdict,
	// and does not tell which (OTLP's partial success). Which events of the batch have it
	// means nothing. They are settled, because sending any again could double one that was
	// taken, and counted as rejected; none can be kept as a dead letter.
	Untold
)

// String returns the word used in logs and metrics.
func (v Verdict) String() string {
	switch v {
	case Delivered:
		return "delivered"
	case Retry:
		return "retry"
	case Rejected:
		return "rejected"
	case Untold:
		return "untold"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Outcome is what a sink said of one event.
type Outcome struct {
	Verdict Verdict
	// Class says why, unless Delivered.
	Class retry.Class
	// After is how long the destination asked to wait; 0 when it did not.
	After time.Duration
	// Status is the destination's status code for this event or its request, 0 if none.
	Status int
	// Cause is a short text for people, already scrubbed of secrets and capped.
	Cause string
}

// Result tells the outcome of each event of a batch, in the batch's order. An empty
// Outcomes means that every event was delivered.
type Result struct {
	Outcomes []Outcome
}

// Of returns the outcome of the i-th event. An event the sink said nothing about, in a
// result that speaks of others, is to be tried again.
func (r Result) Of(i int) Outcome {
	switch {
	case len(r.Outcomes) == 0:
		return Outcome{}
	case i < len(r.Outcomes):
		return r.Outcomes[i]
	}
	return Outcome{Verdict: Retry, Class: retry.Transient, Cause: "the reply has no result for this event"}
}

// Failure is an error that carries the outcome of a whole batch.
type Failure struct {
	Outcome Outcome
	// Err is the underlying error, nil when the destination answered.
	Err error
}

// Fail returns a *Failure for a batch that the destination refused or did not take.
// The verdict follows from the class: permanent and too-large are rejected, all
// others are to be tried again.
func Fail(class retry.Class, cause string, err error) *Failure {
	o := Outcome{Verdict: Retry, Class: class, Cause: cause}
	if class == retry.Permanent || class == retry.TooLarge {
		o.Verdict = Rejected
	}
	return &Failure{Outcome: o, Err: err}
}

func (f *Failure) Error() string {
	s := fmt.Sprintf("%s (%s): %s", f.Outcome.Verdict, f.Outcome.Class, f.Outcome.Cause)
	if f.Outcome.Status != 0 {
		s = fmt.Sprintf("status %d, %s", f.Outcome.Status, s)
	}
	return s
}

func (f *Failure) Unwrap() error { return f.Err }

// OutcomeOf reads the outcome of a whole batch from the error of Send; cancelled says
// whether the attempt's context was done.
func OutcomeOf(err error, cancelled bool) Outcome {
	var f *Failure
	switch {
	case err == nil:
		return Outcome{}
	case errors.As(err, &f):
		return f.Outcome
	case cancelled:
		return Outcome{Verdict: Retry, Class: retry.Cancelled, Cause: err.Error()}
	}
	return Outcome{Verdict: Retry, Class: retry.Transient, Cause: err.Error()}
}
