// Package esm is the event-source mapping between a queue and a function: it receives messages, gathers them into batches,
// invokes the function and deletes what the function has done with.
//
//	Receive ──► gather until size, 6 MB or window ──► invoke ──► read the response ──► Delete
//	   ▲                                                │             │
//	   └── a slot of the maximum concurrency ◄──────────┴─────────────┘  what is not deleted comes back
//	                                                                     after the visibility timeout
//
// # Emulated
//
// Filter criteria (package pattern), batch size, batching window, the 6 MB cut, maximum concurrency, partial batch responses
// (see Read), records in AWS's shape, back-off while the function is throttled. A message that is not deleted is left alone:
// the queue's own visibility timeout and redrive policy decide what becomes of it, as on AWS.
//
// # Different from AWS
//
// One collector fills one batch at a time, where AWS starts with five pollers that each fill one; few messages therefore come
// in fewer, fuller batches here. Concurrency is available at once instead of growing by 300 a minute. FIFO queues
// and the CRUD calls of the Lambda API are not emulated.
package esm
