package flush

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// claim takes the units up. What is a duplicate is decided by pkg/dedup alone. The store is
// asked at the same time how the sinks stand.
func (r *run) claim(ctx context.Context) {
	var standings sync.WaitGroup
	standings.Go(func() { r.board.Look(ctx) })
	defer standings.Wait()
	ids := make([]string, len(r.packs))
	for i := range r.packs {
		ids[i] = r.packs[i].Header.ID
	}
	plan, err := r.Dedup.Begin(ctx, ids, r.units)
	if err != nil {
		r.Logger.Warn("dedup store is away", "then", r.Dedup.OnStoreFailure, "cause", err)
	}
	r.plan = plan
	r.countRouted()
	for i := range r.units {
		r.obey(i)
	}
}

// countRouted enters the units in the books.
func (r *run) countRouted() {
	routed := make(map[string]int, 1)
	for i := range r.units {
		if firstTime(&r.packs[r.units[i].Pack].Header) {
			routed[r.units[i].Sink]++
		}
	}
	for name, n := range routed {
		r.count(ledger.Routed, name, "", n)
	}
}

// obey does what the plan says of a unit that is not to be sent: it counts a duplicate,
// and lets anything else come again.
func (r *run) obey(i int) {
	switch v := r.plan.Verdict(i); v.Action {
	case dedup.Skip:
		r.skip(i, v)
	case dedup.Defer:
		r.put(r.notOurs(i, v.After), r.sources[i])
	case dedup.Return:
		r.comeBack(r.packs[r.units[i].Pack].message, v.After)
		r.count(ledger.Returned, r.units[i].Sink, "", 1)
	case dedup.Send, dedup.Follow: // sent now, or decided later
	}
}

func (r *run) skip(i int, v dedup.Verdict) {
	r.ended(ledger.Deduped, r.units[i].Sink, "", r.sources[i])
	if v.Conflict {
		r.count(ledger.Conflict, r.units[i].Sink, "", 1)
	}
}

// notOurs is the fate of an event that another flush is delivering, or that could not be
// claimed now.
func (r *run) notOurs(i int, after time.Duration) fate {
	h := &r.packs[r.units[i].Pack].Header
	return fate{
		action: retry.Defer, sink: r.units[i].Sink, delay: after, attempt: h.Attempt,
		class: retry.Cancelled, cause: "claimed by another flush, or not claimed in time",
	}
}

// followUp decides about duplicates within this flush, now that what they equal has
// been tried.
func (r *run) followUp() {
	follow := make([]int, 0)
	for i := range r.units {
		if r.plan.Verdict(i).Action == dedup.Follow {
			follow = append(follow, i)
		}
	}
	if len(follow) == 0 {
		return
	}
	r.plan.Resolve()
	for _, i := range follow {
		r.obey(i)
	}
}
