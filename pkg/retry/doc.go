// Package retry decides what to do after a failure: wait here, hand the work back, or
// give it up with a reason.
//
// Policy.Next is a pure function of what happened; time and randomness are arguments. It
// suits code that may not wait long, such as a function behind a queue: short waits are a
// Sleep, long ones and those past the deadline a Defer. Callers who just want a loop use
// Do. A Budget keeps retries to a share of the traffic, and ParseRetryAfter reads the
// header of that name.
//
// The waits follow "Exponential Backoff And Jitter" (AWS Architecture Blog): exponential,
// capped, then full jitter. What a server asks for with Retry-After is a floor under them.
//
// The package imports the standard library only.
package retry
