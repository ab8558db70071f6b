package sqs

import (
	"context"
	"slices"
	"time"
)

// waiter is one long poll that found nothing yet.
type waiter struct {
	// wake is closed by the one who takes the waiter out of the chain.
	wake    chan struct{}
	inChain links[*waiter]
}

func (w *waiter) links(_ chainName) *links[*waiter] { return &w.inChain }

func (w *waiter) woken() bool {
	select {
	case <-w.wake:
		return true
	default:
		return false
	}
}

// receiveSpec is one receive; nil durations are the queue's own.
type receiveSpec struct {
	max              int
	wait, visibility *time.Duration
	// polled is true at the end of a long poll, which AWS never answers with OverLimit.
	polled bool
}

// receive takes messages, waiting for the first. Each waiter that is woken takes what it may and wakes the next
// one if anything is left, so one arrival never starts a stampede and never leaves a receiver asleep beside a message.
func (s *Service) receive(ctx context.Context, name string, spec receiveSpec) ([]delivery, error) {
	taken, w, wait, err := s.takeOrJoin(ctx, name, spec)
	if err != nil || w == nil {
		return taken, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		last := false
		select {
		case <-w.wake:
		case <-timer.C:
			last = true
		case <-s.closing:
			last = true
		case <-ctx.Done():
			last = true
		}
		if last {
			spec.wait, spec.polled = new(time.Duration), true
			s.leave(name, w)
		}
		taken, w, _, err = s.takeOrJoin(ctx, name, spec)
		if err != nil || w == nil {
			return taken, err
		}
	}
}

// takeOrJoin takes messages or, when there are none and the caller waits, queues it up for wait.
func (s *Service) takeOrJoin(ctx context.Context, name string, spec receiveSpec) (taken []delivery, w *waiter, wait time.Duration, err error) {
	err = s.withQueue(name, func(q *liveQueue, now time.Time) error {
		// Under the lock: a client that left before this point has nothing put in flight for it.
		if err := ctx.Err(); err != nil {
			return err
		}
		wait = valueOr(spec.wait, q.settings.wait)
		if q.inFlight >= MaxInFlight && wait == 0 && !spec.polled {
			return errNamed("OverLimit", "Too many messages in flight: a queue holds at most %d.", MaxInFlight)
		}
		target, maxReceives := s.redriveTarget(q)
		var dead []*record
		taken, dead = q.take(now, spec.max, valueOr(spec.visibility, q.settings.visibility), maxReceives)
		s.bury(q, target, dead, now)
		if len(taken) == 0 && wait > 0 && !s.closed {
			w = &waiter{wake: make(chan struct{})}
			q.waiters.pushBack(w)
		}
		return nil
	})
	return taken, w, wait, err
}

// leave takes a waiter out that will not wait any longer. If it was already woken, somebody else is woken in its stead.
func (s *Service) leave(name string, w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[name]
	switch {
	case w.woken():
		if ok {
			q.wakeNext()
		}
	case ok:
		q.waiters.remove(w)
	}
}

// wakeNext wakes the longest waiting receiver if there is something for it.
func (q *liveQueue) wakeNext() {
	if q.visible == 0 || q.inFlight >= MaxInFlight {
		return
	}
	if w, ok := q.waiters.popFront(); ok {
		close(w.wake)
	}
}

// wakeAll wakes every receiver; they find out by themselves why.
func (q *liveQueue) wakeAll() {
	for w, ok := q.waiters.popFront(); ok; w, ok = q.waiters.popFront() {
		close(w.wake)
	}
}

// giveBack returns deliveries that the client did not get.
func (s *Service) giveBack(name string, deliveries []delivery) {
	_ = s.withQueue(name, func(q *liveQueue, _ time.Time) error { // a deleted queue has nothing to give back to
		for _, d := range slices.Backward(deliveries) {
			q.giveBack(d.handle)
		}
		return nil
	})
}

func valueOr[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
