package flush

import (
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// fate is what happens to events that a sink has not taken. It is comparable: events
// of one pack with the same fate travel on in one pack.
type fate struct {
	action  retry.Action // Defer: a residue on the queue. DeadLetter: the dead letters.
	sink    string
	delay   time.Duration // of a residue
	attempt int           // attempts made so far
	class   retry.Class
	stop    string // why a dead letter is one
	status  int
	cause   string
	early   bool // the residue came before its time: its reason stays as it is
}

// origin is where an event on its way to a sink came from: its place in run.packs and in
// its pack, and the unit that it is.
type origin struct{ pack, event, unit int }

// noUnit is the unit of an event that was not to be sent this time.
const noUnit = -1

// put notes the fate of an event.
func (r *run) put(f fate, from origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled[f] = append(r.settled[f], from)
}

// decided turns a retry decision about an outcome into a fate.
func decided(d retry.Decision, l *lane, attempt int, o sink.Outcome) fate {
	f := fate{
		action: d.Action, sink: l.sink, delay: d.Delay, attempt: attempt,
		class: o.Class, status: o.Status, cause: deadletter.Cause(o.Cause),
	}
	if d.Action == retry.DeadLetter {
		f.stop = string(d.Reason)
	}
	return f
}

// unknownSink is the fate of a pack addressed to a sink that is not configured (any more).
func unknownSink(h *batch.Header) fate {
	return fate{
		action: retry.DeadLetter, sink: h.Sink, attempt: h.Attempt, class: retry.Setup,
		stop: "unknown sink", cause: fmt.Sprintf("sink %q is not configured", h.Sink),
	}
}

// tooEarly is the fate of a residue whose wait is longer than one SQS delay.
func tooEarly(h *batch.Header, now time.Time) fate {
	return fate{action: retry.Defer, sink: h.Sink, delay: h.NotBefore.Sub(now), attempt: h.Attempt, early: true}
}

// reason tells the story of a fate for the header of pack h.
func (f *fate) reason(h *batch.Header, now time.Time) *batch.Reason {
	if f.early {
		return h.Reason
	}
	first := now.UTC()
	if h.Attempt > 0 && h.Reason != nil {
		first = h.Reason.First
	}
	return &batch.Reason{
		Class: string(f.class), Stop: f.stop, Status: f.status, Cause: f.cause,
		Attempts: f.attempt, First: first, Last: now.UTC(),
	}
}
