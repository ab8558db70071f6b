package audit

// Where names the sort of place at which an event was last known.
type Where string

// The places.
const (
	// MainQueue is the main queue: the event is on its way.
	MainQueue Where = "main queue"
	// DeadLetters is the queue of dead letters.
	DeadLetters Where = "dead letters"
	// AtSink is the sink itself.
	AtSink Where = "sink"
	// Deduped, Rejected and Dropped are no places: the flush said so of the event.
	Deduped  Where = "deduped"
	Rejected Where = "rejected"
	Dropped  Where = "dropped"
	// Nowhere is no place that is known of.
	Nowhere Where = "nowhere"
)

// Place is where an event was last known, and what is known of why.
type Place struct {
	Where Where `json:"where"`
	// Pack that holds it, and the sink that the pack concerns; empty for all sinks.
	Pack string `json:"pack,omitempty"`
	Sink string `json:"sink,omitempty"`
	// Class, Status, Stop and Cause of the latest failure.
	Class  string `json:"class,omitempty"`
	Status int    `json:"status,omitzero"`
	Stop   string `json:"stop,omitempty"`
	Cause  string `json:"cause,omitempty"`
	// Attempts that were made so far.
	Attempts int `json:"attempts,omitzero"`
}

// Whereabouts are the places of the events that lie on queues. The zero value holds none.
type Whereabouts struct {
	places []Place
	events []placed
}

// placed is an event at places[place].
type placed struct {
	event, id key
	place     int32
}

// Add says that events of a tenant lie at a place. What is added first counts: add the main queue before the dead
// letters, so that a letter that is being replayed is on its way.
func (w *Whereabouts) Add(p Place, tenant string, events []Delivered) {
	at := int32(len(w.places)) //nolint:gosec // a queue holds far fewer packs
	w.places = append(w.places, p)
	for i := range events {
		e := &events[i]
		w.events = append(w.events, placed{eventKey(tenant, e.Source, e.ID), idKey(e.ID), at})
	}
}

// of yields the events at places that concern a sink.
func (w *Whereabouts) of(sink string, by Identity, yield func(l label, place int32)) {
	for i := range w.events {
		e := &w.events[i]
		if s := w.places[e.place].Sink; s != "" && s != sink {
			continue
		}
		if by == ByID {
			yield(e.event.by(e.id), e.place)
		} else {
			yield(e.event.by(e.event), e.place)
		}
	}
}
