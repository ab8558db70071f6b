package main

import (
	"maps"
	"slices"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// books are both sides of the accounts at one moment: what ingest received and what became of it, what each sink was to
// get and what became of that, and what the queues hold.
type books struct {
	Queue       queue.Depth          `json:"queue"`
	DeadLetters queue.Depth          `json:"dead_letters"`
	Ingest      ingestBooks          `json:"ingest"`
	Sinks       map[string]sinkBooks `json:"sinks"`
	// Fresh events are on the main queue and no flush has reported them yet.
	Fresh int `json:"fresh"`
	// Counted says that the queues were looked through; else fresh, held, letters and difference are 0, because the
	// queues hold more than 100,000 packs, or held them when the books were begun.
	Counted bool `json:"counted"`
	// Balanced says that nothing is unaccounted for and no sink has a difference.
	Balanced bool `json:"balanced"`
}

// ingestBooks count items: received = accepted + refused + filtered + sampled + limited + unaccounted.
type ingestBooks struct {
	Received int `json:"received"`
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Filtered int `json:"filtered"`
	Sampled  int `json:"sampled"`
	Limited  int `json:"limited"`
	// Unaccounted is anything but 0 only when an invocation was killed before it could report, or Millrace has a bug.
	Unaccounted int `json:"unaccounted"`
}

// sinkBooks count events: carried + routed = delivered + deduped + rejected + dropped + dead_lettered + returned + in_flight.
type sinkBooks struct {
	Routed       int `json:"routed"`
	Delivered    int `json:"delivered"`
	Deduped      int `json:"deduped"`
	Rejected     int `json:"rejected"`
	Dropped      int `json:"dropped"`
	DeadLettered int `json:"dead_lettered"`
	// Returned events came back with their message, because no queue would take what is left of it, or another flush has
	// it; they are routed once more.
	Returned int `json:"returned"`
	InFlight int `json:"in_flight"`
	// Carried events were in flight when the books were begun, at the start of `millrace dev`.
	Carried int `json:"carried"`
	// Held are the events in flight that are on the queues, and Difference is in_flight - held: while a flush runs, what it
	// has not reported yet; else what a flush that was killed did not report, or a bug.
	Held       int `json:"held"`
	Difference int `json:"difference"`
	// Letters are the events among the dead letters now.
	Letters int `json:"letters"`
	// Conflict counts those of the deduped whose bytes differ from what came first under their id.
	Conflict int `json:"conflict"`
	// Retried and Deferred count how often events had to wait, not where they ended.
	Retried  int `json:"retried"`
	Deferred int `json:"deferred"`
}

// newBooks adds up the lines of a ledger. Every sink in sinks is there, also when nothing was counted for it.
func newBooks(entries []ledger.Entry, sinks ...string) books {
	b := books{Sinks: make(map[string]sinkBooks, len(sinks))}
	for _, name := range sinks {
		b.Sinks[name] = sinkBooks{}
	}
	for _, e := range entries {
		b.Ingest.add(e)
		if e.Sink != "" {
			sink := b.Sinks[e.Sink]
			sink.add(e)
			b.Sinks[e.Sink] = sink
		}
	}
	b.Ingest.Unaccounted = ledger.Unaccounted(entries)
	for name, inFlight := range ledger.Balance(entries) {
		if sink, known := b.Sinks[name]; known {
			sink.InFlight = inFlight
			b.Sinks[name] = sink
		}
	}
	return b
}

func (b *ingestBooks) add(e ledger.Entry) {
	switch e.Counter {
	case ledger.Received:
		b.Received += e.Count
	case ledger.Accepted:
		b.Accepted += e.Count
	case ledger.Refused:
		b.Refused += e.Count
	case ledger.Filtered:
		b.Filtered += e.Count
	case ledger.Sampled:
		b.Sampled += e.Count
	case ledger.Limited:
		b.Limited += e.Count
	default: // of flush
	}
}

func (b *sinkBooks) add(e ledger.Entry) {
	switch e.Counter {
	case ledger.Routed:
		b.Routed += e.Count
	case ledger.Delivered:
		b.Delivered += e.Count
	case ledger.Deduped:
		b.Deduped += e.Count
	case ledger.Rejected:
		b.Rejected += e.Count
	case ledger.Dropped:
		b.Dropped += e.Count
	case ledger.DeadLettered:
		b.DeadLettered += e.Count
	case ledger.Returned:
		b.Returned += e.Count
	case ledger.Conflict:
		b.Conflict += e.Count
	case ledger.Retried:
		b.Retried += e.Count
	case ledger.Deferred:
		b.Deferred += e.Count
	default: // of ingest
	}
}

// sinkNames are the names of the sinks, sorted.
func (b *books) sinkNames() []string { return slices.Sorted(maps.Keys(b.Sinks)) }
