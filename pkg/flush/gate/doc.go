// Package gate stands before one sink and decides whether, and when, an attempt may go
// through: how many at once (a limit that adapts), how many events per second, and
// whether the sink is well enough to be asked at all (a circuit breaker).
//
// The breaker, from https://github.com/sony/gobreaker:
//
//	state      an attempt      goes to
//	closed     runs            open after FailuresToOpen failures in a row, or one setup failure
//	open       is refused      half-open after OpenFor
//	half-open  one runs        closed when it succeeds, open when it fails
//
// A failure is an attempt of class transient, throttled or setup: the sink, or the way
// to it, is in trouble. A sink that rejects an event is well; an attempt that was
// cancelled says nothing.
//
// A Gate belongs to one execution environment and is safe for concurrent use.
package gate
