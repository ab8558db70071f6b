package flush

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
)

// laneKey says which events may be tried together: those for one sink that have been
// tried equally often.
type laneKey struct {
	sink    string
	attempt int
}

// lane is the events for one sink with equally many attempts behind them.
type lane struct {
	laneKey
	target  *target
	events  []event.Event
	origins []unsent  // where each event came from
	first   time.Time // first failure of the oldest; zero when none has failed
}

// route assigns every event to the lanes of its sinks. An addressed pack goes to its
// sink only, and not before its time.
func (r *run) route() []*lane {
	lanes := make(map[laneKey]*lane)
	var order []*lane
	add := func(sinkName string, from unsent) {
		p := &r.packs[from.pack]
		h := &p.Header
		key := laneKey{sink: sinkName, attempt: h.Attempt}
		l := lanes[key]
		if l == nil {
			l = &lane{laneKey: key, target: r.targets[sinkName]}
			lanes[key] = l
			order = append(order, l)
		}
		l.events = append(l.events, p.Events[from.event])
		l.origins = append(l.origins, from)
		if h.Attempt > 0 && h.Reason != nil && (l.first.IsZero() || h.Reason.First.Before(l.first)) {
			l.first = h.Reason.First
		}
	}
	for i := range r.packs {
		r.routePack(i, add)
	}
	return order
}

func (r *run) routePack(i int, add func(sinkName string, from unsent)) {
	p := &r.packs[i]
	if p.Header.Sink != "" {
		r.routeAddressed(i, add)
		return
	}
	for k := range p.Events {
		sinks := r.Router.Sinks(&p.Events[k])
		if len(sinks) == 0 {
			r.count(ledger.Unrouted, "", "", 1)
		}
		for _, name := range sinks {
			r.count(ledger.Routed, name, "", 1)
			add(name, unsent{pack: i, event: k})
		}
	}
}

// routeAddressed hands a residue or a replayed letter to its sink, or parks it when it
// has come too early or its sink is no longer configured.
func (r *run) routeAddressed(i int, add func(sinkName string, from unsent)) {
	p := &r.packs[i]
	name := p.Header.Sink
	if p.Header.Reason == nil {
		// A replay, which has left the books as a dead letter before. Residues keep their
		// reason, and were counted when they were fresh.
		r.count(ledger.Routed, name, "", len(p.Events))
	}
	_, configured := r.targets[name]
	for k := range p.Events {
		switch {
		case !configured:
			r.put(unknownSink(&p.Header), unsent{pack: i, event: k})
		case p.Header.NotBefore.After(r.now):
			r.put(tooEarly(&p.Header, r.now), unsent{pack: i, event: k})
		default:
			add(name, unsent{pack: i, event: k})
		}
	}
}
