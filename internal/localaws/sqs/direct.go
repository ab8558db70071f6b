package sqs

import (
	"context"
	"time"
)

// CreateQueue makes a queue with AWS's attribute names and values (e.g. "VisibilityTimeout": "30") and returns its URL.
// Making it again with equal attributes returns the same URL; other attributes are QueueAlreadyExists.
func (s *Service) CreateQueue(ctx context.Context, name string, attributes map[string]string) (string, error) {
	return "", ctx.Err()
}

// Send puts one message on a queue and returns its message id.
func (s *Service) Send(ctx context.Context, queueName string, in SendInput) (string, error) {
	return "", ctx.Err()
}

// Receive takes up to in.MaxMessages messages and hides them. It waits up to in.Wait for the first one and returns
// an empty slice when none came. When ctx ends first it returns the context's error and nothing is left in flight.
func (s *Service) Receive(ctx context.Context, queueName string, in ReceiveInput) ([]Message, error) {
	return nil, ctx.Err()
}

// Delete removes messages by receipt handle. An expired or already deleted handle is no error; all
// refusals are joined into the returned error, the other handles are deleted nevertheless.
func (s *Service) Delete(ctx context.Context, queueName string, receiptHandles []string) error {
	return ctx.Err()
}

// ChangeVisibility hides an in-flight message for timeout from now on; 0 makes it visible at once.
func (s *Service) ChangeVisibility(ctx context.Context, queueName, receiptHandle string, timeout time.Duration) error {
	return ctx.Err()
}

// Depth counts a queue's messages.
func (s *Service) Depth(queueName string) (Depth, error) {
	return Depth{}, nil
}
