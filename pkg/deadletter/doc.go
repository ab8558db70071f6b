// Package deadletter defines what lies on the dead-letter queue, and which of it a
// person means.
//
// A dead letter is a pack (see pkg/batch) whose header names the one sink that would
// not take it and, in its reason, the story of the failure. Headers can be read and
// filtered without decompressing the events.
//
// Four other things arrive on the same queue and are understood too:
//
//   - A pack that SQS moved there by itself, because a flush crashed or timed out too
//     often (see Native). It has no reason, and no sink: it concerns every sink
//     (AllSinks). If it was a residue it has the sink and, as the story so far, a reason
//     without a stop.
//   - A pack of items that ingest refused although its protocol could not say so. It
//     has a reason with the stop StopRefused and no sink.
//   - A pack whose events should be in the bucket and are not (see Missing). It has a
//     reason with the stop StopMissing, and a sink only if it had one before.
//   - A message that was no readable pack. Its bytes are kept in a pack of kind
//     KindUnreadable (see Unreadable).
package deadletter
