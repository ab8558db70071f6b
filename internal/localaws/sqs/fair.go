package sqs

import (
	"container/heap"
	"math"
	"math/bits"
)

// halfLife is the number of turns after which a pick counts half. It bounds how far a newcomer can get ahead of
// a tenant that had all picks before: by so many.
const halfLife = 200

// fairShare picks the next message so that no group waits for another's backlog.
//
// Messages with the same MessageGroupId form a group (AWS: a tenant); those without one form a group of their own. The next message is that of
// the group that was served least of late, with the least load; inside a group, the one that has been visible the longest.
//
// A pick costs a group one, and more the more messages it has in flight, because a tenant whose messages are slow fills the consumers with them.
// What it paid counts half after halfLife turns. So a tenant with a long backlog has paid much, a quiet one's few messages go
// first, and two busy ones share evenly. Nobody starves: a group that is not served loses load, and every newcomer starts as one that
// was served once just now.
//
// Queue length does not matter; with g groups that have visible messages a pick costs O(log g).
type fairShare struct {
	groups map[string]*group
	// ready ranks the groups with visible messages.
	ready ranking[*group]
	// turns counts picks, and groups that became ready, so that of those that did between two picks the first goes first.
	turns float64
}

// group is one tenant's part of a queue.
type group struct {
	name string
	// first is the record that has been visible the longest, nil when none is. They are linked in a ring.
	first *record
	// messages counts all of its messages, inFlight those in flight.
	messages, inFlight int
	// load is the binary logarithm of what it paid, in units that double every halfLife turns. Of two such numbers the lower one stays
	// the lower one as time goes by, so turns need touch nobody.
	load      float64
	heapPlace int32
}

func (g *group) before(other *group) bool { return g.load < other.load }
func (g *group) place() *int32            { return &g.heapPlace }

// join counts a message into the group of that name.
func (f *fairShare) join(name string) *group {
	g := f.groups[name]
	if g == nil {
		g = &group{name: name}
		f.groups[name] = g
	}
	g.messages++
	return g
}

// leave counts a message out; the last one takes the group with it.
func (f *fairShare) leave(g *group) {
	if g.messages--; g.messages == 0 {
		delete(f.groups, g.name)
	}
}

// show puts a record behind those that are visible.
func (f *fairShare) show(r *record) {
	g := r.group
	if g.first != nil {
		r.previous, r.next = g.first.previous, g.first
		r.previous.next, r.next.previous = r, r
		return
	}
	r.previous, r.next, g.first = r, r, r
	g.load = max(g.load, f.turn())
	heap.Push(&f.ready, g)
}

// hide takes a visible record out of the running.
func (f *fairShare) hide(r *record) {
	g := r.group
	r.previous.next, r.next.previous = r.next, r.previous
	switch {
	case r.next == r:
		g.first = nil
		heap.Remove(&f.ready, int(g.heapPlace))
	case r == g.first:
		g.first = r.next
	}
	r.previous, r.next = nil, nil
}

// next makes a group pay and returns the record to show, nil when none is visible.
func (f *fairShare) next() *record {
	if len(f.ready) == 0 {
		return nil
	}
	g := f.ready[0]
	now, price := f.turn(), 1+bits.Len(uint(g.inFlight))
	g.load = now + math.Log2(math.Exp2(g.load-now)+float64(price))
	heap.Fix(&f.ready, 0)
	return g.first
}

// turn begins another turn and returns what one unit paid in it weighs.
func (f *fairShare) turn() float64 {
	f.turns++
	return f.turns / halfLife
}
