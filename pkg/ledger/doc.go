// Package ledger counts what became of every event, so that the books can be shown to
// balance:
//
//	at ingest:    received = accepted + refused + filtered + sampled + limited
//	for a sink:   routed = delivered + deduped + rejected + dropped + dead_lettered + returned + in flight
//
// In flight are the events of residues, tried and waiting on the queue. What is returned came
// back to the queue with its message, because nothing else would have held it: it is
// no longer in flight by the books, and is routed once more.
//
// Counters of one invocation are taken as a whole (Take) and reported; the sum over
// all invocations is the books. An invocation that is killed reports nothing, so sums
// may fall behind what really happened; sets of event ids are the proof, counters the
// overview.
package ledger
