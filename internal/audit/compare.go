package audit

import (
	"errors"
	"fmt"
	"iter"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// Sink is one side of a comparison.
type Sink struct {
	Name string
	// Wants says whether an event is for this sink.
	Wants func(*event.Event) bool
	// ByFields says whether fields of an event decide what its duplicates are: then one that was deduped had another id
	// delivered instead. Nil is never.
	ByFields func(*event.Event) bool
	// By is how the sink tells events apart.
	By Identity
	// Delivered yields what the sink has.
	Delivered iter.Seq2[Delivered, error]
}

// Counts are how the events of one sink stand: Accepted = Delivered + Doubled + InFlight + DeadLettered + GivenUp + Missing.
type Counts struct {
	// Accepted events that are for the sink, each counted once however often it was sent.
	Accepted int `json:"accepted"`
	// Delivered events are at the sink once.
	Delivered int `json:"delivered_once"`
	// Doubled events are at the sink more than once; Resent of them were also accepted as often.
	Doubled int `json:"doubled"`
	Resent  int `json:"resent"`
	// InFlight events are on the main queue, DeadLettered ones among the dead letters, and not at the sink.
	InFlight     int `json:"in_flight"`
	DeadLettered int `json:"dead_lettered"`
	// GivenUp events are not at the sink as it is configured: it was rejected or dropped, or another one of the same fields
	// was delivered in its place.
	GivenUp int `json:"given_up"`
	// Missing events are neither at the sink nor on a queue.
	Missing int `json:"missing"`
	// Unlisted events are at the sink, and the journal does not have them: they are older, or an invocation was killed
	// before it could log them.
	Unlisted int `json:"unlisted"`
	// Unreadable lines of the sink's output tell no event, as the half line that a crash leaves.
	Unreadable int `json:"unreadable"`
}

// Verdict says how an event stands that is not at its sink exactly once.
type Verdict string

// The verdicts, the worst first.
const (
	Missing      Verdict = "missing"
	Doubled      Verdict = "doubled"
	DeadLettered Verdict = "dead_lettered"
	InFlight     Verdict = "in_flight"
	GivenUp      Verdict = "given_up"
)

// end is how an event ended at the sink without a delivery, as far as the journal knows.
type end uint8

const (
	unknown end = iota
	deduped
	rejected
	dropped
)

// endOf reads the words of the books.
func endOf(how ledger.Counter) end {
	switch how {
	case ledger.Deduped:
		return deduped
	case ledger.Rejected:
		return rejected
	case ledger.Dropped:
		return dropped
	default:
		return unknown
	}
}

// Compare looks at one sink and calls name for every event that is not there exactly once, in the order of acceptance.
func Compare(journal *Journal, where *Whereabouts, sink *Sink, name func(*Finding)) (Counts, error) {
	c := comparison{journal: journal, where: where, sink: sink}
	if err := c.accepted(); err != nil {
		return Counts{}, err
	}
	if err := c.ended(); err != nil {
		return Counts{}, err
	}
	where.of(sink.Name, sink.By, c.lies)
	if err := c.delivered(); err != nil {
		return Counts{}, fmt.Errorf("sink %s: %w", sink.Name, err)
	}
	c.tallies.share()
	return c.counts, c.judge(name)
}

// comparison is the state of Compare.
type comparison struct {
	journal *Journal
	where   *Whereabouts
	sink    *Sink
	tallies tallies
	counts  Counts
}

// accepted makes a tally for every event that the sink should have.
func (c *comparison) accepted() error {
	return c.each(func(l label, _ *telemetry.Accepted) { c.tallies.open(l).accepted++ })
}

// each goes through the journal's events that are for the sink.
func (c *comparison) each(visit func(label, *telemetry.Accepted)) error {
	unreadable := 0   // Summarise tells of them
	var e event.Event // one for all: it escapes
	for a, err := range c.journal.events(&unreadable) {
		if err != nil {
			return err
		}
		if e = eventOf(a); c.sink.Wants(&e) {
			visit(labelOf(c.sink.By, a.Tenant, a.Source, a.ID), a)
		}
	}
	return nil
}

// eventOf returns what routes look at.
func eventOf(a *telemetry.Accepted) event.Event {
	return event.Event{
		ID: a.ID, Source: a.Source, Type: a.Type, Name: a.Name, Severity: a.Severity, Kind: a.Kind,
		Tenant: a.Tenant, Receiver: a.Receiver,
	}
}

// ended enters what is known to have ended otherwise.
func (c *comparison) ended() error {
	for e, err := range c.journal.ended(c.sink.Name) {
		if err != nil {
			return err
		}
		if t := c.tallies.find(labelOf(c.sink.By, e.Tenant, e.Source, e.ID)); t != nil {
			t.ended = max(t.ended, endOf(e.How)) // given up says more than deduped
		}
	}
	return nil
}

func (c *comparison) lies(l label, place int32) {
	if t := c.tallies.find(l); t != nil && t.place == 0 {
		t.place = place + 1
	}
}

func (c *comparison) delivered() error {
	for d, err := range c.sink.Delivered {
		if errors.Is(err, errUnreadable) {
			c.counts.Unreadable++
			continue
		}
		if err != nil {
			return err
		}
		t := c.tallies.first(labelOf(c.sink.By, d.Tenant, d.Source, d.ID).told)
		if t == nil {
			c.counts.Unlisted++
			continue
		}
		t.delivered += uint32(d.Count) //nolint:gosec // nobody has an event four billion times
	}
	return nil
}

// judge counts every event, and names those that are not at the sink once.
func (c *comparison) judge(name func(*Finding)) error {
	return c.each(func(l label, a *telemetry.Accepted) {
		t := c.tallies.find(l)
		if t == nil || t.named {
			return // accepted since the first pass, or named before
		}
		t.named = true
		c.counts.Accepted++
		if t.delivered == 1 {
			c.counts.Delivered++
			return
		}
		f := c.finding(t, a)
		c.counts.add(&f)
		name(&f)
	})
}

func (n *Counts) add(f *Finding) {
	switch f.Verdict {
	case Missing:
		n.Missing++
	case Doubled:
		n.Doubled++
		if f.Delivered <= f.Accepted {
			n.Resent++
		}
	case DeadLettered:
		n.DeadLettered++
	case InFlight:
		n.InFlight++
	case GivenUp:
		n.GivenUp++
	}
}
