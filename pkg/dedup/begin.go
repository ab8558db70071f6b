package dedup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Unit is one event on its way to one sink.
type Unit struct {
	// Pack is the place of the event's pack in the list given to Begin.
	Pack int
	// Sink is its name.
	Sink string
	// Event is not changed.
	Event *event.Event
}

// Begin takes up the units of one flush. packs are the ids of its packs; an id may
// stand there twice. The plan says of each unit what to do, and is told what became of it.
//
// With a store it makes one call of Store.Claim: one key for each pack and sink, or for
// each event and sink. Of single events it claims no more than it can in two thirds of the time
// that ctx has left; the others are deferred.
//
// The plan is good even with an error: that is the store's trouble, to
// be logged, and what OnStoreFailure says is already in the plan.
func (d *Deduper) Begin(ctx context.Context, packs []string, units []Unit) (*Plan, error) {
	p := &Plan{deduper: d, source: units, packs: packs, units: make([]unit, len(units))}
	p.assign()
	p.recall(time.Now())
	err := p.ask(ctx)
	p.judge()
	return p, err
}

// assign gives every unit the slot of its key. Units of one pack share a slot; beyond
// that, units that meet in a slot are duplicates of its leaders.
func (p *Plan) assign() {
	a := assignment{Plan: p, slots: make(map[Key]int32, len(p.packs)), shares: make(map[share]int32, len(p.packs))}
	if p.deduper.Scope == ScopeEvent {
		a.slots = make(map[Key]int32, len(p.source))
		p.slots = make([]slot, 0, len(p.source))
	}
	for i := range p.source {
		u := &p.source[i]
		if key, ok := p.deduper.ruleKey(u.Event, u.Sink); ok {
			// Events that a rule makes equal have different bytes: nothing to compare.
			a.single(i, Claim{Key: key})
			continue
		}
		if p.deduper.Scope == ScopeEvent {
			var c content
			c.add(u.Event.Data)
			a.single(i, Claim{Key: keyOfEvent(u.Event, u.Sink), Content: c.sum()})
			continue
		}
		a.shared(i)
	}
	a.meet()
}

// share is the part of a pack that goes to one sink.
type share struct {
	pack int
	sink string
}

type assignment struct {
	*Plan
	slots  map[Key]int32
	shares map[share]int32
}

// single gives unit i a slot of its own, or makes it follow the one who has it.
func (a *assignment) single(i int, c Claim) {
	at, taken := a.slots[c.Key]
	if !taken {
		at = a.open(slot{claim: c})
		a.slots[c.Key] = at
	}
	a.units[i].slot = at
	if taken {
		a.units[i].role = followsSlot
		a.units[i].verdict.Conflict = differ(a.Plan.slots[at].claim.Content, c.Content)
	}
}

// shared gives unit i the slot of its share.
func (a *assignment) shared(i int) {
	u := &a.source[i]
	key := share{u.Pack, u.Sink}
	at, known := a.shares[key]
	if !known {
		id := a.packs[u.Pack]
		at = a.open(slot{claim: Claim{Key: keyOfPack(u.Event.Tenant, u.Sink, id)}, pack: id, whole: true})
		a.shares[key] = at
	}
	a.units[i].slot = at
	a.Plan.slots[at].content.add(u.Event.Data)
}

// meet finds shares of packs that came twice: the second follows the first. Only now
// the contents are complete.
func (a *assignment) meet() {
	moved := make(map[int32]int32)
	conflict := make(map[int32]bool)
	for at := range a.Plan.slots {
		s := &a.Plan.slots[at]
		if !s.whole {
			continue
		}
		s.claim.Content = s.content.sum()
		first, taken := a.slots[s.claim.Key]
		if !taken {
			a.slots[s.claim.Key] = int32(at)
			continue
		}
		s.empty = true
		moved[int32(at)] = first
		conflict[int32(at)] = differ(a.Plan.slots[first].claim.Content, s.claim.Content)
	}
	if len(moved) == 0 {
		return
	}
	for i := range a.units {
		u := &a.units[i]
		if first, ok := moved[u.slot]; ok {
			u.verdict.Conflict = conflict[u.slot]
			u.slot, u.role = first, followsSlot
		}
	}
}

// recall asks the warm environment.
func (p *Plan) recall(now time.Time) {
	for i := range p.slots {
		s := &p.slots[i]
		if s.empty {
			continue
		}
		known, conflict := p.deduper.hint.committed(s.claim, now)
		if known {
			s.verdict = Verdict{Action: Skip, Conflict: conflict}
			continue
		}
		p.claims = append(p.claims, s.claim)
		p.asked = append(p.asked, i)
	}
}

// ask asks the store about the slots that are left.
func (p *Plan) ask(ctx context.Context) error {
	d := p.deduper
	deadline, bounded := ctx.Deadline()
	p.ticket = NewTicket(d.lease(deadline, bounded), d.Window)
	if d.Store == nil || len(p.claims) == 0 {
		p.held = len(p.claims) > 0
		return nil // every slot is ours: Send is the zero action
	}
	if bounded {
		p.leave(affordable(time.Until(deadline)))
	}
	patient, stop := d.patient(ctx, len(p.claims))
	defer stop()
	answers, err := d.Store.Claim(patient, p.ticket, p.claims)
	if len(answers) != len(p.claims) {
		answers = make([]Answer, len(p.claims))
	}
	now := time.Now()
	for k, a := range answers {
		s := &p.slots[p.asked[k]]
		s.verdict = d.verdict(a, err, s.whole)
		p.held = p.held || a.State == Claimed || a.State == Unknown
		if a.State == Committed {
			d.hint.remember(s.claim, now.Add(a.Left))
		}
	}
	if err != nil {
		return fmt.Errorf("dedup claim: %w", err)
	}
	return nil
}

// leave hands back unclaimed what is over most keys, to come again in a residue: a flush that
// claims more than it has time for sends nothing of it, and neither does the next. Whole
// packs, which are few, are asked about in any case.
func (p *Plan) leave(most int) {
	asked := 0
	for k, at := range p.asked {
		if s := &p.slots[at]; asked >= most && !s.whole {
			s.verdict = Verdict{Action: Defer, After: shortestWait}
			continue
		}
		p.claims[asked], p.asked[asked] = p.claims[k], at
		asked++
	}
	p.claims, p.asked = p.claims[:asked], p.asked[:asked]
}

// verdict is THE decision: what an answer of the store means for the units behind it.
func (d *Deduper) verdict(a Answer, err error, whole bool) Verdict {
	wait := Defer
	if whole {
		wait = Return
	}
	switch a.State {
	case Claimed:
		return Verdict{Action: Send}
	case Committed:
		return Verdict{Action: Skip, Conflict: a.Conflict}
	case InProgress:
		return Verdict{Action: wait, After: max(a.Left, shortestWait)}
	case Unknown:
	}
	if d.OnStoreFailure == FailClosed || errors.Is(err, ErrBusy) {
		return Verdict{Action: wait, After: awayPause}
	}
	return Verdict{Action: Send}
}

// judge turns the verdicts on slots into verdicts on units.
func (p *Plan) judge() {
	type sinkEvent struct {
		event.Identity
		sink string
	}
	var sent map[sinkEvent]int
	if p.deduper.WithinFlush == On && p.deduper.Scope == ScopePack {
		sent = make(map[sinkEvent]int, len(p.units))
	}
	for i := range p.units {
		u, s := &p.units[i], &p.slots[p.units[i].slot]
		conflict := u.verdict.Conflict || s.verdict.Conflict
		u.verdict = s.verdict
		u.verdict.Conflict = conflict && u.verdict.Action == Skip
		if u.verdict.Action != Send {
			continue
		}
		if u.role == followsSlot {
			u.verdict = Verdict{Action: Follow, Conflict: conflict}
			continue
		}
		if !s.whole || sent == nil {
			continue
		}
		source := &p.source[i]
		key := sinkEvent{source.Event.Identity(), source.Sink}
		leader, met := sent[key]
		if !met {
			sent[key] = i
			continue
		}
		u.role, u.leader = followsUnit, int32(leader) //nolint:gosec // as many as units
		u.verdict = Verdict{Action: Follow, Conflict: !bytes.Equal(p.source[leader].Event.Data, source.Event.Data)}
	}
}
