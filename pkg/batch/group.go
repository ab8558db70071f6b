package batch

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Limits are what one request to a sink may hold.
type Limits struct {
	// MaxEvents bounds the events in one batch. 0 means no bound.
	MaxEvents int
	// MaxBytes bounds the encoded size of one batch before compression, as measured
	// by Size. 0 means no bound. A single event over it still travels, alone: the
	// sink decides whether that is too large.
	MaxBytes int
	// Size is what one event takes up in the sink's encoding. Nil means len(Data).
	Size func(*event.Event) int
}

func (l *Limits) size(e *event.Event) int {
	if l.Size == nil {
		return len(e.Data)
	}
	return l.Size(e)
}

// Batch is what one request to a sink carries: events of one tenant, group and kind,
// in the order they came.
type Batch struct {
	// Group is what all events of the batch share.
	Group event.GroupKey
	// Events is never empty.
	Events []event.Event
	// Positions are the places of Events in the slice given to Group, so that a
	// result can be carried back to where each event came from.
	Positions []int
}

// Group sorts events into batches: one tenant, group and kind each, none over the
// limits, order kept within a group. Groups come in order of their first event.
// Together the batches hold every event exactly once.
func Group(events []event.Event, limits Limits) []Batch {
	g := grouper{limits: limits, open: make(map[event.GroupKey]int, 1)}
	for i := range events {
		g.add(i, &events[i])
	}
	batches := make([]Batch, len(g.plans))
	for k := range g.plans {
		batches[k] = g.plans[k].batch(events)
	}
	return batches
}

// grouper first plans by position only, so that each event is copied once, into a
// batch of the right size.
type grouper struct {
	limits Limits
	plans  []plan
	open   map[event.GroupKey]int // the plan of each group that still takes events
}

type plan struct {
	group     event.GroupKey
	positions []int
	bytes     int
}

func (g *grouper) add(i int, e *event.Event) {
	key, size := e.GroupKey(), g.limits.size(e)
	at, started := g.open[key]
	if !started || full(&g.limits, len(g.plans[at].positions), g.plans[at].bytes+size) {
		at = len(g.plans)
		g.open[key] = at
		g.plans = append(g.plans, plan{group: key})
	}
	p := &g.plans[at]
	p.positions = append(p.positions, i)
	p.bytes += size
}

func (p *plan) batch(events []event.Event) Batch {
	b := Batch{Group: p.group, Events: make([]event.Event, len(p.positions)), Positions: p.positions}
	for k, at := range p.positions {
		b.Events[k] = events[at]
	}
	return b
}

// full says whether a batch that holds events already must not grow to bytes.
func full(l *Limits, events, bytes int) bool {
	return (l.MaxEvents > 0 && events >= l.MaxEvents) || (l.MaxBytes > 0 && bytes > l.MaxBytes)
}

// Halves cuts a batch that a sink found too large. A batch of one cannot be cut: then
// ok is false.
func (b *Batch) Halves() (first, second Batch, ok bool) {
	if len(b.Events) < 2 {
		return *b, Batch{}, false
	}
	return b.slice(0, len(b.Events)/2), b.slice(len(b.Events)/2, len(b.Events)), true
}

func (b *Batch) slice(from, to int) Batch {
	return Batch{Group: b.Group, Events: b.Events[from:to:to], Positions: b.Positions[from:to:to]}
}

// Only returns the part of the batch at the given indexes of Events, in that order.
func (b *Batch) Only(indexes []int) Batch {
	part := Batch{Group: b.Group, Events: make([]event.Event, len(indexes)), Positions: make([]int, len(indexes))}
	for i, at := range indexes {
		part.Events[i], part.Positions[i] = b.Events[at], b.Positions[at]
	}
	return part
}

// IdempotencyKey identifies the batch at a sink: equal sink and events give an equal
// key, whatever the attempt. It has the form of a UUID (version 8, RFC 9562), because
// servers that check the header's form expect one.
func (b *Batch) IdempotencyKey(sink string) string {
	d := digest{sha256.New(), nil}
	d.string(sink)
	d.string(b.Group.Tenant)
	for i := range b.Events {
		d.string(b.Events[i].Source)
		d.string(b.Events[i].ID)
	}
	d.flush()
	sum := d.hash.Sum(nil)[:16]
	sum[6] = sum[6]&0x0f | 0x80 // version 8
	sum[8] = sum[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(sum)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
