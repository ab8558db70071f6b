// Package audit compares the events that ingest accepted with those that sinks report, event by event: the proof to
// which the counters of pkg/ledger are the overview.
//
//	Journal      the lines of accepted events, as ingest logs them (telemetry.AcceptedLog), and of those that ended without
//	             a delivery, as flush does (telemetry.EndedLog); read three times for each sink
//	Whereabouts  which events lie on the queues, and why
//	Sink         what a sink reports to have: a file of records, a list of ids, the counts of the demo sink
//	Compare      one sink's side of it: what is there once, more than once, on its way, a dead letter, given up or missing
//
// The three are read in the order in which an event moves: first the journal up to a moment, then the main queue, then
// the dead letters, then the sink. So an event that moves meanwhile is seen at least once and never taken for lost; only
// a replay moves backwards, and what it moves meanwhile may look missing.
//
// Events are told apart by tenant, source and id. Where a sink reports no more than ids, an id that several events have, of
// different tenants or sources, is shared out among them: each is counted and named on its own, and only which of them was
// delivered is not known. They are held as hashes of 16 bytes, one sink at a time: a million
// accepted events against 1 GB of records took 216 MB of memory at most and 5 s of one core. The ids to name are found in
// another pass through the journal.
package audit
