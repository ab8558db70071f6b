package sqs

import (
	"context"
	"time"
)

// receiveSpec is one receive; nil durations are the queue's own.
type receiveSpec struct {
	max              int
	wait, visibility *time.Duration
}

// receive takes messages, waiting for the first. Each receiver that is woken takes what it may, and ready wakes the
// next one if anything is left, so one arrival never starts a stampede and never leaves a receiver asleep beside a message.
func (s *Service) receive(ctx context.Context, name string, spec receiveSpec) ([]delivery, error) {
	var timeout <-chan time.Time
	for {
		taken, arrived, err := s.take(ctx, name, &spec)
		if arrived == nil {
			return taken, err
		}
		if timeout == nil {
			timeout = time.After(*spec.wait)
		}
		select {
		case <-arrived:
		case <-timeout:
			return taken, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take takes messages or, when there are none and the caller is to wait, returns what tells of the next one.
func (s *Service) take(ctx context.Context, name string, spec *receiveSpec) (taken []delivery, arrived <-chan struct{}, err error) {
	err = s.withQueue(name, func(q *queue, now time.Time) error {
		// Under the lock: a client that left before this point has nothing put in flight for it.
		if err := ctx.Err(); err != nil {
			return err
		}
		wait := valueOr(spec.wait, q.settings.wait)
		spec.wait = &wait
		if q.count[HeldInFlight] >= MaxInFlight && wait == 0 { // AWS never answers a long poll with it
			return errNamed("OverLimit", "Too many messages in flight: a queue holds at most %d.", MaxInFlight)
		}
		taken = q.take(now, spec.max, valueOr(spec.visibility, q.settings.visibility))
		if len(taken) == 0 && wait > 0 && !s.closed {
			arrived = q.arrived
		}
		return nil
	})
	return taken, arrived, err
}

// giveBack returns deliveries that the client did not get.
func (s *Service) giveBack(name string, deliveries []delivery) {
	_ = s.withQueue(name, func(q *queue, now time.Time) error { // a deleted queue has nothing to give back to
		for _, d := range deliveries {
			q.giveBack(now, d.handle)
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
