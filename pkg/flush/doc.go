// Package flush takes packs off the queue and delivers their events to the sinks.
//
// The path of one invocation, in this order:
//
//	lambda.go   the payload: an SQS event, or {"drain":true}; payload.go reads it
//	flush.go    the whole: one run for each wave of packs that fits the memory (wave.go)
//	fetch.go    the events that are in the bucket
//	unpack.go   messages -> packs; what is no pack is parked as a dead letter
//	route.go    packs -> units: one event on its way to one sink
//	claim.go    units -> what dedup says of each: send, skip, or come again
//	lane.go     units to send -> one lane of events per sink and attempt
//	deliver.go  lanes -> batches, all sinks side by side
//	courier.go  a batch -> attempts, through the sink's gate, until every event has an end
//	poison.go   the search for the one event that a whole batch is refused for
//	fate.go     what happens to an event that no sink has taken
//	settle.go   fates -> residues on the queue, dead letters; both confirmed, then committed
//	comeback.go messages that must come back, and when
//
// target.go holds what is known of a sink, config.go makes it from the configuration.
//
// Nothing is acknowledged before the sink, or the queue that holds the rest, has
// answered. A message comes back (batchItemFailures) only when its residue or dead
// letter could not be written, when another flush is delivering it under the same pack id,
// when the bucket does not give its events, or when a newer Millrace wrote it.
package flush
