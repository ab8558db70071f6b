package flush

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// parcel is a pack on its way to a queue, and the message that stays unacknowledged
// until it is there.
type parcel struct {
	out     queue.Outgoing
	message int
	origins []origin // of the events inside; none of a message parked as a whole
	counter ledger.Counter
	class   string
	enters  bool // the events inside are in no books before it is confirmed
}

// answerMargin is what is kept back of the time for writing residues and dead letters: a queue
// or a bucket that hangs must not take with it the acknowledgement of what was delivered.
const answerMargin = time.Second

// settle writes residues and dead letters and returns the messages that must come
// back, because a part of theirs is nowhere else.
func (r *run) settle(ctx context.Context) []returned {
	residues, letters := r.parcels()
	writing, stop := endsBefore(ctx, answerMargin)
	defer stop()
	r.confirm(writing, r.Queue, residues)
	r.confirm(writing, r.DeadLetters, letters)
	r.routeAgain()
	if err := r.plan.Release(ctx); err != nil {
		r.Logger.Warn("dedup store did not learn what was delivered: it may be delivered again", "cause", err)
	}
	back := make([]returned, 0, len(r.back))
	for _, i := range slices.Sorted(maps.Keys(r.back)) {
		back = append(back, returned{i, r.back[i]})
	}
	return back
}

// parcels encodes what was not delivered: one pack per original pack and fate.
func (r *run) parcels() (residues, letters []parcel) {
	letters = append(letters, r.parked...)
	now := time.Now()
	for f, events := range r.settled {
		for i, part := range byPack(events) {
			encoded, err := r.encode(&f, i, part, now)
			if err != nil {
				r.comeBackWith(r.packs[i].message, f.sink, part)
				r.Logger.Error("pack left on the queue: its rest cannot be encoded", "pack", r.packs[i].Header.ID, "cause", err)
				continue
			}
			if f.action == retry.DeadLetter {
				letters = append(letters, encoded...)
			} else {
				residues = append(residues, encoded...)
			}
		}
	}
	return residues, letters
}

func byPack(events []origin) map[int][]origin {
	packs := make(map[int][]origin)
	for _, o := range events {
		packs[o.pack] = append(packs[o.pack], o)
	}
	return packs
}

// encode makes the pack, or packs, that carry some events of pack i to their fate.
func (r *run) encode(f *fate, i int, origins []origin, now time.Time) ([]parcel, error) {
	p := &r.packs[i]
	// Batches finish in any order; the pack's id must not depend on it.
	slices.SortFunc(origins, func(a, b origin) int { return a.event - b.event })
	events := make([]event.Event, len(origins))
	for k, o := range origins {
		events[k] = p.Events[o.event]
	}
	meta := p.Header.Meta()
	meta.Sink, meta.Attempt, meta.Reason = f.sink, f.attempt, f.reason(&p.Header, now)
	meta.NotBefore = time.Time{}
	counter := ledger.DeadLettered
	if f.action == retry.Defer {
		counter = ledger.Deferred
		if f.delay > queue.MaxDelay {
			meta.NotBefore = now.Add(f.delay)
		}
	}
	messages, err := batch.Encode(meta, events)
	if err != nil {
		return nil, err
	}
	parcels := make([]parcel, len(messages))
	for k, m := range messages {
		parcels[k] = parcel{
			out: queue.Outgoing{Message: m, Delay: min(f.delay, queue.MaxDelay)}, message: p.message,
			origins: origins[:m.Header.Count], counter: counter, class: string(f.class),
		}
		origins = origins[m.Header.Count:]
	}
	return parcels, nil
}

// confirm sends parcels and counts those that arrived. The message of one that did not
// must come back.
func (r *run) confirm(ctx context.Context, to Sender, parcels []parcel) {
	if len(parcels) == 0 {
		return
	}
	out := make([]queue.Outgoing, len(parcels))
	for i := range parcels {
		out[i] = parcels[i].out
	}
	lost := unconfirmed(to.Send(ctx, out...), len(parcels))
	for i := range parcels {
		p := &parcels[i]
		switch {
		case lost[i] != nil:
			r.comeBackWith(p.message, p.out.Message.Header.Sink, p.origins)
			r.Logger.Error("pack comes back: its rest could not be written", "rest", p.out.Message.Header.ID, "cause", lost[i])
		case p.counter != "":
			r.enter(p)
			r.kept(p)
		}
	}
}

// enter enters a parcel in the books.
func (r *run) enter(p *parcel) {
	h := &p.out.Message.Header
	if p.enters {
		r.count(ledger.Routed, h.Sink, "", h.Count)
	}
	r.count(p.counter, h.Sink, p.class, h.Count)
}

// kept notes that the events of a parcel are safe in another pack.
func (r *run) kept(p *parcel) {
	for _, o := range p.origins {
		if o.unit != noUnit {
			r.plan.Kept(o.unit, p.out.Message.Header.ID)
		}
	}
}

// unconfirmed tells of each message why it is not known to be on the queue, nil if it is.
func unconfirmed(err error, n int) []error {
	causes := make([]error, n)
	var failure *queue.SendError
	switch {
	case errors.As(err, &failure):
		for _, i := range failure.Failed {
			causes[i] = err
		}
	case err != nil:
		for i := range causes {
			causes[i] = err
		}
	}
	return causes
}
