package sqs

import "github.com/gofrs/uuid/v5"

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
	// Arrived is when it came into this queue; for a dead letter that is after it was sent.
	Arrived int64
	// FirstReceived and LastReceived are 0 before the first receive.
	FirstReceived, LastReceived int64
	// Until ends the delay or the visibility timeout; 0 or past while visible.
	Until int64
	// Receives counts all receives, also those in the queue a dead letter came from; Received counts this queue's.
	Receives, Received int32
}

// state says where in its life a message is.
type state uint8

const (
	stateDelayed state = iota
	stateVisible
	stateInFlight
	// stateGone messages were deleted, expired or moved.
	stateGone
)

// record is one message in one queue. Only the service's lock holder may touch it, but for the payload. It is one
// allocation with few pointers, because a million of them are what every garbage collection has to look at.
type record struct {
	payload
	progress
	group *group
	// number is unique in the queue and part of each receipt handle.
	number uint64
	state  state
	// returned is true once it was received from this queue and became visible again.
	returned  bool
	heapPlace int32
	inGroup   links[*record]
	inArrival links[*record]
}

func (r *record) place() int32         { return r.heapPlace }
func (r *record) setPlace(place int32) { r.heapPlace = place }

func (r *record) links(chain chainName) *links[*record] {
	if chain == arrivalChain {
		return &r.inArrival
	}
	return &r.inGroup
}

// delivery is one receive of one message: what is needed to show it after the lock is released.
type delivery struct {
	*payload
	progress
	handle
}

func (q *queue) delivery(r *record) delivery {
	return delivery{&r.payload, r.progress, handle{Queue: q.id, Number: r.number, Received: r.Received}}
}
