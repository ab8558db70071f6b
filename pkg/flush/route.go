package flush

import (
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/ledger"
)

// route lists every event with each of its sinks, as units: one unit is one event on its
// way to one sink. An addressed pack goes to its sink only.
func (r *run) route() {
	for i := range r.packs {
		if p := &r.packs[i]; p.Header.Sink != "" {
			r.routeAddressed(i, p)
		} else {
			r.routeFresh(i, p)
		}
	}
}

func (r *run) routeFresh(i int, p *pack) {
	unrouted := 0
	for k := range p.Events {
		sinks := r.Router.Sinks(&p.Events[k])
		if len(sinks) == 0 {
			unrouted++
		}
		for _, name := range sinks {
			r.add(i, k, name)
		}
	}
	r.count(ledger.Unrouted, "", "", unrouted)
}

// routeAddressed hands a residue or a replayed letter to its sink, or gives it its fate
// when it has come too early or its sink is no longer configured.
func (r *run) routeAddressed(i int, p *pack) {
	name := p.Header.Sink
	_, configured := r.targets[name]
	if !configured && firstTime(&p.Header) {
		r.count(ledger.Routed, name, "", len(p.Events))
	}
	for k := range p.Events {
		switch {
		case !configured:
			r.put(unknownSink(&p.Header), origin{pack: i, event: k, unit: noUnit})
		case p.Header.NotBefore.After(r.now):
			r.put(tooEarly(&p.Header, r.now), origin{pack: i, event: k, unit: noUnit})
		default:
			r.add(i, k, name)
		}
	}
}

func (r *run) add(pack, event int, sinkName string) {
	r.sources = append(r.sources, origin{pack: pack, event: event, unit: len(r.units)})
	r.units = append(r.units, dedup.Unit{Pack: pack, Sink: sinkName, Event: &r.packs[pack].Events[event]})
}

// firstTime says whether the events of a pack enter the books of their sinks now: they are
// fresh, or replayed and so left the books as dead letters before. Residues keep their
// reason, and were counted when they were fresh; also those that SQS moved to the dead letters
// by itself, which no flush has counted as such.
func firstTime(h *batch.Header) bool { return h.Sink == "" || h.Reason == nil }
