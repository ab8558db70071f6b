// Package esm is the event-source mapping between a queue and a function: it receives messages, gathers them into batches,
// invokes the function and deletes what the function has done with.
//
//	wait for the turn ──► gather until size, 6 MB or window ──► invoke ──► read the response ──► delete
//	  ▲                     │                                                │                     │
//	  │                     └── pass the turn on, with what did not fit      └── what is not       │
//	  │                                                                          deleted comes     │
//	  └──────────────────────────────────────────────────────────────────────────back later ◄──────┘
//
// As many pollers as the maximum concurrency go round like that, and one at a time has the turn to receive. So they scale by
// themselves: a quiet queue sees a single long poll, each batch that is out brings the next poller to the queue, a backlog soon has
// all of them invoking, and when it is gone they wait again.
//
// # Emulated
//
// Filter criteria (package pattern), batch size, batching window, the 6 MB cut, maximum concurrency, partial batch responses
// (see Read), records in AWS's shape, back-off while the function is throttled: its batches are tried again for as long as their
// messages are hidden, and nothing more is received. A message that is not deleted is left alone: the queue's own visibility
// timeout and redrive policy decide what becomes of it, as on AWS.
//
// # Different from AWS
//
// AWS starts with five pollers, which all receive, adds up to 300 a minute and takes them away again. Here few messages come in
// fewer, fuller batches, an idle queue costs one receive in 20 s instead of five, and the maximum concurrency is reached at once.
// AWS also lowers the concurrency of a function that fails without being throttled. FIFO queues, provisioned pollers and
// the CRUD calls of the Lambda API are not emulated.
package esm
