package audit

// tally is what is known of one event.
type tally struct {
	self                uint64 // of the event's label
	accepted, delivered uint32
	// place is the event's place + 1, 0 when it has none.
	place int32
	// next is the place in the list of the next event of which the sink tells the same, 0 when there is none.
	next  int32
	ended end
	named bool
	alike bool // there are others of which the sink tells the same
}

// tallies are those of all events that a sink should have. The zero value holds none.
type tallies struct {
	list []tally       // in the order of acceptance; the first place is left free
	told map[key]int32 // where the first is of which the sink tells this
}

// open returns the tally of an event, a new one for one that is not known yet. It is good until the next call.
func (s *tallies) open(l label) *tally {
	if s.told == nil {
		s.told, s.list = make(map[key]int32), make([]tally, 1)
	}
	if t := s.find(l); t != nil {
		return t
	}
	at := int32(len(s.list)) //nolint:gosec // a journal of a gibibyte has some ten million events
	s.list = append(s.list, tally{self: l.self})
	first, known := s.told[l.told]
	if !known {
		s.told[l.told] = at
		return &s.list[at]
	}
	last := first
	for s.list[last].next != 0 {
		last = s.list[last].next
	}
	s.list[last].next = at
	return &s.list[at]
}

// find returns the tally of an event, nil for one that is not known.
func (s *tallies) find(l label) *tally {
	for at := s.told[l.told]; at != 0; at = s.list[at].next {
		if s.list[at].self == l.self {
			return &s.list[at]
		}
	}
	return nil
}

// first returns the tally of the first event of which the sink tells this, nil when there is none.
func (s *tallies) first(told key) *tally {
	if at := s.told[told]; at != 0 {
		return &s.list[at]
	}
	return nil
}

// share gives what the sink has of several events that it does not tell apart, and that was put down to the first, to each
// of them: once to who is nowhere else, once to the others, then as often as each was accepted, and the rest to the first. Whose it
// is, nobody knows; but never is one tenant's delivery taken for those of two.
func (s *tallies) share() {
	for _, at := range s.told {
		first := &s.list[at]
		if first.next == 0 {
			continue
		}
		left := first.delivered
		first.delivered = 0
		for _, due := range []func(*tally) uint32{nowhereElse, once, asAccepted} {
			for i := at; i != 0; i = s.list[i].next {
				t := &s.list[i]
				t.alike = true
				more := min(left, due(t)-min(t.delivered, due(t)))
				t.delivered, left = t.delivered+more, left-more
			}
		}
		first.delivered += left
	}
}

// nowhereElse is 1 for an event that is at no place and has not ended otherwise.
func nowhereElse(t *tally) uint32 {
	if t.place == 0 && (t.ended == unknown || t.ended == deduped) {
		return 1
	}
	return 0
}

func once(*tally) uint32 { return 1 }

func asAccepted(t *tally) uint32 { return t.accepted }
