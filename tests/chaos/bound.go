package chaos

import (
	"github.com/millrace-dev/millrace/internal/localaws/esm"
)

// risk is a happening after which something may be delivered again.
type risk string

const (
	// riskFlush: a flush ended without an answer, by a kill or by its timeout.
	riskFlush risk = "flushes cut off"
	// riskDrain: the same of a drain, which takes more at once.
	riskDrain risk = "drains cut off"
	// riskReplay: a replay was killed, perhaps after it had sent letters and before it deleted them.
	riskReplay risk = "replays cut off"
	// riskSeen: a message became visible while a flush had it.
	riskSeen risk = "messages shown twice"
	// riskSend: a call that sends up to ten packs failed, or its reply was lost.
	riskSend risk = "sends in doubt"
	// riskDelete: a call that deletes a batch failed or its reply was lost.
	riskDelete risk = "deletes in doubt"
	// riskEntry: one entry of a batch call failed.
	riskEntry risk = "entries refused"
	// riskLate: a flush had no time left to write a residue.
	riskLate risk = "residues too late"
	// riskRepost: a client posted again what may have been accepted. Counted by the oracle, event by event: a bound that
	// gives it any weight excuses it.
	riskRepost risk = "reposts"
	// riskUnasked: the store did not tell a flush in time whether its packs were delivered before.
	riskUnasked risk = "claims unanswered"
	// riskUnsettled: the store did not learn from a flush in time what was delivered.
	riskUnsettled risk = "settlements in doubt"
)

// Bound says how many packs may be delivered again because of one happening of each risk. What a sink took without an
// answer is counted in events, beside it.
type Bound map[risk]int

const (
	callPacks  = 10                   // entries of one SQS batch call
	flushPacks = esm.DefaultBatchSize // handed to one flush
	drainPacks = 110                  // taken by a drain before they are flushed: 100, and what the last call brought
)

// AtLeastOnce is the bound of flushes without a store: whatever was in a hand that was cut off is handed out again.
func AtLeastOnce() Bound {
	return Bound{
		riskFlush: flushPacks, riskDrain: drainPacks, riskReplay: callPacks, riskSeen: 1, riskSend: callPacks, riskDelete: flushPacks,
		riskEntry: 1, riskLate: 1, riskRepost: 1,
	}
}

// Deduped is the bound of flushes that share a store, in one of two scopes. It has no place for messages shown or deleted twice, for
// letters replayed twice and for reposts: those come under a key that is committed, or claimed until it is. What is left is what
// no store can know:
//
//   - a flush that was cut off may have delivered everything without a settlement;
//   - with ScopePack, a pack that a sink took in part is not remembered when its rest could not be written: all of it comes again. With
//     ScopeEvent the delivered part is remembered;
//   - what a sink took without its answer arriving (counted in events, not here).
func Deduped(scope string) Bound {
	bound := Bound{riskFlush: flushPacks, riskDrain: drainPacks}
	if scope == scopePack {
		bound[riskSend], bound[riskEntry], bound[riskLate] = callPacks, 1, 1
	}
	return bound
}

// BoundOf is the bound of a plan's runs. While the store fails it knows less: a settlement that did not arrive is a flush that may
// deliver its packs again, and one that could not ask delivers what may have been delivered, where it is told to fail open. Told
// to fail closed, it waits. Leases and windows are read with the clocks of those who ask: where these jump, a store is worth nothing.
func BoundOf(p Plan) Bound {
	if p.Dedup.Scope == "" {
		return AtLeastOnce()
	}
	bound, packs := Deduped(p.Dedup.Scope), flushPacks
	if p.Has(ClockJump) {
		bound = AtLeastOnce()
	}
	if p.Scheduled || p.Has(Drain) {
		packs = drainPacks // who asked cannot be told
	}
	bound[riskUnsettled] = packs
	if p.Dedup.OnStoreFailure == failOpen {
		bound[riskUnasked] = packs
	}
	return bound
}

// events is the most duplicates that a sink may have.
func (b Bound) events(risks map[risk]int, exposed int) int {
	n := exposed
	for r, happened := range risks {
		n += b[r] * happened * maxPostEvents
	}
	return n
}
