// Package dedup keeps a sink from getting the same event twice, without ever taking
// for delivered what is not.
//
// It works in two phases. A flush claims what it takes up, under a ticket with a lease
// (Deduper.Begin). When the sinks have answered it commits what was delivered and frees the rest
// (Plan.Release). What was refused, dropped or failed is never remembered. A flush that
// crashes leaves claims that end with their lease. What is claimed elsewhere waits: it
// is not known yet to be delivered.
//
// # What a duplicate is
//
// Two units (an event on its way to a sink) are the same when they have the same key:
//
//	scope   key                                       remembered when
//	pack    tenant, sink, pack id                     each event of the pack for the sink is delivered,
//	                                                  or confirmed in a residue or dead letter of another id
//	event   tenant, sink, source, event id            the event is delivered
//	rule    tenant, sink, source, type, some fields   the event is delivered
//
// A queue's message id is never part of a key: redrive changes it. The tenant and the
// sink always are: tenants may use equal ids, and a sink is owed each event on its own.
//
// A dead letter that is sent again is a pack of the next generation, with another id, and so
// passes; only one that SQS moved by itself keeps its id, since it may have been delivered.
// A residue has another id than its parent as long as an attempt was counted. When none was
// (a shutdown, a deadline), it may have the same id, and its parent
// is then not remembered; see Plan.Kept.
//
// The same key with other bytes is a conflict: the first wins, the second is a
// duplicate that is counted as a conflict too. Bytes are compared by checksum, for packs
// and for ids; what a rule makes equal is meant to differ.
//
// # Where it is looked for
//
// First in the flush itself, then in the memory of the warm environment (a bounded list
// of keys that the store is known to have; not finding a key there means nothing), then in
// the Store that all environments share.
//
// # How often it happens all the same
//
// A flush that is killed after a sink has answered and before Plan.Commit or Release
// leaves a delivered event uncommitted: it is delivered once more. No store can prevent
// that; a sink that honours the idempotency key can. The same holds for a flush that
// outlives its lease, and for events that pass while the store is away (FailOpen).
//
// # Clocks
//
// Stores that several machines share compare the time at which a lease or window ends,
// written by one clock, with another. Set back by an hour, a clock sees leases and
// windows end up to an hour late: what is committed stays so, what is claimed stays so,
// and a crashed claim makes events wait longer; they are not dropped. Set forward, it sees them end
// early: events may be delivered twice. Neither loses an event.
//
// # Cost
//
//	call              store calls          work in the function
//	Deduper.Begin     one Claim, at most   one SHA-256 for each key, one checksum of each event
//	Plan.Verdict      none                 a look-up
//	Plan.Commit       one Settle           -
//	Plan.Release      one Settle           -
//
// What a store call costs stands with each store.
package dedup
