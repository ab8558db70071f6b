package flush

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/event"
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
	origins []origin  // where each event came from
	first   time.Time // first failure of the oldest; zero when none has failed
}

// lanes puts the units that are to be sent into lanes.
func (r *run) lanes() []*lane {
	lanes := make(map[laneKey]*lane)
	var order []*lane
	sizes := r.laneSizes()
	for i := range r.units {
		if r.plan.Verdict(i).Action != dedup.Send {
			continue
		}
		h := &r.packs[r.units[i].Pack].Header
		key := r.laneOf(i)
		l := lanes[key]
		if l == nil {
			l = &lane{
				laneKey: key, target: r.targets[key.sink],
				events: make([]event.Event, 0, sizes[key]), origins: make([]origin, 0, sizes[key]),
			}
			lanes[key] = l
			order = append(order, l)
		}
		l.events = append(l.events, *r.units[i].Event)
		l.origins = append(l.origins, r.sources[i])
		if h.Attempt > 0 && h.Reason != nil && (l.first.IsZero() || h.Reason.First.Before(l.first)) {
			l.first = h.Reason.First
		}
	}
	return order
}

func (r *run) laneOf(unit int) laneKey {
	return laneKey{sink: r.units[unit].Sink, attempt: r.packs[r.units[unit].Pack].Header.Attempt}
}

// laneSizes counts the units of each lane, so that none has to grow: events are large.
func (r *run) laneSizes() map[laneKey]int {
	sizes := make(map[laneKey]int)
	for i := range r.units {
		sizes[r.laneOf(i)]++
	}
	return sizes
}
