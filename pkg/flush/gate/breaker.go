package gate

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// State is the breaker's state.
type State string

// States, see the table in the package documentation.
const (
	Closed   State = "closed"
	HalfOpen State = "half-open"
	Open     State = "open"
)

// breaker is the state machine of the package documentation. It decides and does nothing
// else: time comes in as an argument, and its owner sees to it that one asks at a time.
type breaker struct {
	failuresToOpen int
	openFor        time.Duration

	state    State
	era      int       // changes of state so far; an attempt of an earlier era says nothing about this one
	failures int       // in a row, while closed
	until    time.Time // no attempt before: the end of open, or a pause between probes
	respect  time.Time // while half-open: when others are no longer waited for
	probing  bool      // while half-open: one is under way
	last     Verdict   // the latest that speaks against the sink
	news     bool      // the state was changed by what we saw, and nobody has been told
}

// pass lets one attempt through.
type pass struct {
	era int
	ask bool // it is a probe, which another environment may be making
}

// respect is for how long, when a sink may be probed, the probes of others are waited for:
// two of them. Then an environment probes by itself, whatever a claim of a clock that is wrong says.
const respect = 2 * probeLease

// admit lets an attempt through, or says why not and for how long.
func (b *breaker) admit(now time.Time) (pass, *ShutError) {
	if b.state == Open && !now.Before(b.until) {
		b.turn(HalfOpen)
		b.respect = now.Add(respect)
	}
	if b.state == Closed {
		return pass{era: b.era}, nil
	}
	if b.probing || now.Before(b.until) {
		return pass{}, b.shut(now)
	}
	b.probing = true
	return pass{era: b.era, ask: now.Before(b.respect)}, nil
}

// pause is how long a sink is left alone whose probe is under way, here or elsewhere. When
// it will be answered is not known: a tenth of the usual time is a fair guess, but no longer than a
// probe is left to who makes it. Sinks that are left alone for a quarter of an hour answer no
// slower than others.
func (b *breaker) pause() time.Duration { return min(b.openFor/10, probeLease) } //nolint:mnd // a tenth

func (b *breaker) shut(now time.Time) *ShutError {
	return &ShutError{
		Class: b.last.Class, After: max(b.until.Sub(now), b.pause()),
		Cause: "the sink is left alone for a while: " + b.last.Cause,
	}
}

// yield gives a probe back that somebody else is making, to ask again soon.
func (b *breaker) yield(p pass, now time.Time) *ShutError {
	if p.era == b.era {
		b.probing, b.until = false, now.Add(b.pause())
	}
	return b.shut(now)
}

// hear takes the verdict of an attempt that was let through.
func (b *breaker) hear(p pass, v Verdict, now time.Time) {
	if p.era != b.era {
		return
	}
	b.probing = false
	switch v.Class {
	case retry.Cancelled:
	case retry.Transient, retry.Throttled, retry.Setup:
		b.last = v
		b.failures++
		if b.state == HalfOpen || b.failures >= b.failuresToOpen || v.Class == retry.Setup {
			b.turn(Open)
			b.until, b.news = now.Add(b.openFor), true
		}
	case retry.Permanent, retry.TooLarge, "":
		b.failures = 0
		if b.state == HalfOpen {
			b.turn(Closed)
			b.news = true
		}
	}
}

// adopt believes what another environment saw. However wrong its clock is, the sink is
// left alone for openFor at most. Who is probing will know better in a moment.
func (b *breaker) adopt(s Standing, now time.Time) {
	switch {
	case b.probing:
	case s.State == Closed:
		if b.state != Closed {
			b.turn(Closed)
		}
	default:
		if b.state != Open {
			b.turn(Open)
		}
		b.until = earlier(s.Until, now.Add(b.openFor))
		b.last = Verdict{Class: s.Class, Cause: s.Cause}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (b *breaker) turn(to State) {
	b.state, b.probing, b.failures, b.news = to, false, 0, false
	b.era++
}

// standing is what others should know, when there is news for them.
func (b *breaker) standing(now time.Time) (s Standing, news bool) {
	news, b.news = b.news, false
	s = Standing{State: b.state, At: now}
	if s.State == Open {
		s.Until, s.Class, s.Cause = b.until, b.last.Class, b.last.Cause
	}
	return s, news
}
