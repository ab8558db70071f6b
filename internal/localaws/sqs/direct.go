package sqs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CreateQueue makes a queue with AWS's attribute names and values (e.g. "VisibilityTimeout": "30") and returns its URL.
// Making it again with equal attributes returns the same URL; other attributes are QueueAlreadyExists.
func (s *Service) CreateQueue(ctx context.Context, name string, attributes map[string]string) (string, error) {
	if err := s.admit(ctx, "CreateQueue"); err != nil {
		return "", err
	}
	return s.options.queueURL("", name), s.create(queueInput{QueueName: name, Attributes: attributes})
}

// SetQueueAttributes changes a queue's attributes, all of them or none.
func (s *Service) SetQueueAttributes(ctx context.Context, name string, attributes map[string]string) error {
	if err := s.admit(ctx, "SetQueueAttributes"); err != nil {
		return err
	}
	return s.change(name, func(q *liveQueue, now time.Time) error {
		_, err := s.setQueueAttributes(call{q: q, now: now}, queueInput{Attributes: attributes})
		return err
	})
}

// admit is the gate of every direct call.
func (s *Service) admit(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqs %s: %w", op, err)
	}
	return s.options.Faults.Intercept.Ask(op, nil)
}

// Send puts one message on a queue and returns its message id.
func (s *Service) Send(ctx context.Context, queueName string, in SendInput) (string, error) {
	if err := s.admit(ctx, "SendMessage"); err != nil {
		return "", err
	}
	var sent *record
	err := s.change(queueName, func(q *liveQueue, now time.Time) (err error) {
		sent, err = q.send(now, in)
		return err
	})
	if err != nil {
		return "", err
	}
	return sent.ID.String(), nil
}

// Receive takes up to in.MaxMessages messages and hides them. It waits up to in.Wait for the first one and returns
// an empty slice when none came. When ctx ends first it returns the context's error and nothing is left in flight.
func (s *Service) Receive(ctx context.Context, queueName string, in ReceiveInput) ([]Message, error) {
	if err := s.admit(ctx, "ReceiveMessage"); err != nil {
		return nil, err
	}
	spec := receiveSpec{max: max(in.MaxMessages, 1), wait: &in.Wait}
	if in.Visibility != 0 {
		spec.visibility = &in.Visibility
	}
	if err := spec.check(MaxDirectReceive); err != nil {
		return nil, err
	}
	deliveries, err := s.receive(ctx, queueName, spec)
	if err != nil {
		return nil, err
	}
	return s.show(deliveries, everything, everything), s.options.Faults.Lose.Ask("ReceiveMessage", nil)
}

// Delete removes messages by receipt handle. An expired or already deleted handle is no error; all
// refusals are joined into the returned error, the other handles are deleted nevertheless.
func (s *Service) Delete(ctx context.Context, queueName string, receiptHandles []string) error {
	if err := s.admit(ctx, "DeleteMessage"); err != nil {
		return err
	}
	err := s.change(queueName, func(q *liveQueue, now time.Time) error {
		var refusals []error
		for _, text := range receiptHandles {
			refusals = append(refusals, q.removeBy(text))
		}
		return errors.Join(refusals...)
	})
	if err != nil {
		return err
	}
	return s.options.Faults.Lose.Ask("DeleteMessage", nil)
}

// ChangeVisibility hides an in-flight message for timeout, in whole seconds, from now on; 0 makes it visible at once.
func (s *Service) ChangeVisibility(ctx context.Context, queueName, receiptHandle string, timeout time.Duration) error {
	if err := s.admit(ctx, "ChangeMessageVisibility"); err != nil {
		return err
	}
	return s.withQueue(queueName, func(q *liveQueue, now time.Time) error {
		return s.hide(q, now, receiptHandle, timeout)
	})
}

// Depth counts a queue's messages.
func (s *Service) Depth(queueName string) (Depth, error) {
	var depth Depth
	err := s.withQueue(queueName, func(q *liveQueue, now time.Time) error {
		depth = q.depth(now)
		return nil
	})
	return depth, err
}
