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

// Why attempts are cut off before the flush's deadline.
var (
	// errHeldBack ends best-effort sinks when all others are done.
	errHeldBack = errors.New("the required sinks are done")
	// errLeftBehind ends the first attempts at a sink that keeps the others waiting.
	errLeftBehind = errors.New("the other sinks are done")
)

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
		others.Go(func() { r.deliverSink(patient, patient, lanes) })
	}
	r.deliverRequired(ctx, required)
	if len(required) > 0 {
		timer := time.AfterFunc(failOpenGrace, func() { stop(errHeldBack) })
		defer timer.Stop()
	}
	others.Wait()
}

// deliverRequired sends to several sinks at once. The first to be done starts a clock for
// the others: what they have not answered when it ends goes back to the queue and comes
// again by itself, so that a sink that hangs does not hold a whole function, and with it
// everything that is to be sent to the healthy ones. Only first attempts are cut off; a
// sink that is slow by nature gets its time, now that nobody waits for it.
func (r *run) deliverRequired(ctx context.Context, required map[string][]*lane) {
	var wg sync.WaitGroup
	var clock sync.Once
	var sends []func()
	cuts := make(map[string]func(), len(required))
	for name, lanes := range required {
		send, cut := r.contender(ctx, lanes)
		sends = append(sends, send)
		cuts[name] = cut
	}
	var timers []*time.Timer // written once, before wg is done
	start := func() {
		for name, cut := range cuts {
			timers = append(timers, time.AfterFunc(r.targets[name].patience(), cut))
		}
	}
	for _, send := range sends {
		wg.Go(func() {
			send()
			clock.Do(start)
		})
	}
	wg.Wait()
	for _, t := range timers {
		t.Stop()
	}
}

// contender returns what sends the lanes of one sink, and what ends its first attempts.
func (r *run) contender(ctx context.Context, lanes []*lane) (send, cut func()) {
	fresh, stop := context.WithCancelCause(ctx)
	send = func() {
		defer stop(nil)
		r.deliverSink(ctx, fresh, lanes)
	}
	return send, func() { stop(errLeftBehind) }
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

// deliverSink sends the lanes of one sink, fresh events before retried ones; the fresh
// ones in a context of their own. As many batches are begun at once as the sink's gate
// may let through.
func (r *run) deliverSink(ctx, fresh context.Context, lanes []*lane) {
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
				if l.attempt == 0 {
					c.carry(fresh, b)
				} else {
					c.carry(ctx, b)
				}
			})
		}
	}
}
