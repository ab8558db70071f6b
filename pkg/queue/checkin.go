package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Bucket takes the events of packs that do not fit a message; *claimcheck.Bucket is one. A
// nil error means that the object is durable.
type Bucket interface {
	Put(ctx context.Context, key string, body []byte) error
}

// maxPuts is how many objects are stored at once: a request holds only few events of a
// megabyte and more.
const maxPuts = 4

// checkIn stores the events that belong into the bucket, and says which messages must not
// be sent because theirs are not there. Failed is in order.
func (q *Queue) checkIn(ctx context.Context, messages []Outgoing) SendError {
	large := checkedIn(messages)
	if len(large) == 0 {
		return SendError{}
	}
	errs := make([]error, len(large))
	var puts sync.WaitGroup
	slots := make(chan struct{}, maxPuts)
	for k, i := range large {
		slots <- struct{}{}
		puts.Go(func() {
			defer func() { <-slots }()
			errs[k] = q.put(ctx, messages[i].Message.Header.Claim, messages[i].Message.Events)
		})
	}
	puts.Wait()
	var failure SendError
	for k, i := range large {
		if errs[k] != nil {
			failure.Failed = append(failure.Failed, i)
		}
	}
	failure.Err = errors.Join(errs...)
	return failure
}

// checkedIn lists the messages whose events have to be stored.
func checkedIn(messages []Outgoing) (large []int) {
	for i := range messages {
		if m := &messages[i].Message; m.Header.Claim != "" && m.Events != nil {
			large = append(large, i)
		}
	}
	return large
}

func (q *Queue) put(ctx context.Context, key string, events []byte) error {
	if q.bucket == nil {
		return fmt.Errorf("pack does not fit a message, and %s has no bucket for its events", q.url)
	}
	if err := q.bucket.Put(ctx, key, events); err != nil {
		return fmt.Errorf("check in: %w", err)
	}
	return nil
}
