package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	workers   = 4
	batchSize = 10
	bodyBytes = 1024
)

// subject is one row of the table: a server and what was measured of it.
type subject struct {
	name, transport string
	client          *sqs.Client
	// pid is the server's process; 0 when it is this one, or nobody knows.
	pid   int
	deep  int
	queue string

	// empty and full are the server's resident memory before and after the messages were sent.
	empty, full int64
	samples     []sample
}

// sample is one turn.
type sample struct {
	// perSecond are messages sent, received and deleted.
	perSecond float64
	// cpu is what the server's process used for each.
	cpu time.Duration
}

// fill makes the queue and sends what shall wait in it.
func (s *subject) fill(ctx context.Context) error {
	out, err := s.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("bench")})
	if err != nil {
		return fmt.Errorf("%s: create queue: %w", s.name, err)
	}
	s.queue = *out.QueueUrl
	s.empty = residentBytes(s.pid)
	var left atomic.Int64
	left.Store(int64(s.deep / batchSize))
	err = together(func() error {
		for left.Add(-1) >= 0 {
			if err := s.send(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	s.weigh()
	return err
}

// weigh looks at the server's memory; the largest counts.
func (s *subject) weigh() { s.full = max(s.full, residentBytes(s.pid)) }

// turn loads the server for a while.
func (s *subject) turn(ctx context.Context, slice time.Duration) error {
	var done atomic.Int64
	before, began := cpuTime(s.pid), time.Now()
	err := together(func() error {
		for time.Since(began) < slice {
			n, err := s.cycle(ctx)
			if err != nil {
				return err
			}
			done.Add(int64(n))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if done.Load() == 0 {
		return fmt.Errorf("%s: no message was deleted in %v", s.name, slice)
	}
	s.samples = append(s.samples, sample{
		perSecond: float64(done.Load()) / time.Since(began).Seconds(),
		cpu:       (cpuTime(s.pid) - before) / time.Duration(done.Load()),
	})
	return nil
}

// together runs all workers and returns one's error.
func together(work func() error) (err error) {
	var running sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		running.Go(func() { errs <- work() })
	}
	running.Wait()
	for range workers {
		if failed := <-errs; failed != nil {
			err = failed
		}
	}
	return err
}

// cycle sends, receives and deletes one batch, and returns how many were deleted.
func (s *subject) cycle(ctx context.Context) (int, error) {
	if err := s.send(ctx); err != nil {
		return 0, err
	}
	got, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &s.queue, MaxNumberOfMessages: batchSize})
	if err != nil {
		return 0, fmt.Errorf("%s: receive: %w", s.name, err)
	}
	if len(got.Messages) == 0 {
		return 0, nil
	}
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &s.queue}
	for i, m := range got.Messages {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	deleted, err := s.client.DeleteMessageBatch(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("%s: delete: %w", s.name, err)
	}
	return len(in.Entries) - len(deleted.Failed), nil // goaws does not list what it has deleted
}

func (s *subject) send(ctx context.Context) error {
	in := &sqs.SendMessageBatchInput{QueueUrl: &s.queue}
	for i := range batchSize {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)})
	}
	if _, err := s.client.SendMessageBatch(ctx, in); err != nil {
		return fmt.Errorf("%s: send: %w", s.name, err)
	}
	return nil
}

// body is one message.
var body = strings.Repeat("0123456789abcdef", bodyBytes/16) //nolint:gochecknoglobals // never changes
