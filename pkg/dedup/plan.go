package dedup

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Action is what to do with a unit.
type Action uint8

// Actions.
const (
	// Send it; it is claimed.
	Send Action = iota
	// Skip it: a duplicate of what was delivered.
	Skip
	// Defer it: put it on the queue again, in a residue, to come after Verdict.After.
	Defer
	// Return it: it must come again after Verdict.After under the id of its pack, because
	// that id is what is claimed elsewhere. A residue has another id and would pass.
	Return
	// Follow it up: it equals a unit that is being sent in this flush, which decides. Ask
	// again after Resolve.
	Follow
)

func (a Action) String() string {
	return [...]string{"send", "skip", "defer", "return", "follow"}[a]
}

// Verdict is what is decided about a unit.
type Verdict struct {
	Action Action
	// Conflict says, of a duplicate, that its bytes differ from those that came first.
	Conflict bool
	// After is how long to wait, with Defer and Return.
	After time.Duration
}

// Plan is what is done with the units of one flush. Verdict, Delivered and Kept may be
// called concurrently, also beside one Commit; Resolve and Release are for one goroutine
// when all others are done.
type Plan struct {
	deduper *Deduper
	source  []Unit
	packs   []string
	units   []unit
	slots   []slot

	ticket Ticket
	claims []Claim // what the store was asked about
	asked  []int   // the slot of each
	held   bool    // whether any of them is, or may be, ours
}

// unit is what is known of a Unit.
type unit struct {
	slot    int32 // of its key
	leader  int32 // the unit that decides, when it follows one
	role    role
	end     atomic.Uint32
	verdict Verdict
}

type role uint8

const (
	leads       role = iota // its end decides about its slot
	followsSlot             // the same key came before it in this flush
	followsUnit             // the same event came before it, in another pack
)

// Ends of a unit. Zero: nobody has taken it, as far as is known.
const (
	delivered uint32 = 1 + iota // the sink has it
	kept                        // confirmed on a queue under another pack id
)

// slot is one key that is claimed, with the units behind it.
type slot struct {
	claim   Claim
	content content // of a whole pack
	pack    string  // id, of a whole pack
	whole   bool    // a pack's share: all its units decide together
	empty   bool    // its units moved to the slot of an equal pack
	verdict Verdict
}

func (p *Plan) open(s slot) int32 {
	p.slots = append(p.slots, s)
	return int32(len(p.slots) - 1) //nolint:gosec // as many as units
}

// Verdict says what to do with unit i, in the order of the units given to Begin.
func (p *Plan) Verdict(i int) Verdict { return p.units[i].verdict }

// Delivered notes that the sink has taken unit i.
func (p *Plan) Delivered(i int) { p.units[i].end.Store(delivered) }

// Taken says whether the sink has taken unit i.
func (p *Plan) Taken(i int) bool { return p.units[i].end.Load() == delivered }

// Kept notes that unit i is confirmed on a queue, in the residue or dead letter with
// the id pack. A residue with the id of its parent (no attempt was counted) keeps
// nothing: it would be taken for its parent, and be skipped.
func (p *Plan) Kept(i int, pack string) {
	if pack != p.slots[p.units[i].slot].pack {
		p.units[i].end.Store(kept)
	}
}

// Resolve decides about the units to Follow, when all units to Send have been tried:
// Skip what has been delivered, let the others come again. It costs nothing.
func (p *Plan) Resolve() {
	var undelivered map[int32]bool // slots, of which a unit was not delivered
	for i := range p.units {
		u := &p.units[i]
		if u.verdict.Action != Follow {
			continue
		}
		if undelivered == nil {
			undelivered = p.undelivered()
		}
		taken := !undelivered[u.slot]
		if u.role == followsUnit {
			taken = p.units[u.leader].end.Load() == delivered
		}
		u.verdict = p.resolved(u, taken)
	}
}

func (p *Plan) resolved(u *unit, taken bool) Verdict {
	switch {
	case taken:
		return Verdict{Action: Skip, Conflict: u.verdict.Conflict}
	case u.role == followsSlot && p.slots[u.slot].whole:
		return Verdict{Action: Return, After: shortestWait}
	}
	return Verdict{Action: Defer, After: shortestWait}
}

func (p *Plan) undelivered() map[int32]bool {
	slots := make(map[int32]bool)
	for i := range p.units {
		if u := &p.units[i]; u.role != followsSlot && !p.isOver(u, false) {
			slots[u.slot] = true
		}
	}
	return slots
}

// isOver says whether nothing is left to do for a unit. That it is kept counts only for a whole pack:
// the residue of a single event comes under the same key, and must pass.
func (p *Plan) isOver(u *unit, keeping bool) bool {
	switch u.end.Load() {
	case delivered:
		return true
	case kept:
		return keeping && p.slots[u.slot].whole
	}
	if u.role == followsUnit {
		return u.verdict.Action == Skip || p.units[u.leader].end.Load() == delivered
	}
	return false
}

// Commit remembers what was delivered so far and keeps the rest claimed. It makes one
// call of Store.Settle. A flush that calls it more often repeats less after a crash.
func (p *Plan) Commit(ctx context.Context) error { return p.settle(ctx, Hold) }

// Release ends the plan: it remembers what was delivered or kept, and frees the rest, so
// that what was refused, dropped or failed is never taken for seen. It makes one call of
// Store.Settle. After an error, the claims end with their lease, and what was
// delivered may be delivered again.
func (p *Plan) Release(ctx context.Context) error { return p.settle(ctx, Release) }

func (p *Plan) settle(ctx context.Context, rest Rest) error {
	if !p.held {
		return nil
	}
	s := Settlement{Claims: p.claims, Committed: p.committed(), Rest: rest}
	until := time.Now().Add(p.deduper.Window)
	if p.deduper.Store != nil {
		patient, stop := p.deduper.patient(ctx, 1)
		defer stop()
		if err := p.deduper.Store.Settle(patient, p.ticket, s); err != nil {
			return fmt.Errorf("dedup settle: %w", err)
		}
	}
	for k, c := range s.Claims {
		if s.Committed[k] {
			p.deduper.hint.remember(c, until)
		}
	}
	return nil
}

// committed says of each claim whether all that it stands for is over. Claims that
// others hold are not committed by us.
func (p *Plan) committed() []bool {
	unfinished := make(map[int32]bool)
	for i := range p.units {
		if u := &p.units[i]; u.role != followsSlot && !p.isOver(u, true) {
			unfinished[u.slot] = true
		}
	}
	committed := make([]bool, len(p.claims))
	for k, at := range p.asked {
		s := &p.slots[at]
		committed[k] = s.verdict.Action == Send && !unfinished[int32(at)] //nolint:gosec // as many as units
	}
	return committed
}
