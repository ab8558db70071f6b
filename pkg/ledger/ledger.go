package ledger

import (
	"cmp"
	"slices"
	"sync"
)

// Counter names one line of the books.
type Counter string

// Counters of ingest, per receiver and tenant.
const (
	Received Counter = "received" // items in requests with a known key
	Accepted Counter = "accepted" // durable on the queue
	Refused  Counter = "refused"  // not events; the client was told, or a dead letter holds them
	Filtered Counter = "filtered" // dropped by a filter of `processors`; the class says why: `unequal`, `missing`, `unreadable`
	Sampled  Counter = "sampled"  // dropped by sampling
	Limited  Counter = "limited"  // over a rate limit
)

// Counters of flush, per sink and class.
const (
	Routed       Counter = "routed"        // assigned to the sink: for the first time, by a replay, or again after `returned`
	Returned     Counter = "returned"      // not at an end when its message came back; `routed` again with it
	Delivered    Counter = "delivered"     // the sink has it
	Deduped      Counter = "deduped"       // recognised as delivered before
	Conflict     Counter = "conflict"      // among the deduped: their bytes differ from those that came first
	Rejected     Counter = "rejected"      // the sink will never take it, and configuration says not to keep it
	DeadLettered Counter = "dead_lettered" // kept on the dead-letter queue
	Retried      Counter = "retried"       // tried again inside the function
	Dropped      Counter = "dropped"       // not taken by a best-effort sink
	Deferred     Counter = "deferred"      // handed back to the queue for later
	Unrouted     Counter = "unrouted"      // no route wanted it (no sink)
)

// Key is one line of the books. Fields that do not apply to its counter are empty.
type Key struct {
	Counter          Counter
	Receiver, Tenant string
	Sink, Class      string
}

// Entry is a line with its count.
type Entry struct {
	Key
	Count int
}

// Ledger counts. The zero value is ready; it is safe for concurrent use.
type Ledger struct {
	mu     sync.Mutex
	counts map[Key]int
}

// New returns an empty ledger.
func New() *Ledger { return &Ledger{} }

// Add adds n to a line. Adding nothing leaves no line.
func (l *Ledger) Add(key Key, n int) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = make(map[Key]int)
	}
	l.counts[key] += n
}

// Take returns all lines, sorted, and starts again from nothing.
func (l *Ledger) Take() []Entry {
	l.mu.Lock()
	counts := l.counts
	l.counts = nil
	l.mu.Unlock()
	return sorted(counts)
}

// Snapshot returns all lines, sorted.
func (l *Ledger) Snapshot() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sorted(l.counts)
}

func sorted(counts map[Key]int) []Entry {
	entries := make([]Entry, 0, len(counts))
	for key, n := range counts {
		entries = append(entries, Entry{Key: key, Count: n})
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(
			cmp.Compare(a.Counter, b.Counter), cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Class, b.Class),
		)
	})
	return entries
}
