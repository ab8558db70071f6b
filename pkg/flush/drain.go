package flush

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/queue"
)

// Source is a queue that a drain takes packs from; *queue.Queue is one.
type Source interface {
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Received, error)
	Delete(ctx context.Context, receipts ...string) error
	// Hide sets how long from now messages stay hidden.
	Hide(ctx context.Context, d time.Duration, receipts ...string) error
}

const (
	// drainMessages and drainBytes bound what is taken before it is flushed: as much as
	// an event-source mapping would hand over at once (6 MB), in the call's own terms.
	drainMessages = 100
	drainBytes    = 6_000_000
	// drainWait is the long poll that tells an empty queue from a slow answer.
	drainWait = time.Second
	// drainVisibility hides packs that were taken when the context has no deadline.
	drainVisibility = time.Minute
)

// Drained says what a drain did.
type Drained struct {
	// Messages taken and settled, and those that stay on the queue.
	Messages int `json:"messages"`
	Back     int `json:"back"`
	// Empty is false when the deadline came before the end of the queue.
	Empty bool `json:"empty"`
}

// Drain takes packs off the source and flushes them until the source is empty or the
// deadline is near. What must come back is hidden, so that a later drain finds it.
func (f *Flusher) Drain(ctx context.Context, source Source) (Drained, error) {
	sending, stop := f.sendingContext(ctx)
	defer stop()
	var done Drained
	for sending.Err() == nil {
		messages, err := take(sending, source)
		if err != nil && !errors.Is(err, sending.Err()) {
			return done, fmt.Errorf("drain: %w", err)
		}
		if len(messages) == 0 {
			done.Empty = err == nil
			return done, nil
		}
		back := f.flush(ctx, sending, messages)
		done.Back += len(back)
		done.Messages += len(messages) - len(back)
		err = source.Delete(ctx, settled(messages, back)...) // first: what is not deleted may be delivered again
		f.hide(ctx, source, messages, back)
		if err != nil {
			return done, fmt.Errorf("drain: %w", err)
		}
	}
	return done, nil
}

// take receives until it has enough for one flush, or the queue has no more.
func take(ctx context.Context, source Source) ([]queue.Received, error) {
	var messages []queue.Received
	for bytes := 0; len(messages) < drainMessages && bytes < drainBytes; {
		more, err := source.Receive(ctx, queue.MaxEntries, drainWait, visibility(ctx))
		if err != nil && len(messages) == 0 {
			return nil, err
		}
		if err != nil || len(more) == 0 {
			return messages, nil //nolint:nilerr // what was taken comes first; the next receive tells of lasting trouble
		}
		for i := range more {
			bytes += len(more[i].Body) + len(more[i].Events)
		}
		messages = append(messages, more...)
	}
	return messages, nil
}

// visibility hides what is taken until this invocation is surely over.
func visibility(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return drainVisibility
	}
	return time.Until(deadline) + drainVisibility
}

// settled are the receipts of the messages that need not come back.
func settled(messages []queue.Received, back []returned) (receipts []string) {
	for i := range messages {
		if len(back) > 0 && back[0].message == i {
			back = back[1:]
			continue
		}
		receipts = append(receipts, messages[i].Receipt)
	}
	return receipts
}
