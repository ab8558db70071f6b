package itemresult

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// Format names the shape of a reply with results.
type Format string

// The formats.
const (
	// None: the status is all that a reply says.
	None Format = "none"
	// Langfuse is the reply of POST /api/public/ingestion, status 207.
	Langfuse Format = "langfuse"
	// Bulk is the reply of Elasticsearch's and OpenSearch's _bulk.
	Bulk Format = "bulk"
	// OTLP is the JSON reply of OTLP/HTTP.
	OTLP Format = "otlp"
	// PostHog is the reply of POST /i/v1/analytics/events.
	PostHog Format = "posthog"
)

// Valid reports whether f is one of the formats.
func (f Format) Valid() bool {
	switch f {
	case None, Langfuse, Bulk, OTLP, PostHog:
		return true
	}
	return false
}

const (
	// MaxBodyBytes bounds what is looked at of a body; the rest of it counts as cut off.
	MaxBodyBytes = 4 << 20
	// MaxDepth bounds the nesting of a body. The deepest format needs five levels.
	MaxDepth = 32
	// MaxCauseBytes bounds a cause.
	MaxCauseBytes = 512
)

// Reply is a 2xx reply.
type Reply struct {
	// Body as far as it was read.
	Body []byte
	// After is the reply's Retry-After. It holds for all events to be tried again.
	After time.Duration
}

// errNoResult says that a body is readable and has no results.
var errNoResult = errors.New("no results in the reply")

// Read returns the outcome of each event. A result without outcomes means that every
// event was delivered. Causes are the destination's words, capped but neither made
// printable nor scrubbed: that is for who knows the secrets.
//
// The error says why the body could not be read to its end, or that it has no results.
// It is for a debug line: the result holds regardless.
func (f Format) Read(events []event.Event, r Reply) (sink.Result, error) {
	body := newReader(r.Body)
	var found results
	var err error
	switch f {
	case None:
		return sink.Result{}, nil
	case OTLP:
		return readPartialSuccess(body, len(events))
	case Langfuse:
		err = readLangfuse(body, &found)
	case Bulk:
		err = readBulk(body, &found)
	case PostHog:
		err = readPostHog(body, &found)
	default:
		return sink.Result{}, fmt.Errorf("results: unknown format %q", string(f))
	}
	if err == nil {
		err = body.end()
	}
	if err == nil && len(found.list) == 0 && f != PostHog {
		err = errNoResult
	}
	if len(found.list) == 0 {
		return sink.Result{}, ignorable(err)
	}
	missing := noResult()
	if f == PostHog && err == nil {
		missing = sink.Outcome{}
	}
	return found.match(events, f, missing, r.After), ignorable(err)
}

// ignorable wraps the error of a body that does not read as results.
func ignorable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("results of the reply: %w", err)
}

// noResult is the outcome of an event that the reply does not speak of.
func noResult() sink.Outcome {
	return again(retry.Transient, 0, "the reply has no result for this event")
}

// result is what a reply says of one event.
type result struct {
	id      string
	outcome sink.Outcome
}

// results are those of a reply, in its order.
type results struct{ list []result }

func (r *results) add(id string, o sink.Outcome) { r.list = append(r.list, result{id, o}) }

// match carries results to the events they are about.
func (r *results) match(events []event.Event, f Format, missing sink.Outcome, after time.Duration) sink.Result {
	byID := r.byID()
	outcomes, echoed, quiet := make([]sink.Outcome, len(events)), false, true
	for i := range events {
		id := events[i].ID
		if f == PostHog {
			id = strings.ToLower(id)
		}
		o, ok := byID[id]
		echoed = echoed || ok
		if !ok {
			o = missing
		}
		outcomes[i] = o
	}
	if f == Bulk && !echoed {
		r.matchPositions(outcomes)
	}
	for i := range outcomes {
		if outcomes[i].Verdict == sink.Retry {
			outcomes[i].After = after
		}
		quiet = quiet && outcomes[i].Verdict == sink.Delivered
	}
	if quiet {
		return sink.Result{}
	}
	return sink.Result{Outcomes: outcomes}
}

// byID keeps the worst result for each id.
func (r *results) byID() map[string]sink.Outcome {
	byID := make(map[string]sink.Outcome, len(r.list))
	for i := range r.list {
		id, o := r.list[i].id, r.list[i].outcome
		if earlier, twice := byID[id]; !twice || badness(earlier.Verdict) < badness(o.Verdict) {
			byID[id] = o
		}
	}
	return byID
}

// matchPositions pairs results with events by their order.
func (r *results) matchPositions(outcomes []sink.Outcome) {
	for i := range min(len(outcomes), len(r.list)) {
		outcomes[i] = r.list[i].outcome
	}
}

// badness orders verdicts for an event that has several. Trying again at worst doubles
// it, a dead letter at worst keeps what has arrived; the other way round it is lost.
func badness(v sink.Verdict) int {
	switch v {
	case sink.Retry:
		return 2
	case sink.Rejected:
		return 1
	case sink.Delivered, sink.Untold:
	}
	return 0
}

func rejected(status int, cause string) sink.Outcome {
	return sink.Outcome{Verdict: sink.Rejected, Class: retry.Permanent, Status: status, Cause: causeOf(status, cause)}
}

func again(class retry.Class, status int, cause string) sink.Outcome {
	return sink.Outcome{Verdict: sink.Retry, Class: class, Status: status, Cause: causeOf(status, cause)}
}

// causeOf never returns nothing: a dead letter explains itself.
func causeOf(status int, cause string) string {
	switch {
	case cause == "" && status != 0:
		return fmt.Sprintf("the destination answered status %d for this event", status)
	case cause == "":
		return "the destination gave no reason for this event"
	}
	return cause[:min(len(cause), MaxCauseBytes)]
}
