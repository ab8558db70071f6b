// Package sqs is the Amazon SQS of the embedded AWS: standard queues over the AWS JSON 1.0 protocol.
//
// # What is emulated
//
// Queues: create, get, list (pages, prefix), delete, attributes, tags, purge, dead-letter sources, move tasks. Messages: send, receive, delete,
// change visibility, each with its batch. Checksums, limits (limits.go), error codes and their header, system attributes, attribute filters,
// long polls, delays, visibility timeouts, retention, redrive and redrive allow policies, and fair delivery by MessageGroupId (fairShare).
//
// # What is not
//
// FIFO queues, the query protocol of before 2023, AddPermission and RemovePermission are refused with AWS's own kind of error and
// a sentence, in JSON. A call names its queue by QueueUrl, not by the path it is posted to. Policies are stored and not enforced,
// encryption settings are stored as they are given; signatures are not verified. Counts are exact where AWS's are approximate.
// A deleted queue's name can be used again at once (AWS: after 60 s), attribute changes act at once (AWS: within 60 s).
// A message that was received too often moves to the dead-letter queue when its visibility timeout ends (AWS: at the next receive).
//
// # What survives
//
// With New everything is in memory. With Open every change goes to a journal on disk, too, and the reply to a send, a delete, a purge or a
// change of a queue, its attributes or its tags goes out when it is synced. Receives and changes of visibility are written and not
// synced: after a crash a message may be delivered once more than its receive count says, as at-least-once delivery allows. After a
// restart messages in flight stay hidden until their visibility timeout ends, receipt handles stay valid, and delays, receive counts,
// ages and dead letters are as they were, and running move tasks go on. Not kept: who was served how much of late
// (fairShare). On a disk that is nearly full sends are refused with ServiceUnavailable; after a failed write every call is, with InternalFailure.
//
// # How it is built
//
//	operations*.go, send.go            the calls of the wire, over awsjson: find the queue, act, answer
//	settings.go, attributes.go         what queues and messages may be given
//	direct.go                          the same calls for Go code in this process
//	service.go, poll.go, move.go       the lock, timers, long polls, move tasks
//	queue.go, fair.go, record.go       one queue's messages, without lock or clock: time comes in as an argument
//	keep.go, restore.go                what the journal holds, and back
//
// A message is in one state at a time:
//
//	sent ──> delayed ──> visible <──> in flight ──> gone
//	  └───────────────────^   └─ gone (expired, moved to the dead-letter queue, purged)
//
// Every message has one entry in its queue's agenda, a heap by what happens to it next by itself (delay or visibility ends, retention ends), and
// each queue has one timer, set to the agenda's head. So nothing scans: sending, receiving and deleting cost O(log n) of
// the queue's length, and the clock may be virtual (testing/synctest).
package sqs
