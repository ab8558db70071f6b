package chaos

import "github.com/millrace-dev/millrace/internal/localaws/esm"

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
	// riskRepost: a client posted again what may have been accepted. Counted by the oracle, event by event: a bound that
	// gives it any weight excuses it.
	riskRepost risk = "reposts"
)

// Bound says how many packs may be delivered again because of one happening of each risk. What a sink took without an
// answer is counted in events, beside it.
type Bound map[risk]int

// AtLeastOnce is the bound of a flush without dedup: whatever was in a hand that was cut off is handed out again.
func AtLeastOnce() Bound {
	const (
		callPacks  = 10  // entries of one SQS batch call
		drainPacks = 110 // taken before they are flushed: 100, and what the last call brought
	)
	return Bound{
		riskFlush: esm.DefaultBatchSize, riskDrain: drainPacks, riskReplay: callPacks, riskSeen: 1, riskSend: callPacks, riskDelete: esm.DefaultBatchSize,
		riskEntry: 1, riskRepost: 1,
	}
}

// Deduped is the bound of flushes that share a store: what is left is what no store can know. A flush that is cut off may have
// delivered without saying so, and a pack that a sink took in part is not remembered when its rest could not be written.
// Messages shown, sent or deleted twice no longer count, and neither do posts.
func Deduped() Bound {
	bound := AtLeastOnce()
	for _, r := range []risk{riskReplay, riskSeen, riskDelete, riskRepost} {
		delete(bound, r)
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
