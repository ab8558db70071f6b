package sqs

import "math/bits"

const (
	// serviceBits is the part of a group's key that holds the service it got; the bits above hold its flight class.
	serviceBits = 56
	// flightGrain is the messages in flight below which nobody has many: more than one batch, less than the 30 at which AWS
	// calls a tenant noisy.
	flightGrain = 16
	// halfLifePicks is how many picks make past service count half. It bounds how far a newcomer can get ahead.
	halfLifePicks = 1000
	// maxWeightBits is when weights are scaled down again, long before service outgrows serviceBits.
	maxWeightBits = 40
	// patiencePicks makes one pick in so many go to the longest unserved group, however much it has in flight or had,
	// so that no group is ever starved.
	patiencePicks = 16
)

// fairShare picks the next message so that no group waits for another's backlog.
//
// Messages with the same MessageGroupId form a group (AWS: a tenant); those without one form a group of their own.
// The next message comes from the group
//
//  1. with the fewest messages in flight, counted in flightGrains and in powers of two: a tenant whose messages are slow fills the consumers
//     with them, and waits until the others have about as many;
//  2. among equals, that was served least of late: service counts in picks and halves every halfLifePicks picks. A tenant with
//     a long backlog has had much, so that a quiet one's few messages go first, and two busy ones share evenly;
//  3. among equals, that was served longest ago, which for groups of one message each is the order of arrival.
//
// One pick in patiencePicks follows the third rule alone. Inside a group, messages that came back and messages not
// yet received alternate, each oldest first.
//
// With g groups that have visible messages a pick costs O(log g); queue length does not matter.
type fairShare struct {
	groups map[string]*group
	// ready holds the groups with visible messages by the three rules.
	ready heap[*group]
	// round holds the same groups by the third rule alone.
	round chain[*group]
	turn  int64
	picks int64
	// weight is what a pick adds to its group's service. It doubles every halfLifePicks, which is the
	// same as halving everybody's service, and touches nobody.
	weight int64
}

// group is one tenant's part of a queue.
type group struct {
	name string
	// fresh are visible messages not yet received from this queue, returned are those that were; groupChain.
	fresh, returned chain[*record]
	// preferReturned makes the two alternate.
	preferReturned bool
	// members counts all messages of the group, inFlight those in flight.
	members, inFlight int
	// service is the weighted sum of past picks.
	service int64
	// turn is when it was served last or, at first, became visible.
	turn      int64
	heapPlace int32
	inRound   links[*group]
}

func (g *group) place() int32                     { return g.heapPlace }
func (g *group) setPlace(place int32)             { g.heapPlace = place }
func (g *group) links(_ chainName) *links[*group] { return &g.inRound }
func (g *group) visible() int                     { return g.fresh.length + g.returned.length }
func (g *group) flightClass() int                 { return bits.Len(uint(g.inFlight / flightGrain)) }

func (g *group) rank() rank {
	return rank{int64(g.flightClass())<<serviceBits | g.service, g.turn}
}

func newFairShare() fairShare {
	return fairShare{groups: make(map[string]*group), round: chain[*group]{name: turnChain}, weight: 1}
}

// join counts a message into the group of that name.
func (f *fairShare) join(name string) *group {
	g := f.groups[name]
	if g == nil {
		g = &group{name: name, fresh: chain[*record]{name: groupChain}, returned: chain[*record]{name: groupChain}}
		f.groups[name] = g
	}
	g.members++
	return g
}

// leave counts a message out; the last one takes the group with it.
func (f *fairShare) leave(g *group) {
	if g.members--; g.members == 0 {
		delete(f.groups, g.name)
	}
}

// show makes a record visible: at the back of the fresh ones, or, when it came back, at the back of the returned ones.
func (f *fairShare) show(r *record) {
	g := r.group
	if r.returned {
		g.returned.pushBack(r)
	} else {
		g.fresh.pushBack(r)
	}
	f.seat(g)
}

// showFirst puts a record that nobody got to see back to where it was taken from.
func (f *fairShare) showFirst(r *record) {
	g := r.group
	if r.returned {
		g.returned.pushFront(r)
	} else {
		g.fresh.pushFront(r)
	}
	f.seat(g)
}

// seat gives a group its place in the round when its first message becomes visible.
func (f *fairShare) seat(g *group) {
	if g.visible() != 1 {
		return
	}
	f.turn++
	g.turn = f.turn
	f.ready.push(g, g.rank())
	f.round.pushBack(g)
}

// hide takes a visible record out of the running.
func (f *fairShare) hide(r *record) {
	g := r.group
	if r.returned {
		g.returned.remove(r)
	} else {
		g.fresh.remove(r)
	}
	if g.visible() == 0 {
		f.ready.remove(g)
		f.round.remove(g)
	}
}

// fly changes how many messages a group has in flight.
func (f *fairShare) fly(g *group, by int) {
	before := g.flightClass()
	g.inFlight += by
	if g.visible() > 0 && g.flightClass() != before {
		f.ready.rerank(g, g.rank())
	}
}

// next takes out the record whose turn it is, nil when nothing is visible.
func (f *fairShare) next() *record {
	g, _, ok := f.ready.min()
	if !ok {
		return nil
	}
	if f.picks++; f.picks%patiencePicks == 0 {
		g = f.round.head
	}
	r := g.choose()
	f.hide(r)
	f.serve(g)
	return r
}

// serve charges a group for a pick and sends it to the end of the round.
func (f *fairShare) serve(g *group) {
	g.service += f.weight
	f.turn++
	g.turn = f.turn
	if g.visible() > 0 {
		f.ready.rerank(g, g.rank())
		f.round.remove(g)
		f.round.pushBack(g)
	}
	if f.picks%halfLifePicks == 0 {
		f.age()
	}
}

// age makes all past service count half of what it did.
func (f *fairShare) age() {
	if f.weight <<= 1; f.weight < 1<<maxWeightBits {
		return
	}
	f.weight >>= maxWeightBits
	for _, g := range f.groups {
		g.service >>= maxWeightBits
	}
	ready := f.ready.slots
	f.ready.slots = nil
	for _, s := range ready { // anew: groups that are equal now are ordered by turn
		f.ready.push(s.item, s.item.rank())
	}
}

// choose alternates between returned and fresh messages while there are both, so that neither a poisoned
// message with a short visibility timeout nor a long backlog keeps the other waiting.
func (g *group) choose() *record {
	g.preferReturned = !g.preferReturned
	if g.fresh.length == 0 || (g.preferReturned && g.returned.length > 0) {
		return g.returned.head
	}
	return g.fresh.head
}
