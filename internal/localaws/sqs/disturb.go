package sqs

import "time"

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

// Disturb lets a test do to messages what a distributed SQS may do to them at any time. pick is asked for every message of the
// queue, oldest first; a message that it picks becomes visible after the delay that it returns. For a message in flight that
// means a second delivery while the first is being worked on, or a redelivery that comes late; for a visible one, being
// overtaken by others. It returns how many were picked.
//
// It is no operation of AWS, and pick must not call the service.
func (s *Service) Disturb(queueName string, pick func(Held) (delay time.Duration, picked bool)) (n int, err error) {
	err = s.withQueue(queueName, func(q *liveQueue, now time.Time) error {
		for r := q.arrivals.head; r != nil; r = r.inArrival.next {
			delay, picked := pick(r.held())
			if !picked {
				continue
			}
			n++
			q.postpone(r, now.Add(delay))
		}
		s.settle(q, now)
		return nil
	})
	return n, err
}

func (r *record) held() Held {
	switch r.state {
	case stateDelayed:
		return HeldDelayed
	case stateInFlight:
		return HeldInFlight
	case stateVisible, stateGone:
	}
	return HeldVisible
}

// postpone makes a record visible at until, whatever its state.
func (q *queue) postpone(r *record, until time.Time) {
	if r.state == stateVisible {
		q.withdraw(r)
		r.state = stateDelayed
		q.delayed++
	}
	q.reschedule(r, until)
}
