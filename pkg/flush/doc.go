// Package flush takes packs off the queue and delivers their events to the sinks.
//
// The path of one invocation, in the order of the files:
//
//	lambda.go   the payload: an SQS event, or {"drain":true}
//	unpack.go   messages -> packs; what is no pack is parked as a dead letter
//	route.go    packs -> one lane of events per sink and attempt
//	deliver.go  lanes -> batches -> attempts -> an outcome for every event
//	poison.go   the search for the one event that a whole batch is refused for
//	settle.go   outcomes -> residues on the queue, dead letters; both confirmed
//	flush.go    the whole, and the answer: which messages must come back
//
// Nothing is acknowledged before the sink, or the queue that holds the rest, has
// answered. A message comes back (batchItemFailures) only when its residue or dead
// letter could not be written, or when a newer Millrace wrote it.
package flush
