package oracle

import (
	"fmt"
	"slices"
)

// Key is the identity of an event: the same id from two tenants is two events.
type Key struct{ Tenant, ID string }

func (k Key) String() string { return k.Tenant + "/" + k.ID }

// Event is what a client sent.
type Event struct {
	Key

	// Data is what must arrive.
	Data string
	// Sinks are the names of those that must get it.
	Sinks []string
	// Posts is how often the client posted it: without an answer, an SDK posts again.
	Posts int
	// Accepted says that a post was answered 2xx. One that was not may arrive or not.
	Accepted bool
}

// Delivery is an event that a sink took.
type Delivery struct {
	Key

	Data string
}

// Leftover is an event on a queue at the end of a run.
type Leftover struct {
	Key

	// Where is the queue, and how the event got there, in words.
	Where string
	// Sink that it is for, empty for all.
	Sink string
	// Terminal says that the documentation leaves it there for a person.
	Terminal bool
}

// Books are the product's own counts for one sink.
type Books struct {
	Delivered int
	// InFlight is what was routed and has not reached an end.
	InFlight int
}

// Evidence is all that the oracle sees.
type Evidence struct {
	Events []Event
	// Deliveries by sink. A sink that took nothing is there too.
	Deliveries map[string][]Delivery
	Leftovers  []Leftover
	// Bound is how many duplicates each sink may have.
	Bound map[string]int
	// Books by sink; nil when processes were killed, which cannot say what they had counted.
	Books map[string]Books
}

// maxNamed bounds the problems of one kind that are spelled out.
const maxNamed = 5

// Verdict is the judgement of a run. It is good when there are no problems.
type Verdict struct {
	// Lost, Altered and Invented count events at a sink, Left counts events on queues.
	Lost, Altered, Invented, Left int
	// Duplicates by sink, beyond what the clients posted twice.
	Duplicates map[string]int
	// Problems in words, at most maxNamed of each kind.
	Problems []string
}

// Good says that nothing is wrong.
func (v *Verdict) Good() bool { return len(v.Problems) == 0 }

// Judge weighs the evidence.
func Judge(e *Evidence) Verdict {
	v := Verdict{Duplicates: make(map[string]int, len(e.Deliveries))}
	sent := make(map[Key]*Event, len(e.Events))
	for i := range e.Events {
		sent[e.Events[i].Key] = &e.Events[i]
	}
	parked := v.judgeLeftovers(e.Leftovers)
	for name, deliveries := range e.Deliveries {
		counts := v.judgeDeliveries(name, deliveries, sent)
		v.judgeSink(name, e.Events, counts, parked)
		if got, most := v.Duplicates[name], e.Bound[name]; got > most {
			v.complain(0, "sink %s: %d duplicates, the bound is %d", name, got, most)
		}
		if books, counted := e.Books[name]; counted {
			v.judgeBooks(name, books, len(deliveries))
		}
	}
	slices.Sort(v.Problems)
	return v
}

// complain spells out a problem, unless n of its kind were before.
func (v *Verdict) complain(n int, format string, args ...any) {
	switch {
	case n < maxNamed:
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	case n == maxNamed:
		v.Problems = append(v.Problems, fmt.Sprintf(format+" (and more)", args...))
	}
}

// judgeLeftovers returns the events that wait for a person, by sink.
func (v *Verdict) judgeLeftovers(leftovers []Leftover) map[string]map[Key]bool {
	parked := make(map[string]map[Key]bool)
	for _, l := range leftovers {
		if !l.Terminal {
			v.complain(v.Left, "left: %v for %q: %s", l.Key, l.Sink, l.Where)
			v.Left++
		}
		if parked[l.Sink] == nil {
			parked[l.Sink] = make(map[Key]bool)
		}
		parked[l.Sink][l.Key] = true
	}
	return parked
}

// judgeDeliveries counts what a sink took, and finds what it should not have.
func (v *Verdict) judgeDeliveries(name string, deliveries []Delivery, sent map[Key]*Event) map[Key]int {
	counts := make(map[Key]int, len(deliveries))
	for _, d := range deliveries {
		event := sent[d.Key]
		switch {
		case event == nil || !slices.Contains(event.Sinks, name):
			v.complain(v.Invented, "sink %s: %v was not sent to it", name, d.Key)
			v.Invented++
			continue
		case event.Data != d.Data:
			v.complain(v.Altered, "sink %s: %v arrived as %.80q, sent was %.80q", name, d.Key, d.Data, event.Data)
			v.Altered++
		}
		counts[d.Key]++
	}
	return counts
}

// judgeSink finds what a sink lacks and what it has too often.
func (v *Verdict) judgeSink(name string, events []Event, counts map[Key]int, parked map[string]map[Key]bool) {
	for i := range events {
		event := &events[i]
		if !slices.Contains(event.Sinks, name) {
			continue
		}
		n := counts[event.Key]
		v.Duplicates[name] += max(0, n-max(1, event.Posts))
		if n == 0 && event.Accepted && !parked[name][event.Key] && !parked[""][event.Key] {
			v.complain(v.Lost, "sink %s: %v is lost", name, event.Key)
			v.Lost++
		}
	}
}

// judgeBooks compares what the product counted with what the sink has.
func (v *Verdict) judgeBooks(name string, b Books, taken int) {
	if b.InFlight != 0 {
		v.complain(0, "books of sink %s: %d in flight at the end", name, b.InFlight)
	}
	if b.Delivered != taken {
		v.complain(0, "books of sink %s: %d delivered, the sink took %d", name, b.Delivered, taken)
	}
}
