package audit

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// Finding is an event that is not at its sink exactly once.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	Sink    string  `json:"sink"`
	Tenant  string  `json:"tenant"`
	Source  string  `json:"source"`
	ID      string  `json:"id"`
	Type    string  `json:"type,omitempty"`
	// AcceptedAt and Request say when and by which invocation it was first accepted.
	AcceptedAt time.Time `json:"accepted_at"`
	Request    string    `json:"request,omitempty"`
	// Accepted and Delivered say how often.
	Accepted  int `json:"accepted"`
	Delivered int `json:"delivered"`
	// Alike says that the sink tells no more than the id, which events of other tenants or sources have too: which of them is
	// delivered how often is not known.
	Alike bool `json:"alike,omitzero"`
	// Place is where it was last known.
	Place Place `json:"place"`
}

func (c *comparison) finding(t *tally, a *telemetry.Accepted) Finding {
	f := Finding{
		Sink: c.sink.Name, Tenant: a.Tenant, Source: a.Source, ID: a.ID, Type: a.Type, AcceptedAt: a.Time, Request: a.RequestID,
		Accepted: int(t.accepted), Delivered: int(t.delivered), Alike: t.alike, Place: Place{Where: Nowhere},
	}
	if t.place > 0 {
		f.Place = c.where.places[t.place-1]
	}
	switch {
	case t.delivered > 0:
		f.Verdict = Doubled
		if t.place == 0 {
			f.Place.Where = AtSink
		}
	case t.place > 0 && f.Place.Where == DeadLetters:
		f.Verdict = DeadLettered
	case t.place > 0:
		f.Verdict = InFlight
	default:
		f.Verdict, f.Place.Where = c.gone(t.ended, a)
	}
	return f
}

// gone judges an event that is at no place. One that was deduped was delivered before under its own id, so that it should be
// at the sink, unless its fields decide: then another one was.
func (c *comparison) gone(ended end, a *telemetry.Accepted) (Verdict, Where) {
	switch ended {
	case rejected:
		return GivenUp, Rejected
	case dropped:
		return GivenUp, Dropped
	case deduped:
		if e := eventOf(a); c.sink.ByFields != nil && c.sink.ByFields(&e) {
			return GivenUp, Deduped
		}
		return Missing, Deduped
	default:
		return Missing, Nowhere
	}
}
