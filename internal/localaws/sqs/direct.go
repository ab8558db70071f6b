package sqs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// direct runs a call of Go code in this process, with the faults of one over the wire.
func (s *Service) direct(ctx context.Context, op string, run func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqs %s: %w", op, err)
	}
	if err := s.options.Faults.Intercept.Ask(op, nil); err != nil {
		return err
	}
	if err := run(); err != nil {
		return err
	}
	return s.options.Faults.Lose.Ask(op, nil)
}

// directly is direct for what changes a queue.
func (s *Service) directly(ctx context.Context, op, queueName string, do func(q *queue, now time.Time) error) error {
	return s.direct(ctx, op, func() error { return s.change(queueName, do) })
}

// CreateQueue makes a queue with AWS's attribute names and values (e.g. "VisibilityTimeout": "30") and returns its URL.
// Making it again with equal attributes returns the same URL; other attributes are QueueAlreadyExists.
func (s *Service) CreateQueue(ctx context.Context, name string, attributes map[string]string) (string, error) {
	err := s.direct(ctx, "CreateQueue", func() error { return s.create(queueInput{QueueName: name, Attributes: attributes}) })
	return queueURL("", name), err
}

// SetQueueAttributes changes a queue's attributes, all of them or none.
func (s *Service) SetQueueAttributes(ctx context.Context, name string, attributes map[string]string) error {
	return s.directly(ctx, "SetQueueAttributes", name, func(q *queue, now time.Time) error {
		_, err := s.setQueueAttributes(call{q: q, now: now}, queueInput{Attributes: attributes})
		return err
	})
}

// Send puts one message on a queue and returns its message id.
func (s *Service) Send(ctx context.Context, queueName string, in SendInput) (id string, err error) {
	message, err := in.message()
	if err != nil {
		return "", err
	}
	err = s.directly(ctx, "SendMessage", queueName, func(q *queue, now time.Time) error { return q.send(now, message, in.Delay) })
	return message.ID.String(), err
}

// Receive takes up to in.MaxMessages messages and hides them. It waits up to in.Wait for the first one and returns
// an empty slice when none came. When ctx ends first it returns the context's error and nothing is left in flight.
func (s *Service) Receive(ctx context.Context, queueName string, in ReceiveInput) ([]Message, error) {
	spec := receiveSpec{max: max(in.MaxMessages, 1), wait: &in.Wait}
	if in.Visibility != 0 {
		spec.visibility = &in.Visibility
	}
	var taken []delivery
	err := s.direct(ctx, "ReceiveMessage", func() (err error) {
		if err := spec.check(MaxDirectReceive); err != nil {
			return err
		}
		taken, err = s.receive(ctx, queueName, spec)
		return err
	})
	return s.show(taken, everything, everything), err
}

// Delete removes messages by receipt handle. An expired or already deleted handle is no error; all
// refusals are joined into the returned error, the other handles are deleted nevertheless.
func (s *Service) Delete(ctx context.Context, queueName string, receiptHandles []string) error {
	return s.directly(ctx, "DeleteMessage", queueName, func(q *queue, _ time.Time) error {
		var refusals []error
		for _, text := range receiptHandles {
			refusals = append(refusals, q.removeBy(text))
		}
		return errors.Join(refusals...)
	})
}

// ChangeVisibility hides an in-flight message for timeout, in whole seconds, from now on; 0 makes it visible at once.
func (s *Service) ChangeVisibility(ctx context.Context, queueName, receiptHandle string, timeout time.Duration) error {
	return s.directly(ctx, "ChangeMessageVisibility", queueName, func(q *queue, now time.Time) error {
		return q.hideBy(receiptHandle, now, timeout)
	})
}

// Depth counts a queue's messages.
func (s *Service) Depth(queueName string) (depth Depth, err error) {
	err = s.withQueue(queueName, func(q *queue, _ time.Time) error {
		depth = Depth{Visible: q.count[HeldVisible], InFlight: q.count[HeldInFlight], Delayed: q.count[HeldDelayed]}
		return nil
	})
	return depth, err
}
