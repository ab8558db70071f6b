package retry

import (
	"errors"
	"fmt"
	"time"
)

// Failure is an error that states its class and what the server asked for. A function
// given to Do returns one, anywhere in its error's tree, to be understood.
type Failure struct { //nolint:errname // retry.Failure, as its constructor is Fail; Error is what Do returns
	Class Class
	// RetryAfter is what the server asked for, 0 for nothing.
	RetryAfter time.Duration
	// Err is what happened; may be nil.
	Err error
}

// Fail returns a *Failure for what happened, with what the server asked for (0: nothing).
func Fail(class Class, retryAfter time.Duration, err error) *Failure {
	return &Failure{Class: class, RetryAfter: retryAfter, Err: err}
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return string(f.Class)
	}
	return fmt.Sprintf("%s: %v", f.Class, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// RetryHint returns the class and what the server asked for.
func (f *Failure) RetryHint() (Class, time.Duration) { return f.Class, f.RetryAfter }

// Hinter is what Classify looks for in an error's tree; *Failure is one. Error types of
// other packages implement it to be understood by Do without wrapping.
type Hinter interface {
	RetryHint() (class Class, retryAfter time.Duration)
}

// Classify returns the class that err states and what the server asked for, or Transient
// and 0 if it states nothing: of an unknown failure, too many attempts cost less than a
// lost event.
func Classify(err error) (Class, time.Duration) {
	var hinter Hinter
	if errors.As(err, &hinter) {
		return hinter.RetryHint()
	}
	return Transient, 0
}

// Error says why Do stopped. errors.Is and errors.As find what is in Last and in
// Interrupt, so that errors.Is(err, context.Canceled) holds after a shutdown.
type Error struct {
	// Last is the error of the last attempt, nil if none was made.
	Last error
	// Why the loop stopped.
	Why Reason
	// Attempts that were made; one that was cancelled is not counted.
	Attempts int
	// Delay is how long to wait before going on, for callers who can hand the work back:
	// the delay of the Defer that ended the loop, 0 if it was not a Defer.
	Delay time.Duration
	// Interrupt is the context's cause if its end stopped the loop, or else nil. It is nil
	// for ReasonDeadline: the loop stopped while the context was still alive.
	Interrupt error
}

func (e *Error) Error() string {
	cause := e.Last
	if cause == nil {
		cause = e.Interrupt
	}
	noun := "attempts"
	if e.Attempts == 1 {
		noun = "attempt"
	}
	return fmt.Sprintf("stopped after %d %s (%s): %v", e.Attempts, noun, e.Why.Text(), cause)
}

// Unwrap returns what of Last and Interrupt there is.
func (e *Error) Unwrap() []error {
	causes := make([]error, 0, 2)
	for _, cause := range []error{e.Last, e.Interrupt} {
		if cause != nil {
			causes = append(causes, cause)
		}
	}
	return causes
}
