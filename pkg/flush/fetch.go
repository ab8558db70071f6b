package flush

import (
	"context"
	"sync"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// Bucket holds the events of packs that are checked in; *claimcheck.Bucket is one.
type Bucket interface {
	// Get returns an object of up to maxBytes. batch.ErrCorrupt says that there is none, for
	// good; any other error that another time it may be had.
	Get(ctx context.Context, key string, maxBytes int) ([]byte, error)
}

// maxGets is how many objects are fetched at once. Waves bound how many are held.
const maxGets = 4

// fetched is what the bucket gave for one message.
type fetched struct {
	events []byte
	err    error
}

// fetch gets the events that are not in their messages, by the messages' indexes: none,
// nearly always. They are held here only, so that they go with the run.
func (r *run) fetch(ctx context.Context) map[int]*fetched {
	var all map[int]*fetched
	var gets sync.WaitGroup
	var slots chan struct{}
	for i := range r.messages {
		if r.messages[i].Events != nil {
			continue
		}
		h, err := batch.ParseHeader(r.messages[i].Body)
		if err != nil || h.Claim == "" {
			continue // to be told apart when it is decoded
		}
		if all == nil {
			all, slots = make(map[int]*fetched), make(chan struct{}, maxGets)
		}
		got := new(fetched)
		all[i] = got
		slots <- struct{}{}
		gets.Go(func() {
			defer func() { <-slots }()
			got.events, got.err = r.Bucket.Get(ctx, h.Claim, h.Bytes)
		})
	}
	gets.Wait()
	return all
}
