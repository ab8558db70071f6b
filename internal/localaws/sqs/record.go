package sqs

import "time"

// payload is what a sender sent. It never changes, so it is read without the lock.
type payload struct {
	id         string
	body       string
	attributes attributeList
	bodySum    [16]byte
	// attributeSum is the MD5 of all attributes; meaningless when there are none.
	attributeSum [16]byte
	groupID      string
	traceHeader  string
	sent         time.Time
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

// record is one message's place in one queue. Only the service's lock holder may touch it.
type record struct {
	*payload
	group *group
	// number is unique in the queue and part of each receipt handle.
	number uint64
	// arrived is when it came into this queue, in Unix nanoseconds; for a dead letter that is after it was sent.
	arrived int64
	// firstReceived and lastReceived are Unix nanoseconds, 0 before the first receive.
	firstReceived, lastReceived int64
	// until ends the delay or the visibility timeout, in Unix nanoseconds; 0 or past while visible.
	until int64
	// receives counts all receives, also those in the queue a dead letter came from; received counts this queue's.
	receives, received int32
	// sourceARN is the queue that a dead letter came from.
	sourceARN string
	state     state
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
	queueID       uint64
	number        uint64
	receives      int32
	received      int32
	firstReceived int64
	sourceARN     string
}
