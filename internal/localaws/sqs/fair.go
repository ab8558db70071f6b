package sqs

const (
	// turnBits is the part of a group's key that orders groups with equally many messages in flight;
	// the 17 bits above it hold MaxInFlight.
	turnBits = 46
	// patiencePicks makes one pick in so many go to the longest unserved group, however much it has in flight,
	// so that a group whose messages are stuck in flight is slowed down but never starved.
	patiencePicks = 16
)

// fairShare picks the next message so that no group waits for another's backlog.
//
// Messages with the same MessageGroupId form a group (AWS: a tenant); those without one form a group of their own.
// The next message comes from the group that has the fewest messages in flight; among equals, from the one
// that was served longest ago. The first rule shares the consumers' time (a tenant whose messages are slow has more of
// them in flight, and waits), the second makes it a round-robin when messages are deleted at once. A group that
// turns up new goes to the end of the round. One pick in patiencePicks follows the second rule alone.
//
// Inside a group, messages that came back and messages not yet received alternate, each oldest first.
//
// With g groups that have visible messages a pick costs O(log g); queue length does not matter.
type fairShare struct {
	groups map[string]*group
	// ready holds the groups with visible messages by (messages in flight, turn).
	ready heap[*group]
	// round holds the same groups by turn alone.
	round chain[*group]
	turn  int64
	picks int64
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
	turn              int64
	heapPlace         int32
	inRound           links[*group]
}

func (g *group) place() int32                     { return g.heapPlace }
func (g *group) setPlace(place int32)             { g.heapPlace = place }
func (g *group) links(_ chainName) *links[*group] { return &g.inRound }
func (g *group) visible() int                     { return g.fresh.length + g.returned.length }
func (g *group) key() int64                       { return int64(g.inFlight)<<turnBits | g.turn }

func newFairShare() fairShare {
	return fairShare{groups: make(map[string]*group), round: chain[*group]{name: turnChain}}
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
	f.ready.push(g, g.key())
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
	g.inFlight += by
	if g.visible() > 0 {
		f.ready.rekey(g, g.key())
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
	if g.visible() > 0 {
		f.turn++
		g.turn = f.turn
		f.ready.rekey(g, g.key())
		f.round.remove(g)
		f.round.pushBack(g)
	}
	return r
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
