package sqs

import "github.com/gofrs/uuid/v5"

// Held says where in its life a message is.
type Held uint8

// The states of a message that is on a queue.
const (
	HeldVisible Held = iota
	// HeldDelayed messages have not been visible yet.
	HeldDelayed
	// HeldInFlight messages were received and are neither deleted nor visible again.
	HeldInFlight
)

// payload is a message as it came into its queue. It never changes, so it is read without the lock; the journal
// keeps it as it is here.
type payload struct {
	ID          uuid.UUID            `json:"id"`
	Body        string               `json:"body"`
	Attributes  map[string]Attribute `json:"attributes,omitempty"`
	GroupID     string               `json:"group,omitempty"`
	TraceHeader string               `json:"trace,omitempty"`
	// SourceARN is the queue that a dead letter came from.
	SourceARN string `json:"source,omitempty"`
	// Sent is Unix nanoseconds.
	Sent    int64 `json:"sent"`
	bodySum [16]byte
}

// progress is what has happened to a message in its queue, in Unix nanoseconds. The journal keeps it in encoding/binary's big-endian form.
type progress struct {
	// Number is unique in the queue and part of each receipt handle. It rises in the order of arrival: it is the time of that, or a little later.
	Number uint64
	// FirstReceived and LastReceived are 0 before the first receive.
	FirstReceived, LastReceived int64
	// Until ends the delay or the visibility timeout; 0 or past while visible.
	Until int64
	// Receives counts all receives, also those in the queue a dead letter came from; Received counts this queue's.
	Receives, Received int32
}

// record is one message in one queue. Only the service's lock holder may touch it, but for the payload. A million of
// them have to fit in memory, and are what every garbage collection has to look at.
type record struct {
	payload
	progress
	group *group
	// due is when something happens to it by itself.
	due int64
	// previous and next are its neighbours among the group's visible records. A list apart would be as many objects
	// again for the garbage collector.
	previous, next *record
	heapPlace      int32
	held           Held
}

func (r *record) before(other *record) bool {
	return r.due < other.due || r.due == other.due && r.Number < other.Number
}

func (r *record) place() *int32 { return &r.heapPlace }

// delivery is one receive of one message: what is needed to show it after the lock is released.
type delivery struct {
	*payload
	progress
	handle
}

func (q *queue) delivery(r *record) delivery {
	return delivery{&r.payload, r.progress, handle{Queue: q.ID, Number: r.Number, Received: r.Received}}
}
