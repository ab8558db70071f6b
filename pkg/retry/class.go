package retry

// Class says why an attempt did not succeed, and so whether another can help. It is a
// string so that it reads the same in logs, metrics and stored headers.
type Class string

// The six classes.
const (
	// Transient: the other side or the way to it is in trouble (408, 5xx, reset, time-out).
	Transient Class = "transient"
	// Throttled: the other side is well and asks for less (429, or 503 with Retry-After).
	Throttled Class = "throttled"
	// TooLarge: the request has to be split (413). The caller splits; only a single item
	// that is still too large gets as far as Policy.Next.
	TooLarge Class = "too-large"
	// Permanent: the same bytes will be refused again (400, 415, 422).
	Permanent Class = "permanent"
	// Setup: credentials or configuration are wrong (401, 403, redirect): a person has to
	// act, and the events are to be kept meanwhile.
	Setup Class = "setup"
	// Cancelled: we stopped the attempt ourselves (shutdown, deadline). Nothing is known
	// of the other side, so it is no attempt at all.
	Cancelled Class = "cancelled"
)

// Valid reports whether c is one of the six classes.
func (c Class) Valid() bool {
	switch c {
	case Transient, Throttled, TooLarge, Permanent, Setup, Cancelled:
		return true
	}
	return false
}

// Retryable reports whether the same request may succeed later with nobody's help:
// Transient, Throttled and Cancelled.
func (c Class) Retryable() bool {
	return c == Transient || c == Throttled || c == Cancelled
}

// CountsAsAttempt reports whether a failure of this class is added to Input.Attempt and
// may start Input.Elapsed. Cancelled is not an attempt, and Setup says nothing about the
// events: both may repeat for days without bringing an event closer to its dead letter.
func (c Class) CountsAsAttempt() bool {
	return c != Cancelled && c != Setup
}
