package flush

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// errHeldBack cancels best-effort sinks when all others are done.
var errHeldBack = errors.New("the required sinks are done")

// failOpenGrace is how long best-effort sinks may go on after the required ones.
const failOpenGrace = time.Second

// deliver sends every lane and returns when each event is delivered or has its fate.
// Sinks run side by side: none waits for another, and required ones do not wait for
// those of best effort.
func (r *run) deliver(ctx context.Context, lanes []*lane) {
	required, bestEffort := bySink(lanes)
	patient, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var others sync.WaitGroup
	for _, lanes := range bestEffort {
		others.Go(func() { r.deliverSink(patient, lanes) })
	}
	var wg sync.WaitGroup
	for _, lanes := range required {
		wg.Go(func() { r.deliverSink(ctx, lanes) })
	}
	wg.Wait()
	if len(required) > 0 {
		timer := time.AfterFunc(failOpenGrace, func() { stop(errHeldBack) })
		defer timer.Stop()
	}
	others.Wait()
}

func bySink(lanes []*lane) (required, bestEffort map[string][]*lane) {
	required, bestEffort = make(map[string][]*lane), make(map[string][]*lane)
	for _, l := range lanes {
		group := required
		if l.target.Mode == FailOpen {
			group = bestEffort
		}
		group[l.sink] = append(group[l.sink], l)
	}
	return required, bestEffort
}

// deliverSink sends the lanes of one sink, fresh events before retried ones. As many
// batches are begun at once as the sink's gate may let through.
func (r *run) deliverSink(ctx context.Context, lanes []*lane) {
	slices.SortStableFunc(lanes, func(a, b *lane) int { return cmp.Compare(a.attempt, b.attempt) })
	slots := make(chan struct{}, lanes[0].target.gate.Concurrency())
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, l := range lanes {
		for _, b := range batch.Group(l.events, l.target.limits()) {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				c := courier{run: r, lane: l, attempts: l.attempt, first: l.first}
				c.carry(ctx, b)
			})
		}
	}
}
