package replay

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// Bucket holds the events of letters that are checked in; *claimcheck.Bucket is one.
type Bucket interface {
	// Get returns an object of up to maxBytes. batch.ErrCorrupt says that there is none, for
	// good; any other error that another time it may be had.
	Get(ctx context.Context, key string, maxBytes int) ([]byte, error)
}

// fetch gets the events of a letter, or says why it stays. The new pack's message will
// outlive the letter's, and so must its object: sending it puts these bytes there again.
// At most ten letters are held at a time, the most of one receive.
func (r *run) fetch(ctx context.Context, h *batch.Header, letter *queue.Received) (why string) {
	events, err := r.Bucket.Get(ctx, h.Claim, h.Bytes)
	if err == nil {
		_, err = batch.DecodeEvents(h, events)
	}
	switch {
	case err == nil:
		letter.Events = events
		return ""
	case errors.Is(err, batch.ErrCorrupt):
		r.Logger.WarnContext(ctx, "letter stays: its events are not in the bucket", "letter", h.ID, "cause", err)
		return leftCorrupt
	}
	r.Logger.ErrorContext(ctx, "letter stays: the bucket does not answer", "letter", h.ID, "cause", err)
	return leftBucket
}
